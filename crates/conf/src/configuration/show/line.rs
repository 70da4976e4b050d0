//! Address, route and rule lines.

use std::fmt::Write;

use types::{Family, Prefix};
use vip::{Address, Encap, Placement, Route, RouteKind, RouteMetricKind, RouteMetricValue, Rule, RuleAction};

pub(super) fn address(address: &Address) -> String {
    let mut line = match address.peer {
        Some(_) => address.address.address().to_string(),
        None => address.address.to_string(),
    };
    let mut add = |text: String| {
        line.push(' ');
        line.push_str(&text);
    };
    if let Some(peer) = address.peer {
        add(format!("peer {peer}"));
    }
    if let Some(interface) = &address.interface {
        add(format!("dev {interface}"));
    }
    let six = address.address.family() == Family::Inet6;
    if address.scope != 0 && !six {
        add(format!("scope {}", address.scope));
    }
    if let Some(broadcast) = address.broadcast {
        add(format!("brd {broadcast}"));
    }
    if let Some(label) = &address.label {
        add(format!("label {label}"));
    }
    for (word, holds) in [
        ("home", address.home),
        ("-nodad", six && !address.no_dad),
        ("mngtmpaddr", address.manage_temporary),
        ("noprefixroute", address.no_prefix_route),
        ("autojoin", address.autojoin),
        ("no_track", address.no_track),
        ("use_vmac", address.use_vmac),
    ] {
        if holds {
            add(word.into());
        }
    }
    if six || address.preferred_lifetime.is_some() {
        add(format!(
            "preferred_lft {}",
            address.preferred_lifetime.map_or("forever".into(), |seconds| seconds.to_string())
        ));
    }
    if let Some(group) = &address.track_group {
        add(format!("track_group {group}"));
    }
    line
}

pub(super) fn route(route: &Route) -> String {
    let mut line = String::new();
    let kind = match route.kind {
        RouteKind::Unicast => "unicast",
        RouteKind::Local => "local",
        RouteKind::Broadcast => "broadcast",
        RouteKind::Anycast => "anycast",
        RouteKind::Multicast => "multicast",
        RouteKind::Blackhole => "blackhole",
        RouteKind::Unreachable => "unreachable",
        RouteKind::Prohibit => "prohibit",
        RouteKind::Throw => "throw",
        RouteKind::Nat => "nat",
        RouteKind::ExternalResolve => "xresolve",
    };
    let _ = write!(line, "{kind} to {}", route.destination);
    let mut add = |text: String| {
        line.push(' ');
        line.push_str(&text);
    };
    if let Some(source) = route.preferred_source {
        add(format!("src {source}"));
    }
    if let Some(gateway) = route.gateway {
        let family = match gateway {
            std::net::IpAddr::V4(_) => "inet",
            std::net::IpAddr::V6(_) => "inet6",
        };
        add(format!("via {family} {gateway}"));
    }
    if let Some(source) = route.source {
        add(format!("from {source}"));
    }
    if route.tos != 0 {
        add(format!("tos {:#04x}", route.tos));
    }
    add(format!("table {}", route.table));
    add(format!("protocol {}", route.protocol));
    if let Some(scope) = route.scope {
        add(format!("scope {scope}"));
    }
    if let Some(metric) = route.metric {
        add(format!("metric {metric}"));
    }
    if let Some(interface) = &route.interface {
        add(format!("dev {interface}"));
    }
    if route.onlink {
        add("onlink".into());
    }
    if let Some(tunnel) = &route.encap {
        add(encap(tunnel));
    }
    if let Some(expires) = route.expires {
        add(format!("expires {}", expires.as_secs()));
    }
    for metric in &route.metrics {
        let name = match metric.kind {
            RouteMetricKind::Mtu => "mtu",
            RouteMetricKind::Window => "window",
            RouteMetricKind::Rtt => "rtt",
            RouteMetricKind::RttVariance => "rttvar",
            RouteMetricKind::SlowStartThreshold => "ssthresh",
            RouteMetricKind::CongestionWindow => "cwnd",
            RouteMetricKind::AdvertisedMss => "advmss",
            RouteMetricKind::Reordering => "reordering",
            RouteMetricKind::HopLimit => "hoplimit",
            RouteMetricKind::InitialCongestionWindow => "initcwnd",
            RouteMetricKind::Features => "features",
            RouteMetricKind::RtoMin => "rto_min",
            RouteMetricKind::InitialReceiveWindow => "initrwnd",
            RouteMetricKind::QuickAck => "quickack",
            RouteMetricKind::CongestionControl => "congctl",
            RouteMetricKind::FastOpenNoCookie => "fastopen_no_cookie",
        };
        let lock = if metric.lock { " lock" } else { "" };
        add(match (&metric.value, metric.kind) {
            (_, RouteMetricKind::Features) => "features ecn".into(),
            (RouteMetricValue::Number(number), _) => format!("{name}{lock} {number}"),
            (RouteMetricValue::Text(text), _) => format!("{name}{lock} {text}"),
        });
    }
    if let Some(number) = route.realms {
        add(format!("realms {}", realms(number)));
    }
    if let Some(preference) = route.preference {
        add(format!("pref {preference}"));
    }
    if let Some(propagate) = route.ttl_propagate {
        add(format!("ttl-propagate {}", if propagate { "enabled" } else { "disabled" }));
    }
    add(match route.placement {
        Placement::Add => "add".into(),
        Placement::Prepend => "prepend".into(),
        Placement::Append => "append".into(),
    });
    if route.no_track {
        add("no_track".into());
    }
    if let Some(group) = &route.track_group {
        add(format!("track_group {group}"));
    }
    if let Some(vrf) = &route.vrf {
        add(format!("vrf {vrf}"));
    }
    for hop in &route.nexthops {
        add("nexthop".into());
        if let Some(gateway) = hop.gateway {
            let family = if gateway.is_ipv4() { "inet" } else { "inet6" };
            add(format!("via {family} {gateway}"));
        }
        if let Some(interface) = &hop.interface {
            add(format!("dev {interface}"));
        }
        add(format!("weight {}", hop.weight));
        if hop.onlink {
            add("onlink".into());
        }
        if let Some(tunnel) = &hop.encap {
            add(encap(tunnel));
        }
        if let Some(number) = hop.realms {
            add(format!("realms {}", realms(number)));
        }
    }
    line
}

fn realms(number: u32) -> String {
    format!("{}/{}", number >> 16, number & 0xffff)
}

fn encap(encap: &Encap) -> String {
    let mut line = String::from("encap ");
    let option = |name: &str, value: Option<String>| value.map_or(String::new(), |value| format!(" {name} {value}"));
    match encap {
        Encap::Mpls(labels) => {
            let labels: Vec<String> = labels.iter().map(u32::to_string).collect();
            line.push_str(&format!("mpls {}", labels.join("/")));
        }
        Encap::Ila(locator) => {
            let group = |shift: u32| (locator >> shift) & 0xffff;
            line.push_str(&format!("ila {:x}:{:x}:{:x}:{:x}", group(48), group(32), group(16), group(0)));
        }
        Encap::Ip { id, destination, source, tos, ttl, flags } => {
            line.push_str("ip");
            line.push_str(&option("id", id.map(|id| id.to_string())));
            line.push_str(&option("dst", destination.map(|address| address.to_string())));
            line.push_str(&option("src", source.map(|address| address.to_string())));
            line.push_str(&option("tos", tos.map(|tos| format!("{tos:#04x}"))));
            line.push_str(&option("ttl", ttl.map(|ttl| ttl.to_string())));
            line.push_str(&option("flags", flags.map(|flags| flags.to_string())));
        }
        Encap::Ip6 { id, destination, source, traffic_class, hop_limit, flags } => {
            line.push_str("ip6");
            line.push_str(&option("id", id.map(|id| id.to_string())));
            line.push_str(&option("dst", destination.map(|address| address.to_string())));
            line.push_str(&option("src", source.map(|address| address.to_string())));
            line.push_str(&option("tc", traffic_class.map(|class| format!("{class:#04x}"))));
            line.push_str(&option("hoplimit", hop_limit.map(|limit| limit.to_string())));
            line.push_str(&option("flags", flags.map(|flags| flags.to_string())));
        }
    }
    line
}

pub(super) fn rule(rule: &Rule) -> String {
    let mut words: Vec<String> = Vec::new();
    if rule.family == Family::Inet6 {
        words.push("inet6".into());
    }
    if rule.invert {
        words.push("not".into());
    }
    let prefix = |prefix: Prefix| prefix.to_string();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push(format!("{name} {value}"));
        }
    };
    let pair = |(low, high): (u16, u16)| format!("{low}-{high}");
    add("from", rule.source.map(prefix));
    add("to", rule.destination.map(prefix));
    add("preference", Some(rule.preference.to_string()));
    add("tos", (rule.tos != 0).then(|| format!("{:#04x}", rule.tos)));
    add("fwmark", rule.mark.map(|(mark, mask)| format!("{mark:#x}/{mask:#x}")));
    add("iif", rule.input.as_ref().map(ToString::to_string));
    add("oif", rule.output.as_ref().map(ToString::to_string));
    add("realms", rule.realms.map(realms));
    add("suppress_prefixlength", rule.suppress_prefix_length.map(|length| length.to_string()));
    add("suppress_ifgroup", rule.suppress_group.map(|group| group.to_string()));
    add("tunnel-id", rule.tunnel_id.map(|id| id.to_string()));
    add("uidrange", rule.uid_range.map(|(low, high)| format!("{low}-{high}")));
    add("protocol", Some(rule.protocol.to_string()));
    add("ipproto", rule.ip_protocol.map(|protocol| protocol.to_string()));
    add("sport", rule.source_ports.map(pair));
    add("dport", rule.destination_ports.map(pair));
    add("track_group", rule.track_group.clone());
    words.push(match rule.action {
        RuleAction::Lookup(_) if rule.l3mdev => "l3mdev".into(),
        RuleAction::Lookup(table) => format!("table {table}"),
        RuleAction::Goto(target) => format!("goto {target}"),
        RuleAction::Nop => "nop".into(),
        RuleAction::Blackhole => "blackhole".into(),
        RuleAction::Unreachable => "unreachable".into(),
        RuleAction::Prohibit => "prohibit".into(),
    });
    if rule.no_track {
        words.push("no_track".into());
    }
    words.join(" ")
}
