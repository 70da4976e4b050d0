//! keepalived.conf

pub mod cluster;
pub mod configuration;
pub use configuration::*;

pub mod diagnostic;
pub mod lexer;
pub mod lower;
pub mod preprocess;
pub mod render;
pub mod source;
pub mod table;
pub mod tree;

pub use lower::{Options, Outcome, System, parse};
pub use render::show;
