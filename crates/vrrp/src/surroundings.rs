//! Interfaces, addresses and sockets around the instances.

use std::collections::HashMap;
use std::net::IpAddr;

use types::{Family, IfIndex, IfName};

use crate::config::{Authentication, Cast, InstanceConfig, VirtualLinkKind};
use crate::deadlines::Kind;
use crate::event::{Action, Link, SocketSpec};
use crate::instance::{Instance, Run};
use crate::links::{LinkChange, Links, Source, may_be_source};
use crate::log::Text;
use crate::packet::{PROTOCOL_AH, PROTOCOL_VRRP};
use crate::routers::{Routers, Turn};
use crate::tracking::Target;

impl Routers {
    /// An interface exists and is like this.
    pub(crate) fn link(&mut self, turn: &mut Turn<'_>, link: Link) {
        let (index, name) = (link.index, link.name.clone());
        let change = self.links.set(link, &self.config.link_delays, self.is_running(), turn.now);
        if change.added && self.is_running() {
            turn.say(Text::LinkAdded(&name));
        }
        self.link_changed(turn, change, Some(index));
    }

    /// An interface is gone.
    pub(crate) fn link_gone(&mut self, turn: &mut Turn<'_>, index: IfIndex) {
        let Some(name) = self.links.name(index).cloned() else { return };
        let Some(change) = self.links.remove(index) else { return };
        if self.is_running() {
            turn.say(Text::LinkDeleted(&name));
        }
        self.link_changed(turn, change, None);
    }

    /// The up or down delay of a link ended.
    pub(crate) fn link_delay_over(&mut self, turn: &mut Turn<'_>, slot: usize) {
        let Some(change) = self.links.end_delay(slot, turn.now) else { return };
        let index = change.names.first().and_then(|name| self.links.find(name));
        self.link_changed(turn, change, index);
    }

    fn link_changed(&mut self, turn: &mut Turn<'_>, change: LinkChange, index: Option<IfIndex>) {
        for (slot, at) in self.links.delays() {
            self.deadlines.set(Kind::Link, slot, at);
        }
        if !self.is_running() {
            return;
        }
        let affected = self.watchers(&change.names);
        if let (Some(up), false) = (change.turned, affected.is_empty()) {
            let name = index.and_then(|index| self.links.name(index)).or(change.names.last());
            name.into_iter().for_each(|name| turn.say(Text::LinkState(name, up)));
        }
        self.look_again(turn, &affected);
        // neighbours and switches may have forgotten, or learnt another hardware address
        if change.mac_changed || change.turned == Some(true) {
            let masters = |id: &usize| matches!(self.instances[*id].run, Run::Master(_));
            let masters: Vec<_> = affected.iter().copied().filter(masters).collect();
            self.announce(turn, &masters, 1);
        }
    }

    /// An interface has this address.
    pub(crate) fn source_added(&mut self, turn: &mut Turn<'_>, index: IfIndex, source: Source) {
        if self.links.add_source(index, source) && self.is_running() {
            let affected = self.users_of_address(index, source.address);
            if let (Some(name), false) = (self.links.name(index), affected.is_empty() || source.tentative) {
                turn.say(Text::AddressAssigned(source.address, name));
            }
            self.look_again(turn, &affected);
        }
    }

    /// An interface lost this address.
    pub(crate) fn source_removed(&mut self, turn: &mut Turn<'_>, index: IfIndex, address: IpAddr) {
        if self.links.remove_source(index, address) && self.is_running() {
            let affected = self.users_of_address(index, address);
            if let (Some(name), false) = (self.links.name(index), affected.is_empty()) {
                turn.say(Text::AddressDeassigned(address, name));
            }
            self.look_again(turn, &affected);
        }
    }

    fn watchers(&self, names: &[IfName]) -> Vec<usize> {
        let mut affected: Vec<usize> = Vec::new();
        for name in names {
            affected.extend_from_slice(self.tracking.watchers(&Target::Interface(name.clone())));
        }
        affected.sort_unstable();
        affected.dedup();
        affected
    }

    fn users_of_address(&self, index: IfIndex, address: IpAddr) -> Vec<usize> {
        let instances = self.config.instances.iter().zip(&self.instances).enumerate();
        let uses = |(id, (config, instance)): (usize, (&InstanceConfig, &Instance))| {
            let its_own = instance.base == Some(index) || instance.home == Some(index);
            let configured = config.track_source && config.source == Some(address);
            (its_own && config.family == Family::of(address) || configured).then_some(id)
        };
        instances.filter_map(uses).collect()
    }

    /// Resolves these instances anew, then assesses and settles them.
    pub(crate) fn look_again(&mut self, turn: &mut Turn<'_>, affected: &[usize]) {
        let mut changed = false;
        for id in affected {
            changed |= self.resolve(*id);
        }
        if changed {
            let duplicates = self.refresh_sockets(turn);
            for id in duplicates {
                self.assess(turn, id);
                self.settle(turn, id);
            }
        }
        for id in affected {
            self.assess(turn, *id);
        }
        for id in affected {
            self.settle(turn, *id);
        }
    }

    /// Finds interfaces and source address of an instance. Whether its socket differs now.
    pub(crate) fn resolve(&mut self, id: usize) -> bool {
        let config = &self.config.instances[id];
        let instance = &mut self.instances[id];
        let find = |name: &IfName| self.links.find(name);
        let link = config.virtual_link.as_ref();
        let base = config.interface.as_ref().and_then(find);
        let virtual_link = link.and_then(|link| find(&link.name));
        instance.base = base;
        instance.home = if link.is_some() { virtual_link } else { base };
        instance.transmit = if link.is_some_and(|link| !link.transmit_base) { virtual_link } else { base };
        let source = source_of(config, instance, &self.links);
        if source != instance.source {
            instance.former_source = instance.source;
            instance.source = source;
            instance.advert = None;
            instance.accepted = None;
        }
        let socket = socket_of(config, instance, config.vrf.as_ref().and_then(find));
        let without_buffer = |socket: &SocketSpec| SocketSpec { receive_buffer: None, ..socket.clone() };
        if socket.as_ref().map(without_buffer) == instance.socket.as_ref().map(without_buffer) {
            return false;
        }
        instance.socket = socket;
        instance.advert = None;
        true
    }

    /// Brings the list of sockets in line with the instances. Returns those whose VRID became, or ceased to be, a
    /// duplicate.
    pub(crate) fn refresh_sockets(&mut self, turn: &mut Turn<'_>) -> Vec<usize> {
        let mut places: HashMap<SocketSpec, usize> = HashMap::new();
        let mut sockets: Vec<SocketSpec> = Vec::new();
        let mut users: HashMap<(usize, u8), usize> = HashMap::new();
        let mut duplicates = Vec::new();
        self.addressees.clear();
        let mut place_of = vec![None; self.instances.len()];
        for (id, (config, instance)) in self.config.instances.iter().zip(&mut self.instances).enumerate() {
            let Some(spec) = &instance.socket else { continue };
            let key = SocketSpec { receive_buffer: None, ..spec.clone() };
            let place = *places.entry(key.clone()).or_insert_with(|| {
                sockets.push(key);
                sockets.len() - 1
            });
            // one socket for all of them, with the largest buffer that one of them asks for
            sockets[place].receive_buffer = sockets[place].receive_buffer.max(config.receive_buffer);
            place_of[id] = Some(place);
            let first = *users.entry((place, config.vrid.get())).or_insert(id);
            let duplicate_of = (first != id).then_some(first);
            if instance.duplicate_of != duplicate_of {
                instance.duplicate_of = duplicate_of;
                duplicates.push(id);
            }
            if duplicate_of.is_none() {
                let key = (spec.interface, config.family, config.vrid.get());
                self.addressees.entry(key).or_default().push(id);
            }
        }
        for (instance, place) in self.instances.iter_mut().zip(place_of) {
            let Some(place) = place else { continue };
            if instance.socket.as_ref() != Some(&sockets[place]) {
                instance.socket = Some(sockets[place].clone());
                instance.advert = None;
            }
        }
        if self.sockets != sockets {
            self.sockets = sockets;
            turn.out.push(Action::SocketsChanged);
        }
        duplicates
    }
}

/// The source of adverts: as configured, else the one in use while it lasts, else the interface's first
/// (RFC 9568 §5.1.1.1, §5.1.2.1).
fn source_of(config: &InstanceConfig, instance: &Instance, links: &Links) -> Option<IpAddr> {
    if config.source.is_some() {
        return config.source;
    }
    let ipvlan = match config.virtual_link.as_ref().map(|link| &link.kind) {
        Some(VirtualLinkKind::Ipvlan { address: Some(address), .. }) if address.family() == config.family => {
            return Some(address.address());
        }
        Some(VirtualLinkKind::Ipvlan { .. }) => instance.home,
        Some(VirtualLinkKind::Macvlan { .. }) | None => None,
    };
    // a virtual address that was left behind is no address of ours, unless we own it
    let virtual_one =
        |address: IpAddr| !config.priority.is_owner() && config.announced.iter().any(|one| one.address == address);
    let sources = |index: Option<IfIndex>| index.map_or(&[][..], |index| links.sources(index));
    let usable = |source: &&Source| may_be_source(config.family, source) && !virtual_one(source.address);
    let candidates = || sources(ipvlan).iter().chain(sources(instance.base)).filter(usable);
    let used = candidates().find(|source| Some(source.address) == instance.source);
    used.or_else(|| candidates().next()).map(|source| source.address)
}

/// The socket that an instance needs, or `None` while its interface is absent.
fn socket_of(config: &InstanceConfig, instance: &Instance, vrf: Option<IfIndex>) -> Option<SocketSpec> {
    let interface = match config.interface {
        Some(_) => Some(instance.transmit?),
        None => None,
    };
    let header = matches!(config.authentication, Authentication::AuthenticationHeader(_))
        && config.version == types::VrrpVersion::V2;
    let (group, source) = match &config.cast {
        Cast::Multicast { group } => (Some(*group), None),
        Cast::Unicast { .. } => (None, Some(instance.source?)),
    };
    Some(SocketSpec {
        interface,
        vrf: if interface.is_none() { vrf } else { None },
        family: config.family,
        protocol: if header { PROTOCOL_AH } else { PROTOCOL_VRRP },
        group,
        source,
        receive_buffer: None,
    })
}
