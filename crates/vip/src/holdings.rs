//! What each owner holds, in words of the configuration, and what that is in words of the kernel.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use types::{Family, IfIndex, IfName};

use crate::actual::{Actual, LinkKind};
use crate::config::{Address, Route, Rule};
use crate::firewall::FirewallConfig;
use crate::operation::{
    AddressKey, AddressSpec, FLAG_AUTOJOIN, FLAG_HOME, FLAG_MANAGE_TEMPORARY, FLAG_NO_DAD, FLAG_NO_PREFIX_ROUTE,
    Operation, RouteSpec,
};
use crate::virtual_link::VirtualLink;

/// Everything that may have to stand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Config {
    /// What instances hold while they are master, by their place in the configuration.
    pub instances: Vec<Holdings>,
    /// `static_ipaddress`, `static_routes`, `static_rules`: they stand while the daemon runs.
    pub statics: Holdings,
    /// The firewall, where one is wanted.
    pub firewall: Option<FirewallConfig>,
}

/// What one owner holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holdings {
    /// Name of the instance: a reload knows it by that.
    pub name: String,
    /// Interface of addresses without `dev`: the virtual link where there is one, else the instance's interface.
    pub interface: Option<IfName>,
    /// `virtual_ipaddress`, then `virtual_ipaddress_excluded`.
    pub addresses: Vec<Address>,
    /// `virtual_routes`.
    pub routes: Vec<Route>,
    /// `virtual_rules`.
    pub rules: Vec<Rule>,
    /// Interfaces to create while the owner is configured, held or not: the instance's own and those of addresses with `use_vmac`.
    pub links: Vec<VirtualLink>,
    /// Packets to the addresses are dropped while they are held (`no_accept`; never set for the owner of the addresses).
    pub no_accept: bool,
    /// `promote_secondaries` while the addresses are held.
    pub promote_secondaries: bool,
}

/// What an owner's holdings are in the kernel, given the interfaces that exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Items {
    /// In the order in which they are added.
    pub addresses: Vec<AddressSpec>,
    /// Added after the addresses.
    pub routes: Vec<RouteSpec>,
    /// Added after the routes.
    pub rules: Vec<Arc<Rule>>,
}

impl Holdings {
    /// Resolves interfaces by name. What needs one that does not exist is left out and its name given to `missing`.
    pub fn resolve(&self, actual: &Actual, missing: &mut Vec<IfName>) -> Items {
        let mut resolver = Resolver { actual, missing, last: None };
        Items {
            addresses: self
                .addresses
                .iter()
                .filter_map(|address| {
                    let name = address.interface.as_ref().or(self.interface.as_ref())?;
                    Some(address.spec(resolver.index(name)?))
                })
                .collect(),
            routes: self.routes.iter().filter_map(|route| resolver.route(route)).collect(),
            rules: self.rules.iter().cloned().map(Arc::new).collect(),
        }
    }

    /// Whether anything here depends on the interface of this name.
    pub fn mentions(&self, name: &IfName) -> bool {
        let is = |interface: &Option<IfName>| interface.as_ref() == Some(name);
        is(&self.interface)
            || self.addresses.iter().any(|address| is(&address.interface))
            || self.routes.iter().any(|route| {
                is(&route.interface) || is(&route.vrf) || route.nexthops.iter().any(|hop| is(&hop.interface))
            })
            || self.rules.iter().any(|rule| is(&rule.input) || is(&rule.output))
            || self.links.iter().any(|link| link.name == *name || link.base == *name)
    }
}

struct Resolver<'a> {
    actual: &'a Actual,
    missing: &'a mut Vec<IfName>,
    /// A thousand addresses on one interface look it up once.
    last: Option<(IfName, Option<IfIndex>)>,
}

impl Resolver<'_> {
    fn index(&mut self, name: &IfName) -> Option<IfIndex> {
        if let Some((last, index)) = &self.last
            && last == name
        {
            return *index;
        }
        let index = self.actual.link_named(name).map(|link| link.index);
        if index.is_none() && !self.missing.contains(name) {
            self.missing.push(name.clone());
        }
        self.last = Some((name.clone(), index));
        index
    }

    /// `Some(None)` where no interface is asked for, `None` where it is missing.
    fn optional(&mut self, name: Option<&IfName>) -> Option<Option<IfIndex>> {
        name.map_or(Some(None), |name| self.index(name).map(Some))
    }

    fn route(&mut self, route: &Route) -> Option<RouteSpec> {
        let interface = self.optional(route.interface.as_ref())?;
        let nexthop_interfaces =
            route.nexthops.iter().map(|hop| self.optional(hop.interface.as_ref())).collect::<Option<_>>()?;
        let table = match &route.vrf {
            None => route.table,
            Some(vrf) => {
                let index = self.index(vrf)?;
                match self.actual.link(index)?.kind {
                    LinkKind::Vrf { table } => table,
                    _ => route.table,
                }
            }
        };
        Some(RouteSpec { route: Arc::new(route.clone()), interface, nexthop_interfaces, table })
    }
}

impl Address {
    /// The address on this interface, as the kernel is to be told.
    pub fn spec(&self, interface: IfIndex) -> AddressSpec {
        let inet6 = self.address.family() == Family::Inet6;
        let flags = [
            (self.no_dad && inet6, FLAG_NO_DAD),
            (self.home && inet6, FLAG_HOME),
            (self.manage_temporary && inet6, FLAG_MANAGE_TEMPORARY),
            (self.no_prefix_route, FLAG_NO_PREFIX_ROUTE),
            (self.autojoin, FLAG_AUTOJOIN),
        ];
        AddressSpec {
            key: self.key(interface),
            scope: self.scope,
            broadcast: self.broadcast.filter(|_| !inet6),
            label: self.label.as_deref().filter(|_| !inet6).map(Box::from),
            flags: flags.into_iter().filter(|(set, _)| *set).fold(0, |all, (_, flag)| all | flag),
            preferred_lifetime: self.preferred_lifetime.filter(|_| inet6),
            no_track: self.no_track,
        }
    }

    /// What makes it this address on this interface.
    pub fn key(&self, interface: IfIndex) -> AddressKey {
        let local = self.address.address();
        let peer = self.peer.filter(|peer| peer.address() != local);
        AddressKey {
            interface,
            local,
            length: peer.map_or(self.address.length(), |peer| peer.length()),
            peer: peer.map(|peer| peer.address()),
        }
    }

    /// Local address and prefix length, whatever the interface.
    pub(crate) fn bare(&self) -> (IpAddr, u8) {
        let key = self.key(IfIndex(0));
        (key.local, key.length)
    }
}

impl Items {
    /// In the order of adding: addresses, routes, rules.
    pub fn additions(&self, out: &mut Vec<Operation>) {
        out.extend(self.addresses.iter().cloned().map(Operation::AddAddress));
        out.extend(self.routes.iter().cloned().map(Operation::AddRoute));
        out.extend(self.rules.iter().cloned().map(Operation::AddRule));
    }

    /// In the reverse order.
    pub fn removals(&self, out: &mut Vec<Operation>) {
        out.extend(self.rules.iter().rev().cloned().map(Operation::RemoveRule));
        out.extend(self.routes.iter().rev().cloned().map(Operation::RemoveRoute));
        out.extend(self.addresses.iter().rev().map(|spec| Operation::RemoveAddress(spec.key)));
    }

    /// Keeps what `keep` says of each kind.
    pub(crate) fn retain(
        &mut self,
        address: impl FnMut(&AddressSpec) -> bool,
        route: impl FnMut(&RouteSpec) -> bool,
        rule: impl FnMut(&Arc<Rule>) -> bool,
    ) {
        self.addresses.retain(address);
        self.routes.retain(route);
        self.rules.retain(rule);
    }

    /// Appends `more`.
    pub fn extend(&mut self, more: Self) {
        self.addresses.extend(more.addresses);
        self.routes.extend(more.routes);
        self.rules.extend(more.rules);
    }
}
