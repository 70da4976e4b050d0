//! LVS

mod config;
pub use config::*;
