//! `IPVS_CMD_ATTR_DAEMON`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::attribute::{DecodeError, Writer, attributes};
use crate::{Daemon, DaemonRole};

const STATE: u16 = 1;
const INTERFACE: u16 = 2;
const SYNC_ID: u16 = 3;
const MAX_LEN: u16 = 4;
const GROUP: u16 = 5;
const GROUP_6: u16 = 6;
const PORT: u16 = 7;
const TTL: u16 = 8;

fn state(role: DaemonRole) -> u32 {
    match role {
        DaemonRole::Master => 1,
        DaemonRole::Backup => 2,
    }
}

pub(super) fn emit(out: &mut Writer<'_>, daemon: &Daemon) {
    out.u32(STATE, state(daemon.role));
    out.text(INTERFACE, daemon.interface.as_str());
    out.u32(SYNC_ID, u32::from(daemon.sync_id));
    if let Some(max_len) = daemon.max_len {
        out.u16(MAX_LEN, max_len);
    }
    if let Some(port) = daemon.port {
        out.u16(PORT, port);
    }
    if let Some(ttl) = daemon.ttl {
        out.u8(TTL, ttl);
    }
    match daemon.group {
        Some(IpAddr::V4(group)) => out.octets(GROUP, &group.octets()),
        Some(IpAddr::V6(group)) => out.octets(GROUP_6, &group.octets()),
        None => {}
    }
}

/// A stop names the role only.
pub(super) fn emit_role(out: &mut Writer<'_>, role: DaemonRole) {
    out.u32(STATE, state(role));
}

pub(super) fn parse(octets: &[u8]) -> Result<Daemon, DecodeError> {
    let (mut role, mut interface, mut sync_id) = (None, None, 0);
    let (mut max_len, mut group, mut port, mut ttl) = (None, None, None, None);
    for attribute in attributes(octets, "synchronisation daemon") {
        let attribute = attribute?;
        match attribute.kind {
            STATE => {
                let attribute = attribute.named("IPVS_DAEMON_ATTR_STATE");
                role = Some(match attribute.u32()? {
                    1 => DaemonRole::Master,
                    2 => DaemonRole::Backup,
                    _ => return Err(attribute.refuse()),
                });
            }
            INTERFACE => {
                let attribute = attribute.named("IPVS_DAEMON_ATTR_MCAST_IFN");
                interface = Some(attribute.text()?.parse().map_err(|_| attribute.refuse())?);
            }
            SYNC_ID => {
                let attribute = attribute.named("IPVS_DAEMON_ATTR_SYNC_ID");
                sync_id = u8::try_from(attribute.u32()?).map_err(|_| attribute.refuse())?;
            }
            MAX_LEN => max_len = Some(attribute.named("IPVS_DAEMON_ATTR_SYNC_MAXLEN").u16()?),
            GROUP => group = Some(IpAddr::V4(Ipv4Addr::from(attribute.named("IPVS_DAEMON_ATTR_MCAST_GROUP").fixed()?))),
            GROUP_6 => {
                group = Some(IpAddr::V6(Ipv6Addr::from(attribute.named("IPVS_DAEMON_ATTR_MCAST_GROUP6").fixed()?)));
            }
            PORT => port = Some(attribute.named("IPVS_DAEMON_ATTR_MCAST_PORT").u16()?),
            TTL => ttl = Some(attribute.named("IPVS_DAEMON_ATTR_MCAST_TTL").u8()?),
            _ => {}
        }
    }
    Ok(Daemon {
        role: role.ok_or(DecodeError::Missing { attribute: "IPVS_DAEMON_ATTR_STATE" })?,
        interface: interface.ok_or(DecodeError::Missing { attribute: "IPVS_DAEMON_ATTR_MCAST_IFN" })?,
        sync_id,
        max_len,
        group,
        port,
        ttl,
    })
}
