//! What the kernel answers.

use types::Family;

use super::attribute::{DecodeError, attributes};
use super::{FAMILY_NAME, GENERIC_HEADER_LENGTH, daemon, destination, service};
use crate::{Daemon, DestinationListing, Info, Service, ServiceKey, Statistics, Timeouts};

/// One message of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A service.
    Service(ServiceKey, Service, Statistics),
    /// A destination.
    Destination(DestinationListing),
    /// A synchronisation daemon.
    Daemon(Daemon),
    /// The timeouts.
    Timeouts(Timeouts),
    /// Version and size.
    Info(Info),
    /// Something that we do not know.
    Unknown,
}

/// `IPVS_CMD_SET_INFO`, the command of an answer to `IPVS_CMD_GET_INFO`.
const SET_INFO: u8 = 14;

/// Reads the payload of a netlink message of the family, from its generic header on. `family` is that of the service whose destinations were asked for.
pub fn parse_reply(payload: &[u8], family: Family) -> Result<Reply, DecodeError> {
    let Some((header, octets)) = payload.split_at_checked(GENERIC_HEADER_LENGTH) else {
        return Err(DecodeError::Truncated { reading: "generic netlink header" });
    };
    if header[0] == SET_INFO {
        return parse_info(octets);
    }
    let mut timeouts = None;
    for attribute in attributes(octets, "message") {
        let attribute = attribute?;
        match attribute.kind {
            1 => {
                return service::parse(attribute.value)
                    .map(|(key, service, statistics)| Reply::Service(key, service, statistics));
            }
            2 => return destination::parse(attribute.value, family).map(Reply::Destination),
            3 => return daemon::parse(attribute.value).map(Reply::Daemon),
            4 => timeouts.get_or_insert(Timeouts::default()).tcp = attribute.u32()?,
            5 => timeouts.get_or_insert(Timeouts::default()).tcp_fin = attribute.u32()?,
            6 => timeouts.get_or_insert(Timeouts::default()).udp = attribute.u32()?,
            _ => {}
        }
    }
    Ok(timeouts.map_or(Reply::Unknown, Reply::Timeouts))
}

fn parse_info(octets: &[u8]) -> Result<Reply, DecodeError> {
    let mut info = Info { version: (0, 0, 0), connection_table_size: 0 };
    for attribute in attributes(octets, "version") {
        let attribute = attribute?;
        match attribute.kind {
            1 => {
                let [_, major, minor, patch] = attribute.named("IPVS_INFO_ATTR_VERSION").u32()?.to_be_bytes();
                info.version = (major, minor, patch);
            }
            2 => info.connection_table_size = attribute.named("IPVS_INFO_ATTR_CONN_TAB_SIZE").u32()?,
            _ => {}
        }
    }
    Ok(Reply::Info(info))
}

/// Reads the controller's answer about the family: its number.
pub fn parse_family_id(payload: &[u8]) -> Result<u16, DecodeError> {
    let octets =
        payload.get(GENERIC_HEADER_LENGTH..).ok_or(DecodeError::Truncated { reading: "generic netlink header" })?;
    let (mut number, mut name) = (None, String::new());
    for attribute in attributes(octets, "family") {
        let attribute = attribute?;
        match attribute.kind {
            1 => number = Some(attribute.named("CTRL_ATTR_FAMILY_ID").u16()?),
            2 => name = attribute.named("CTRL_ATTR_FAMILY_NAME").text()?,
            _ => {}
        }
    }
    match number {
        Some(number) if name == FAMILY_NAME => Ok(number),
        _ => Err(DecodeError::Missing { attribute: "CTRL_ATTR_FAMILY_ID" }),
    }
}
