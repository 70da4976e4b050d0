//! Messages of the kernel as observations.
//!
//! Only the attributes that matter are looked at, by netlink-packet-core's iterator: an attribute of a newer kernel, or one of a length nobody expects,
//! cannot make a message unreadable, and a message costs no allocation but the interface's name. (netlink-packet-route would decode everything, counters
//! included, and refuse the whole message for one odd attribute.)

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use types::{Family, IfIndex, IfName, MacAddr, Prefix};
use vip::{AddressKey, AddressState, LinkKind, LinkState, Observation, RouteState, Rule, RuleAction};

use crate::netlink::{attributes, number};

pub(crate) const RTM_NEWLINK: u16 = 16;
pub(crate) const RTM_DELLINK: u16 = 17;
pub(crate) const RTM_GETLINK: u16 = 18;
pub(crate) const RTM_NEWADDR: u16 = 20;
pub(crate) const RTM_DELADDR: u16 = 21;
pub(crate) const RTM_GETADDR: u16 = 22;
pub(crate) const RTM_NEWROUTE: u16 = 24;
pub(crate) const RTM_DELROUTE: u16 = 25;
pub(crate) const RTM_GETROUTE: u16 = 26;
pub(crate) const RTM_NEWRULE: u16 = 32;
pub(crate) const RTM_DELRULE: u16 = 33;
pub(crate) const RTM_GETRULE: u16 = 34;

const IFF_UP: u32 = 1;
const IFF_RUNNING: u32 = 0x40;
const IFA_F_DADFAILED: u32 = 0x08;
const IFA_F_TENTATIVE: u32 = 0x40;
/// Routes learnt by use are none.
const RTM_F_CLONED: u32 = 0x200;
const FIB_RULE_INVERT: u32 = 2;

/// What a message says; `None` for what does not concern us or cannot be read.
pub(crate) fn observation(kind: u16, payload: &[u8], protocols: &[u8]) -> Option<Observation> {
    match kind {
        RTM_NEWLINK => link(payload).map(Observation::Link),
        RTM_DELLINK => gone_link(payload).map(Observation::LinkGone),
        RTM_NEWADDR => address(payload).map(Observation::Address),
        RTM_DELADDR => address(payload).map(|address| Observation::AddressGone(address.key)),
        RTM_NEWROUTE => route(payload, protocols).map(Observation::Route),
        RTM_DELROUTE => route(payload, protocols).map(Observation::RouteGone),
        RTM_NEWRULE => rule(payload, protocols).map(|rule| Observation::Rule(Box::new(rule))),
        RTM_DELRULE => rule(payload, protocols).map(|rule| Observation::RuleGone(Box::new(rule))),
        _ => None,
    }
}

/// struct ifinfomsg: family, pad, type (2), index (4), flags (4), change (4).
fn gone_link(payload: &[u8]) -> Option<IfIndex> {
    // A bridge tells of its ports in messages of its own family; a port that leaves is not an interface that goes.
    (*payload.first()? == 0).then_some(())?;
    number(payload.get(4..)?).map(IfIndex)
}

fn link(payload: &[u8]) -> Option<LinkState> {
    let index = gone_link(payload)?;
    let flags = number(payload.get(8..)?)?;
    let (mut name, mut mac, mut mtu, mut base, mut master, mut group) = (None, None, 0, None, None, 0);
    let (mut kind, mut has_base, mut elsewhere) = (LinkKind::Other, false, false);
    for (attribute, value) in attributes(payload.get(16..)?) {
        match attribute {
            1 => mac = value.try_into().ok().map(MacAddr),
            3 => name = text(value).and_then(|name| name.parse::<IfName>().ok()),
            4 => mtu = number(value).unwrap_or(0),
            5 => base = number(value).map(IfIndex),
            10 => master = number(value).map(IfIndex),
            18 => (kind, has_base) = link_kind(value),
            27 => group = number(value).unwrap_or(0),
            37 => elsewhere = true,
            _ => {}
        }
    }
    Some(LinkState {
        index,
        name: name?,
        enabled: flags & IFF_UP != 0,
        running: flags & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING,
        mac,
        mtu,
        // A veth names its peer here, which is not below it, and the number may be one of another namespace.
        base: base.filter(|base| has_base && !elsewhere && base.0 != 0),
        master: master.filter(|master| master.0 != 0),
        group,
        kind,
    })
}

/// IFLA_LINKINFO: what it is, and whether IFLA_LINK is an interface below it.
fn link_kind(value: &[u8]) -> (LinkKind, bool) {
    let (mut name, mut data): (&[u8], &[u8]) = (&[], &[]);
    for (attribute, value) in attributes(value) {
        match attribute {
            1 => name = value.strip_suffix(&[0]).unwrap_or(value),
            2 => data = value,
            _ => {}
        }
    }
    let find = |wanted: u16| attributes(data).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let short = |wanted| find(wanted).and_then(|value| Some(u16::from_ne_bytes(value.get(..2)?.try_into().ok()?)));
    match name {
        b"macvlan" => (LinkKind::Macvlan { mode: find(1).and_then(number).unwrap_or(0) }, true),
        b"ipvlan" => (LinkKind::Ipvlan { mode: short(1).unwrap_or(0), flags: short(2).unwrap_or(0) }, true),
        b"vrf" => (LinkKind::Vrf { table: find(1).and_then(number).unwrap_or(0) }, false),
        b"vlan" | b"macvtap" | b"ipvtap" => (LinkKind::Other, true),
        _ => (LinkKind::Other, false),
    }
}

/// struct ifaddrmsg: family, prefix length, flags, scope, index (4).
fn address(payload: &[u8]) -> Option<AddressState> {
    let family = family(*payload.first()?)?;
    let (length, flags) = (*payload.get(1)?, u32::from(*payload.get(2)?));
    let interface = IfIndex(number(payload.get(4..)?)?);
    let (mut local, mut other, mut flags, mut protocol) = (None, None, flags, 0);
    for (attribute, value) in attributes(payload.get(8..)?) {
        match attribute {
            1 => other = ip(family, value),
            2 => local = ip(family, value),
            8 => flags = number(value).unwrap_or(flags),
            11 => protocol = value.first().copied().unwrap_or(0),
            _ => {}
        }
    }
    // Without IFA_LOCAL (IPv6) IFA_ADDRESS is the address; with it, it is the other end.
    let own = local.or(other)?;
    let peer = other.filter(|other| *other != own);
    let key = AddressKey { interface, local: own, length, peer };
    Some(AddressState { key, tentative: flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED) != 0, protocol })
}

/// struct rtmsg: family, destination length, source length, TOS, table, protocol, scope, type, flags (4).
fn route(payload: &[u8], protocols: &[u8]) -> Option<RouteState> {
    let header = payload.get(..12)?;
    let family = family(header[0])?;
    let flags = number(&header[8..])?;
    if !protocols.contains(&header[5]) || flags & RTM_F_CLONED != 0 {
        return None;
    }
    let unspecified = match family {
        Family::Inet => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::Inet6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let (mut destination, mut table, mut metric) = (unspecified, u32::from(header[4]), 0);
    let (mut interface, mut gateway, mut nexthops) = (None, None, 0);
    for (attribute, value) in attributes(&payload[12..]) {
        match attribute {
            1 => destination = ip(family, value)?,
            4 => interface = number(value).map(IfIndex),
            5 => gateway = ip(family, value),
            6 => metric = number(value)?,
            9 => nexthops = count_next_hops(value),
            15 => table = number(value)?,
            18 => gateway = via(value),
            _ => {}
        }
    }
    Some(RouteState {
        family,
        destination: Prefix::new(destination, header[1]).ok()?.network(),
        tos: if family == Family::Inet { header[3] } else { 0 },
        table,
        metric,
        kind: header[7],
        protocol: header[5],
        interface,
        gateway,
        nexthops,
    })
}

/// RTA_VIA: family (2), address.
fn via(value: &[u8]) -> Option<IpAddr> {
    let number = u16::from_ne_bytes(value.get(..2)?.try_into().ok()?);
    ip(family(u8::try_from(number).ok()?)?, &value[2..])
}

/// RTA_MULTIPATH: a list of struct rtnexthop, each with its length first.
fn count_next_hops(mut value: &[u8]) -> u16 {
    let mut count = 0;
    while let Some(length) = value.get(..2) {
        let length = usize::from(u16::from_ne_bytes([length[0], length[1]]));
        if length < 8 {
            break;
        }
        count += 1;
        value = value.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    count
}

/// struct fib_rule_hdr: family, destination length, source length, TOS, table, two reserved, action, flags (4).
fn rule(payload: &[u8], protocols: &[u8]) -> Option<Rule> {
    let header = payload.get(..12)?;
    let family = family(header[0])?;
    let mut rule = Rule {
        family,
        source: None,
        destination: None,
        invert: number(&header[8..])? & FIB_RULE_INVERT != 0,
        preference: 0,
        tos: header[3],
        mark: None,
        input: None,
        output: None,
        action: RuleAction::Nop,
        realms: None,
        suppress_prefix_length: None,
        suppress_group: None,
        tunnel_id: None,
        uid_range: None,
        l3mdev: false,
        protocol: 0,
        ip_protocol: None,
        source_ports: None,
        destination_ports: None,
        no_track: false,
        track_group: None,
    };
    let (mut table, mut target, mut mark, mut mask) = (u32::from(header[4]), 0, 0, 0);
    let unless_all_ones = |value: &[u8]| number(value).filter(|number| *number != u32::MAX);
    let ports = |value: &[u8]| {
        let half = |at: usize| Some(u16::from_ne_bytes(value.get(at..at + 2)?.try_into().ok()?));
        half(0).zip(half(2))
    };
    let name = |value: &[u8]| text(value).and_then(|name| name.parse().ok());
    for (attribute, value) in attributes(&payload[12..]) {
        match attribute {
            1 => rule.destination = Prefix::new(ip(family, value)?, header[1]).ok(),
            2 => rule.source = Prefix::new(ip(family, value)?, header[2]).ok(),
            3 => rule.input = name(value),
            4 => target = number(value)?,
            6 => rule.preference = number(value)?,
            10 => mark = number(value)?,
            11 => rule.realms = number(value),
            12 => rule.tunnel_id = value.get(..8).and_then(|id| Some(u64::from_be_bytes(id.try_into().ok()?))),
            13 => rule.suppress_group = unless_all_ones(value),
            14 => rule.suppress_prefix_length = unless_all_ones(value),
            15 => table = number(value)?,
            16 => mask = number(value)?,
            17 => rule.output = name(value),
            19 => rule.l3mdev = value.first() == Some(&1),
            20 => rule.uid_range = number(value).zip(value.get(4..).and_then(number)),
            21 => rule.protocol = *value.first()?,
            22 => rule.ip_protocol = value.first().copied(),
            23 => rule.source_ports = ports(value),
            24 => rule.destination_ports = ports(value),
            _ => {}
        }
    }
    rule.mark = (mark != 0 || mask != 0).then_some((mark, mask));
    rule.action = match header[7] {
        1 if rule.l3mdev => RuleAction::Lookup(0),
        1 => RuleAction::Lookup(table),
        2 => RuleAction::Goto(target),
        3 => RuleAction::Nop,
        6 => RuleAction::Blackhole,
        7 => RuleAction::Unreachable,
        8 => RuleAction::Prohibit,
        _ => return None,
    };
    protocols.contains(&rule.protocol).then_some(rule)
}

fn family(number: u8) -> Option<Family> {
    match i32::from(number) {
        libc::AF_INET => Some(Family::Inet),
        libc::AF_INET6 => Some(Family::Inet6),
        _ => None,
    }
}

fn ip(family: Family, value: &[u8]) -> Option<IpAddr> {
    match family {
        Family::Inet => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        Family::Inet6 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
    }
}

fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value.strip_suffix(&[0]).unwrap_or(value)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8], octets: &mut Vec<u8>) {
        octets.extend(((4 + value.len()) as u16).to_ne_bytes());
        octets.extend(kind.to_ne_bytes());
        octets.extend(value);
        octets.resize(octets.len().next_multiple_of(4), 0);
    }

    fn macvlan() -> Vec<u8> {
        let mut data = Vec::new();
        attribute(1, &1u32.to_ne_bytes(), &mut data);
        let mut info = Vec::new();
        attribute(1, b"macvlan\0", &mut info);
        attribute(2, &data, &mut info);
        let mut octets = vec![0, 0, 1, 0];
        octets.extend(9u32.to_ne_bytes());
        octets.extend((IFF_UP | IFF_RUNNING).to_ne_bytes());
        octets.extend([0; 4]);
        attribute(3, b"vrrp.51\0", &mut octets);
        attribute(1, &[0, 0, 0x5e, 0, 1, 51], &mut octets);
        attribute(5, &2u32.to_ne_bytes(), &mut octets);
        attribute(18, &info, &mut octets);
        attribute(60_000 & 0x3fff, b"of a newer kernel", &mut octets);
        octets
    }

    #[test]
    fn a_macvlan_is_told_with_its_base_and_mode() {
        let Some(Observation::Link(link)) = observation(RTM_NEWLINK, &macvlan(), &[]) else { panic!() };
        assert_eq!((link.index, link.name.as_str(), link.base), (IfIndex(9), "vrrp.51", Some(IfIndex(2))));
        assert_eq!(link.kind, LinkKind::Macvlan { mode: 1 });
        assert!(link.enabled && link.running);
    }

    #[test]
    fn a_port_that_leaves_its_bridge_is_no_interface_that_goes() {
        let mut octets = macvlan();
        assert_eq!(observation(RTM_DELLINK, &octets, &[]), Some(Observation::LinkGone(IfIndex(9))));
        octets[0] = libc::AF_BRIDGE as u8;
        assert_eq!(observation(RTM_DELLINK, &octets, &[]), None);
    }

    #[test]
    fn routes_and_rules_of_other_protocols_are_passed_over() {
        let mut octets = vec![libc::AF_INET as u8, 16, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        attribute(1, &[10, 1, 0, 0], &mut octets);
        assert_eq!(observation(RTM_NEWROUTE, &octets, &[18]), None);
        assert!(matches!(observation(RTM_NEWROUTE, &octets, &[3, 18]), Some(Observation::Route(_))));
    }

    #[test]
    fn whatever_the_octets_are_nothing_panics() {
        let kinds =
            [RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWRULE, RTM_DELRULE];
        let whole = macvlan();
        for kind in kinds {
            for length in 0..whole.len() {
                let _ = observation(kind, &whole[..length], &[0, 3, 18]);
            }
        }
        // xorshift: any octets will do, the same each time.
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..20_000 {
            let mut octets: Vec<u8> = (0..next() % 96).map(|_| next() as u8).collect();
            // Mostly plausible: a family, and lengths that reach deeper.
            if let [family, .., last] = octets.as_mut_slice() {
                (*family, *last) = ([0, 2, 10, 7][(next() % 4) as usize], 0);
            }
            for at in (8..octets.len().saturating_sub(2)).step_by(12) {
                (octets[at], octets[at + 1]) = (4 + (next() % 9) as u8, 0);
            }
            for kind in kinds {
                let _ = observation(kind, &octets, &[0, 3, 18]);
            }
        }
    }
}
