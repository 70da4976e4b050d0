//! keepalived.conf

pub mod configuration;
pub use configuration::*;
