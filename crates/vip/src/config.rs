//! Addresses, routes and rules as keepalived.conf writes them, with names resolved and defaults filled in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use types::{Family, IfName, Prefix};

/// One line of `virtual_ipaddress`, `virtual_ipaddress_excluded` or `static_ipaddress`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Address and prefix length (/32 or /128 where none was written; with `peer` the length belongs to the peer).
    pub address: Prefix,
    /// `peer`.
    pub peer: Option<Prefix>,
    /// `dev`; the instance's interface (or `default_interface`) where absent.
    pub interface: Option<IfName>,
    /// `scope`: 0 global, 200 site, 253 link, 254 host.
    pub scope: u8,
    /// `broadcast` / `brd`, with `+` and `-` worked out.
    pub broadcast: Option<Ipv4Addr>,
    /// `label` (IPv4 only, at most 15 octets).
    pub label: Option<String>,
    /// `home`.
    pub home: bool,
    /// IFA_F_NODAD: set unless `-nodad` (IPv6).
    pub no_dad: bool,
    /// `mngtmpaddr`.
    pub manage_temporary: bool,
    /// `noprefixroute`.
    pub no_prefix_route: bool,
    /// `autojoin`.
    pub autojoin: bool,
    /// `no_track`: neither its interface nor its removal matters.
    pub no_track: bool,
    /// `preferred_lft` in seconds (IPv6); `None` is forever. /128 defaults to 0: never chosen as a source.
    pub preferred_lifetime: Option<u32>,
    /// `use_vmac`: put it on a virtual MAC link over its interface.
    pub use_vmac: bool,
    /// `track_group` (static addresses).
    pub track_group: Option<String>,
}

/// One line of `virtual_routes` or `static_routes`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Route {
    /// Family.
    pub family: Family,
    /// Destination; length 0 is the default route.
    pub destination: Prefix,
    /// `unicast`, `blackhole`…
    pub kind: RouteKind,
    /// `src`.
    pub preferred_source: Option<IpAddr>,
    /// `via` / `gw`; the family may differ from the route's.
    pub gateway: Option<IpAddr>,
    /// `from` (IPv6).
    pub source: Option<Prefix>,
    /// `tos`.
    pub tos: u8,
    /// `table`; 254 is main.
    pub table: u32,
    /// `protocol`; 18 is keepalived.
    pub protocol: u8,
    /// `scope`, where written.
    pub scope: Option<u8>,
    /// `metric`.
    pub metric: Option<u32>,
    /// `dev` / `oif`.
    pub interface: Option<IfName>,
    /// `onlink`.
    pub onlink: bool,
    /// `encap`.
    pub encap: Option<Encap>,
    /// `expires` (IPv6).
    pub expires: Option<Duration>,
    /// Route metrics, in the order of the file.
    pub metrics: Vec<RouteMetric>,
    /// `realms SRC/DST` packed as the kernel takes them (source in the upper 16 bits).
    pub realms: Option<u32>,
    /// `pref`: 0 medium, 1 high, 3 low.
    pub preference: Option<u8>,
    /// `ttl-propagate`.
    pub ttl_propagate: Option<bool>,
    /// `add`, `append` or the default `prepend`.
    pub placement: Placement,
    /// `nexthop`…
    pub nexthops: Vec<Nexthop>,
    /// `no_track`.
    pub no_track: bool,
    /// `track_group` (static routes).
    pub track_group: Option<String>,
    /// `vrf`: use the table of this VRF.
    pub vrf: Option<IfName>,
}

/// Route type, with the kernel's RTN_ number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum RouteKind {
    /// `unicast`.
    Unicast = 1,
    /// `local`.
    Local = 2,
    /// `broadcast`.
    Broadcast = 3,
    /// `anycast`.
    Anycast = 4,
    /// `multicast`.
    Multicast = 5,
    /// `blackhole`.
    Blackhole = 6,
    /// `unreachable`.
    Unreachable = 7,
    /// `prohibit`.
    Prohibit = 8,
    /// `throw`.
    Throw = 9,
    /// `nat` (obsolete).
    Nat = 10,
    /// `xresolve`.
    ExternalResolve = 11,
}

impl RouteKind {
    /// By RTN_ number.
    pub fn from_number(number: u8) -> Option<Self> {
        use RouteKind::*;
        [Unicast, Local, Broadcast, Anycast, Multicast, Blackhole, Unreachable, Prohibit, Throw, Nat, ExternalResolve]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}

/// Where a route goes among equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Placement {
    /// `add`: fail when an identical one exists.
    Add,
    /// `prepend`, the default.
    Prepend,
    /// `append`.
    Append,
}

/// A metric of a route: RTAX_ number, value, and whether the kernel must leave it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RouteMetric {
    /// Which.
    pub kind: RouteMetricKind,
    /// Value in the kernel's unit (rtt in 1/8 ms, rttvar in 1/4 ms, rto_min in ms).
    pub value: RouteMetricValue,
    /// `lock`.
    pub lock: bool,
}

/// Value of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RouteMetricValue {
    /// A number.
    Number(u32),
    /// `congctl NAME`.
    Text(String),
}

/// RTAX_ numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum RouteMetricKind {
    /// `mtu`.
    Mtu = 2,
    /// `window`.
    Window = 3,
    /// `rtt`.
    Rtt = 4,
    /// `rttvar`.
    RttVariance = 5,
    /// `ssthresh`.
    SlowStartThreshold = 6,
    /// `cwnd`.
    CongestionWindow = 7,
    /// `advmss`.
    AdvertisedMss = 8,
    /// `reordering`.
    Reordering = 9,
    /// `hoplimit`.
    HopLimit = 10,
    /// `initcwnd`.
    InitialCongestionWindow = 11,
    /// `features` (1 = ecn).
    Features = 12,
    /// `rto_min`.
    RtoMin = 13,
    /// `initrwnd`.
    InitialReceiveWindow = 14,
    /// `quickack`.
    QuickAck = 15,
    /// `congctl`.
    CongestionControl = 16,
    /// `fastopen_no_cookie`.
    FastOpenNoCookie = 17,
}

/// Lightweight tunnel of a route or next hop.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Encap {
    /// `encap ip`.
    Ip {
        /// Tunnel key.
        id: Option<u64>,
        /// Tunnel destination.
        destination: Option<Ipv4Addr>,
        /// Tunnel source.
        source: Option<Ipv4Addr>,
        /// Tunnel TOS.
        tos: Option<u8>,
        /// Tunnel TTL.
        ttl: Option<u8>,
        /// Tunnel flags.
        flags: Option<u16>,
    },
    /// `encap ip6`.
    Ip6 {
        /// Tunnel key.
        id: Option<u64>,
        /// Tunnel destination.
        destination: Option<Ipv6Addr>,
        /// Tunnel source.
        source: Option<Ipv6Addr>,
        /// Traffic class.
        traffic_class: Option<u8>,
        /// Hop limit.
        hop_limit: Option<u8>,
        /// Tunnel flags.
        flags: Option<u16>,
    },
    /// `encap mpls LABEL/LABEL…`.
    Mpls(Vec<u32>),
    /// `encap ila LOCATOR`.
    Ila(u64),
}

/// One `nexthop`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Nexthop {
    /// `via`.
    pub gateway: Option<IpAddr>,
    /// `dev`.
    pub interface: Option<IfName>,
    /// `weight`, 1 to 256.
    pub weight: u16,
    /// `onlink`.
    pub onlink: bool,
    /// `encap`.
    pub encap: Option<Encap>,
    /// `realms`.
    pub realms: Option<u32>,
}

/// One line of `virtual_rules` or `static_rules`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// Family.
    pub family: Family,
    /// `from`.
    pub source: Option<Prefix>,
    /// `to`.
    pub destination: Option<Prefix>,
    /// `not`.
    pub invert: bool,
    /// `preference`.
    pub preference: u32,
    /// `tos`.
    pub tos: u8,
    /// `fwmark MARK/MASK`.
    pub mark: Option<(u32, u32)>,
    /// `iif`.
    pub input: Option<IfName>,
    /// `oif`.
    pub output: Option<IfName>,
    /// What a match does.
    pub action: RuleAction,
    /// `realms`.
    pub realms: Option<u32>,
    /// `suppress_prefixlength`.
    pub suppress_prefix_length: Option<u32>,
    /// `suppress_ifgroup`.
    pub suppress_group: Option<u32>,
    /// `tunnel-id`.
    pub tunnel_id: Option<u64>,
    /// `uidrange`.
    pub uid_range: Option<(u32, u32)>,
    /// `l3mdev`.
    pub l3mdev: bool,
    /// `protocol`; 18 is keepalived.
    pub protocol: u8,
    /// `ipproto`.
    pub ip_protocol: Option<u8>,
    /// `sport`.
    pub source_ports: Option<(u16, u16)>,
    /// `dport`.
    pub destination_ports: Option<(u16, u16)>,
    /// `no_track`.
    pub no_track: bool,
    /// `track_group` (static rules).
    pub track_group: Option<String>,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RuleAction {
    /// `table` / `lookup`.
    Lookup(u32),
    /// `goto`.
    Goto(u32),
    /// `nop`.
    Nop,
    /// `blackhole`.
    Blackhole,
    /// `unreachable`.
    Unreachable,
    /// `prohibit`.
    Prohibit,
}
