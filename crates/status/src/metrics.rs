//! The Prometheus text format (version 0.0.4): what monitoring reads instead of dump files.
//!
//! Children tell samples, the supervisor keeps the last one of each and renders all of them when it is asked. So being
//! asked often costs the VRRP process nothing.

use std::fmt::Write as _;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One VRRP instance, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceSample {
    /// Its name.
    pub name: String,
    /// Interface of its adverts; empty where it has none.
    pub interface: String,
    /// `virtual_router_id`.
    pub vrid: u8,
    /// 0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT, as keepalived's JSON numbers them.
    pub state: u8,
    /// Configured priority.
    pub base_priority: u8,
    /// Priority that it advertises.
    pub effective_priority: u8,
    /// Whether its addresses stand.
    pub holding: bool,
    /// Time of its last change of state, since the epoch.
    pub last_transition: Duration,
    /// Its counters, by the names of [`vrrp::Statistics`].
    pub counters: [u64; COUNTERS.len()],
}

/// One virtual server, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualServerSample {
    /// `[10.0.0.100]:tcp:80`, `FWM 5` or `[GROUP]:0`.
    pub name: String,
    /// Whether its quorum is met.
    pub up: bool,
    /// `quorum`.
    pub quorum: u64,
    /// Sum of the weights of its live servers.
    pub weight: u64,
    /// Whether its sorry server takes the connections.
    pub sorry: bool,
    /// Its real servers.
    pub real_servers: Vec<RealServerSample>,
}

/// One real server, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RealServerSample {
    /// `[10.0.0.1]:tcp:80`.
    pub name: String,
    /// Whether it is up.
    pub up: bool,
    /// Whether it stands in the kernel's table.
    pub in_table: bool,
    /// Its weight of now.
    pub weight: i64,
}

/// One of the daemon's processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessNumbers {
    /// `vrrp`, `checker` or `bfd`.
    pub name: &'static str,
    /// Whether it runs.
    pub running: bool,
    /// Times that it died and was started again.
    pub restarts: u64,
}

/// Everything that is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Numbers {
    /// Versions: ours, and that of keepalived whose behaviour we have.
    pub versions: (String, String),
    /// The processes that the configuration wants.
    pub processes: Vec<ProcessNumbers>,
    /// Reloads that were applied, and those that were refused.
    pub reloads: (u64, u64),
    /// Whether the last reload was applied, and when it was, since the epoch.
    pub last_reload: Option<(bool, Duration)>,
    /// Last sample of the VRRP process.
    pub instances: Vec<InstanceSample>,
    /// Last sample of the checker process.
    pub virtual_servers: Vec<VirtualServerSample>,
    /// BFD sessions: name, and whether it is up.
    pub bfd_sessions: Vec<(String, bool)>,
}

/// Counters of an instance: name, help, and how to read it.
type Counter = (&'static str, &'static str, fn(&vrrp::Statistics) -> u64);

#[rustfmt::skip]
const COUNTERS: [Counter; 20] = [
    ("advertisements_received", "Valid adverts received", |s| s.advert_rcvd),
    ("advertisements_sent", "Adverts sent", |s| s.advert_sent),
    ("become_master", "Transitions to MASTER", |s| s.become_master),
    ("release_master", "Transitions from MASTER", |s| s.release_master),
    ("packet_length_errors", "Adverts refused: length", |s| s.packet_len_err),
    ("advertisements_interval_errors", "Adverts refused: interval", |s| s.advert_interval_err),
    ("ip_ttl_errors", "Adverts refused: TTL or hop limit", |s| s.ip_ttl_err),
    ("invalid_type_received", "Adverts refused: type", |s| s.invalid_type_rcvd),
    ("address_list_errors", "Adverts refused: addresses", |s| s.addr_list_err),
    ("authentication_invalid", "Adverts refused: unknown type of authentication", |s| s.invalid_authtype),
    ("authentication_mismatch", "Adverts refused: other type of authentication", |s| s.authtype_mismatch),
    ("authentication_failure", "Adverts refused: password, check value or sequence", |s| s.auth_failure),
    ("hmac_missing", "Adverts refused: no trailer", |s| s.auth_ext_missing),
    ("hmac_malformed", "Adverts refused: malformed trailer", |s| s.auth_ext_malformed),
    ("hmac_unknown_key", "Adverts refused: unknown key", |s| s.auth_ext_unknown_key),
    ("hmac_invalid", "Adverts refused: digest", |s| s.auth_ext_invalid_hmac),
    ("hmac_stale", "Adverts refused: outside the time window", |s| s.auth_ext_stale),
    ("hmac_replay", "Adverts refused: seen before", |s| s.auth_ext_replay),
    ("priority_zero_received", "Adverts of priority 0 received", |s| s.pri_zero_rcvd),
    ("priority_zero_sent", "Adverts of priority 0 sent", |s| s.pri_zero_sent),
];

impl InstanceSample {
    /// What is sampled of a view.
    pub fn of(view: &vrrp::view::InstanceView<'_>) -> Self {
        Self {
            name: view.config.name.clone(),
            interface: view.config.interface.as_ref().map_or_else(String::new, ToString::to_string),
            vrid: view.config.vrid.get(),
            state: view.state.number(),
            base_priority: view.base_priority.get(),
            effective_priority: view.effective_priority.get(),
            holding: view.holding,
            last_transition: view.last_transition,
            counters: COUNTERS.map(|(_, _, read)| read(view.statistics)),
        }
    }

    fn labels(&self) -> String {
        labels(&[("iname", &self.name), ("intf", &self.interface), ("vrid", &self.vrid.to_string())])
    }
}

/// What is sampled of the virtual servers.
pub fn virtual_servers(config: &lvs::Config, report: Vec<lvs::VirtualServerReport>) -> Vec<VirtualServerSample> {
    let quorums = config.virtual_servers.iter().map(|server| u64::from(server.quorum));
    report
        .into_iter()
        .zip(quorums)
        .map(|(server, quorum)| VirtualServerSample {
            name: server.name,
            up: server.quorum_met,
            quorum,
            weight: server.live_weight,
            sorry: server.sorry_active,
            real_servers: server
                .real_servers
                .into_iter()
                .map(|real| RealServerSample {
                    name: real.name,
                    up: real.up,
                    in_table: real.in_table,
                    weight: real.weight,
                })
                .collect(),
        })
        .collect()
}

/// The page.
pub fn render(numbers: &Numbers) -> String {
    let mut page = Page::default();
    let (ours, theirs) = &numbers.versions;
    page.family("build_info", "gauge", "The program");
    page.value("build_info", &labels(&[("version", ours), ("keepalived", theirs)]), 1);
    page.each("process_up", "gauge", "Whether a process of the daemon runs", &numbers.processes, |process| {
        (labels(&[("process", process.name)]), u8::from(process.running))
    });
    page.each(
        "process_restarts_total",
        "counter",
        "Times that a process died and was started again",
        &numbers.processes,
        |process| (labels(&[("process", process.name)]), process.restarts),
    );
    let (applied, refused) = numbers.reloads;
    page.each(
        "reloads_total",
        "counter",
        "Reloads",
        &[("applied", applied), ("refused", refused)],
        |(result, count)| (labels(&[("result", result)]), *count),
    );
    if let Some((applied, at)) = numbers.last_reload {
        page.family("last_reload_successful", "gauge", "Whether the last reload was applied");
        page.value("last_reload_successful", "", u8::from(applied));
        page.family("last_reload_timestamp_seconds", "gauge", "When the last reload was asked for");
        page.value("last_reload_timestamp_seconds", "", seconds(at));
    }
    instances(&mut page, &numbers.instances);
    servers(&mut page, &numbers.virtual_servers);
    page.each("bfd_session_up", "gauge", "Whether a BFD session is up", &numbers.bfd_sessions, |(name, up)| {
        (labels(&[("session", name)]), u8::from(*up))
    });
    page.0
}

fn instances(page: &mut Page, instances: &[InstanceSample]) {
    page.each("vrrp_state", "gauge", "0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT", instances, |one| (one.labels(), one.state));
    page.each("priority", "gauge", "Configured priority", instances, |one| (one.labels(), one.base_priority));
    page.each("effective_priority", "gauge", "Priority that is advertised", instances, |one| {
        (one.labels(), one.effective_priority)
    });
    page.each("addresses_held", "gauge", "Whether the addresses stand here", instances, |one| {
        (one.labels(), u8::from(one.holding))
    });
    page.each("last_transition_timestamp_seconds", "gauge", "When the state changed last", instances, |one| {
        (one.labels(), seconds(one.last_transition))
    });
    for (number, (name, help, _)) in COUNTERS.iter().enumerate() {
        page.each(&format!("{name}_total"), "counter", help, instances, |one| (one.labels(), one.counters[number]));
    }
}

fn servers(page: &mut Page, servers: &[VirtualServerSample]) {
    let labelled = |server: &VirtualServerSample| labels(&[("virtual_server", &server.name)]);
    page.each("virtual_server_up", "gauge", "Whether the quorum is met", servers, |server| {
        (labelled(server), u8::from(server.up))
    });
    page.each("virtual_server_quorum", "gauge", "Weight that the quorum needs", servers, |server| {
        (labelled(server), server.quorum)
    });
    page.each("virtual_server_weight", "gauge", "Weight of the live real servers", servers, |server| {
        (labelled(server), server.weight)
    });
    page.each("virtual_server_sorry", "gauge", "Whether the sorry server serves", servers, |server| {
        (labelled(server), u8::from(server.sorry))
    });
    let all: Vec<(String, &RealServerSample)> = servers
        .iter()
        .flat_map(|server| {
            let labelled =
                |real: &RealServerSample| labels(&[("virtual_server", &server.name), ("real_server", &real.name)]);
            server.real_servers.iter().map(move |real| (labelled(real), real))
        })
        .collect();
    page.each("real_server_up", "gauge", "Whether the checks say so", &all, |(labels, real)| {
        (labels.clone(), u8::from(real.up))
    });
    page.each("real_server_in_table", "gauge", "Whether the kernel has it", &all, |(labels, real)| {
        (labels.clone(), u8::from(real.in_table))
    });
    page.each("real_server_weight", "gauge", "Weight of now", &all, |(labels, real)| (labels.clone(), real.weight));
}

/// The page as it grows; writing into a string cannot fail.
#[derive(Default)]
struct Page(String);

impl Page {
    /// One family with a line for each item; nothing when there is none.
    fn each<T, V: std::fmt::Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        items: &[T],
        line: impl Fn(&T) -> (String, V),
    ) {
        if !items.is_empty() {
            self.family(name, kind, help);
        }
        for item in items {
            let (labels, value) = line(item);
            self.value(name, &labels, value);
        }
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP keepalived_{name} {help}\n# TYPE keepalived_{name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "keepalived_{name}{labels} {value}");
    }
}

/// `{a="b",c="d"}`, with backslash, quote and line end escaped as the format wants.
fn labels(pairs: &[(&str, &str)]) -> String {
    let mut text = String::from("{");
    for (number, (name, value)) in pairs.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(text, "{comma}{name}=\"{value}\"");
    }
    text.push('}');
    text
}

fn seconds(time: Duration) -> String {
    format!("{}.{:06}", time.as_secs(), time.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> InstanceSample {
        InstanceSample {
            name: "VI \"1\"\\".into(),
            interface: "eth0".into(),
            vrid: 51,
            state: 2,
            base_priority: 100,
            effective_priority: 90,
            holding: true,
            last_transition: Duration::from_micros(1_700_000_000_000_042),
            counters: std::array::from_fn(|number| number as u64),
        }
    }

    #[test]
    fn an_instance_has_its_state_its_priorities_and_every_counter() {
        let page = render(&Numbers { instances: vec![instance()], ..Numbers::default() });
        let labels = r#"{iname="VI \"1\"\\",intf="eth0",vrid="51"}"#;
        for line in [
            format!("keepalived_vrrp_state{labels} 2"),
            format!("keepalived_effective_priority{labels} 90"),
            format!("keepalived_last_transition_timestamp_seconds{labels} 1700000000.000042"),
            format!("keepalived_advertisements_sent_total{labels} 1"),
            format!("keepalived_priority_zero_sent_total{labels} 19"),
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
    }

    #[test]
    fn every_family_is_introduced_once_and_before_its_values() {
        let real = RealServerSample { name: "[10.0.0.2]:tcp:80".into(), up: true, in_table: true, weight: 3 };
        let server = VirtualServerSample {
            name: "[10.0.0.1]:tcp:80".into(),
            up: true,
            quorum: 1,
            weight: 3,
            sorry: false,
            real_servers: vec![real.clone(), real],
        };
        let page = render(&Numbers {
            processes: vec![ProcessNumbers { name: "vrrp", running: true, restarts: 2 }],
            last_reload: Some((false, Duration::from_secs(5))),
            instances: vec![instance(), instance()],
            virtual_servers: vec![server],
            bfd_sessions: vec![("B".into(), true)],
            ..Numbers::default()
        });
        let mut introduced: Vec<&str> = Vec::new();
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, _) = rest.split_once(' ').unwrap();
                assert!(!introduced.contains(&name), "{name} twice");
                introduced.push(name);
            } else if !line.starts_with('#') {
                let name = line.split(['{', ' ']).next().unwrap();
                assert_eq!(introduced.last(), Some(&name), "{line}");
            }
        }
        assert!(page.contains("keepalived_process_restarts_total{process=\"vrrp\"} 2\n"), "{page}");
        assert!(page.contains(
            "keepalived_real_server_weight{virtual_server=\"[10.0.0.1]:tcp:80\",real_server=\"[10.0.0.2]:tcp:80\"} 3\n"
        ));
    }

    #[test]
    fn where_nothing_is_configured_the_daemon_alone_is_told() {
        let page = render(&Numbers::default());
        assert!(page.lines().filter(|line| !line.starts_with('#')).count() <= 3, "{page}");
    }
}
