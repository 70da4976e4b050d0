//! VRRP

pub mod config;
pub mod event;
pub mod log;

pub use event::*;
