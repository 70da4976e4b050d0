//! (module documentation to be written)

pub mod config;
pub use config::*;
