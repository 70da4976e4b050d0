//! keepalived.conf

pub mod configuration;
pub use configuration::*;

pub mod diagnostic;
pub mod lexer;
pub mod preprocess;
pub mod render;
pub mod source;
pub mod tree;
