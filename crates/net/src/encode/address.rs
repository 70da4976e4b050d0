//! RTM_NEWADDR and RTM_DELADDR.

use std::net::IpAddr;

use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, CacheInfo};
use types::Family;
use vip::operation::PROTOCOL_KEEPALIVED;
use vip::{AddressKey, AddressSpec};

/// "For ever", of address lifetimes.
const INFINITY: u32 = u32::MAX;

pub(super) fn addition(spec: &AddressSpec) -> AddressMessage {
    let mut message = removal(&spec.key);
    message.header.scope = spec.scope.into();
    let attributes = &mut message.attributes;
    if let Some(broadcast) = spec.broadcast {
        attributes.push(AddressAttribute::Broadcast(broadcast));
    }
    if let Some(label) = &spec.label {
        attributes.push(AddressAttribute::Label(label.to_string()));
    }
    if spec.flags != 0 {
        attributes.push(AddressAttribute::Flags(AddressFlags::from_bits_retain(spec.flags)));
    }
    if let Some(preferred) = spec.preferred_lifetime {
        let mut lifetimes = CacheInfo::default();
        lifetimes.ifa_preferred = preferred;
        lifetimes.ifa_valid = INFINITY;
        attributes.push(AddressAttribute::CacheInfo(lifetimes));
    }
    attributes.push(AddressAttribute::Protocol(PROTOCOL_KEEPALIVED.into()));
    message
}

/// Local address, prefix length, peer and interface: nothing less, so that no other address is meant.
pub(super) fn removal(key: &AddressKey) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = super::family(Family::of(key.local));
    message.header.prefix_len = key.length;
    message.header.index = key.interface.0;
    message.attributes.push(AddressAttribute::Local(key.local));
    // IPv4 wants IFA_ADDRESS as well, or compares nothing but the local address.
    match (key.peer, key.local) {
        (Some(peer), _) => message.attributes.push(AddressAttribute::Address(peer)),
        (None, IpAddr::V4(_)) => message.attributes.push(AddressAttribute::Address(key.local)),
        (None, IpAddr::V6(_)) => {}
    }
    message
}
