//! RTM_NEWROUTE and RTM_DELROUTE.

use std::net::IpAddr;

use netlink_packet_core::DefaultNla;
use netlink_packet_route::route::{
    MplsLabel, RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteIp6Tunnel, RouteIp6TunnelFlags,
    RouteIpTunnel, RouteIpTunnelFlags, RouteLwEnCapType, RouteLwTunnelEncap, RouteMessage, RouteMetric,
    RouteMplsIpTunnel, RouteMplsTtlPropagation, RouteNextHop, RouteNextHopFlags, RoutePreference, RouteRealm,
    RouteType, RouteVia,
};
use types::{Family, IfIndex, Prefix};
use vip::config::{Encap, Nexthop, RouteKind, RouteMetric as Metric, RouteMetricKind, RouteMetricValue};
use vip::{Route, RouteSpec};

/// RT_SCOPE_NOWHERE: any scope, in a removal.
const NOWHERE: u8 = 255;
/// RTNH_F_ONLINK.
const ONLINK: u32 = 4;
/// LWTUNNEL_ENCAP_ILA and its ILA_ATTR_LOCATOR.
const ENCAP_ILA: u16 = 3;
const ILA_ATTR_LOCATOR: u16 = 1;

pub(super) fn addition(spec: &RouteSpec) -> RouteMessage {
    let route = &*spec.route;
    let mut message = identity(spec);
    message.header.scope = route.scope.unwrap_or(default_scope(route)).into();
    if route.onlink {
        message.header.flags = RouteFlags::from_bits_retain(ONLINK);
    }
    let attributes = &mut message.attributes;
    if !route.metrics.is_empty() {
        attributes.push(RouteAttribute::Metrics(metrics(&route.metrics)));
    }
    if let Some(encap) = &route.encap {
        attributes.extend(encapsulation(encap));
    }
    if let Some(realms) = route.realms {
        attributes.push(RouteAttribute::Realm(realm(realms)));
    }
    if let Some(expires) = route.expires {
        attributes.push(RouteAttribute::Expires(u32::try_from(expires.as_secs()).unwrap_or(u32::MAX)));
    }
    if let Some(preference) = route.preference {
        let preference = match preference {
            0 => RoutePreference::Medium,
            1 => RoutePreference::High,
            3 => RoutePreference::Low,
            other => RoutePreference::Other(other),
        };
        attributes.push(RouteAttribute::Preference(preference));
    }
    if let Some(propagate) = route.ttl_propagate {
        let propagate = if propagate { RouteMplsTtlPropagation::Enabled } else { RouteMplsTtlPropagation::Disabled };
        attributes.push(RouteAttribute::TtlPropagate(propagate));
    }
    message
}

/// What the kernel compares when it looks for the route to remove.
pub(super) fn removal(spec: &RouteSpec) -> RouteMessage {
    let mut message = identity(spec);
    message.header.scope = NOWHERE.into();
    message
}

fn identity(spec: &RouteSpec) -> RouteMessage {
    let route = &*spec.route;
    let mut message = RouteMessage::default();
    message.header = RouteHeader {
        address_family: super::family(route.family),
        destination_prefix_length: route.destination.length(),
        source_prefix_length: route.source.map_or(0, Prefix::length),
        tos: route.tos,
        table: u8::try_from(spec.table).unwrap_or(RouteHeader::RT_TABLE_UNSPEC),
        protocol: route.protocol.into(),
        kind: RouteType::from(route.kind as u8),
        ..RouteHeader::default()
    };
    let attributes = &mut message.attributes;
    attributes.push(RouteAttribute::Table(spec.table));
    if route.destination.length() > 0 {
        attributes.push(RouteAttribute::Destination(route_address(route.destination.network().address())));
    }
    if let Some(source) = route.source {
        attributes.push(RouteAttribute::Source(route_address(source.network().address())));
    }
    if let Some(source) = route.preferred_source {
        attributes.push(RouteAttribute::PrefSource(route_address(source)));
    }
    if let Some(gateway) = route.gateway {
        attributes.push(gateway_of(route.family, gateway));
    }
    if let Some(interface) = spec.interface {
        attributes.push(RouteAttribute::Oif(interface.0));
    }
    if let Some(metric) = route.metric {
        attributes.push(RouteAttribute::Priority(metric));
    }
    if !route.nexthops.is_empty() {
        let hops = route.nexthops.iter().zip(&spec.nexthop_interfaces);
        let hops = hops.map(|(hop, interface)| next_hop(route.family, hop, *interface)).collect();
        attributes.push(RouteAttribute::MultiPath(hops));
    }
    message
}

/// The kernel refuses a scope wider than the kind of route allows; keepalived's default is global where that is allowed.
fn default_scope(route: &Route) -> u8 {
    match (route.family, route.kind) {
        (Family::Inet, RouteKind::Local | RouteKind::Nat) => 254,
        (Family::Inet, RouteKind::Broadcast | RouteKind::Multicast | RouteKind::Anycast) => 253,
        _ => 0,
    }
}

fn route_address(address: IpAddr) -> RouteAddress {
    match address {
        IpAddr::V4(v4) => RouteAddress::Inet(v4),
        IpAddr::V6(v6) => RouteAddress::Inet6(v6),
    }
}

/// RTA_GATEWAY, or RTA_VIA where the families differ.
fn gateway_of(family: Family, gateway: IpAddr) -> RouteAttribute {
    match (family, gateway) {
        (Family::Inet, IpAddr::V6(v6)) => RouteAttribute::Via(RouteVia::Inet6(v6)),
        (Family::Inet6, IpAddr::V4(v4)) => RouteAttribute::Via(RouteVia::Inet(v4)),
        _ => RouteAttribute::Gateway(route_address(gateway)),
    }
}

fn realm(packed: u32) -> RouteRealm {
    RouteRealm { source: (packed >> 16) as u16, destination: packed as u16 }
}

fn next_hop(family: Family, hop: &Nexthop, interface: Option<IfIndex>) -> RouteNextHop {
    let mut next = RouteNextHop::default();
    next.hops = u8::try_from(hop.weight.clamp(1, 256) - 1).unwrap_or(u8::MAX);
    next.interface_index = interface.map_or(0, |index| index.0);
    if hop.onlink {
        next.flags = RouteNextHopFlags::Onlink;
    }
    if let Some(gateway) = hop.gateway {
        next.attributes.push(gateway_of(family, gateway));
    }
    if let Some(encap) = &hop.encap {
        next.attributes.extend(encapsulation(encap));
    }
    if let Some(realms) = hop.realms {
        next.attributes.push(RouteAttribute::Realm(realm(realms)));
    }
    next
}

fn metrics(metrics: &[Metric]) -> Vec<RouteMetric> {
    let locked = metrics.iter().filter(|metric| metric.lock).fold(0, |all, metric| all | 1 << metric.kind as u32);
    let lock = (locked != 0).then_some(RouteMetric::Lock(locked));
    lock.into_iter().chain(metrics.iter().map(metric)).collect()
}

fn metric(metric: &Metric) -> RouteMetric {
    let value = match &metric.value {
        RouteMetricValue::Number(value) => *value,
        RouteMetricValue::Text(name) => return RouteMetric::CcAlgo(name.clone()),
    };
    match metric.kind {
        RouteMetricKind::Mtu => RouteMetric::Mtu(value),
        RouteMetricKind::Window => RouteMetric::Window(value),
        RouteMetricKind::Rtt => RouteMetric::Rtt(value),
        RouteMetricKind::RttVariance => RouteMetric::RttVar(value),
        RouteMetricKind::SlowStartThreshold => RouteMetric::SsThresh(value),
        RouteMetricKind::CongestionWindow => RouteMetric::Cwnd(value),
        RouteMetricKind::AdvertisedMss => RouteMetric::Advmss(value),
        RouteMetricKind::Reordering => RouteMetric::Reordering(value),
        RouteMetricKind::HopLimit => RouteMetric::Hoplimit(value),
        RouteMetricKind::InitialCongestionWindow => RouteMetric::InitCwnd(value),
        RouteMetricKind::Features => RouteMetric::Features(value),
        RouteMetricKind::RtoMin => RouteMetric::RtoMin(value),
        RouteMetricKind::InitialReceiveWindow => RouteMetric::InitRwnd(value),
        RouteMetricKind::QuickAck => RouteMetric::QuickAck(value),
        RouteMetricKind::CongestionControl => RouteMetric::CcAlgo(value.to_string()),
        RouteMetricKind::FastOpenNoCookie => RouteMetric::FastopenNoCookie(value),
    }
}

/// RTA_ENCAP_TYPE and RTA_ENCAP.
fn encapsulation(encap: &Encap) -> [RouteAttribute; 2] {
    let (kind, parts) = match encap {
        Encap::Ip { id, destination, source, tos, ttl, flags } => {
            let parts = [
                id.map(RouteIpTunnel::Id),
                destination.map(RouteIpTunnel::Destination),
                source.map(RouteIpTunnel::Source),
                tos.map(RouteIpTunnel::Tos),
                ttl.map(RouteIpTunnel::Ttl),
                flags.map(|flags| RouteIpTunnel::Flags(RouteIpTunnelFlags::from_bits_retain(flags))),
            ];
            (RouteLwEnCapType::Ip, parts.into_iter().flatten().map(RouteLwTunnelEncap::Ip).collect())
        }
        Encap::Ip6 { id, destination, source, traffic_class, hop_limit, flags } => {
            let parts = [
                id.map(RouteIp6Tunnel::Id),
                destination.map(RouteIp6Tunnel::Destination),
                source.map(RouteIp6Tunnel::Source),
                traffic_class.map(RouteIp6Tunnel::Tc),
                hop_limit.map(RouteIp6Tunnel::Hoplimit),
                flags.map(|flags| RouteIp6Tunnel::Flags(RouteIp6TunnelFlags::from_bits_retain(flags))),
            ];
            (RouteLwEnCapType::Ip6, parts.into_iter().flatten().map(RouteLwTunnelEncap::Ip6).collect())
        }
        Encap::Mpls(labels) => {
            let last = labels.len().saturating_sub(1);
            let stack = labels.iter().enumerate().map(|(place, label)| MplsLabel {
                label: *label,
                traffic_class: 0,
                bottom_of_stack: place == last,
                ttl: 0,
            });
            let stack = RouteMplsIpTunnel::Destination(stack.collect());
            (RouteLwEnCapType::Mpls, vec![RouteLwTunnelEncap::Mpls(stack)])
        }
        // The locator is the upper half of an IPv6 address, in the order of the network.
        Encap::Ila(locator) => {
            let locator = DefaultNla::new(ILA_ATTR_LOCATOR, locator.to_be_bytes().to_vec());
            (RouteLwEnCapType::Other(ENCAP_ILA), vec![RouteLwTunnelEncap::Other(locator)])
        }
    };
    [RouteAttribute::EncapType(kind), RouteAttribute::Encap(parts)]
}
