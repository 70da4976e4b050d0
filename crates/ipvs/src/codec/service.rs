//! `IPVS_CMD_ATTR_SERVICE`.
//!
//! ```text
//! family(1) then protocol(2) address(3) port(4) or mark(5); scheduler(6) engine(11) flags(7: value, mask) timeout(8) netmask(9) statistics(10, 12)
//! ```

use types::{Family, FwMark, Port, Protocol};

use super::attribute::{Attribute, DecodeError, Writer, attributes};
use super::{family_number, statistics};
use crate::{PersistenceConfig, Service, ServiceFlags, ServiceKey, Statistics};

const FAMILY: u16 = 1;
const PROTOCOL: u16 = 2;
const ADDRESS: u16 = 3;
const PORT: u16 = 4;
const MARK: u16 = 5;
const SCHEDULER: u16 = 6;
const FLAGS: u16 = 7;
const TIMEOUT: u16 = 8;
const NETMASK: u16 = 9;
const STATISTICS: u16 = 10;
const ENGINE: u16 = 11;
const STATISTICS_64: u16 = 12;

const PERSISTENT: u32 = 1;
const ONE_PACKET: u32 = 4;
const SCHEDULER_1: u32 = 8;
const SCHEDULER_2: u32 = 16;
const SCHEDULER_3: u32 = 32;
/// Every flag is told, so that an edit clears what is no longer wanted.
const MASK: u32 = u32::MAX;

/// What identifies a service, and nothing more.
pub(super) fn emit_key(out: &mut Writer<'_>, key: &ServiceKey) {
    out.u16(FAMILY, family_number(key.family()));
    match key {
        ServiceKey::Address { protocol, address, port } => {
            out.u16(PROTOCOL, u16::from(protocol.number()));
            out.address(ADDRESS, *address);
            out.u16_network(PORT, port.0);
        }
        ServiceKey::Mark { mark, .. } => out.u32(MARK, mark.0),
    }
}

/// The whole service.
pub(super) fn emit(out: &mut Writer<'_>, key: &ServiceKey, service: &Service) {
    emit_key(out, key);
    out.text(SCHEDULER, &service.scheduler);
    let persistence = service.persistence.as_ref();
    if let Some(engine) = persistence.and_then(|persistence| persistence.engine.as_deref()) {
        out.text(ENGINE, engine);
    }
    let flags = flag_bits(&service.flags, persistence.is_some());
    let mut octets = [0u8; 8];
    octets[..4].copy_from_slice(&flags.to_ne_bytes());
    octets[4..].copy_from_slice(&MASK.to_ne_bytes());
    out.octets(FLAGS, &octets);
    out.u32(TIMEOUT, persistence.map_or(0, |persistence| persistence.timeout));
    emit_granularity(out, key.family(), persistence.map(|persistence| persistence.granularity));
}

/// IPv4 has a netmask in network order, IPv6 a prefix length in the host's.
fn emit_granularity(out: &mut Writer<'_>, family: Family, granularity: Option<u8>) {
    let length = u32::from(granularity.unwrap_or(family.max_prefix_len()).min(family.max_prefix_len()));
    match family {
        Family::Inet => out.u32_network(NETMASK, u32::MAX.checked_shl(32 - length).unwrap_or(0)),
        Family::Inet6 => out.u32(NETMASK, length),
    }
}

fn flag_bits(flags: &ServiceFlags, persistent: bool) -> u32 {
    let bit = |set: bool, bit: u32| if set { bit } else { 0 };
    bit(persistent, PERSISTENT)
        | bit(flags.one_packet, ONE_PACKET)
        | bit(flags.scheduler_1, SCHEDULER_1)
        | bit(flags.scheduler_2, SCHEDULER_2)
        | bit(flags.scheduler_3, SCHEDULER_3)
}

/// Reads a service with its counters.
pub(super) fn parse(octets: &[u8]) -> Result<(ServiceKey, Service, Statistics), DecodeError> {
    let mut parts = Parts::default();
    for attribute in attributes(octets, "service") {
        parts.take(attribute?)?;
    }
    let family = parts.family.ok_or(DecodeError::Missing { attribute: "IPVS_SVC_ATTR_AF" })?.family()?;
    let key = parts.key(family)?;
    let persistence = match parts.flags & PERSISTENT {
        0 => None,
        _ => Some(PersistenceConfig {
            timeout: parts.timeout,
            granularity: parts.granularity(family)?,
            engine: parts.engine,
        }),
    };
    let flags = ServiceFlags {
        one_packet: parts.flags & ONE_PACKET != 0,
        scheduler_1: parts.flags & SCHEDULER_1 != 0,
        scheduler_2: parts.flags & SCHEDULER_2 != 0,
        scheduler_3: parts.flags & SCHEDULER_3 != 0,
    };
    Ok((key, Service { scheduler: parts.scheduler, flags, persistence }, parts.statistics))
}

/// Attributes as they come; the family may come last.
#[derive(Default)]
struct Parts<'a> {
    family: Option<Attribute<'a>>,
    protocol: Option<Attribute<'a>>,
    address: Option<Attribute<'a>>,
    port: Option<Attribute<'a>>,
    mark: Option<u32>,
    scheduler: String,
    engine: Option<String>,
    flags: u32,
    timeout: u32,
    netmask: Option<Attribute<'a>>,
    statistics: Statistics,
    statistics_are_64: bool,
}

impl<'a> Parts<'a> {
    fn take(&mut self, attribute: Attribute<'a>) -> Result<(), DecodeError> {
        match attribute.kind {
            FAMILY => self.family = Some(attribute.named("IPVS_SVC_ATTR_AF")),
            PROTOCOL => self.protocol = Some(attribute.named("IPVS_SVC_ATTR_PROTOCOL")),
            ADDRESS => self.address = Some(attribute.named("IPVS_SVC_ATTR_ADDR")),
            PORT => self.port = Some(attribute.named("IPVS_SVC_ATTR_PORT")),
            MARK => self.mark = Some(attribute.named("IPVS_SVC_ATTR_FWMARK").u32()?),
            SCHEDULER => self.scheduler = attribute.named("IPVS_SVC_ATTR_SCHED_NAME").text()?,
            ENGINE => self.engine = Some(attribute.named("IPVS_SVC_ATTR_PE_NAME").text()?),
            FLAGS => self.flags = attribute.named("IPVS_SVC_ATTR_FLAGS").u32()?,
            TIMEOUT => self.timeout = attribute.named("IPVS_SVC_ATTR_TIMEOUT").u32()?,
            NETMASK => self.netmask = Some(attribute.named("IPVS_SVC_ATTR_NETMASK")),
            STATISTICS_64 => {
                self.statistics = statistics::parse(attribute.value)?;
                self.statistics_are_64 = true;
            }
            STATISTICS if !self.statistics_are_64 => self.statistics = statistics::parse(attribute.value)?,
            _ => {}
        }
        Ok(())
    }

    fn key(&self, family: Family) -> Result<ServiceKey, DecodeError> {
        if let Some(mark) = self.mark {
            return Ok(ServiceKey::Mark { family, mark: FwMark(mark) });
        }
        let missing = |attribute| move || DecodeError::Missing { attribute };
        let protocol = self.protocol.ok_or_else(missing("IPVS_SVC_ATTR_PROTOCOL"))?;
        let number = u8::try_from(protocol.u16()?).map_err(|_| protocol.refuse())?;
        Ok(ServiceKey::Address {
            protocol: Protocol::from_number(number).ok_or_else(|| protocol.refuse())?,
            address: self.address.ok_or_else(missing("IPVS_SVC_ATTR_ADDR"))?.address(family)?,
            port: Port(self.port.ok_or_else(missing("IPVS_SVC_ATTR_PORT"))?.u16_network()?),
        })
    }

    fn granularity(&self, family: Family) -> Result<u8, DecodeError> {
        let Some(netmask) = self.netmask else { return Ok(family.max_prefix_len()) };
        match family {
            Family::Inet => Ok(netmask.u32_network()?.leading_ones() as u8),
            Family::Inet6 => {
                let length = netmask.u32()?;
                u8::try_from(length).ok().filter(|&length| length <= 128).ok_or_else(|| netmask.refuse())
            }
        }
    }
}
