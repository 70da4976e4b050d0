//! Virtual servers: verdicts of checkers become weights, quorums and a desired IPVS table; when each check runs is decided here too.

mod config;
mod director;
mod event;
mod names;
mod placement;
mod probe;
mod reload;
mod remembered;
mod report;
mod schedule;
mod server;
mod services;
mod stop;
mod text;
mod transitions;

pub use config::*;
pub use director::Director;
pub use event::*;
pub use remembered::*;
pub use report::*;
