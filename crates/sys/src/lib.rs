//! What the operating system offers and no safe crate does: the only room with `unsafe`.
//!
//! Each module is a thin, safe face over system calls and decides nothing. `unsafe` stands in modules that say so at their head, each block with
//! the sentence that makes it true.

pub mod calendar;
pub mod clock;
pub mod datagrams;
pub mod memory;
pub mod pcre2;
pub mod pid_file;
pub mod polled;
pub mod process;
pub mod scheduling;
pub mod script;
pub mod service_manager;
pub mod signals;
pub mod socket_option;
pub mod timer;
pub mod tls;
pub mod watched;

pub use pid_file::{PidFile, PidFileError};
pub use service_manager::ServiceManager;
pub use signals::{Signal, SignalStream};
pub use timer::Timer;
pub use watched::Watched;
