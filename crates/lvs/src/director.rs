//! The director: verdicts of checkers become a desired IPVS table.

use types::Instant;

use crate::{Action, Config, Event, Remembered};

/// Everything the checker process decides.
#[derive(Debug)]
pub struct Director {
    config: Config,
}

impl Director {
    /// Starts with `config`. `remembered` is what [`Director::remember`] said before a crash (or the default); `seed` spreads the first checks over their warmup.
    ///
    /// The kernel's table is adopted: [`Action::ReadTable`] comes first, and what it shows is compared with [`Director::desired`].
    pub fn new(config: Config, now: Instant, remembered: &Remembered, seed: u64, out: &mut Vec<Action>) -> Self {
        let _ = (now, remembered, seed);
        out.push(Action::ReadTable);
        Self { config }
    }

    /// Something happened.
    pub fn handle(&mut self, now: Instant, event: Event, out: &mut Vec<Action>) {
        let _ = (now, event, out);
    }

    /// The time of [`Director::next_deadline`] has come; early or repeated calls change nothing.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Action>) {
        let _ = (now, out);
    }

    /// When [`Director::handle_timeout`] is wanted.
    pub fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// A reload: states of servers that both configurations have are kept, kept checks go on undisturbed, and only what differs is changed in the table.
    pub fn reconfigure(&mut self, now: Instant, config: Config, out: &mut Vec<Action>) {
        let _ = (now, out);
        self.config = config;
    }

    /// The table as it should stand; made when asked (its cost is that of the whole configuration).
    pub fn desired(&self) -> ipvs::Table {
        ipvs::Table::default()
    }

    /// What a successor needs to go on after a crash.
    pub fn remember(&self) -> Remembered {
        Remembered::default()
    }

    /// The configuration that holds.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// States of all virtual servers, in the order of the configuration, for dumps, JSON, metrics and SNMP.
    pub fn report(&self) -> Vec<VirtualServerReport> {
        Vec::new()
    }
}

/// State of a virtual server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualServerReport {
    /// Whether its quorum is met.
    pub quorum_met: bool,
    /// Sum of the weights of its live servers.
    pub live_weight: u64,
    /// Whether its sorry server takes the connections.
    pub sorry_active: bool,
    /// Its real servers.
    pub real_servers: Vec<RealServerReport>,
}

/// State of a real server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealServerReport {
    /// Whether it is up.
    pub up: bool,
    /// Whether it stands in the kernel's table (perhaps with weight 0).
    pub in_table: bool,
    /// Its weight of now, negative sums included.
    pub weight: i64,
    /// Its checkers.
    pub checkers: Vec<CheckerReport>,
}

/// State of a checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckerReport {
    /// Whether it says that the server is up.
    pub up: bool,
    /// Whether it has had a result.
    pub has_run: bool,
    /// Whether it is running (not suspended).
    pub enabled: bool,
    /// Failures since the last success that the retries have absorbed.
    pub retries: u32,
    /// Reason of its last failure.
    pub reason: Option<String>,
}
