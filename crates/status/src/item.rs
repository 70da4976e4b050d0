//! Addresses, routes and rules as keepalived's dumps spell them.

use std::fmt::Write as _;

use types::{Family, IfName};
use vip::{Address, Placement, Route, RouteKind, Rule, RuleAction};

/// `10.9.0.99/24 dev eth0 scope global label eth0:1 set`; `set` while it stands.
pub(crate) fn address(address: &Address, interface: Option<&IfName>, set: bool) -> String {
    let prefix = address.address;
    let mut text =
        if prefix.is_host() && address.peer.is_none() { prefix.address().to_string() } else { prefix.to_string() };
    if let Some(peer) = address.peer {
        text = format!("{} peer {peer}", prefix.address());
    }
    if let Some(broadcast) = address.broadcast {
        let _ = write!(text, " brd {broadcast}");
    }
    if let Some(interface) = address.interface.as_ref().or(interface) {
        let _ = write!(text, " dev {interface}");
    }
    if prefix.family() == Family::Inet {
        let _ = write!(text, " scope {}", scope(address.scope));
    }
    if let Some(label) = &address.label {
        let _ = write!(text, " label {label}");
    }
    for (flag, word) in [
        (address.home, " home"),
        (address.manage_temporary, " mngtmpaddr"),
        (address.no_prefix_route, " noprefixroute"),
        (address.autojoin, " autojoin"),
        (address.no_track, " no_track"),
        (address.use_vmac, " use_vmac"),
        (prefix.family() == Family::Inet6 && !address.no_dad, " -nodad"),
        (set, " set"),
    ] {
        if flag {
            text.push_str(word);
        }
    }
    text
}

/// `prepend 10.8.0.0/16 via inet 10.9.0.77 dev eth0 proto 18`.
pub(crate) fn route(route: &Route) -> String {
    let mut text = String::from(match route.placement {
        Placement::Add => "add",
        Placement::Prepend => "prepend",
        Placement::Append => "append",
    });
    let kind = match route.kind {
        RouteKind::Unicast => "",
        RouteKind::Local => " local",
        RouteKind::Broadcast => " broadcast",
        RouteKind::Anycast => " anycast",
        RouteKind::Multicast => " multicast",
        RouteKind::Blackhole => " blackhole",
        RouteKind::Unreachable => " unreachable",
        RouteKind::Prohibit => " prohibit",
        RouteKind::Throw => " throw",
        RouteKind::Nat => " nat",
        RouteKind::ExternalResolve => " xresolve",
    };
    text.push_str(kind);
    let destination = route.destination;
    let _ = match destination.length() {
        0 => write!(text, " default"),
        _ if destination.is_host() => write!(text, " {}", destination.address()),
        _ => write!(text, " {destination}"),
    };
    if let Some(source) = route.source {
        let _ = write!(text, " from {source}");
    }
    if let Some(gateway) = route.gateway {
        let _ = write!(text, " via {} {gateway}", family(Family::of(gateway)));
    }
    if let Some(interface) = &route.interface {
        let _ = write!(text, " dev {interface}");
    }
    if let Some(source) = route.preferred_source {
        let _ = write!(text, " src {source}");
    }
    if route.tos != 0 {
        let _ = write!(text, " tos {:#x}", route.tos);
    }
    if route.table != 254 {
        let _ = write!(text, " table {}", route.table);
    }
    let _ = write!(text, " proto {}", route.protocol);
    if let Some(scope_number) = route.scope {
        let _ = write!(text, " scope {}", scope(scope_number));
    }
    if let Some(metric) = route.metric {
        let _ = write!(text, " metric {metric}");
    }
    if route.onlink {
        text.push_str(" onlink");
    }
    for nexthop in &route.nexthops {
        text.push_str(" nexthop");
        if let Some(gateway) = nexthop.gateway {
            let _ = write!(text, " via {} {gateway}", family(Family::of(gateway)));
        }
        if let Some(interface) = &nexthop.interface {
            let _ = write!(text, " dev {interface}");
        }
        let _ = write!(text, " weight {}", nexthop.weight);
    }
    if route.no_track {
        text.push_str(" no_track");
    }
    text
}

/// `from 10.9.0.99 priority 999 tos 0x0 protocol 18 lookup 100`.
pub(crate) fn rule(rule: &Rule) -> String {
    let mut text = String::new();
    if rule.invert {
        text.push_str("not ");
    }
    let plain =
        |prefix: types::Prefix| if prefix.is_host() { prefix.address().to_string() } else { prefix.to_string() };
    let _ = write!(text, "from {}", rule.source.map_or_else(|| "all".into(), plain));
    if let Some(destination) = rule.destination {
        let _ = write!(text, " to {}", plain(destination));
    }
    let _ = write!(text, " priority {} tos {:#x}", rule.preference, rule.tos);
    if let Some((mark, mask)) = rule.mark {
        let _ = write!(text, " fwmark {mark:#x}/{mask:#x}");
    }
    if let Some(interface) = &rule.input {
        let _ = write!(text, " iif {interface}");
    }
    if let Some(interface) = &rule.output {
        let _ = write!(text, " oif {interface}");
    }
    if let Some(length) = rule.suppress_prefix_length {
        let _ = write!(text, " suppress_prefixlength {length}");
    }
    if let Some(tunnel) = rule.tunnel_id {
        let _ = write!(text, " tunnel-id {tunnel}");
    }
    if let Some((first, last)) = rule.uid_range {
        let _ = write!(text, " uidrange {first}-{last}");
    }
    if rule.l3mdev {
        text.push_str(" l3mdev");
    }
    let _ = write!(text, " protocol {}", rule.protocol);
    if let Some(protocol) = rule.ip_protocol {
        let _ = write!(text, " ipproto {protocol}");
    }
    for (word, ports) in [("sport", rule.source_ports), ("dport", rule.destination_ports)] {
        if let Some((first, last)) = ports {
            let _ = write!(text, " {word} {first}-{last}");
        }
    }
    let _ = match rule.action {
        RuleAction::Lookup(table) => write!(text, " lookup {table}"),
        RuleAction::Goto(preference) => write!(text, " goto {preference}"),
        RuleAction::Nop => write!(text, " type nop"),
        RuleAction::Blackhole => write!(text, " type blackhole"),
        RuleAction::Unreachable => write!(text, " type unreachable"),
        RuleAction::Prohibit => write!(text, " type prohibit"),
    };
    text
}

fn family(family: Family) -> &'static str {
    match family {
        Family::Inet => "inet",
        Family::Inet6 => "inet6",
    }
}

fn scope(number: u8) -> String {
    match number {
        0 => "global".into(),
        200 => "site".into(),
        253 => "link".into(),
        254 => "host".into(),
        255 => "nowhere".into(),
        other => other.to_string(),
    }
}
