//! Virtual servers: verdicts of checkers become weights, quorums and a desired IPVS table; when each check runs is decided here too.

mod config;
mod director;
mod event;
mod remembered;

pub use config::*;
pub use director::*;
pub use event::*;
pub use remembered::*;
