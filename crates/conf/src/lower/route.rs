//! Route lines: `virtual_routes` and `static_routes`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use types::{Family, IfName, Prefix};
use vip::{Encap, Nexthop, Placement, Route, RouteKind, RouteMetric, RouteMetricKind, RouteMetricValue};

use super::context::{Lower, printable};
use super::names;
use super::value::{any_base, parse_address, unsigned};
use super::words::{locator, mpls_labels};
use crate::tree::{Line, Word};

/// Numbers that go into a metric with `[lock] N`.
const METRICS: [(&str, RouteMetricKind); 14] = [
    ("mtu", RouteMetricKind::Mtu),
    ("advmss", RouteMetricKind::AdvertisedMss),
    ("reordering", RouteMetricKind::Reordering),
    ("cwnd", RouteMetricKind::CongestionWindow),
    ("ssthresh", RouteMetricKind::SlowStartThreshold),
    ("hoplimit", RouteMetricKind::HopLimit),
    ("rtt", RouteMetricKind::Rtt),
    ("rttvar", RouteMetricKind::RttVariance),
    ("rto_min", RouteMetricKind::RtoMin),
    ("window", RouteMetricKind::Window),
    ("initcwnd", RouteMetricKind::InitialCongestionWindow),
    ("initrwnd", RouteMetricKind::InitialReceiveWindow),
    ("quickack", RouteMetricKind::QuickAck),
    ("fastopen_no_cookie", RouteMetricKind::FastOpenNoCookie),
];

/// The words of a line with a place in it.
struct Words<'t> {
    words: Vec<Word<'t>>,
    next: usize,
}

impl<'t> Words<'t> {
    fn next(&mut self) -> Option<Word<'t>> {
        let word = self.words.get(self.next).copied();
        self.next += usize::from(word.is_some());
        word
    }

    fn peek(&self) -> Option<Word<'t>> {
        self.words.get(self.next).copied()
    }

    fn skip_if(&mut self, texts: &[&str]) -> bool {
        let found = self.peek().is_some_and(|word| texts.contains(&word.text));
        self.next += usize::from(found);
        found
    }
}

/// Stops at the first mistake that makes the route unusable; it has been told.
struct Refused;

impl<'t> Lower<'t> {
    /// One route line; `static_line` allows `track_group`.
    pub(super) fn route(&mut self, line: Line<'t>, static_line: bool) -> Option<Route> {
        let mut words = Words { words: line.words().collect(), next: 0 };
        self.route_words(line, &mut words, static_line).ok()
    }

    fn route_words(&mut self, line: Line<'t>, words: &mut Words<'t>, static_line: bool) -> Result<Route, Refused> {
        let mut family: Option<Family> = None;
        let mut destination: Option<Option<Prefix>> = None;
        let mut route = Route {
            family: Family::Inet,
            destination: Prefix::host(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            kind: RouteKind::Unicast,
            preferred_source: None,
            gateway: None,
            source: None,
            tos: 0,
            table: 254,
            protocol: 18,
            scope: None,
            metric: None,
            interface: None,
            onlink: false,
            encap: None,
            expires: None,
            metrics: Vec::new(),
            realms: None,
            preference: None,
            ttl_propagate: None,
            placement: Placement::Prepend,
            nexthops: Vec::new(),
            no_track: false,
            track_group: None,
            vrf: None,
        };
        while let Some(word) = words.next() {
            let option = word.text;
            if let Some((_, kind)) = METRICS.iter().find(|(name, _)| *name == option) {
                let metric = self.metric(*kind, option, words)?;
                route.metrics.push(metric);
                continue;
            }
            match option {
                "inet" | "inet6" => {
                    self.meet(&mut family, if option == "inet" { Family::Inet } else { Family::Inet6 }, word, "route")?;
                    // keepalived swallows the next word here; nobody can have meant that
                }
                "to" => {
                    let word = self.argument(words, word)?;
                    self.destination(&mut destination, &mut family, word)?;
                }
                "default6" => {
                    self.meet(&mut family, Family::Inet6, word, "route")?;
                    destination = Some(None);
                }
                "unicast" => route.kind = RouteKind::Unicast,
                "local" if destination.is_none() => route.kind = RouteKind::Local,
                "broadcast" | "brd" => route.kind = RouteKind::Broadcast,
                "anycast" => route.kind = RouteKind::Anycast,
                "multicast" => route.kind = RouteKind::Multicast,
                "prohibit" => route.kind = RouteKind::Prohibit,
                "unreachable" => route.kind = RouteKind::Unreachable,
                "blackhole" => route.kind = RouteKind::Blackhole,
                "throw" => route.kind = RouteKind::Throw,
                "nat" => route.kind = RouteKind::Nat,
                "xresolve" => route.kind = RouteKind::ExternalResolve,
                "src" => {
                    let word = self.argument(words, word)?;
                    route.preferred_source = Some(self.route_address(&mut family, word, "source")?);
                }
                "as" => {
                    words.skip_if(&["to"]);
                    words.next();
                    self.general(word.span, "\"as to\" for routes not supported");
                }
                "via" | "gw" => {
                    if option == "gw" {
                        self.error(
                            crate::diagnostic::Class::Deprecated,
                            "deprecated",
                            word.span,
                            "\"gw\" for routes is deprecated. Please use \"via\"",
                        );
                    }
                    let foreign = words.skip_if(&["inet", "inet6"]);
                    let word = self.argument(words, word)?;
                    let mut own = if foreign { None } else { family };
                    let gateway = self.route_address(&mut own, word, "via")?;
                    if !foreign {
                        family = own;
                    }
                    route.gateway = Some(gateway);
                }
                "from" => {
                    let word = self.argument(words, word)?;
                    let Some(prefix) = self.prefix(word) else {
                        self.general(word.span, format!("Invalid route source {}", printable(word.text)));
                        return Err(Refused);
                    };
                    self.meet(&mut family, prefix.family(), word, "route")?;
                    if prefix.family() == Family::Inet {
                        self.general(word.span, "route from only supported with IPv6");
                        return Err(Refused);
                    }
                    route.source = Some(prefix);
                }
                "tos" | "dsfield" => {
                    let word = self.argument(words, word)?;
                    route.tos =
                        names::dsfield(self.system, word.text).ok_or_else(|| self.bad_route(word, "TOS value"))?;
                }
                "table" => {
                    let word = self.argument(words, word)?;
                    route.table = match names::table(self.system, word.text) {
                        Some(table) => table,
                        None => {
                            self.general(
                                word.span,
                                format!("Routing table {} not found for route", printable(word.text)),
                            );
                            return Err(Refused);
                        }
                    };
                }
                "protocol" => {
                    let word = self.argument(words, word)?;
                    route.protocol =
                        names::protocol(self.system, word.text).ok_or_else(|| self.bad_route(word, "protocol"))?;
                }
                "scope" => {
                    let word = self.argument(words, word)?;
                    route.scope =
                        Some(names::scope(self.system, word.text).ok_or_else(|| self.bad_route(word, "scope"))?);
                }
                "metric" | "priority" | "preference" => {
                    let word = self.argument(words, word)?;
                    route.metric = Some(self.route_number(word, "metric", u64::from(u32::MAX))? as u32);
                }
                "dev" | "oif" => {
                    let word = self.argument(words, word)?;
                    route.interface = Some(self.route_interface(word)?);
                }
                "onlink" => route.onlink = true,
                "encap" => route.encap = Some(self.encap(words, word)?),
                "expires" => {
                    let value = self.argument(words, word)?;
                    if family == Some(Family::Inet) {
                        self.general(word.span, "expires is only valid for IPv6");
                        return Err(Refused);
                    }
                    self.meet(&mut family, Family::Inet6, word, "route")?;
                    route.expires =
                        Some(Duration::from_secs(self.route_number(value, "expires", u64::from(u32::MAX))?));
                }
                "realms" => {
                    let word = self.argument(words, word)?;
                    route.realms =
                        Some(names::realms(self.system, word.text).ok_or_else(|| self.bad_route(word, "realms"))?);
                }
                "features" => {
                    let word = self.argument(words, word)?;
                    if word.text != "ecn" {
                        self.general(word.span, format!("feature {} not supported", printable(word.text)));
                        continue;
                    }
                    route.metrics.push(RouteMetric {
                        kind: RouteMetricKind::Features,
                        value: RouteMetricValue::Number(1),
                        lock: false,
                    });
                }
                "congctl" => {
                    let lock = words.skip_if(&["lock"]);
                    let word = self.argument(words, word)?;
                    route.metrics.push(RouteMetric {
                        kind: RouteMetricKind::CongestionControl,
                        value: RouteMetricValue::Text(word.text.to_owned()),
                        lock,
                    });
                }
                "pref" => {
                    let word = self.argument(words, word)?;
                    self.meet(&mut family, Family::Inet6, word, "route")?;
                    route.preference = Some(match word.text {
                        "medium" => 0,
                        "high" => 1,
                        "low" => 3,
                        _ => self.route_number(word, "pref", 255)? as u8,
                    });
                }
                "ttl-propagate" => {
                    let word = self.argument(words, word)?;
                    route.ttl_propagate = match word.text {
                        "enabled" => Some(true),
                        "disabled" => Some(false),
                        _ => return Err(self.bad_route(word, "ttl-propagate")),
                    };
                }
                "add" => route.placement = Placement::Add,
                "prepend" => route.placement = Placement::Prepend,
                "append" => route.placement = Placement::Append,
                "or" => {
                    self.error(
                        crate::diagnostic::Class::Deprecated,
                        "deprecated",
                        word.span,
                        "\"or\" for routes is deprecated. Please use \"nexthop\"",
                    );
                    let word = self.argument(words, word)?;
                    let second = self.route_address(&mut family, word, "or")?;
                    for gateway in [route.gateway.take(), Some(second)].into_iter().flatten() {
                        route.nexthops.push(Nexthop {
                            gateway: Some(gateway),
                            interface: route.interface.clone(),
                            weight: 1,
                            onlink: false,
                            encap: None,
                            realms: None,
                        });
                    }
                }
                "nexthop" => {
                    words.next -= 1;
                    while words.skip_if(&["nexthop"]) {
                        let hop = self.nexthop(words, &mut family)?;
                        route.nexthops.push(hop);
                    }
                }
                "no_track" => route.no_track = true,
                "track_group" if static_line => route.track_group = Some(self.argument(words, word)?.text.to_owned()),
                "vrf" => {
                    let word = self.argument(words, word)?;
                    let interface = self.interface_told(word, |name| format!("VRF {name} not found for route"));
                    route.vrf = Some(interface.ok_or(Refused)?);
                }
                _ => self.destination(&mut destination, &mut family, word)?,
            }
        }
        let Some(destination) = destination else {
            self.general(line.span(), "Route must have a destination");
            return Err(Refused);
        };
        let family = family.unwrap_or(Family::Inet);
        route.family = family;
        route.destination = destination.unwrap_or_else(|| everything(family));
        self.check_route_tracking(line, &mut route);
        Ok(route)
    }

    fn check_route_tracking(&mut self, line: Line<'t>, route: &mut Route) {
        if route.no_track {
            return;
        }
        if route.protocol != 18 {
            self.general(
                line.span(),
                "Route cannot be tracked if protocol is not RTPROT_KEEPALIVED(18), resetting protocol",
            );
            route.protocol = 18;
        }
        if route.interface.is_none() {
            // 2.2.7 says so and does not track; later releases track it, and so do we
            self.advise(
                "untracked-route",
                line.span(),
                format!("Warning - cannot track route {} with no interface specified, not tracking", shown(route)),
            );
        }
    }

    fn destination(
        &mut self,
        destination: &mut Option<Option<Prefix>>,
        family: &mut Option<Family>,
        word: Word<'t>,
    ) -> Result<(), Refused> {
        let found = match word.text {
            "default" | "any" | "all" => None,
            _ => match self.prefix(word) {
                Some(prefix) => Some(prefix),
                None => {
                    self.found.push(
                        crate::diagnostic::Diagnostic::new(
                            crate::diagnostic::Class::GeneralError,
                            "unknown-route-keyword",
                            format!("unknown route keyword {}", printable(word.text)),
                        )
                        .at(word.span)
                        .label(format!("VRRP parsed invalid IP {}. skipping IP...", printable(word.text))),
                    );
                    return Err(Refused);
                }
            },
        };
        if destination.is_some() {
            self.general(word.span, format!("unknown route keyword {}", printable(word.text)));
            return Err(Refused);
        }
        if let Some(prefix) = found {
            self.meet(family, prefix.family(), word, "route")?;
        }
        *destination = Some(found);
        Ok(())
    }

    /// All addresses of a route are of one family.
    fn meet(&mut self, family: &mut Option<Family>, found: Family, word: Word<'t>, what: &str) -> Result<(), Refused> {
        match *family {
            Some(known) if known != found => {
                self.general(word.span, format!("Cannot mix IPv4 and IPv6 addresses for {what}"));
                Err(Refused)
            }
            _ => {
                *family = Some(found);
                Ok(())
            }
        }
    }

    fn argument(&mut self, words: &mut Words<'t>, option: Word<'t>) -> Result<Word<'t>, Refused> {
        words.next().ok_or_else(|| {
            self.general(option.span, format!("route option {} needs a value", printable(option.text)));
            Refused
        })
    }

    fn bad_route(&mut self, word: Word<'t>, what: &str) -> Refused {
        self.general(word.span, format!("Invalid {what} {} specified for route", printable(word.text)));
        Refused
    }

    fn route_address(&mut self, family: &mut Option<Family>, word: Word<'t>, what: &str) -> Result<IpAddr, Refused> {
        let Some(address) = parse_address(word.text) else {
            return Err(self.bad_route(word, &format!("{what} address")));
        };
        self.meet(family, Family::of(address), word, "route")?;
        Ok(address)
    }

    fn route_number(&mut self, word: Word<'t>, what: &str, largest: u64) -> Result<u64, Refused> {
        any_base(word.text, 0..=largest).map_err(|why| {
            self.bad_number(word.span, why, format!("Invalid {what} {} specified for route", printable(word.text)));
            Refused
        })
    }

    fn route_interface(&mut self, word: Word<'t>) -> Result<IfName, Refused> {
        self.interface_told(word, |name| format!("WARNING - interface {name} for VROUTE nexthop doesn't exist"))
            .ok_or(Refused)
    }

    fn metric(&mut self, kind: RouteMetricKind, name: &str, words: &mut Words<'t>) -> Result<RouteMetric, Refused> {
        let lock = words.skip_if(&["lock"]);
        let Some(word) = words.next() else { return Err(Refused) };
        let value = match kind {
            RouteMetricKind::Rtt => self.milliseconds(word, name, 8)?,
            RouteMetricKind::RttVariance => self.milliseconds(word, name, 4)?,
            RouteMetricKind::RtoMin => self.milliseconds(word, name, 1)?,
            RouteMetricKind::HopLimit => self.route_number(word, name, 255)? as u32,
            RouteMetricKind::QuickAck | RouteMetricKind::FastOpenNoCookie => self.route_number(word, name, 1)? as u32,
            _ => self.route_number(word, name, u64::from(u32::MAX))? as u32,
        };
        Ok(RouteMetric { kind, value: RouteMetricValue::Number(value), lock })
    }

    /// `TIME[s|ms]` in the kernel's unit of 1/`scale` ms; a bare number is already in that unit.
    fn milliseconds(&mut self, word: Word<'t>, name: &str, scale: u32) -> Result<u32, Refused> {
        let (digits, factor) = match (word.text.strip_suffix("ms"), word.text.strip_suffix('s')) {
            (Some(digits), _) => (digits, scale),
            (None, Some(digits)) => (digits, scale * 1000),
            (None, None) => (word.text, 1),
        };
        match unsigned(digits, 0..=u64::from(u32::MAX / factor)) {
            Ok(value) => Ok(value as u32 * factor),
            Err(why) => {
                self.bad_number(word.span, why, format!("Invalid {name} {} specified for route", printable(word.text)));
                Err(Refused)
            }
        }
    }

    fn nexthop(&mut self, words: &mut Words<'t>, family: &mut Option<Family>) -> Result<Nexthop, Refused> {
        let mut hop = Nexthop { gateway: None, interface: None, weight: 1, onlink: false, encap: None, realms: None };
        while let Some(word) = words.peek() {
            if word.text == "nexthop" {
                break;
            }
            words.next();
            match word.text {
                "via" => {
                    let foreign = words.skip_if(&["inet", "inet6"]);
                    let value = self.argument(words, word)?;
                    let mut own = if foreign { None } else { *family };
                    hop.gateway = Some(self.route_address(&mut own, value, "via")?);
                    if !foreign {
                        *family = own;
                    }
                }
                "dev" | "oif" => {
                    let value = self.argument(words, word)?;
                    hop.interface = Some(self.route_interface(value)?);
                }
                "weight" => {
                    let value = self.argument(words, word)?;
                    match unsigned(value.text, 1..=256) {
                        Ok(weight) => hop.weight = weight as u16,
                        Err(why) => {
                            self.bad_number(
                                value.span,
                                why,
                                format!("Invalid weight {} specified for route", printable(value.text)),
                            );
                        }
                    }
                }
                "onlink" => hop.onlink = true,
                "encap" => hop.encap = Some(self.encap(words, word)?),
                "realms" => {
                    let value = self.argument(words, word)?;
                    hop.realms =
                        Some(names::realms(self.system, value.text).ok_or_else(|| self.bad_route(value, "realms"))?);
                }
                "no_track" => {
                    words.next -= 1;
                    break;
                }
                _ => {
                    self.general(word.span, format!("unknown nexthop option {}", printable(word.text)));
                    return Err(Refused);
                }
            }
        }
        Ok(hop)
    }

    fn encap(&mut self, words: &mut Words<'t>, option: Word<'t>) -> Result<Encap, Refused> {
        let kind = self.argument(words, option)?;
        match kind.text {
            "mpls" => {
                let word = self.argument(words, option)?;
                mpls_labels(word.text).map(Encap::Mpls).ok_or_else(|| self.bad_route(word, "MPLS label"))
            }
            "ila" => {
                let word = self.argument(words, option)?;
                locator(word.text).map(Encap::Ila).ok_or_else(|| self.bad_route(word, "ila locator"))
            }
            "ip" | "ip6" => {
                let six = kind.text == "ip6";
                let (mut id, mut destination, mut source, mut tos, mut ttl, mut flags) =
                    (None, None, None, None, None, None);
                while let Some(name) = words.peek() {
                    if !["id", "dst", "src", "tos", "tc", "ttl", "hoplimit", "flags"].contains(&name.text) {
                        break;
                    }
                    words.next();
                    let value = self.argument(words, name)?;
                    match name.text {
                        "id" => id = Some(self.route_number(value, "encap id", u64::MAX)?),
                        "dst" => {
                            destination =
                                Some(parse_address(value.text).ok_or_else(|| self.bad_route(value, "encap dst"))?)
                        }
                        "src" => {
                            source = Some(parse_address(value.text).ok_or_else(|| self.bad_route(value, "encap src"))?)
                        }
                        "tos" | "tc" => {
                            tos = Some(
                                names::dsfield(self.system, value.text)
                                    .ok_or_else(|| self.bad_route(value, "encap tos"))?,
                            )
                        }
                        "ttl" | "hoplimit" => ttl = Some(self.route_number(value, "encap ttl", 255)? as u8),
                        _ => flags = Some(self.route_number(value, "encap flags", 0xffff)? as u16),
                    }
                }
                if id.is_none() && destination.is_none() {
                    self.general(kind.span, format!("encap {} needs dst or id", kind.text));
                    return Err(Refused);
                }
                if six {
                    Ok(Encap::Ip6 {
                        id,
                        destination: six_of(destination),
                        source: six_of(source),
                        traffic_class: tos,
                        hop_limit: ttl,
                        flags,
                    })
                } else {
                    Ok(Encap::Ip { id, destination: four_of(destination), source: four_of(source), tos, ttl, flags })
                }
            }
            _ => Err(self.bad_route(kind, "encap type")),
        }
    }
}

fn six_of(address: Option<IpAddr>) -> Option<Ipv6Addr> {
    match address {
        Some(IpAddr::V6(address)) => Some(address),
        _ => None,
    }
}

fn four_of(address: Option<IpAddr>) -> Option<Ipv4Addr> {
    match address {
        Some(IpAddr::V4(address)) => Some(address),
        _ => None,
    }
}

/// 0.0.0.0/0 or ::/0.
pub(super) fn everything(family: Family) -> Prefix {
    let any = match family {
        Family::Inet => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::Inet6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    any_prefix(any)
}

fn any_prefix(any: IpAddr) -> Prefix {
    Prefix::new(any, 0).unwrap_or(Prefix::host(any))
}

fn shown(route: &Route) -> String {
    if route.destination.length() == 0 {
        "default".into()
    } else if route.destination.is_host() {
        route.destination.address().to_string()
    } else {
        route.destination.to_string()
    }
}
