//! State of virtual and real servers.

use ipvs::ServiceKey;
use types::Weight;

use crate::{ProbeId, RealServerConfig, SorryServerConfig, VirtualServerConfig};

/// What stands in the kernel's table by our word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) weight: Weight,
    /// When it was added, relative to the others.
    pub(crate) order: u64,
}

/// A place in a virtual server's pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Server(usize),
    Sorry,
}

#[derive(Debug)]
pub(crate) struct VirtualServer {
    pub(crate) name: Box<str>,
    pub(crate) services: Vec<ServiceKey>,
    pub(crate) servers: Vec<RealServer>,
    pub(crate) sorry: Option<Placed>,
    /// The real server that is the sorry server too.
    pub(crate) twin: Option<usize>,
    /// Some of its services are another virtual server's as well.
    pub(crate) shared: bool,
    pub(crate) quorum_met: bool,
    /// Sum of the weights of live servers.
    pub(crate) live_weight: u64,
    /// Number of live servers.
    pub(crate) live: u32,
    /// `ha_suspend` and none of its addresses is on the host.
    pub(crate) suspended: bool,
}

#[derive(Debug)]
pub(crate) struct RealServer {
    /// Checkers that say that it is down; it is up while there are none.
    pub(crate) failed: u32,
    /// Weight of the file (or set by hand) with what checkers add; may be out of the kernel's range.
    pub(crate) weight: i64,
    /// Weight of the file, or set by hand.
    pub(crate) base_weight: Weight,
    pub(crate) placed: Option<Placed>,
    pub(crate) checkers: Box<[Checker]>,
}

#[derive(Debug)]
pub(crate) struct Checker {
    pub(crate) source: Source,
    pub(crate) up: bool,
    /// What it adds to the weight.
    pub(crate) delta: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Probe(ProbeId),
    File,
    Bfd,
}

impl RealServer {
    pub(crate) fn up(&self) -> bool {
        self.failed == 0
    }

    /// The weight that the kernel gets.
    pub(crate) fn effective_weight(&self) -> Weight {
        Weight::saturating(self.weight)
    }

    /// Works the weight out again.
    pub(crate) fn sum_weight(&self) -> i64 {
        let deltas = self.checkers.iter().fold(0i64, |sum, checker| sum.saturating_add(checker.delta));
        i64::from(self.base_weight.get()).saturating_add(deltas)
    }
}

impl VirtualServer {
    /// The sorry server has the connections.
    pub(crate) fn sorry_active(&self, config: &VirtualServerConfig) -> bool {
        config.sorry_server.is_some() && !self.quorum_met
    }

    /// The weight with which a server should stand, if it should.
    pub(crate) fn wanted(&self, config: &VirtualServerConfig, slot: Slot) -> Option<Weight> {
        let sorry_active = self.sorry_active(config);
        match slot {
            Slot::Server(number) => {
                let server = &self.servers[number];
                match server.up() && !sorry_active {
                    true => Some(server.effective_weight()),
                    false => config.real_servers[number].inhibit_on_failure.then_some(Weight::ZERO),
                }
            }
            Slot::Sorry => match config.sorry_server.as_ref()? {
                _ if sorry_active => Some(Weight::ONE),
                SorryServerConfig { inhibit: true, .. } => Some(Weight::ZERO),
                SorryServerConfig { inhibit: false, .. } => None,
            },
        }
    }

    pub(crate) fn placed(&self, slot: Slot) -> Option<Placed> {
        match slot {
            Slot::Server(number) => self.servers[number].placed,
            Slot::Sorry => self.sorry,
        }
    }

    pub(crate) fn placed_mut(&mut self, slot: Slot) -> &mut Option<Placed> {
        match slot {
            Slot::Server(number) => &mut self.servers[number].placed,
            Slot::Sorry => &mut self.sorry,
        }
    }

    /// Counts live servers and their weights.
    pub(crate) fn count(&mut self) {
        let live = self.servers.iter().filter(|server| server.up());
        (self.live, self.live_weight) =
            live.fold((0, 0), |(live, weight), server| (live + 1, weight + u64::from(server.effective_weight().get())));
    }
}

/// What quorum and live servers make of the state: unchanged, gained or lost.
///
/// Gained at quorum + hysteresis; lost below quorum − hysteresis, or when no server lives.
pub(crate) fn quorum(config: &VirtualServerConfig, met: bool, live: u32, live_weight: u64) -> bool {
    let (quorum, hysteresis) = (u64::from(config.quorum), u64::from(config.hysteresis));
    match met {
        true => live > 0 && live_weight >= quorum.saturating_sub(hysteresis),
        false => live > 0 && live_weight >= quorum + hysteresis,
    }
}

/// The destination that a server is.
pub(crate) fn destination(config: &RealServerConfig, weight: Weight) -> ipvs::Destination {
    ipvs::Destination {
        forwarding: config.forwarding,
        weight,
        upper_threshold: config.upper_threshold,
        lower_threshold: config.lower_threshold,
    }
}

/// The destination that a sorry server is.
pub(crate) fn sorry_destination(config: &SorryServerConfig, weight: Weight) -> ipvs::Destination {
    ipvs::Destination { forwarding: config.forwarding, weight, upper_threshold: 0, lower_threshold: 0 }
}
