//! From the configuration's words to those of the keeper, and from the keeper's to those of the brain.

use std::net::IpAddr;

use types::{Family, IfIndex};
use vip::{Config, FirewallConfig, Holdings, Keeper, LinkState, VirtualLink};
use vrrp::config::{InstanceConfig, IpvlanMode, VirtualLinkKind};

/// What each instance holds while it is master, and what always stands.
pub(super) fn config(part: &conf::VrrpPart) -> Config {
    let instances = part.brain.instances.iter().zip(&part.instances).map(|(brain, part)| {
        let links = virtual_link(brain, part).into_iter().chain(part.address_links.iter().cloned()).collect();
        Holdings {
            name: brain.name.clone(),
            interface: brain.virtual_link.as_ref().map(|link| link.name.clone()).or_else(|| brain.interface.clone()),
            addresses: part.addresses.iter().chain(&part.excluded).cloned().collect(),
            routes: part.routes.clone(),
            rules: part.rules.clone(),
            links,
            // The owner may always accept (RFC 9568 §6.4.3).
            no_accept: part.no_accept && !brain.priority.is_owner(),
            promote_secondaries: part.promote_secondaries,
        }
    });
    Config {
        instances: instances.collect(),
        statics: Holdings {
            addresses: part.static_addresses.clone(),
            routes: part.static_routes.clone(),
            rules: part.static_rules.clone(),
            ..Holdings::default()
        },
        firewall: part.firewall.as_ref().map(|firewall| FirewallConfig {
            table: firewall.table.clone(),
            priority: firewall.priority,
            counters: firewall.counters,
        }),
    }
}

fn virtual_link(brain: &InstanceConfig, part: &conf::InstancePart) -> Option<VirtualLink> {
    let (link, base) = (brain.virtual_link.as_ref()?, brain.interface.clone()?);
    let kind = match &link.kind {
        VirtualLinkKind::Macvlan { mac } => vip::VirtualLinkKind::Macvlan { mac: *mac },
        VirtualLinkKind::Ipvlan { address, mode } => vip::VirtualLinkKind::Ipvlan {
            flags: match mode {
                IpvlanMode::Bridge => 0,
                IpvlanMode::Private => 1,
                IpvlanMode::Vepa => 2,
            },
            address: *address,
        },
    };
    let link_local = match brain.source {
        Some(IpAddr::V6(source)) => Some(source),
        _ => None,
    };
    Some(VirtualLink {
        name: link.name.clone(),
        base,
        family: brain.family,
        kind,
        group: link.group,
        notify_message: link.notify_message,
        keep_ipv6: part.excluded.iter().any(|address| address.address.family() == Family::Inet6),
        link_local,
        copies_link_local: !link.transmit_base,
    })
}

/// An interface as the brain hears of it.
pub(super) fn link(link: &LinkState) -> vrrp::Link {
    vrrp::Link {
        index: link.index,
        name: link.name.clone(),
        up: link.enabled && link.running,
        mac: link.mac,
        mtu: link.mtu,
        base: link.base,
    }
}

/// Whether we forward IPv6 on an interface: the router flag of neighbour advertisements.
pub(super) fn forwards_inet6(keeper: &Keeper, interface: IfIndex) -> bool {
    keeper.actual().link(interface).is_some_and(|link| {
        std::fs::read_to_string(format!("/proc/sys/net/ipv6/conf/{}/forwarding", link.name))
            .is_ok_and(|value| value.trim() != "0")
    })
}
