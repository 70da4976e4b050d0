//! States as dumps, JSON, metrics and SNMP want them.

use crate::server::Source;
use crate::{Director, Remembered, RememberedVirtualServer};

/// State of a virtual server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualServerReport {
    /// `[10.0.0.100]:tcp:80`, `FWM 5` or `[GROUP]:0`.
    pub name: String,
    /// Whether its quorum is met.
    pub quorum_met: bool,
    /// Sum of the weights of its live servers.
    pub live_weight: u64,
    /// Whether its sorry server takes the connections.
    pub sorry_active: bool,
    /// `ha_suspend` holds its checks because none of its addresses is on the host.
    pub suspended: bool,
    /// Its real servers.
    pub real_servers: Vec<RealServerReport>,
}

/// State of a real server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealServerReport {
    /// `[10.0.0.1]:tcp:80`.
    pub name: String,
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

impl Director {
    /// States of all virtual servers, in the order of the configuration.
    pub fn report(&self) -> Vec<VirtualServerReport> {
        (0..self.virtual_servers.len()).map(|number| self.report_one(number)).collect()
    }

    fn report_one(&self, number: usize) -> VirtualServerReport {
        let state = &self.virtual_servers[number];
        let servers = state.servers.iter().enumerate().map(|(real, server)| RealServerReport {
            name: self.server_name(number, real).to_string(),
            up: server.up(),
            in_table: server.placed.is_some(),
            weight: server.weight,
            checkers: server.checkers.iter().map(|checker| self.report_checker(checker.source, checker.up)).collect(),
        });
        VirtualServerReport {
            name: state.name.to_string(),
            quorum_met: state.quorum_met,
            live_weight: state.live_weight,
            sorry_active: state.sorry_active(&self.config.virtual_servers[number]),
            suspended: state.suspended,
            real_servers: servers.collect(),
        }
    }

    fn report_checker(&self, source: Source, up: bool) -> CheckerReport {
        let probe = match source {
            Source::Probe(id) => self.probes.get(&id),
            Source::File | Source::Bfd => None,
        };
        CheckerReport {
            up,
            has_run: probe.is_none_or(|probe| probe.has_run),
            enabled: probe.is_none_or(|probe| probe.enabled),
            retries: probe.map_or(0, |probe| probe.failures),
            reason: probe.and_then(|probe| probe.reason.as_deref()).map(str::to_owned),
        }
    }

    /// What a successor needs to go on after a crash.
    pub fn remember(&self) -> Remembered {
        let virtual_servers = self.config.virtual_servers.iter().zip(&self.virtual_servers).map(|(config, state)| {
            let servers = || config.real_servers.iter().zip(&state.servers);
            let starts_down = |config: &crate::RealServerConfig| config.checkers.iter().any(|checker| checker.alpha);
            RememberedVirtualServer {
                target: config.target.clone(),
                quorum_met: state.quorum_met,
                down: servers().filter(|(_, server)| !server.up()).map(|(config, _)| config.address).collect(),
                up: servers()
                    .filter(|(config, server)| server.up() && starts_down(config))
                    .map(|(config, _)| config.address)
                    .collect(),
            }
        });
        Remembered { virtual_servers: virtual_servers.collect() }
    }
}
