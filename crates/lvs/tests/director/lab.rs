//! A director with a kernel that does what it is told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ipvs::{Destination, DestinationKey, Forwarding, Operation, ServiceEntry, ServiceFlags, Table};
use lvs::{
    Action, CheckerConfig, Config, Director, Endpoint, Event, Mail, MiscConfig, Notification, Outcome, ProbeConfig,
    ProbeId, RealServerConfig, Remembered, ScriptRef, SorryServerConfig, Target, VirtualServerConfig,
};
use types::{FwMark, Instant, Protocol, Weight};

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn tcp_check(address: &str) -> CheckerConfig {
    CheckerConfig {
        probe: ProbeConfig::Tcp(Endpoint {
            destination: address.parse().unwrap(),
            bind_address: None,
            bind_port: None,
            bind_interface: None,
            mark: FwMark(0),
            timeout: seconds(5),
        }),
        delay_loop: seconds(10),
        retry: 1,
        delay_before_retry: seconds(1),
        warmup: seconds(10),
        alpha: false,
        log_all_failures: false,
    }
}

pub(crate) fn misc_check(script: u32, dynamic: bool) -> CheckerConfig {
    let probe = ProbeConfig::Misc(MiscConfig { script: ScriptRef(script), timeout: seconds(5), dynamic });
    CheckerConfig { probe, retry: 0, ..tcp_check("10.0.0.1:80") }
}

/// A real server with a TCP_CHECK, `notify_up` 1000 + last octet, `notify_down` 2000 + last octet.
pub(crate) fn real(address: &str) -> RealServerConfig {
    let address_: SocketAddr = address.parse().unwrap();
    let last = match address_.ip() {
        std::net::IpAddr::V4(address) => u32::from(address.octets()[3]),
        std::net::IpAddr::V6(address) => u32::from(address.octets()[15]),
    };
    RealServerConfig {
        address: address_,
        weight: Weight::ONE,
        forwarding: Forwarding::Masquerade,
        upper_threshold: 0,
        lower_threshold: 0,
        inhibit_on_failure: false,
        alpha: false,
        notify_up: Some(ScriptRef(1000 + last)),
        notify_down: Some(ScriptRef(2000 + last)),
        smtp_alert: false,
        virtual_host: None,
        snmp_name: None,
        checkers: vec![tcp_check(address)],
    }
}

/// A virtual server with `quorum_up` 1 and `quorum_down` 2.
pub(crate) fn virtual_server(address: &str, servers: &[&str]) -> VirtualServerConfig {
    VirtualServerConfig {
        target: Target::Address { address: address.parse().unwrap(), protocol: Protocol::Tcp },
        scheduler: "wlc".into(),
        flags: ServiceFlags::default(),
        forwarding: Forwarding::Masquerade,
        persistence: None,
        ha_suspend: false,
        alpha: false,
        omega: false,
        quorum: 1,
        hysteresis: 0,
        quorum_up: Some(ScriptRef(1)),
        quorum_down: Some(ScriptRef(2)),
        smtp_alert: false,
        virtual_host: None,
        snmp_name: None,
        sorry_server: None,
        real_servers: servers.iter().map(|server| real(server)).collect(),
    }
}

pub(crate) fn sorry(address: &str, inhibit: bool) -> Option<SorryServerConfig> {
    Some(SorryServerConfig { address: address.parse().unwrap(), forwarding: Forwarding::Masquerade, inhibit })
}

pub(crate) fn config(virtual_servers: Vec<VirtualServerConfig>) -> Config {
    Config { virtual_servers, ..Config::default() }
}

/// The kernel: it performs operations and refuses what a real one would refuse.
pub(crate) fn perform(table: &mut Table, operation: &Operation) {
    let services = &mut table.services;
    match operation.clone() {
        Operation::Flush => services.clear(),
        Operation::AddService { key, service } => {
            let old = services.insert(key, ServiceEntry { service, destinations: Vec::new() });
            assert!(old.is_none(), "{key:?} added twice");
        }
        Operation::EditService { key, service } => services.get_mut(&key).unwrap().service = service,
        Operation::DeleteService { key } => {
            assert!(services.remove(&key).is_some(), "{key:?} is not there");
        }
        Operation::AddDestination { service, key, destination } => {
            let destinations = &mut services.get_mut(&service).unwrap().destinations;
            assert!(destinations.iter().all(|(other, _)| *other != key), "{key:?} added twice");
            destinations.push((key, destination));
        }
        Operation::EditDestination { service, key, destination } => {
            let destinations = &mut services.get_mut(&service).unwrap().destinations;
            destinations.iter_mut().find(|(other, _)| *other == key).unwrap().1 = destination;
        }
        Operation::DeleteDestination { service, key } => {
            let destinations = &mut services.get_mut(&service).unwrap().destinations;
            let before = destinations.len();
            destinations.retain(|(other, _)| *other != key);
            assert_eq!(destinations.len() + 1, before, "{key:?} is not there");
        }
    }
}

/// Without the order of destinations, which only says who came first.
pub(crate) fn unordered(table: &Table) -> BTreeMap<(ipvs::ServiceKey, DestinationKey), Destination> {
    let destinations = table.services.iter().flat_map(|(service, entry)| {
        entry.destinations.iter().map(|(key, destination)| ((*service, *key), destination.clone()))
    });
    destinations.collect()
}

pub(crate) struct Lab {
    pub(crate) director: Director,
    pub(crate) now: Instant,
    pub(crate) kernel: Table,
    pub(crate) running: BTreeMap<ProbeId, (SocketAddr, usize)>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) logs: Vec<String>,
    pub(crate) notifications: Vec<Notification>,
    pub(crate) mails: Vec<Mail>,
    pub(crate) scripts: Vec<u32>,
}

impl Lab {
    pub(crate) fn new(config: Config) -> Self {
        Self::after_crash(config, &Remembered::default(), Table::default())
    }

    pub(crate) fn after_crash(config: Config, remembered: &Remembered, kernel: Table) -> Self {
        let now = Instant::ZERO + seconds(1000);
        let mut actions = Vec::new();
        let director = Director::new(config, now, remembered, 7, &mut actions);
        let mut lab = Self {
            director,
            now,
            kernel,
            running: BTreeMap::new(),
            operations: Vec::new(),
            logs: Vec::new(),
            notifications: Vec::new(),
            mails: Vec::new(),
            scripts: Vec::new(),
        };
        lab.perform(actions);
        lab
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::StartProbe { probe, config, url } => {
                    let server = match &*config {
                        ProbeConfig::Tcp(endpoint) => endpoint.destination,
                        ProbeConfig::Http(http) => http.endpoint.destination,
                        ProbeConfig::Misc(misc) => SocketAddr::from(([0, 0, 0, 0], misc.script.0 as u16)),
                        other => panic!("{other:?}"),
                    };
                    self.running.insert(probe, (server, url));
                }
                Action::AbortProbe(probe) => {
                    self.running.remove(&probe);
                }
                Action::ReadTable => self.tell(Event::KernelTable(Box::new(self.kernel.clone()))),
                Action::Table(operations) => {
                    operations.iter().for_each(|operation| perform(&mut self.kernel, operation));
                    self.operations.extend(operations);
                }
                Action::Notify(notification) => {
                    self.scripts.extend(notification.script.map(|script| script.0));
                    self.notifications.push(notification);
                }
                Action::Mail(mail) => self.mails.push(mail),
                Action::Log(_, line) => self.logs.push(line),
                Action::SetTimeouts(_) | Action::RestoreTimeouts | Action::SyncDaemons(_) => {}
            }
        }
    }

    pub(crate) fn tell(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.director.handle(self.now, event, &mut actions);
        self.perform(actions);
    }

    pub(crate) fn reload(&mut self, config: Config) {
        let mut actions = Vec::new();
        self.director.reconfigure(self.now, config, &mut actions);
        self.perform(actions);
    }

    /// Forgets what was seen so far.
    pub(crate) fn forget(&mut self) {
        self.operations.clear();
        self.logs.clear();
        self.notifications.clear();
        self.mails.clear();
        self.scripts.clear();
    }

    /// Lets time pass up to the next moment at which something starts; tells how much.
    pub(crate) fn step(&mut self) -> Duration {
        let at = self.director.next_deadline().unwrap().max(self.now);
        let passed = at.since(self.now);
        self.now = at;
        let mut actions = Vec::new();
        self.director.handle_timeout(self.now, &mut actions);
        self.perform(actions);
        passed
    }

    /// Lets time pass until a probe of `server` runs.
    pub(crate) fn until_check_of(&mut self, server: &str) -> ProbeId {
        let server: SocketAddr = server.parse().unwrap();
        for _ in 0..10_000 {
            if let Some((probe, _)) = self.running.iter().find(|(_, (address, _))| *address == server) {
                return *probe;
            }
            self.step();
        }
        panic!("{server} is never checked");
    }

    /// The next check of `server` ends so.
    pub(crate) fn ends(&mut self, server: &str, outcome: Outcome) {
        let probe = self.until_check_of(server);
        self.running.remove(&probe);
        self.tell(Event::Probe { probe, outcome });
    }

    pub(crate) fn fails(&mut self, server: &str) {
        self.ends(server, Outcome::Failed("Connection refused".into()));
    }

    pub(crate) fn succeeds(&mut self, server: &str) {
        self.ends(server, Outcome::Success);
    }

    /// What stands, as `SERVICE -> SERVER wWEIGHT` lines.
    pub(crate) fn stands(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (service, entry) in &self.kernel.services {
            let service = match service {
                ipvs::ServiceKey::Address { address, port, .. } => format!("{address}:{port}"),
                ipvs::ServiceKey::Mark { mark, .. } => format!("mark {mark}"),
            };
            if entry.destinations.is_empty() {
                lines.push(service.clone());
            }
            lines.extend(entry.destinations.iter().map(|(key, destination)| {
                format!("{service} -> {}:{} w{}", key.address, key.port, destination.weight)
            }));
        }
        lines
    }

    /// Short names of the operations seen: `+S`, `=S`, `-S` for services, `+D`, `=D`, `-D` with the server's last part and weight for destinations.
    pub(crate) fn changes(&self) -> Vec<String> {
        let operations = self.operations.iter().map(|operation| match operation {
            Operation::Flush => "flush".into(),
            Operation::AddService { .. } => "+S".into(),
            Operation::EditService { .. } => "=S".into(),
            Operation::DeleteService { .. } => "-S".into(),
            Operation::AddDestination { key, destination, .. } => format!("+{} w{}", key.address, destination.weight),
            Operation::EditDestination { key, destination, .. } => format!("={} w{}", key.address, destination.weight),
            Operation::DeleteDestination { key, .. } => format!("-{}", key.address),
        });
        operations.collect()
    }

    /// The kernel has exactly what the director desires.
    pub(crate) fn assert_settled(&self) {
        assert_eq!(unordered(&self.kernel), unordered(&self.director.desired()));
        let services = |table: &Table| -> Vec<_> {
            table.services.iter().map(|(key, entry)| (*key, entry.service.clone())).collect()
        };
        assert_eq!(services(&self.kernel), services(&self.director.desired()));
    }
}
