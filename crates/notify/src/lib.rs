//! Transitions become script arguments, FIFO lines and mails, in order.
//!
//! This crate decides what is run, written and sent, and when; the processes do it. It starts nothing itself.

mod config;
mod line;
mod mail;
mod queue;

pub use config::*;
pub use line::{FifoLine, VrrpEvent};
pub use mail::{Alert, Dialogue, Step};
pub use queue::{Owner, PATIENCE, Queue, Run, RunId};
