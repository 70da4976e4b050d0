//! What a cluster is: who, with which configuration.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use types::{CentiSeconds, Family, IfName, MacAddr, Priority, Secret, TrackWeight, Ttl, Vrid, VrrpVersion};
use vrrp::config::{
    AnnounceConfig, Announced, AntiReplay, Authentication, Cast, ChecksumV3, Config, HmacConfig, HmacMode,
    InitialState, InstanceConfig, Peer, SyncGroupConfig, TrackFileConfig, TrackTarget, Tracker,
};
use vrrp::{Link, event};

use crate::random::Random;

/// What all nodes of a cluster agree on.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) nodes: usize,
    pub(crate) instances: usize,
    pub(crate) family: Family,
    pub(crate) version: VrrpVersion,
    pub(crate) interval: CentiSeconds,
    pub(crate) down_timer_adverts: u8,
    pub(crate) preempt: bool,
    pub(crate) preempt_delay: Duration,
    pub(crate) unicast: bool,
    pub(crate) grouped: bool,
    pub(crate) authentication: Authentication,
    /// Priority of each node in each instance.
    pub(crate) priorities: Vec<Vec<u8>>,
}

impl Plan {
    /// A cluster for storms: ties, owners, sync groups, every kind of authentication.
    pub(crate) fn stormy(random: &mut Random) -> Self {
        let mut plan = Self::basic(random);
        let palette: &[u8] = &[1, 50, 50, 100, 100, 100, 150, 200, 254];
        let owner = random.chance(10).then(|| random.below(plan.nodes));
        for node in 0..plan.nodes {
            let one = random.pick(palette);
            let priorities = (0..plan.instances).map(|_| if plan.grouped { one } else { random.pick(palette) });
            let owned = |priority| if owner == Some(node) { 255 } else { priority };
            plan.priorities.push(priorities.map(owned).collect());
        }
        plan.authentication = match (random.below(8), plan.version) {
            (0, VrrpVersion::V2) => Authentication::Password(Secret::new(b"1111".to_vec())),
            (1, VrrpVersion::V2) => Authentication::AuthenticationHeader(Secret::new(b"1111".to_vec())),
            (2, _) => Authentication::Hmac(HmacConfig {
                keys: vec![(1, Secret::new(vec![7; 32]))],
                active_key: 1,
                time_window: Duration::from_secs(300),
                anti_replay: AntiReplay::Monotonic,
                mode: HmacMode::Enforce,
            }),
            _ => Authentication::None,
        };
        plan
    }

    /// A cluster for calm: priorities far enough apart that no two backups wake together.
    pub(crate) fn quiet(random: &mut Random) -> Self {
        let mut plan = Self::basic(random);
        for node in 0..plan.nodes {
            plan.priorities.push(vec![(200 - 40 * node) as u8; plan.instances]);
        }
        plan
    }

    fn basic(random: &mut Random) -> Self {
        let family = if random.chance(25) { Family::Inet6 } else { Family::Inet };
        let version = if family == Family::Inet && random.chance(40) { VrrpVersion::V2 } else { VrrpVersion::V3 };
        let interval = match version {
            VrrpVersion::V2 => random.pick(&[100, 200]),
            VrrpVersion::V3 => random.pick(&[1, 10, 100, 100, 250]),
        };
        let interval = CentiSeconds::new(interval).unwrap_or(CentiSeconds::SECOND);
        let preempt = random.chance(70);
        let delayed = preempt && random.chance(30);
        let instances = 1 + random.below(3);
        Self {
            nodes: 2 + random.below(3),
            instances,
            family,
            version,
            interval,
            down_timer_adverts: random.pick(&[3, 3, 3, 2, 5]),
            preempt,
            preempt_delay: if delayed { random.duration(interval.duration() * 10) } else { Duration::ZERO },
            unicast: random.chance(25),
            grouped: instances > 1 && random.chance(40),
            authentication: Authentication::None,
            priorities: Vec::new(),
        }
    }

    /// Address of a node: higher numbers win ties.
    pub(crate) fn address(&self, node: usize) -> IpAddr {
        match self.family {
            Family::Inet => IpAddr::V4(Ipv4Addr::new(10, 0, 0, node as u8 + 1)),
            Family::Inet6 => IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, node as u16 + 1)),
        }
    }

    fn virtual_address(&self, instance: usize) -> IpAddr {
        match self.family {
            Family::Inet => IpAddr::V4(Ipv4Addr::new(10, 0, 1, instance as u8 + 1)),
            Family::Inet6 => IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 1, instance as u16 + 1)),
        }
    }

    /// The longest down timer of this cluster.
    pub(crate) fn longest_down(&self) -> Duration {
        let skew = match self.version {
            VrrpVersion::V2 => Duration::from_secs(1),
            VrrpVersion::V3 => self.interval.duration(),
        };
        self.interval.duration() * u32::from(self.down_timer_adverts) + skew
    }

    /// Time after which there must be exactly one master once the weather has cleared.
    pub(crate) fn settling_time(&self) -> Duration {
        self.preempt_delay + self.longest_down() * 3 + self.interval.duration() * 4
    }

    /// The configuration of a node, with a tracked file whose number is added to its priorities.
    pub(crate) fn config(&self, node: usize) -> Config {
        let instances = (0..self.instances).map(|instance| self.instance(node, instance)).collect();
        let members = (0..self.instances).map(|instance| format!("V{instance}")).collect();
        let group = SyncGroupConfig {
            name: "G".into(),
            members,
            trackers: vec![self.tracker()],
            tracking_weight: false,
            notify_priority_changes: false,
        };
        Config {
            instances,
            sync_groups: if self.grouped { vec![group] } else { Vec::new() },
            files: vec![TrackFileConfig { name: "file".into(), path: "/file".into(), init: None }],
            ..Config::default()
        }
    }

    fn tracker(&self) -> Tracker {
        let weight = TrackWeight::new(1).unwrap_or(TrackWeight::FAULT);
        Tracker { target: TrackTarget::File("file".into()), weight, reverse: false }
    }

    fn instance(&self, node: usize, instance: usize) -> InstanceConfig {
        let priority = Priority::new(self.priorities[node][instance]);
        let address = self.virtual_address(instance);
        let peers = (0..self.nodes).filter(|peer| *peer != node);
        let peer = |peer| Peer { address: self.address(peer), min_ttl: Ttl(0), max_ttl: Ttl(255) };
        let group = match self.family {
            Family::Inet => IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18)),
            Family::Inet6 => IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12)),
        };
        InstanceConfig {
            name: format!("V{instance}"),
            family: self.family,
            version: self.version,
            vrid: Vrid::new(instance as u8 + 1).unwrap_or_else(|_| unreachable!("at least 1")),
            interface: Some(interface()),
            vrf: None,
            virtual_link: None,
            initial_state: if priority.is_owner() { InitialState::Master } else { InitialState::Backup },
            priority,
            interval: self.interval,
            down_timer_adverts: self.down_timer_adverts,
            cast: match self.unicast {
                true => Cast::Unicast { peers: peers.map(peer).collect(), ttl: Ttl(255), check_source: true },
                false => Cast::Multicast { group },
            },
            source: None,
            track_source: false,
            track_primary: true,
            advertised: vec![address],
            announced: vec![Announced { address, interface: None }],
            address_interfaces: Vec::new(),
            preempt: self.preempt || priority.is_owner(),
            preempt_delay: self.preempt_delay,
            strict: false,
            skip_check_advert_addresses: false,
            lower_priority_no_advert: false,
            higher_priority_send_advert: false,
            owner_ignore_adverts: false,
            timer_expired_backup: None,
            checksum: ChecksumV3::PseudoHeader,
            authentication: self.authentication.clone(),
            announce: AnnounceConfig::default(),
            trackers: if self.grouped { Vec::new() } else { vec![self.tracker()] },
            notify_priority_changes: false,
            notify_deleted: false,
            configuration_fault: None,
            receive_buffer: None,
        }
    }
}

fn interface() -> IfName {
    "eth0".parse().unwrap_or_else(|_| unreachable!("a good name"))
}

/// The one interface of a node.
pub(crate) fn link(node: usize, up: bool) -> Link {
    Link {
        index: types::IfIndex(1),
        name: interface(),
        up,
        mac: Some(MacAddr([2, 0, 0, 0, 0, node as u8])),
        mtu: 1500,
        base: None,
    }
}

/// A node's own address as the kernel tells it.
pub(crate) fn source(address: IpAddr) -> event::Event<'static> {
    event::Event::SourceAdded { interface: types::IfIndex(1), address, tentative: false }
}
