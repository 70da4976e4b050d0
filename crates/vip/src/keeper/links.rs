//! Virtual MAC and ipvlan interfaces: they exist while their instance is configured.
//!
//! Creation and set-up are two steps, because only the monitor tells the number of the new interface.

use std::iter;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use types::{Family, IfIndex, IfName};

use super::Keeper;
use crate::actual::{LinkKind, LinkState};
use crate::firewall::FirewallOperation;
use crate::holdings::Config;
use crate::operation::{AddressKey, AddressSpec, FLAG_NO_DAD, LinkSettings, Operation};
use crate::virtual_link::{VirtualLink, VirtualLinkKind};

/// MACVLAN_MODE_PRIVATE.
const MACVLAN_PRIVATE: u32 = 1;
/// IPVLAN_MODE_L2.
const IPVLAN_L2: u16 = 0;
const ALL_RP_FILTER: &str = "net/ipv4/conf/all/rp_filter";

impl Keeper {
    fn virtual_links(&self) -> Vec<VirtualLink> {
        let configured = self.config.instances.iter().flat_map(|holdings| &holdings.links);
        configured.chain(&self.coming).cloned().collect()
    }

    /// Creates links that a configuration to come has in addition, so that they stand when its instances begin. Whether there are any;
    /// [`Keeper::reload`] must follow.
    pub fn expect_links(&mut self, next: &Config, out: &mut Vec<Operation>) -> bool {
        let known = self.virtual_links();
        let links = next.instances.iter().flat_map(|holdings| &holdings.links);
        self.coming = links.filter(|link| !known.iter().any(|known| known.name == link.name)).cloned().collect();
        self.coming.clone().iter().for_each(|link| self.ensure_link(link, out));
        !self.coming.is_empty()
    }

    /// Whether a link that is to come (without such ones: that is configured) is not up although its base is: the kernel has not told of it yet, or
    /// refused it.
    pub fn awaits_links(&self) -> bool {
        let up = |name: &IfName| self.actual.link_named(name).is_some_and(|link| link.enabled && link.running);
        let links = if self.coming.is_empty() { self.virtual_links() } else { self.coming.clone() };
        links.iter().any(|link| up(&link.base) && !up(&link.name))
    }

    /// The firewall is new: it must hear of links that are set up already.
    pub(super) fn redirect_again(&self, out: &mut Vec<Operation>) {
        let Some(firewall) = &self.config.firewall else { return };
        for link in self.virtual_links() {
            let known = |name: &IfName| self.actual.link_named(name).map(|link| link.index);
            if let (Some(index), Some(base)) = (known(&link.name), known(&link.base))
                && self.prepared.contains(&index)
            {
                let (table, family) = (firewall.table.clone(), link.family);
                out.push(Operation::Firewall(FirewallOperation::Redirect { table, family, link: index, base }));
            }
        }
    }

    /// Creates, adopts or replaces each configured link whose base exists.
    pub(super) fn ensure_links(&mut self, out: &mut Vec<Operation>) {
        if self.running {
            self.virtual_links().iter().for_each(|link| self.ensure_link(link, out));
        }
    }

    fn ensure_link(&mut self, link: &VirtualLink, out: &mut Vec<Operation>) {
        let Some(base) = self.actual.link_named(&link.base).map(|base| base.index) else { return };
        match self.actual.link_named(&link.name).cloned() {
            Some(existing) if link.stands_as(&existing, base) => self.prepare(link, &existing, base, out),
            Some(existing) => {
                let (interface, name) = (existing.index, existing.name);
                out.push(Operation::DeleteLink { interface, name });
                out.push(Operation::CreateLink { base, link: Arc::new(link.clone()) });
            }
            None => out.push(Operation::CreateLink { base, link: Arc::new(link.clone()) }),
        }
    }

    /// Settings of a link that exists, once.
    fn prepare(&mut self, link: &VirtualLink, existing: &LinkState, base: IfIndex, out: &mut Vec<Operation>) {
        if !self.prepared.insert(existing.index) {
            return;
        }
        out.extend(link.own_settings());
        if link.family == Family::Inet {
            for setting in ["arp_ignore", "arp_filter"] {
                self.borrowed.acquire(format!("net/ipv4/conf/{}/{setting}", link.base), "1", out);
            }
            self.borrowed.acquire(ALL_RP_FILTER.to_owned(), "0", out);
        }
        let base_state = self.actual.link(base);
        let is_vrf =
            |index: &IfIndex| self.actual.link(*index).is_some_and(|link| matches!(link.kind, LinkKind::Vrf { .. }));
        let mac = match link.kind {
            VirtualLinkKind::Macvlan { mac } if link.notify_message => Some(mac),
            _ => None,
        };
        let group = link.group.or(base_state.map(|base| base.group)).filter(|group| *group != existing.group);
        out.push(Operation::SetLink(LinkSettings {
            interface: existing.index,
            name: link.name.clone(),
            mac,
            group,
            master: base_state.and_then(|base| base.master).filter(is_vrf),
            no_generated_address: true,
            up: true,
        }));
        if let Some(firewall) = &self.config.firewall {
            let (table, family, link) = (firewall.table.clone(), link.family, existing.index);
            out.push(Operation::Firewall(FirewallOperation::Redirect { table, family, link, base }));
        }
        let copied = self.link_local_of(base);
        out.extend(link.own_addresses(existing.index, copied).map(Operation::AddAddress));
    }

    fn link_local_of(&self, interface: IfIndex) -> Option<Ipv6Addr> {
        self.actual.addresses().find_map(|(key, _)| match key.local {
            IpAddr::V6(address)
                if key.interface == interface
                    && address.is_unicast_link_local()
                    && !self.actual.is_tentative(key)
                    && !self.is_configured(key) =>
            {
                Some(address)
            }
            _ => None,
        })
    }

    /// A base interface has got its link-local address, perhaps only now that it is proven unique: its virtual links send adverts from it.
    pub(super) fn address_for_virtual(&mut self, key: &AddressKey, out: &mut Vec<Operation>) {
        let IpAddr::V6(address) = key.local else { return };
        if !self.running || !address.is_unicast_link_local() || self.prepared.is_empty() {
            return;
        }
        let Some(base) = self.actual.link(key.interface).map(|base| base.name.clone()) else { return };
        for link in self
            .virtual_links()
            .iter()
            .filter(|link| link.base == base && link.link_local.is_none() && link.copies_link_local)
        {
            let existing = self.actual.link_named(&link.name).map(|existing| existing.index);
            let Some(existing) = existing.filter(|index| self.prepared.contains(index)) else { continue };
            let has_one = self.actual.addresses().any(|(key, _)| {
                let link_local = matches!(key.local, IpAddr::V6(local) if local.is_unicast_link_local());
                key.interface == existing && link_local && !self.is_configured(key)
            });
            if !has_one {
                let own = link.own_addresses(existing, Some(address)).filter(|spec| spec.key.local == key.local);
                out.extend(own.map(Operation::AddAddress));
            }
        }
    }

    /// An interface has appeared or changed: it may be one of ours, or the base of one.
    pub(super) fn link_for_virtual(&mut self, seen: &LinkState, went_up: bool, out: &mut Vec<Operation>) {
        if !self.running {
            return;
        }
        for link in self.virtual_links() {
            if link.name == seen.name {
                let base = self.actual.link_named(&link.base).map(|base| base.index);
                if let Some(base) = base.filter(|base| link.stands_as(seen, *base)) {
                    self.prepare(&link, seen, base, out);
                }
            } else if link.base == seen.name {
                match self.actual.link_named(&link.name).cloned() {
                    None => self.ensure_link(&link, out),
                    // A macvlan cannot be up while its base is down.
                    Some(existing) if went_up && !existing.enabled => {
                        out.push(Operation::SetLink(LinkSettings::only_up(&existing)));
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// One of ours was deleted (by somebody, or with its base): it is created again where that is possible.
    pub(super) fn virtual_link_gone(&mut self, name: &IfName, out: &mut Vec<Operation>) {
        if !self.running {
            return;
        }
        for link in self.virtual_links().iter().filter(|link| link.name == *name) {
            self.release_settings(link, out);
            self.ensure_link(link, out);
        }
    }

    pub(super) fn delete_link(&mut self, link: &VirtualLink, out: &mut Vec<Operation>) {
        let Some(interface) = self.actual.link_named(&link.name).map(|existing| existing.index) else { return };
        if !self.prepared.remove(&interface) {
            return;
        }
        if let Some(firewall) = &self.config.firewall
            && let Some(base) = self.actual.link_named(&link.base)
        {
            let (table, family, base) = (firewall.table.clone(), link.family, base.index);
            out.push(Operation::Firewall(FirewallOperation::Unredirect { table, family, link: interface, base }));
        }
        out.push(Operation::DeleteLink { interface, name: link.name.clone() });
        self.release_settings(link, out);
    }

    fn release_settings(&mut self, link: &VirtualLink, out: &mut Vec<Operation>) {
        if link.family == Family::Inet {
            for setting in ["arp_ignore", "arp_filter"] {
                self.borrowed.release(&format!("net/ipv4/conf/{}/{setting}", link.base), out);
            }
            self.borrowed.release(ALL_RP_FILTER, out);
        }
    }

    /// `all.rp_filter` counts together with each interface's own value (the larger one wins). To free the virtual links of it, it becomes 0 and its
    /// former value goes to each other interface, and to those to come.
    pub(super) fn after_sysctl(&self, path: &str, value: &str, previous: &str, out: &mut Vec<Operation>) {
        if path != ALL_RP_FILTER || value != "0" || previous == "0" {
            return;
        }
        let ours = self.virtual_links();
        let others = self.actual.links().filter(|link| !ours.iter().any(|ours| ours.name == link.name));
        let names = iter::once("default").chain(others.map(|link| link.name.as_str()));
        out.extend(names.map(|name| sysctl(format!("net/ipv4/conf/{name}/rp_filter"), previous)));
    }
}

fn sysctl(path: String, value: &str) -> Operation {
    Operation::Sysctl { path, value: value.to_owned() }
}

impl VirtualLink {
    /// Settings below /proc/sys that vanish with the link.
    fn own_settings(&self) -> Vec<Operation> {
        let set = |family: &str, setting: &str, value: &str| {
            sysctl(format!("net/{family}/conf/{}/{setting}", self.name), value)
        };
        let mut settings = vec![set("ipv4", "arp_ignore", "1")];
        if self.family == Family::Inet {
            settings.push(set("ipv4", "accept_local", "1"));
            settings.push(set("ipv4", "rp_filter", "0"));
            settings.push(set("ipv4", "promote_secondaries", "1"));
            if !self.keep_ipv6 {
                settings.push(set("ipv6", "disable_ipv6", "1"));
            }
        }
        settings
    }

    /// Whether an interface is this link already.
    fn stands_as(&self, existing: &LinkState, base: IfIndex) -> bool {
        existing.base == Some(base)
            && match (&self.kind, existing.kind) {
                (VirtualLinkKind::Macvlan { mac }, LinkKind::Macvlan { mode }) => {
                    mode == MACVLAN_PRIVATE && existing.mac == Some(*mac)
                }
                (VirtualLinkKind::Ipvlan { flags, .. }, LinkKind::Ipvlan { mode, flags: existing }) => {
                    mode == IPVLAN_L2 && *flags == existing
                }
                _ => false,
            }
    }

    /// Addresses that belong to the link rather than to its instance's mastership: an ipvlan's own, and for IPv6 a link-local one to send adverts from,
    /// which is never chosen for anything else.
    fn own_addresses(&self, interface: IfIndex, copied: Option<Ipv6Addr>) -> impl Iterator<Item = AddressSpec> {
        let spec = move |local: IpAddr, length: u8, scope: u8, preferred_lifetime: Option<u32>| AddressSpec {
            key: AddressKey { interface, local, length, peer: None },
            scope,
            broadcast: None,
            label: None,
            flags: if local.is_ipv6() { FLAG_NO_DAD } else { 0 },
            preferred_lifetime,
            no_track: true,
        };
        let own = match &self.kind {
            VirtualLinkKind::Ipvlan { address: Some(address), .. } => {
                Some(spec(address.address(), address.length(), 0, None))
            }
            _ => None,
        };
        let copied = copied.filter(|_| self.copies_link_local);
        let link_local = self.link_local.or(copied).filter(|_| self.family == Family::Inet6);
        let link_local = link_local.map(|address| spec(address.into(), 64, 253, Some(0)));
        own.into_iter().chain(link_local)
    }
}

impl LinkSettings {
    /// Nothing but up.
    fn only_up(link: &LinkState) -> Self {
        Self {
            interface: link.index,
            name: link.name.clone(),
            mac: None,
            group: None,
            master: None,
            no_generated_address: false,
            up: true,
        }
    }
}
