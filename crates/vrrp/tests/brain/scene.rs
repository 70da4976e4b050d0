//! One set of routers on a bench: events by hand, time by hand, answers as short words.

use std::net::IpAddr;
use std::time::Duration;

use types::{CentiSeconds, Family, IfIndex, IfName, Instant, MacAddr, Priority, TrackWeight, Ttl, Vrid, VrrpVersion};
use vrrp::config::{
    AnnounceConfig, Announced, Authentication, Cast, ChecksumV3, Config, InitialState, InstanceConfig, Peer,
    ScriptConfig, SyncGroupConfig, TrackTarget, Tracker,
};
use vrrp::packet::{Memory, Outgoing, build};
use vrrp::{
    Action, Event, InstanceId, Link, Notification, ReceivedPacket, Remembered, Routers, ScriptId, ScriptOutcome, State,
};

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn name(text: &str) -> IfName {
    text.parse().unwrap()
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// VRRPv3 over IPv4 on eth0, VRID 51, priority 100, one second, one address, announced once.
pub(crate) fn instance(label: &str) -> InstanceConfig {
    InstanceConfig {
        name: label.into(),
        family: Family::Inet,
        version: VrrpVersion::V3,
        vrid: Vrid::new(51).unwrap(),
        interface: Some(name("eth0")),
        vrf: None,
        virtual_link: None,
        initial_state: InitialState::Backup,
        priority: Priority::new(100),
        interval: CentiSeconds::SECOND,
        down_timer_adverts: 3,
        cast: Cast::Multicast { group: ip("224.0.0.18") },
        source: None,
        track_source: false,
        track_primary: true,
        advertised: vec![ip("10.0.0.99")],
        announced: vec![Announced { address: ip("10.0.0.99"), interface: None }],
        address_interfaces: Vec::new(),
        preempt: true,
        preempt_delay: Duration::ZERO,
        strict: false,
        skip_check_advert_addresses: false,
        lower_priority_no_advert: false,
        higher_priority_send_advert: false,
        owner_ignore_adverts: false,
        timer_expired_backup: None,
        checksum: ChecksumV3::PseudoHeader,
        authentication: Authentication::None,
        announce: AnnounceConfig {
            master_delay: Duration::ZERO,
            master_repeat: 1,
            lower_priority_delay: Duration::ZERO,
            lower_priority_repeat: 0,
            ..AnnounceConfig::default()
        },
        trackers: Vec::new(),
        notify_priority_changes: false,
        notify_deleted: false,
        configuration_fault: None,
        receive_buffer: None,
    }
}

/// Instances that differ by VRID and address.
pub(crate) fn numbered(label: &str, vrid: u8) -> InstanceConfig {
    let address = IpAddr::from([10, 0, 0, vrid]);
    InstanceConfig {
        vrid: Vrid::new(vrid).unwrap(),
        advertised: vec![address],
        announced: vec![Announced { address, interface: None }],
        ..instance(label)
    }
}

pub(crate) fn config(instances: Vec<InstanceConfig>) -> Config {
    Config { instances, ..Config::default() }
}

pub(crate) fn group(label: &str, members: &[&str]) -> SyncGroupConfig {
    SyncGroupConfig {
        name: label.into(),
        members: members.iter().map(ToString::to_string).collect(),
        trackers: Vec::new(),
        tracking_weight: false,
        notify_priority_changes: false,
    }
}

pub(crate) fn tracker(target: TrackTarget, weight: i16) -> Tracker {
    Tracker { target, weight: TrackWeight::new(weight).unwrap(), reverse: false }
}

pub(crate) fn script(label: &str) -> ScriptConfig {
    ScriptConfig {
        name: label.into(),
        command: "/bin/check".into(),
        interval: seconds(1),
        timeout: seconds(1),
        rise: 1,
        fall: 1,
        init_fail: false,
    }
}

pub(crate) fn unicast(peers: &[&str]) -> Cast {
    let peer = |address: &&str| Peer { address: ip(address), min_ttl: Ttl(0), max_ttl: Ttl(255) };
    Cast::Unicast { peers: peers.iter().map(peer).collect(), ttl: Ttl(255), check_source: false }
}

pub(crate) fn link(index: u32, label: &str, up: bool) -> Link {
    let mac = Some(MacAddr([2, 0, 0, 0, 0, index as u8]));
    Link { index: IfIndex(index), name: name(label), up, mac, mtu: 1500, base: None }
}

pub(crate) struct Scene {
    pub(crate) routers: Routers,
    pub(crate) now: Instant,
    pub(crate) out: Vec<Action>,
}

/// Far from the clock's origin, so that "before" exists.
pub(crate) const BEGIN: Instant = Instant::from_nanos(1_000_000_000_000);

impl Scene {
    /// Nothing told yet.
    pub(crate) fn bare(config: Config, remembered: &[Remembered]) -> Self {
        let mut out = Vec::new();
        let mut routers = Routers::new(config, BEGIN, seconds(1_700_000_000), remembered, &mut out);
        routers.set_detail(false);
        Self { routers, now: BEGIN, out }
    }

    /// eth0 up with 10.0.0.1 and fe80::1, eth1 up with 10.1.0.1; not started.
    pub(crate) fn furnished(config: Config, remembered: &[Remembered]) -> Self {
        let mut scene = Self::bare(config, remembered);
        scene.event(Event::Link(link(1, "eth0", true)));
        scene.event(Event::Link(link(2, "eth1", true)));
        scene.address(1, "10.0.0.1");
        scene.address(1, "fe80::1");
        scene.address(2, "10.1.0.1");
        scene
    }

    /// Furnished and started; what the start said is forgotten.
    pub(crate) fn started(config: Config) -> Self {
        let mut scene = Self::furnished(config, &[]);
        scene.event(Event::Started);
        scene.told();
        scene
    }

    /// One instance in this state: a master took over from silence, a faulty one lost its link.
    pub(crate) fn in_state(config: InstanceConfig, state: State) -> Self {
        let mut config = self::config(vec![config]);
        if state == State::Init {
            config.scripts.push(script("chk"));
            config.instances[0].trackers.push(tracker(TrackTarget::Script("chk".into()), 0));
        }
        let mut scene = Self::started(config);
        match state {
            State::Init | State::Backup => {}
            State::Master => scene.pass(seconds(200)),
            State::Fault => scene.event(Event::Link(link(1, "eth0", false))),
        }
        assert_eq!(scene.state(0), state);
        scene.told();
        scene
    }

    pub(crate) fn utc(&self) -> Duration {
        seconds(1_700_000_000) + self.now.since(BEGIN)
    }

    pub(crate) fn event(&mut self, event: Event<'_>) {
        let utc = self.utc();
        self.routers.handle(self.now, utc, event, &mut self.out);
    }

    pub(crate) fn address(&mut self, interface: u32, address: &str) {
        self.event(Event::SourceAdded { interface: IfIndex(interface), address: ip(address), tentative: false });
    }

    pub(crate) fn script_ends(&mut self, script: u32, status: i32) {
        self.event(Event::ScriptEnded { script: ScriptId(script), outcome: ScriptOutcome::Exited(status) });
    }

    /// An advert as this configuration would send it.
    pub(crate) fn advert_of(&mut self, config: &InstanceConfig, interface: u32, source: &str, priority: u8) {
        let outgoing = Outgoing::of(config, ip(source), Priority::new(priority));
        let copies = build(&outgoing, &mut Memory::default(), self.utc());
        for copy in copies {
            let packet = ReceivedPacket {
                interface: IfIndex(interface),
                source: ip(source),
                destination: copy.address,
                ttl: copy.ttl,
                octets: &copy.octets,
            };
            self.event(Event::Packet(packet));
        }
    }

    /// An advert of another router that is configured as instance `id` is.
    pub(crate) fn advert(&mut self, id: usize, source: &str, priority: u8) {
        let config = self.routers.config().instances[id].clone();
        let interface = if config.interface == Some(name("eth1")) { 2 } else { 1 };
        self.advert_of(&config, interface, source, priority);
    }

    /// Lets time pass, from deadline to deadline.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(at) = self.routers.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let utc = self.utc();
            self.routers.handle_timeout(self.now, utc, &mut self.out);
        }
        self.now = end;
    }

    /// The process stands still, then its timers are late.
    pub(crate) fn oversleep(&mut self, duration: Duration) {
        self.now = self.now + duration;
        let utc = self.utc();
        self.routers.handle_timeout(self.now, utc, &mut self.out);
    }

    pub(crate) fn state(&self, id: u32) -> State {
        self.routers.instance(InstanceId(id)).unwrap().state
    }

    pub(crate) fn priority(&self, id: u32) -> u8 {
        self.routers.instance(InstanceId(id)).unwrap().effective_priority.get()
    }

    /// Time until the next deadline, in microseconds.
    pub(crate) fn deadline(&self) -> Option<u128> {
        self.routers.next_deadline().map(|at| at.since(self.now).as_micros())
    }

    /// What was answered since last asked, in order.
    pub(crate) fn told(&mut self) -> Vec<String> {
        let actions = std::mem::take(&mut self.out);
        actions.iter().map(|action| self.word(action)).collect()
    }

    /// The same without log lines.
    pub(crate) fn done(&mut self) -> Vec<String> {
        let mut told = self.told();
        told.retain(|word| !word.starts_with("log "));
        told
    }

    /// Only the log lines.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        self.told().iter().filter_map(|word| word.strip_prefix("log ").map(str::to_owned)).collect()
    }

    pub(crate) fn word(&self, action: &Action) -> String {
        let config = self.routers.config();
        let instance = |id: &InstanceId| config.instances[id.0 as usize].name.clone();
        match action {
            Action::Send(advert) => {
                let octets = &advert.destinations[0].octets;
                let at = if advert.source.is_ipv4() { 22 } else { 2 };
                format!("send {} {}", instance(&advert.instance), octets[at])
            }
            Action::Hold(id) => format!("hold {}", instance(id)),
            Action::Release(id) => format!("release {}", instance(id)),
            Action::Announce(list) => {
                let addresses: Vec<_> = list.iter().map(|one| one.address.to_string()).collect();
                format!("announce {}", addresses.join(" "))
            }
            Action::SocketsChanged => "sockets".into(),
            Action::RunScript { script, .. } => format!("run {}", config.scripts[script.0 as usize].name),
            Action::Log(line) => format!("log {}", line.text),
            Action::Notify(notification) => match notification {
                Notification::Instance { instance: id, state, priority } => {
                    format!("notify {} {state:?} {priority}", instance(id))
                }
                Notification::Group { group, state } => {
                    format!("notify group {} {state:?}", config.sync_groups[group.0 as usize].name)
                }
                Notification::MasterReceivedLowerPriority { instance: id, priority } => {
                    format!("notify {} lower priority {priority}", instance(id))
                }
                Notification::PriorityChanged { instance: id, state, priority } => {
                    format!("notify {} {state:?} priority {priority}", instance(id))
                }
            },
        }
    }
}
