//! Whole clusters on one virtual clock: N nodes with their real [`vrrp::Routers`], a network that loses, delays,
//! reorders, duplicates and splits, nodes that pause, sleep, crash and come back. A seed decides everything, so a
//! failure is a number.
//!
//! Two kinds of lives:
//!
//! - [`storm`]: anything may happen; then the weather clears, and after the settling time there must be exactly one
//!   master in each part of the network, and nothing may move any more.
//! - [`calm`]: a healthy network and one event; one hand-over must be one move of addresses, within the protocol's time.

mod calm;
mod cluster;
mod network;
mod plan;
mod random;
mod storm;

pub use calm::calm;
pub use cluster::Failure;
pub use storm::storm;

/// What a life amounted to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Events handled by all nodes together.
    pub events: u64,
    /// Time that passed on the virtual clock.
    pub simulated: std::time::Duration,
    /// How often addresses were taken.
    pub takeovers: u64,
}

impl std::ops::AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.simulated += other.simulated;
        self.takeovers += other.takeovers;
    }
}

/// Both lives of a seed.
///
/// # Errors
///
/// The first invariant that did not hold, with what happened before.
pub fn live(seed: u64) -> Result<Report, Box<Failure>> {
    let mut report = storm(seed)?;
    report += calm(seed)?;
    Ok(report)
}
