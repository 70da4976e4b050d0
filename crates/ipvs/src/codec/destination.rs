//! `IPVS_CMD_ATTR_DEST`.

use types::{Family, Port, Weight};

use super::attribute::{DecodeError, Writer, attributes};
use super::{family_number, statistics};
use crate::{
    Destination, DestinationCounters, DestinationKey, DestinationListing, Forwarding, Statistics, Tunnel,
    TunnelChecksum,
};

const ADDRESS: u16 = 1;
const PORT: u16 = 2;
const FORWARDING: u16 = 3;
const WEIGHT: u16 = 4;
const UPPER_THRESHOLD: u16 = 5;
const LOWER_THRESHOLD: u16 = 6;
const ACTIVE: u16 = 7;
const INACTIVE: u16 = 8;
const PERSISTENT: u16 = 9;
const STATISTICS: u16 = 10;
const FAMILY: u16 = 11;
const STATISTICS_64: u16 = 12;
const TUNNEL_TYPE: u16 = 13;
const TUNNEL_PORT: u16 = 14;
const TUNNEL_FLAGS: u16 = 15;

const FORWARDING_MASK: u32 = 7;
const TUNNEL: u32 = 2;
const DIRECT_ROUTE: u32 = 3;

/// What identifies a destination, and nothing more.
pub(super) fn emit_key(out: &mut Writer<'_>, key: &DestinationKey) {
    out.u16(FAMILY, family_number(Family::of(key.address)));
    out.address(ADDRESS, key.address);
    out.u16_network(PORT, key.port.0);
}

/// The whole destination.
pub(super) fn emit(out: &mut Writer<'_>, key: &DestinationKey, destination: &Destination) {
    emit_key(out, key);
    let (forwarding, tunnel) = match destination.forwarding {
        Forwarding::Masquerade => (0, Tunnel::Ipip),
        Forwarding::DirectRoute => (DIRECT_ROUTE, Tunnel::Ipip),
        Forwarding::Tunnel(tunnel) => (TUNNEL, tunnel),
    };
    let (tunnel_type, tunnel_port, tunnel_flags) = match tunnel {
        Tunnel::Ipip => (0, 0, 0),
        Tunnel::Gue { port, checksum } => (1, port.0, checksum_flags(checksum)),
        Tunnel::Gre { checksum } => (2, 0, checksum_flags(checksum)),
    };
    out.u32(FORWARDING, forwarding);
    out.u32(WEIGHT, destination.weight.get());
    out.u8(TUNNEL_TYPE, tunnel_type);
    out.u16_network(TUNNEL_PORT, tunnel_port);
    out.u16(TUNNEL_FLAGS, tunnel_flags);
    out.u32(UPPER_THRESHOLD, destination.upper_threshold);
    out.u32(LOWER_THRESHOLD, destination.lower_threshold);
}

fn checksum_flags(checksum: TunnelChecksum) -> u16 {
    match checksum {
        TunnelChecksum::None => 0,
        TunnelChecksum::Full => 1,
        TunnelChecksum::Remote => 2,
    }
}

/// Reads a destination with its counters. Kernels before 3.18 do not tell the family: it is then the service's.
///
/// The forwarding methods "local" and "bypass", which nobody can ask for, read as NAT.
pub(super) fn parse(octets: &[u8], service_family: Family) -> Result<DestinationListing, DecodeError> {
    let mut family = service_family;
    let (mut address, mut port) = (None, None);
    let (mut forwarding, mut weight, mut upper_threshold, mut lower_threshold) = (0, 0, 0, 0);
    let (mut tunnel_type, mut tunnel_port, mut tunnel_flags) = (0, 0, 0);
    let mut counters = DestinationCounters::default();
    let mut statistics_64: Option<Statistics> = None;
    for attribute in attributes(octets, "destination") {
        let attribute = attribute?;
        match attribute.kind {
            ADDRESS => address = Some(attribute.named("IPVS_DEST_ATTR_ADDR")),
            PORT => port = Some(attribute.named("IPVS_DEST_ATTR_PORT").u16_network()?),
            FORWARDING => forwarding = attribute.named("IPVS_DEST_ATTR_FWD_METHOD").u32()?,
            WEIGHT => weight = attribute.named("IPVS_DEST_ATTR_WEIGHT").u32()?,
            UPPER_THRESHOLD => upper_threshold = attribute.named("IPVS_DEST_ATTR_U_THRESH").u32()?,
            LOWER_THRESHOLD => lower_threshold = attribute.named("IPVS_DEST_ATTR_L_THRESH").u32()?,
            ACTIVE => counters.active = attribute.named("IPVS_DEST_ATTR_ACTIVE_CONNS").u32()?,
            INACTIVE => counters.inactive = attribute.named("IPVS_DEST_ATTR_INACT_CONNS").u32()?,
            PERSISTENT => counters.persistent = attribute.named("IPVS_DEST_ATTR_PERSIST_CONNS").u32()?,
            STATISTICS => counters.statistics = statistics::parse(attribute.value)?,
            STATISTICS_64 => statistics_64 = Some(statistics::parse(attribute.value)?),
            FAMILY => family = attribute.named("IPVS_DEST_ATTR_ADDR_FAMILY").family()?,
            TUNNEL_TYPE => tunnel_type = attribute.named("IPVS_DEST_ATTR_TUN_TYPE").u8()?,
            TUNNEL_PORT => tunnel_port = attribute.named("IPVS_DEST_ATTR_TUN_PORT").u16_network()?,
            TUNNEL_FLAGS => tunnel_flags = attribute.named("IPVS_DEST_ATTR_TUN_FLAGS").u16()?,
            _ => {}
        }
    }
    counters.statistics = statistics_64.unwrap_or(counters.statistics);
    let address = address.ok_or(DecodeError::Missing { attribute: "IPVS_DEST_ATTR_ADDR" })?.address(family)?;
    let port = port.ok_or(DecodeError::Missing { attribute: "IPVS_DEST_ATTR_PORT" })?;
    let checksum = match tunnel_flags {
        flags if flags & 2 != 0 => TunnelChecksum::Remote,
        flags if flags & 1 != 0 => TunnelChecksum::Full,
        _ => TunnelChecksum::None,
    };
    let forwarding = match (forwarding & FORWARDING_MASK, tunnel_type) {
        (DIRECT_ROUTE, _) => Forwarding::DirectRoute,
        (TUNNEL, 1) => Forwarding::Tunnel(Tunnel::Gue { port: Port(tunnel_port), checksum }),
        (TUNNEL, 2) => Forwarding::Tunnel(Tunnel::Gre { checksum }),
        (TUNNEL, _) => Forwarding::Tunnel(Tunnel::Ipip),
        _ => Forwarding::Masquerade,
    };
    Ok(DestinationListing {
        key: DestinationKey { address, port: Port(port) },
        destination: Destination {
            forwarding,
            weight: Weight::saturating(i64::from(weight)),
            upper_threshold,
            lower_threshold,
        },
        counters,
    })
}
