//! The VRRP message itself: what stands between the IP (or authentication) header and the trailer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use types::{Family, Priority, VrrpVersion};

/// Octets before the addresses.
pub(super) const FIXED_LEN: usize = 8;
/// Octets of version 2's authentication data.
pub(super) const AUTHENTICATION_DATA_LEN: usize = 8;
/// The only type there is.
pub(super) const TYPE_ADVERTISEMENT: u8 = 1;
/// Where the checksum stands.
pub(super) const CHECKSUM_AT: usize = 6;

/// The fixed part of both versions.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------+-------+---------------+---------------+---------------+
/// |version| type  |     VRID      |   priority    | address count |
/// +-------+-------+---------------+---------------+---------------+
/// |   v2: authentication type     |                               |
/// |       + interval in seconds   |           checksum            |
/// |   v3: reserved (4) + interval |                               |
/// |       in centiseconds (12)    |                               |
/// +-------------------------------+-------------------------------+
/// |            addresses: 4 or 16 octets each                     |
/// |            v2: 8 octets of authentication data                |
/// +---------------------------------------------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fixed {
    /// Version nibble: 2 or 3 when it is one of ours.
    pub(super) version: u8,
    /// Type nibble.
    pub(super) kind: u8,
    /// Virtual router.
    pub(super) vrid: u8,
    /// Sender's priority.
    pub(super) priority: Priority,
    /// Number of addresses.
    pub(super) count: u8,
    /// Octet 4: authentication type of version 2.
    octet_4: u8,
    /// Octet 5: seconds of version 2.
    octet_5: u8,
    /// As received.
    pub(super) checksum: u16,
}

impl Fixed {
    /// Reads the fixed part; `None` where it is not all there.
    pub(super) fn parse(message: &[u8]) -> Option<Self> {
        let [first, vrid, priority, count, octet_4, octet_5, sum_high, sum_low] =
            *message.first_chunk::<FIXED_LEN>()?;
        Some(Self {
            version: first >> 4,
            kind: first & 0x0F,
            vrid,
            priority: Priority::new(priority),
            count,
            octet_4,
            octet_5,
            checksum: u16::from_be_bytes([sum_high, sum_low]),
        })
    }

    /// Version 2: authentication type.
    pub(super) fn authentication_type(self) -> u8 {
        self.octet_4
    }

    /// Version 2: interval in seconds.
    pub(super) fn seconds(self) -> u8 {
        self.octet_5
    }

    /// Version 3: interval in hundredths of a second; the reserved bits are not looked at (RFC 9568 §5.2.6).
    pub(super) fn centiseconds(self) -> u16 {
        u16::from_be_bytes([self.octet_4, self.octet_5]) & 0x0FFF
    }

    /// Octets that a message of this version with this many addresses has.
    pub(super) fn message_len(self, family: Family) -> usize {
        let authentication = if self.version == VrrpVersion::V2.number() { AUTHENTICATION_DATA_LEN } else { 0 };
        FIXED_LEN + usize::from(self.count) * family.address_len() + authentication
    }
}

/// The addresses of a message whose length was checked.
pub(super) fn addresses(list: &[u8], family: Family) -> Vec<IpAddr> {
    match family {
        Family::Inet => {
            list.as_chunks::<4>().0.iter().map(|octets| IpAddr::V4(Ipv4Addr::from_octets(*octets))).collect()
        }
        Family::Inet6 => {
            list.as_chunks::<16>().0.iter().map(|octets| IpAddr::V6(Ipv6Addr::from_octets(*octets))).collect()
        }
    }
}

/// Password as eight octets: cut or padded with zero (RFC 2338 §5.3.10).
pub(super) fn password_octets(secret: &[u8]) -> [u8; AUTHENTICATION_DATA_LEN] {
    let mut octets = [0; AUTHENTICATION_DATA_LEN];
    for (octet, from) in octets.iter_mut().zip(secret) {
        *octet = *from;
    }
    octets
}
