//! VRRP without clock, socket or file: adverts, instances, sync groups, trackers, election, announcements.
//!
//! [`Routers`] is the brain: events and time go in, [`Action`]s come out in the order of their execution. What the world
//! looks like is told by events; what happened to an action comes back as an event.

pub mod announce_frame;
pub mod config;
pub mod event;
pub mod log;
pub mod packet;
mod routers;
mod statistics;
pub mod view;

pub use event::*;
pub use routers::{Reconfigured, Routers};
pub use statistics::{GlobalStatistics, Statistics};
