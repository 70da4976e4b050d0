//! Interfaces and their addresses as the kernel tells them, with `interface_up_down_delays` applied.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use types::{Family, IfIndex, IfName, Instant, MacAddr};

use crate::config::LinkDelay;
use crate::event::Link;

/// Links below links below links: deeper than anybody builds, and an end for circles.
const MAX_DEPTH: usize = 16;

/// An address that an interface has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) address: IpAddr,
    pub(crate) tentative: bool,
}

/// One interface.
#[derive(Debug)]
struct Entry {
    link: Link,
    /// Whether it counts as up, delays considered.
    up: bool,
    /// Whether it was up once: delays apply from then on.
    was_up: bool,
    /// It will count as this, then.
    pending: Option<(Instant, bool)>,
    sources: Vec<Source>,
}

/// All interfaces of the namespace.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Places of gone interfaces are used again, so that timers have dense numbers.
    entries: Vec<Option<Entry>>,
    by_index: HashMap<IfIndex, usize>,
    by_name: HashMap<IfName, usize>,
    /// Addresses told before their interface.
    early: Vec<(IfIndex, Source)>,
}

/// What a link event changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkChange {
    /// Names whose standing may differ now.
    pub(crate) names: Vec<IfName>,
    /// It came to be.
    pub(crate) added: bool,
    /// It counts as up or down now and did not before.
    pub(crate) turned: Option<bool>,
    /// Its hardware address differs.
    pub(crate) mac_changed: bool,
}

impl Links {
    /// Number, by name.
    pub(crate) fn find(&self, name: &IfName) -> Option<IfIndex> {
        self.by_name.get(name).and_then(|slot| self.entry(*slot)).map(|entry| entry.link.index)
    }

    /// Name, by number.
    pub(crate) fn name(&self, index: IfIndex) -> Option<&IfName> {
        self.by_index.get(&index).and_then(|slot| self.entry(*slot)).map(|entry| &entry.link.name)
    }

    /// Hardware address.
    pub(crate) fn mac(&self, index: IfIndex) -> Option<MacAddr> {
        self.by_index.get(&index).and_then(|slot| self.entry(*slot)).and_then(|entry| entry.link.mac)
    }

    /// Whether the interface stands on another one.
    pub(crate) fn has_base(&self, index: IfIndex) -> bool {
        self.by_index.get(&index).and_then(|slot| self.entry(*slot)).is_some_and(|entry| entry.link.base.is_some())
    }

    /// Whether the interface exists and counts as up, and everything below it too.
    pub(crate) fn is_up(&self, name: &IfName) -> bool {
        let mut slot = self.by_name.get(name).copied();
        for _ in 0..MAX_DEPTH {
            let Some(entry) = slot.and_then(|slot| self.entry(slot)) else { return false };
            if !entry.up {
                return false;
            }
            match entry.link.base {
                // the base of a link may be in another namespace, where we cannot see it
                Some(base) if base != entry.link.index && self.by_index.contains_key(&base) => {
                    slot = self.by_index.get(&base).copied();
                }
                _ => return true,
            }
        }
        true
    }

    /// Addresses, in the kernel's order.
    pub(crate) fn sources(&self, index: IfIndex) -> &[Source] {
        self.by_index.get(&index).and_then(|slot| self.entry(*slot)).map_or(&[], |entry| &entry.sources)
    }

    /// Whether some interface has this address, proven.
    pub(crate) fn has_address(&self, address: IpAddr) -> bool {
        self.entries.iter().flatten().any(|entry| entry.sources.contains(&Source { address, tentative: false }))
    }

    /// An interface exists and is like this.
    pub(crate) fn set(&mut self, link: Link, delays: &[LinkDelay], settled: bool, now: Instant) -> LinkChange {
        let mut change = LinkChange::default();
        let slot = match self.by_index.get(&link.index) {
            Some(slot) => *slot,
            None => {
                change.added = true;
                self.insert(&link)
            }
        };
        // a name that passed from an interface whose end we were not told of
        if let Some(former) = self.by_name.get(&link.name).copied().filter(|former| *former != slot) {
            self.forget(former);
        }
        let Some(entry) = self.entries[slot].as_mut() else { return change };
        if entry.link.name != link.name {
            self.by_name.remove(&entry.link.name);
            change.names.push(entry.link.name.clone());
        }
        self.by_name.insert(link.name.clone(), slot);
        change.mac_changed = !change.added && entry.link.mac != link.mac;

        let delay = delays.iter().find(|delay| delay.interface == link.name);
        let wait = match (link.up, delay) {
            (true, Some(delay)) if entry.was_up && settled => delay.up,
            (false, Some(delay)) if entry.was_up && settled => delay.down,
            _ => Duration::ZERO,
        };
        entry.was_up |= link.up;
        if link.up == entry.up {
            entry.pending = None;
        } else if wait.is_zero() {
            entry.pending = None;
            entry.up = link.up;
            change.turned = Some(link.up);
        } else if entry.pending.is_none() {
            entry.pending = Some((now + wait, link.up));
        }
        change.names.push(link.name.clone());
        entry.link = link;
        self.push_dependants(slot, &mut change.names);
        change
    }

    /// An interface is gone.
    pub(crate) fn remove(&mut self, index: IfIndex) -> Option<LinkChange> {
        let slot = *self.by_index.get(&index)?;
        let mut names = Vec::new();
        self.push_dependants(slot, &mut names);
        let entry = self.forget(slot)?;
        names.push(entry.link.name);
        self.early.retain(|(early, _)| *early != index);
        Some(LinkChange { names, turned: entry.up.then_some(false), ..LinkChange::default() })
    }

    /// The delay of a link ended.
    pub(crate) fn end_delay(&mut self, slot: usize, now: Instant) -> Option<LinkChange> {
        let entry = self.entries.get_mut(slot)?.as_mut()?;
        let (at, up) = entry.pending?;
        if at > now {
            return None;
        }
        entry.pending = None;
        entry.up = up;
        let mut names = vec![entry.link.name.clone()];
        self.push_dependants(slot, &mut names);
        Some(LinkChange { names, turned: Some(up), ..LinkChange::default() })
    }

    /// Places with the moment at which their delay ends, to arm timers with.
    pub(crate) fn delays(&self) -> impl Iterator<Item = (usize, Option<Instant>)> {
        self.entries.iter().enumerate().map(|(slot, entry)| {
            let pending = entry.as_ref().and_then(|entry| entry.pending);
            (slot, pending.map(|(at, _)| at))
        })
    }

    /// An interface has this address. Whether that is news.
    pub(crate) fn add_source(&mut self, index: IfIndex, source: Source) -> bool {
        let Some(entry) = self.by_index.get(&index).and_then(|slot| self.entries[*slot].as_mut()) else {
            self.early.retain(|(early, known)| (*early, known.address) != (index, source.address));
            self.early.push((index, source));
            return false;
        };
        match entry.sources.iter_mut().find(|known| known.address == source.address) {
            Some(known) if *known == source => false,
            Some(known) => {
                *known = source;
                true
            }
            None => {
                entry.sources.push(source);
                true
            }
        }
    }

    /// An interface lost this address. Whether that is news.
    pub(crate) fn remove_source(&mut self, index: IfIndex, address: IpAddr) -> bool {
        self.early.retain(|(early, known)| (*early, known.address) != (index, address));
        let Some(entry) = self.by_index.get(&index).and_then(|slot| self.entries[*slot].as_mut()) else { return false };
        let before = entry.sources.len();
        entry.sources.retain(|known| known.address != address);
        entry.sources.len() != before
    }

    fn entry(&self, slot: usize) -> Option<&Entry> {
        self.entries.get(slot).and_then(Option::as_ref)
    }

    fn insert(&mut self, link: &Link) -> usize {
        let sources = self.early.iter().filter(|(index, _)| *index == link.index).map(|(_, source)| *source).collect();
        self.early.retain(|(index, _)| *index != link.index);
        let entry = Entry { link: link.clone(), up: false, was_up: false, pending: None, sources };
        let slot = match self.entries.iter().position(Option::is_none) {
            Some(slot) => slot,
            None => {
                self.entries.push(None);
                self.entries.len() - 1
            }
        };
        self.entries[slot] = Some(entry);
        self.by_index.insert(link.index, slot);
        slot
    }

    fn forget(&mut self, slot: usize) -> Option<Entry> {
        let entry = self.entries.get_mut(slot)?.take()?;
        self.by_index.remove(&entry.link.index);
        if self.by_name.get(&entry.link.name) == Some(&slot) {
            self.by_name.remove(&entry.link.name);
        }
        Some(entry)
    }

    /// Names of all interfaces above this one.
    fn push_dependants(&self, slot: usize, names: &mut Vec<IfName>) {
        let mut below: Vec<IfIndex> = self.entry(slot).map(|entry| entry.link.index).into_iter().collect();
        for _ in 0..MAX_DEPTH {
            let above: Vec<_> = self
                .entries
                .iter()
                .flatten()
                .filter(|entry| entry.link.base.is_some_and(|base| below.contains(&base) && base != entry.link.index))
                .filter(|entry| !names.contains(&entry.link.name))
                .collect();
            if above.is_empty() {
                return;
            }
            names.extend(above.iter().map(|entry| entry.link.name.clone()));
            below = above.iter().map(|entry| entry.link.index).collect();
        }
    }
}

/// Whether an address may be the source of adverts of this family: IPv6 adverts come from link-local addresses
/// (RFC 9568 §5.1.2.1).
pub(crate) fn may_be_source(family: Family, source: &Source) -> bool {
    match (family, source.address) {
        (Family::Inet, IpAddr::V4(_)) => !source.tentative,
        (Family::Inet6, IpAddr::V6(address)) => !source.tentative && address.is_unicast_link_local(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str, up: bool, base: Option<u32>) -> Link {
        Link {
            index: IfIndex(index),
            name: name.parse().unwrap(),
            up,
            mac: Some(MacAddr([2, 0, 0, 0, 0, index as u8])),
            mtu: 1500,
            base: base.map(IfIndex),
        }
    }

    fn name(text: &str) -> IfName {
        text.parse().unwrap()
    }

    #[test]
    fn a_link_is_up_only_with_everything_below_it() {
        let mut links = Links::default();
        links.set(link(1, "eth0", true, None), &[], true, Instant::ZERO);
        links.set(link(2, "bond0.5", true, Some(1)), &[], true, Instant::ZERO);
        links.set(link(3, "vrrp.51", true, Some(2)), &[], true, Instant::ZERO);
        assert!(links.is_up(&name("vrrp.51")));
        let change = links.set(link(1, "eth0", false, None), &[], true, Instant::ZERO);
        assert_eq!(change.names, [name("eth0"), name("bond0.5"), name("vrrp.51")]);
        assert!(!links.is_up(&name("vrrp.51")));
    }

    #[test]
    fn links_that_are_each_others_base_do_not_hang_us() {
        let mut links = Links::default();
        links.set(link(1, "a", true, Some(2)), &[], true, Instant::ZERO);
        links.set(link(2, "b", true, Some(1)), &[], true, Instant::ZERO);
        links.set(link(3, "c", true, Some(3)), &[], true, Instant::ZERO);
        assert!(links.is_up(&name("a")) && links.is_up(&name("c")));
    }

    #[test]
    fn a_renamed_link_keeps_its_addresses_and_leaves_its_old_name_free() {
        let mut links = Links::default();
        links.set(link(1, "eth0", true, None), &[], true, Instant::ZERO);
        links.add_source(IfIndex(1), Source { address: "10.0.0.1".parse().unwrap(), tentative: false });
        let change = links.set(link(1, "lan", true, None), &[], true, Instant::ZERO);
        assert_eq!(change.names, [name("eth0"), name("lan")]);
        assert_eq!(links.find(&name("eth0")), None);
        assert_eq!(links.find(&name("lan")), Some(IfIndex(1)));
        assert_eq!(links.sources(IfIndex(1)).len(), 1);
    }

    #[test]
    fn a_link_created_again_under_its_name_replaces_the_one_whose_end_we_missed() {
        let mut links = Links::default();
        links.set(link(1, "eth0", true, None), &[], true, Instant::ZERO);
        links.set(link(9, "eth0", false, None), &[], true, Instant::ZERO);
        assert_eq!(links.find(&name("eth0")), Some(IfIndex(9)));
        assert_eq!(links.name(IfIndex(1)), None);
    }

    #[test]
    fn delays_apply_after_the_link_was_up_once_and_a_short_flap_is_not_seen() {
        let delays = [LinkDelay { interface: name("eth0"), down: Duration::from_secs(1), up: Duration::from_secs(2) }];
        let at = |seconds| Instant::ZERO + Duration::from_secs(seconds);
        let mut links = Links::default();
        assert_eq!(links.set(link(1, "eth0", true, None), &delays, true, at(0)).turned, Some(true));
        assert_eq!(links.set(link(1, "eth0", false, None), &delays, true, at(1)).turned, None);
        assert_eq!(links.delays().next(), Some((0, Some(at(2)))));
        assert_eq!(links.set(link(1, "eth0", true, None), &delays, true, at(1)).turned, None);
        assert_eq!(links.delays().next(), Some((0, None)));
        links.set(link(1, "eth0", false, None), &delays, true, at(5));
        assert_eq!(links.end_delay(0, at(5)), None);
        assert_eq!(links.end_delay(0, at(6)).unwrap().turned, Some(false));
        links.set(link(1, "eth0", true, None), &delays, true, at(7));
        assert!(!links.is_up(&name("eth0")));
        assert_eq!(links.end_delay(0, at(9)).unwrap().turned, Some(true));
    }

    #[test]
    fn addresses_may_be_told_before_their_link() {
        let mut links = Links::default();
        links.add_source(IfIndex(1), Source { address: "10.0.0.1".parse().unwrap(), tentative: false });
        links.set(link(1, "eth0", true, None), &[], true, Instant::ZERO);
        assert_eq!(links.sources(IfIndex(1)).len(), 1);
    }
}
