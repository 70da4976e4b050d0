//! Names that iproute2 gives to numbers: built-in ones here, the machine's own through [`System`].

use super::system::{NameTable, System};
use super::value::any_base;

fn named(system: &dyn System, table: NameTable, known: &[(&str, u32)], text: &str, largest: u32) -> Option<u32> {
    if let Ok(number) = any_base(text, 0..=u64::from(largest)) {
        return Some(number as u32);
    }
    if let Some(number) = system.number(table, text) {
        return (number <= largest).then_some(number);
    }
    known.iter().find(|(name, _)| *name == text).map(|(_, number)| *number)
}

/// `global`, `site`, `link`, `host`, `nowhere` or a number.
pub(super) fn scope(system: &dyn System, text: &str) -> Option<u8> {
    const KNOWN: [(&str, u32); 5] = [("global", 0), ("universe", 0), ("site", 200), ("link", 253), ("host", 254)];
    if text == "nowhere" {
        return Some(255);
    }
    named(system, NameTable::Scopes, &KNOWN, text, 255).map(|scope| scope as u8)
}

/// Routing table.
pub(super) fn table(system: &dyn System, text: &str) -> Option<u32> {
    const KNOWN: [(&str, u32); 4] = [("unspec", 0), ("default", 253), ("main", 254), ("local", 255)];
    named(system, NameTable::Tables, &KNOWN, text, u32::MAX)
}

/// Routing protocol.
pub(super) fn protocol(system: &dyn System, text: &str) -> Option<u8> {
    const KNOWN: [(&str, u32); 20] = [
        ("unspec", 0),
        ("redirect", 1),
        ("kernel", 2),
        ("boot", 3),
        ("static", 4),
        ("gated", 8),
        ("ra", 9),
        ("mrt", 10),
        ("zebra", 11),
        ("bird", 12),
        ("dnrouted", 13),
        ("xorp", 14),
        ("ntk", 15),
        ("dhcp", 16),
        ("keepalived", 18),
        ("babel", 42),
        ("bgp", 186),
        ("isis", 187),
        ("ospf", 188),
        ("rip", 189),
    ];
    named(system, NameTable::Protocols, &KNOWN, text, 255).map(|protocol| protocol as u8)
}

/// Type of service.
pub(super) fn dsfield(system: &dyn System, text: &str) -> Option<u8> {
    const KNOWN: [(&str, u32); 7] =
        [("default", 0), ("AF11", 0x28), ("AF21", 0x48), ("AF31", 0x68), ("AF41", 0x88), ("CS1", 0x20), ("EF", 0xb8)];
    if let Ok(number) = u32::from_str_radix(text.trim_start_matches("0x"), 16) {
        // iproute2 reads this one in hexadecimal with or without the prefix
        return u8::try_from(number).ok();
    }
    named(system, NameTable::DsField, &KNOWN, text, 255).map(|field| field as u8)
}

/// `[SRC/]DST` as the kernel takes it: source in the upper half.
pub(super) fn realms(system: &dyn System, text: &str) -> Option<u32> {
    const KNOWN: [(&str, u32); 1] = [("cosmos", 0)];
    let realm = |text: &str| named(system, NameTable::Realms, &KNOWN, text, 0xffff);
    match text.split_once('/') {
        Some((source, destination)) => Some(realm(source)? << 16 | realm(destination)?),
        None => realm(text),
    }
}

/// Interface group.
pub(super) fn interface_group(system: &dyn System, text: &str) -> Option<u32> {
    const KNOWN: [(&str, u32); 1] = [("default", 0)];
    named(system, NameTable::Groups, &KNOWN, text, u32::MAX)
}

/// IP protocol.
pub(super) fn ip_protocol(system: &dyn System, text: &str) -> Option<u8> {
    const KNOWN: [(&str, u32); 13] = [
        ("icmp", 1),
        ("igmp", 2),
        ("ipencap", 4),
        ("tcp", 6),
        ("udp", 17),
        ("dccp", 33),
        ("gre", 47),
        ("esp", 50),
        ("ah", 51),
        ("ipv6-icmp", 58),
        ("ospf", 89),
        ("vrrp", 112),
        ("sctp", 132),
    ];
    named(system, NameTable::IpProtocols, &KNOWN, text, 255).map(|protocol| protocol as u8)
}
