//! Which addresses, routes, rules, links, sysctls and firewall sets must stand, and the plan that gets there.
//!
//! ```text
//!   configuration ──▶ Keeper ◀── Observation (monitor: what the kernel tells)
//!   hold, release ──▶   │
//!                       ├──▶ Operation (to the kernel, in order) ──▶ Outcome ──▶ Keeper::performed
//!                       └──▶ Consequence (to the brains and the log)
//! ```
//!
//! Nothing here touches the kernel. Operations are absolute ("this address, this prefix length, this interface"), so to repeat one is harmless, and
//! what stands already is taken over, never removed and added again: start, reload, recovery after a crash and "somebody deleted my
//! address" are the same comparison.

pub mod actual;
pub mod config;
pub mod firewall;
pub mod holdings;
pub mod keeper;
pub mod operation;
pub mod plan;
mod sysctl;
pub mod virtual_link;

pub use actual::{Actual, AddressState, LinkKind, LinkState, Observation, RouteState};
pub use config::*;
pub use firewall::{FirewallConfig, FirewallOperation};
pub use holdings::{Config, Holdings, Items};
pub use keeper::{Consequence, Keeper, Owner};
pub use operation::{AddressKey, AddressSpec, LinkSettings, Operation, Outcome, Refusal, RouteSpec};
pub use plan::{Desired, plan};
pub use virtual_link::{VirtualLink, VirtualLinkKind};
