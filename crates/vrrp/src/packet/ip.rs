//! The IPv4 header in front of an advert.
//!
//! Its identification counts up: see `Memory::next_identification`.

use std::net::Ipv4Addr;

use types::Ttl;

use super::Refusal;
use super::checksum::Sum;

/// Octets without options.
pub(super) const HEADER_LEN: usize = 20;
/// Precedence "internetwork control": what routing protocols use, and keepalived.
const TOS: u8 = 0xC0;

/// The header of an advert that we send.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------+-------+---------------+-------------------------------+
/// |   4   |   5   |   TOS 0xC0    |         total length          |
/// +-------+-------+---------------+-----+-------------------------+
/// |       identification         |  0  |    fragment offset 0    |
/// +---------------+---------------+-----+-------------------------+
/// |      TTL      | 112 or 51 (AH)|        header checksum        |
/// +---------------+---------------+-------------------------------+
/// |                            source                             |
/// |                          destination                          |
/// +---------------------------------------------------------------+
/// ```
pub(super) fn header(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    ttl: Ttl,
    identification: u16,
    protocol: u8,
    payload: usize,
) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[0] = 0x45;
    header[1] = TOS;
    header[2..4].copy_from_slice(&((HEADER_LEN + payload) as u16).to_be_bytes());
    header[4..6].copy_from_slice(&identification.to_be_bytes());
    header[8] = ttl.0;
    header[9] = protocol;
    header[12..16].copy_from_slice(&source.octets());
    header[16..20].copy_from_slice(&destination.octets());
    let checksum = Sum::default().add(&header).finish();
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    header
}

/// A received packet, cut where its IP header ends and where its total length ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// The header with its options.
    pub(super) header: &'a [u8],
    /// What follows, up to the total length: padding of the frame is gone.
    pub(super) payload: &'a [u8],
    /// Protocol of the payload.
    pub(super) protocol: u8,
}

/// Splits `octets`, which start with an IPv4 header.
///
/// The kernel has checked the header's checksum, put fragments together and, before Linux hands a packet to a raw
/// socket, left the total length as it was on the wire.
pub(super) fn view(octets: &[u8]) -> Result<View<'_>, Refusal> {
    if octets.len() < HEADER_LEN {
        return Err(Refusal::TooShort { found: octets.len(), needed: HEADER_LEN });
    }
    let header_len = usize::from(octets[0] & 0x0F) * 4;
    if octets[0] >> 4 != 4 || header_len < HEADER_LEN {
        return Err(Refusal::IpHeader);
    }
    let fragment = u16::from_be_bytes([octets[6], octets[7]]) & 0x3FFF;
    if fragment != 0 {
        return Err(Refusal::IpHeader);
    }
    let total = usize::from(u16::from_be_bytes([octets[2], octets[3]]));
    let needed = total.max(header_len);
    if octets.len() < needed || total < header_len {
        return Err(Refusal::TooShort { found: octets.len().min(total), needed });
    }
    Ok(View { header: &octets[..header_len], payload: &octets[header_len..total], protocol: octets[9] })
}
