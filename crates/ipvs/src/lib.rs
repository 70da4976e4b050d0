//! The IPVS table as a value: services and destinations, the codec of the kernel's generic netlink family, and the plan that turns one table into another.
//!
//! Nothing here opens a socket; `net::ipvs` is the hands.

pub mod codec;
mod operation;
mod plan;
mod table;
pub mod text;

pub use operation::*;
pub use plan::{Foreign, plan, plan_service};
pub use table::*;
