//! VRRP without clock, socket or file: adverts, instances, sync groups, trackers, election, announcements.
//!
//! [`Routers`] is the brain: events and time go in, [`Action`]s come out in the order of their execution. What the world
//! looks like is told by events; what happened to an action comes back as an event.

mod announce;
pub mod announce_frame;
pub mod config;
mod deadlines;
mod election;
pub mod event;
mod faults;
mod first_state;
mod instance;
mod links;
pub mod log;
pub mod packet;
mod reception;
mod reload;
mod routers;
mod statistics;
mod surroundings;
mod tracking;
mod transition;
mod transmit;
mod upkeep;
pub mod view;

pub use event::*;
pub use routers::{Reconfigured, Routers};
pub use statistics::{GlobalStatistics, Statistics};
