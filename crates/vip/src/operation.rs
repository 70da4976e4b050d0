//! What can be asked of the kernel, one thing at a time, and what it answers.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use types::{Family, IfIndex, IfName, MacAddr};

use crate::config::{Route, Rule};
use crate::firewall::FirewallOperation;
use crate::virtual_link::{VirtualLink, VirtualLinkKind};

/// One change of kernel state. Order matters: it is the order of execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Add an address.
    AddAddress(AddressSpec),
    /// Remove an address.
    RemoveAddress(AddressKey),
    /// Add a route.
    AddRoute(RouteSpec),
    /// Remove a route.
    RemoveRoute(RouteSpec),
    /// Add a policy rule.
    AddRule(Arc<Rule>),
    /// Remove a policy rule.
    RemoveRule(Arc<Rule>),
    /// Create a macvlan or ipvlan over `base`.
    CreateLink {
        /// Kernel's number of the underlying interface.
        base: IfIndex,
        /// What to create.
        link: Arc<VirtualLink>,
    },
    /// Set an interface up, with what cannot be said when it is created.
    SetLink(LinkSettings),
    /// Delete an interface.
    DeleteLink {
        /// Kernel's number.
        interface: IfIndex,
        /// Its name, for messages.
        name: IfName,
    },
    /// Write a value below /proc/sys; answered by [`Outcome::Previous`].
    Sysctl {
        /// Path below /proc/sys, such as `net/ipv4/conf/eth0/arp_ignore`.
        path: String,
        /// What to write.
        value: String,
    },
    /// Change the firewall.
    Firewall(FirewallOperation),
}

/// What makes an address the same one to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressKey {
    /// Interface.
    pub interface: IfIndex,
    /// The local address.
    pub local: IpAddr,
    /// Prefix length in bits (the peer's, where there is one).
    pub length: u8,
    /// The other end of a point-to-point address.
    pub peer: Option<IpAddr>,
}

/// `10.0.0.1/24 dev #3`: the number, because the name may have gone.
impl fmt::Display for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            Some(peer) => write!(f, "{} peer {peer}/{} dev #{}", self.local, self.length, self.interface),
            None => write!(f, "{}/{} dev #{}", self.local, self.length, self.interface),
        }
    }
}

/// An address to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressSpec {
    /// Which.
    pub key: AddressKey,
    /// RT_SCOPE_ number.
    pub scope: u8,
    /// IPv4 broadcast address.
    pub broadcast: Option<Ipv4Addr>,
    /// IPv4 label.
    pub label: Option<Box<str>>,
    /// IFA_F_ bits.
    pub flags: u32,
    /// IPv6: seconds for which it is preferred; 0 means never chosen as a source. `None` is forever.
    pub preferred_lifetime: Option<u32>,
    /// `no_track`: its removal by somebody else is nobody's business.
    pub no_track: bool,
}

/// IFA_F_NODAD: no duplicate address detection.
pub const FLAG_NO_DAD: u32 = 0x02;
/// IFA_F_HOMEADDRESS.
pub const FLAG_HOME: u32 = 0x10;
/// IFA_F_MANAGETEMPADDR.
pub const FLAG_MANAGE_TEMPORARY: u32 = 0x100;
/// IFA_F_NOPREFIXROUTE.
pub const FLAG_NO_PREFIX_ROUTE: u32 = 0x200;
/// IFA_F_MCAUTOJOIN.
pub const FLAG_AUTOJOIN: u32 = 0x400;
/// keepalived's number among the origins of addresses, routes and rules (IFA_PROTO, RTPROT_KEEPALIVED).
pub const PROTOCOL_KEEPALIVED: u8 = 18;

/// A route with its interfaces resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RouteSpec {
    /// As configured.
    pub route: Arc<Route>,
    /// `dev`.
    pub interface: Option<IfIndex>,
    /// `dev` of each next hop, in their order.
    pub nexthop_interfaces: Vec<Option<IfIndex>>,
    /// The table: the VRF's where one is given.
    pub table: u32,
}

/// What is set on an interface after it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkSettings {
    /// Kernel's number.
    pub interface: IfIndex,
    /// Its name, for messages.
    pub name: IfName,
    /// Hardware address.
    pub mac: Option<MacAddr>,
    /// Interface group.
    pub group: Option<u32>,
    /// VRF to belong to.
    pub master: Option<IfIndex>,
    /// IPv6 address generation: `true` for "none", so that no link-local address appears by itself.
    pub no_generated_address: bool,
    /// Whether to set it up.
    pub up: bool,
}

/// What became of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// A sysctl was written; this was its value before.
    Previous(String),
    /// Refused.
    Refused(Refusal),
}

/// Why the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The error number, positive.
    pub errno: i32,
    /// The kernel's own words (extended acknowledgement), where it gave some.
    pub text: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", std::io::Error::from_raw_os_error(self.errno))?;
        self.text.as_ref().map_or(Ok(()), |text| write!(f, ": {text}"))
    }
}

const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const ESRCH: i32 = 3;
const EEXIST: i32 = 17;
const ENODEV: i32 = 19;
const EADDRNOTAVAIL: i32 = 99;
const ENETDOWN: i32 = 100;

impl Operation {
    /// Whether this refusal means that things are as they should be already: to add what exists, to remove what is gone.
    pub fn tolerates(&self, refusal: &Refusal) -> bool {
        match self {
            // A link may be asked for again before the monitor has told that it exists.
            Self::AddAddress(_) | Self::AddRoute(_) | Self::AddRule(_) | Self::CreateLink { .. } => {
                refusal.errno == EEXIST
            }
            Self::RemoveAddress(_) | Self::RemoveRoute(_) | Self::RemoveRule(_) | Self::DeleteLink { .. } => {
                matches!(refusal.errno, ENOENT | ESRCH | ENODEV | EADDRNOTAVAIL | ENETDOWN)
            }
            Self::Firewall(FirewallOperation::Unprotect { .. } | FirewallOperation::Unredirect { .. }) => {
                refusal.errno == ENOENT
            }
            Self::SetLink(_) | Self::Sysctl { .. } | Self::Firewall(_) => false,
        }
    }

    /// What the operator can do about a refusal, where there is something to say.
    pub fn remedy(&self, refusal: &Refusal) -> Option<&'static str> {
        match (self, refusal.errno) {
            (_, EPERM) => Some("the daemon needs CAP_NET_ADMIN: run it as root"),
            (Self::CreateLink { .. }, 95) => Some("the kernel has no macvlan or ipvlan: load the module"),
            (Self::AddRoute(_), 101) => {
                Some("the gateway is not reachable by any address of its interface: add `onlink`, or the address")
            }
            (Self::Firewall(_), 95 | 93) => Some("the kernel has no nf_tables: load the module"),
            _ => None,
        }
    }
}

/// What it does, for log lines: `add address 10.0.0.1/24 dev #3`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddAddress(spec) => write!(f, "add address {}", spec.key),
            Self::RemoveAddress(key) => write!(f, "remove address {key}"),
            Self::AddRoute(spec) => write!(f, "add route {spec}"),
            Self::RemoveRoute(spec) => write!(f, "remove route {spec}"),
            Self::AddRule(rule) => write!(f, "add rule {}", RuleText(rule)),
            Self::RemoveRule(rule) => write!(f, "remove rule {}", RuleText(rule)),
            Self::CreateLink { base, link } => {
                let kind = match link.kind {
                    VirtualLinkKind::Macvlan { .. } => "macvlan",
                    VirtualLinkKind::Ipvlan { .. } => "ipvlan",
                };
                write!(f, "create {kind} {} over {} (#{base})", link.name, link.base)
            }
            Self::SetLink(settings) => write!(f, "set up interface {}", settings.name),
            Self::DeleteLink { name, .. } => write!(f, "delete interface {name}"),
            Self::Sysctl { path, value } => write!(f, "set sysctl {path} to {value}"),
            Self::Firewall(operation) => write!(f, "{operation}"),
        }
    }
}

impl fmt::Display for RouteSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let route = &self.route;
        write!(f, "{}", route.destination)?;
        if let Some(gateway) = route.gateway {
            write!(f, " via {gateway}")?;
        }
        if let Some(interface) = &route.interface {
            write!(f, " dev {interface}")?;
        }
        write!(f, " table {}", self.table)?;
        route.metric.map_or(Ok(()), |metric| write!(f, " metric {metric}"))
    }
}

struct RuleText<'a>(&'a Rule);

impl fmt::Display for RuleText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = self.0;
        if rule.family == Family::Inet6 {
            f.write_str("inet6 ")?;
        }
        write!(f, "preference {}", rule.preference)?;
        match rule.source {
            Some(source) => write!(f, " from {source}")?,
            None => f.write_str(" from all")?,
        }
        rule.destination.map_or(Ok(()), |destination| write!(f, " to {destination}"))
    }
}
