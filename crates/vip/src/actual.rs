//! What stands in the kernel, as far as the monitor has told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use types::{Family, IfIndex, IfName, MacAddr, Prefix};

use crate::config::{RouteKind, Rule};
use crate::operation::{AddressKey, Operation, PROTOCOL_KEEPALIVED, RouteSpec};

/// Something the kernel told, by itself or as part of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A whole dump follows: at start, and after messages were lost.
    DumpBegins,
    /// The dump is complete: what it did not contain does not exist.
    DumpEnds,
    /// An interface exists and is in this state.
    Link(LinkState),
    /// An interface is gone.
    LinkGone(IfIndex),
    /// An address exists.
    Address(AddressState),
    /// An address is gone.
    AddressGone(AddressKey),
    /// A route exists.
    Route(RouteState),
    /// A route is gone.
    RouteGone(RouteState),
    /// A policy rule exists.
    Rule(Box<Rule>),
    /// A policy rule is gone.
    RuleGone(Box<Rule>),
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// Kernel's number.
    pub index: IfIndex,
    /// Name.
    pub name: IfName,
    /// Administratively up (IFF_UP).
    pub enabled: bool,
    /// Up and running (IFF_UP and IFF_RUNNING: it has carrier).
    pub running: bool,
    /// Hardware address, where it has one of 48 bits.
    pub mac: Option<MacAddr>,
    /// Largest packet in octets.
    pub mtu: u32,
    /// Interface below a macvlan, ipvlan or vlan.
    pub base: Option<IfIndex>,
    /// VRF, bridge or bond that it belongs to.
    pub master: Option<IfIndex>,
    /// Interface group.
    pub group: u32,
    /// What it is.
    pub kind: LinkKind,
}

/// What an interface is, as far as that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// A macvlan; its mode by MACVLAN_MODE_ number (1 is private).
    Macvlan {
        /// Mode.
        mode: u32,
    },
    /// An ipvlan; IPVLAN_MODE_ number (0 is layer 2) and IPVLAN_F_ bits.
    Ipvlan {
        /// Mode.
        mode: u16,
        /// Flags.
        flags: u16,
    },
    /// A VRF and its table.
    Vrf {
        /// Routing table.
        table: u32,
    },
    /// Anything else.
    Other,
}

/// An address as the kernel tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressState {
    /// Which.
    pub key: AddressKey,
    /// Not yet proven unique, or proven not to be (IPv6).
    pub tentative: bool,
    /// IFA_PROTO; 18 is keepalived's. 0 on kernels before 5.18.
    pub protocol: u8,
}

/// A route as the kernel tells it: what tells it from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteState {
    /// Family.
    pub family: Family,
    /// Destination, host bits cleared.
    pub destination: Prefix,
    /// TOS (IPv4).
    pub tos: u8,
    /// Table.
    pub table: u32,
    /// Metric; IPv6 routes without one have 1024.
    pub metric: u32,
    /// RTN_ number.
    pub kind: u8,
    /// RTPROT_ number.
    pub protocol: u8,
    /// Interface, where it has one next hop.
    pub interface: Option<IfIndex>,
    /// Gateway, where it has one next hop.
    pub gateway: Option<IpAddr>,
    /// Number of next hops of a multipath route, else 0.
    pub nexthops: u16,
}

impl RouteSpec {
    /// Whether `state` is this route standing in the kernel. What the configuration leaves open may be anything.
    pub fn stands_as(&self, state: &RouteState) -> bool {
        let route = &self.route;
        let default_metric = match (route.family, route.kind) {
            (Family::Inet, _) => 0,
            (Family::Inet6, _) => 1024,
        };
        // IPv6 tells one next hop of a multipath route at a time on some kernels.
        let multipath = !route.nexthops.is_empty();
        let same_hop = |gateway: Option<IpAddr>, interface: Option<IfIndex>| {
            (gateway.is_none() || gateway == state.gateway) && (interface.is_none() || interface == state.interface)
        };
        let hops_match = match (multipath, state.nexthops) {
            (false, 0) => same_hop(route.gateway, self.interface),
            (false, _) => false,
            (true, 0) => route
                .nexthops
                .iter()
                .zip(&self.nexthop_interfaces)
                .any(|(hop, interface)| same_hop(hop.gateway, *interface)),
            (true, hops) => usize::from(hops) == route.nexthops.len(),
        };
        // Routes that reach nothing hang on the loopback interface in IPv6.
        let reaches = matches!(route.kind, RouteKind::Unicast | RouteKind::Local | RouteKind::Multicast);
        state.family == route.family
            && state.destination == route.destination.network()
            && state.table == self.table
            && state.metric == route.metric.unwrap_or(default_metric)
            && state.kind == route.kind as u8
            && state.protocol == route.protocol
            && (route.family == Family::Inet6 || state.tos == route.tos)
            && (!reaches || hops_match)
    }
}

/// A mirror of what concerns us: interfaces, addresses, and routes and rules of the protocols we use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actual {
    links: BTreeMap<IfIndex, LinkState>,
    addresses: BTreeMap<AddressKey, u8>,
    /// Those of them that are not proven unique.
    tentative: BTreeSet<AddressKey>,
    routes: BTreeSet<RouteState>,
    rules: Vec<Rule>,
}

impl Actual {
    /// Takes in what the kernel told.
    pub fn observe(&mut self, observation: &Observation) {
        match observation {
            Observation::DumpBegins => *self = Self::default(),
            Observation::DumpEnds => {}
            Observation::Link(link) => {
                self.links.insert(link.index, link.clone());
            }
            Observation::LinkGone(index) => {
                self.links.remove(index);
                self.addresses.retain(|key, _| key.interface != *index);
                self.tentative.retain(|key| key.interface != *index);
                self.routes.retain(|route| route.interface != Some(*index));
            }
            Observation::Address(address) => {
                self.addresses.insert(address.key, address.protocol);
                match address.tentative {
                    true => self.tentative.insert(address.key),
                    false => self.tentative.remove(&address.key),
                };
            }
            Observation::AddressGone(key) => {
                self.addresses.remove(key);
                self.tentative.remove(key);
            }
            Observation::Route(route) => {
                self.routes.insert(route.clone());
            }
            Observation::RouteGone(route) => {
                self.routes.remove(route);
            }
            Observation::Rule(rule) => {
                if !self.rules.contains(rule) {
                    self.rules.push(Rule::clone(rule));
                }
            }
            Observation::RuleGone(rule) => self.rules.retain(|known| *known != **rule),
        }
    }

    /// Takes in an operation of ours that the kernel has performed.
    pub fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::AddAddress(spec) => {
                self.addresses.insert(spec.key, PROTOCOL_KEEPALIVED);
            }
            Operation::RemoveAddress(key) => {
                self.addresses.remove(key);
            }
            Operation::AddRoute(spec) => {
                self.routes.insert(spec.state());
            }
            Operation::RemoveRoute(spec) => self.routes.retain(|state| !spec.stands_as(state)),
            Operation::AddRule(rule) => {
                let rule = rule.as_the_kernel_tells();
                if !self.rules.contains(&rule) {
                    self.rules.push(rule);
                }
            }
            Operation::RemoveRule(rule) => {
                let rule = rule.as_the_kernel_tells();
                self.rules.retain(|known| *known != rule);
            }
            // Interfaces are heard of from the monitor, which knows their numbers; the rest is not mirrored.
            Operation::CreateLink { .. }
            | Operation::SetLink(_)
            | Operation::DeleteLink { .. }
            | Operation::Sysctl { .. }
            | Operation::Firewall(_) => {}
        }
    }

    /// An interface by its number.
    pub fn link(&self, index: IfIndex) -> Option<&LinkState> {
        self.links.get(&index)
    }

    /// An interface by its name.
    pub fn link_named(&self, name: &IfName) -> Option<&LinkState> {
        self.links.values().find(|link| link.name == *name)
    }

    /// All interfaces, by number.
    pub fn links(&self) -> impl Iterator<Item = &LinkState> {
        self.links.values()
    }

    /// All addresses, with their IFA_PROTO.
    pub fn addresses(&self) -> impl Iterator<Item = (&AddressKey, u8)> {
        self.addresses.iter().map(|(key, protocol)| (key, *protocol))
    }

    /// Routes of the protocols that the monitor looks at.
    pub fn routes(&self) -> impl Iterator<Item = &RouteState> {
        self.routes.iter()
    }

    /// Policy rules of the protocols that the monitor looks at.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether this very address stands.
    pub fn has_address(&self, key: &AddressKey) -> bool {
        self.addresses.contains_key(key)
    }

    /// Whether this address stands without being proven unique.
    pub fn is_tentative(&self, key: &AddressKey) -> bool {
        self.tentative.contains(key)
    }

    /// Whether this route stands.
    pub fn has_route(&self, spec: &RouteSpec) -> bool {
        self.routes.iter().any(|state| spec.stands_as(state))
    }

    /// Whether this rule stands.
    pub fn has_rule(&self, rule: &Rule) -> bool {
        self.rules.contains(&rule.as_the_kernel_tells())
    }

    /// Routes over `interface` are gone: the kernel drops those of an interface that goes down without a word for IPv4.
    pub(crate) fn forget_routes_over(&mut self, interface: IfIndex) {
        self.routes.retain(|route| route.interface != Some(interface));
    }

    /// Forgets IPv4 routes over `interface` if it has no IPv4 address left: with the last one the kernel drops them without a word. Whether it did.
    pub(crate) fn forget_routes_without_address(&mut self, interface: IfIndex) -> bool {
        let of_interface = |key: &&AddressKey| key.interface == interface && key.local.is_ipv4();
        if self.addresses.keys().any(|key| of_interface(&key)) {
            return false;
        }
        self.routes.retain(|route| route.family == Family::Inet6 || route.interface != Some(interface));
        true
    }
}

impl RouteSpec {
    /// What the kernel will tell of it, as far as the configuration says.
    fn state(&self) -> RouteState {
        let route = &self.route;
        RouteState {
            family: route.family,
            destination: route.destination.network(),
            tos: if route.family == Family::Inet { route.tos } else { 0 },
            table: self.table,
            metric: route.metric.unwrap_or(if route.family == Family::Inet6 { 1024 } else { 0 }),
            kind: route.kind as u8,
            protocol: route.protocol,
            interface: self.interface,
            gateway: route.gateway,
            nexthops: route.nexthops.len() as u16,
        }
    }
}

impl Rule {
    /// The rule without what only we know of it, and with prefixes as the kernel keeps them: what the monitor will report.
    pub fn as_the_kernel_tells(&self) -> Self {
        Self {
            source: self.source.filter(|prefix| prefix.length() > 0),
            destination: self.destination.filter(|prefix| prefix.length() > 0),
            mark: self.mark,
            no_track: false,
            track_group: None,
            ..self.clone()
        }
    }
}

impl RouteState {
    /// A route to remove, for what nobody configured: enough for the kernel to find it.
    pub(crate) fn as_spec(&self) -> Option<RouteSpec> {
        use crate::config::{Placement, Route};
        let kind = RouteKind::from_number(self.kind)?;
        let route = Route {
            family: self.family,
            destination: self.destination,
            kind,
            preferred_source: None,
            gateway: self.gateway,
            source: None,
            tos: self.tos,
            table: self.table,
            protocol: self.protocol,
            scope: None,
            metric: Some(self.metric),
            interface: None,
            onlink: false,
            encap: None,
            expires: None,
            metrics: Vec::new(),
            realms: None,
            preference: None,
            ttl_propagate: None,
            placement: Placement::Prepend,
            nexthops: Vec::new(),
            no_track: true,
            track_group: None,
            vrf: None,
        };
        let interface = self.interface;
        Some(RouteSpec {
            route: std::sync::Arc::new(route),
            interface,
            nexthop_interfaces: Vec::new(),
            table: self.table,
        })
    }
}
