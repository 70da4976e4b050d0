//! Why a packet was refused, and which counter that moves.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use types::{Ttl, VrrpVersion};

/// What is counted, in the words of keepalived's JSON statistics where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counter {
    /// `packet_len_err`.
    PacketLength,
    /// `ip_ttl_err`.
    IpTtl,
    /// `advert_interval_err`.
    AdvertInterval,
    /// `invalid_type_rcvd`.
    InvalidType,
    /// `addr_list_err`.
    AddressList,
    /// `invalid_authtype`.
    InvalidAuthType,
    /// `authtype_mismatch`.
    AuthTypeMismatch,
    /// `auth_failure`.
    AuthFailure,
    /// `auth_ext_missing`.
    TrailerMissing,
    /// `auth_ext_malformed`.
    TrailerMalformed,
    /// `auth_ext_unknown_key`.
    TrailerUnknownKey,
    /// `auth_ext_invalid_hmac`.
    TrailerInvalidHmac,
    /// `auth_ext_stale`.
    TrailerStale,
    /// `auth_ext_replay`.
    TrailerReplay,
    /// Version differs: counted for all instances together (SNMP `vrrpRouterVersionErrors`).
    Version,
    /// Checksum differs: counted for all instances together (SNMP `vrrpRouterChecksumErrors`).
    Checksum,
    /// VRID of nobody: counted for all instances together (SNMP `vrrpRouterVrIdErrors`).
    Vrid,
    /// Dropped on purpose by an owner that ignores adverts; not an error.
    Ignored,
}

/// Why a packet is not an advert for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Fewer octets than the fixed parts need, or than the packet itself claims.
    TooShort {
        /// Octets there, from the IPv4 header on (IPv6: after the header).
        found: usize,
        /// Octets needed.
        needed: usize,
    },
    /// The IPv4 header is none: version, header length, fragment or protocol.
    IpHeader,
    /// The length differs from what the number of addresses asks for.
    Length {
        /// Octets there, from the IPv4 header on (IPv6: after the header).
        found: usize,
        /// Octets that there should be.
        expected: usize,
    },
    /// It crossed a router: TTL or hop limit is not 255 (multicast).
    Ttl {
        /// As received.
        found: Ttl,
    },
    /// Another VRRP version.
    Version {
        /// As received.
        found: u8,
        /// Ours.
        expected: u8,
    },
    /// VRID is not ours (the caller looked up the wrong instance, or 0).
    Vrid {
        /// As received.
        found: u8,
    },
    /// Not an advertisement.
    Type {
        /// As received.
        found: u8,
    },
    /// Message (or, over IPv6, with its pseudo header) does not add up.
    Checksum {
        /// Version of the advert.
        version: VrrpVersion,
        /// As received.
        found: u16,
        /// What it should be.
        expected: u16,
    },
    /// v2: interval differs from ours; v3: interval 0.
    Interval {
        /// As received: seconds (v2) or hundredths of a second (v3).
        found: u16,
        /// Ours, in the same unit.
        expected: u16,
    },
    /// v2: an authentication type that does not exist.
    InvalidAuthType {
        /// As received.
        found: u8,
    },
    /// v2: an authentication type other than ours.
    AuthTypeMismatch {
        /// As received.
        found: u8,
        /// Ours.
        expected: u8,
    },
    /// v2: another password.
    Password,
    /// Authentication header: it is malformed.
    HeaderMalformed,
    /// Authentication header: the check value differs.
    HeaderCheckValue,
    /// Authentication header: SPI is not the sender's address.
    HeaderSpi {
        /// As received.
        found: u32,
    },
    /// Authentication header: sequence number seen before.
    HeaderReplay {
        /// As received.
        found: u32,
        /// Newest one that was accepted.
        newest: u32,
    },
    /// `auth_hmac`: no trailer although `mode enforce`.
    TrailerMissing,
    /// `auth_hmac`: unknown type or reserved bits set.
    TrailerMalformed,
    /// `auth_hmac`: key id that we do not have.
    TrailerUnknownKey {
        /// As received.
        key: u8,
    },
    /// `auth_hmac`: the digest differs.
    TrailerInvalidHmac,
    /// `auth_hmac`: clocks differ by more than the window.
    TrailerStale {
        /// Sender's clock minus ours, in seconds.
        skew: i64,
        /// Accepted difference, in seconds.
        window: u64,
    },
    /// `auth_hmac`: seen before.
    TrailerReplay,
    /// Sent to a group though we expect unicast, or the reverse.
    Cast {
        /// Destination in the IP header.
        destination: IpAddr,
        /// Whether we are configured for unicast.
        unicast_expected: bool,
    },
    /// We own the addresses and ignore adverts (`owner_ignore_adverts`).
    Ignored,
    /// v3: no address listed though we list some (RFC 9568 §5.2.5, erratum 8299).
    NoAddress,
    /// Strict mode, IPv6: the first address is not link-local (RFC 9568 §5.2.9).
    FirstAddressNotLinkLocal {
        /// The first one.
        found: IpAddr,
    },
    /// Unicast: the sender is not one of our peers.
    UnknownPeer,
    /// Unicast: TTL outside the peer's `min_ttl` to `max_ttl`.
    PeerTtl {
        /// As received.
        found: Ttl,
        /// Lowest accepted.
        min: Ttl,
        /// Highest accepted.
        max: Ttl,
    },
}

impl Refusal {
    /// The counter to move.
    pub fn counter(&self) -> Counter {
        match self {
            Self::TooShort { .. } | Self::IpHeader | Self::Length { .. } => Counter::PacketLength,
            Self::Ttl { .. } | Self::PeerTtl { .. } => Counter::IpTtl,
            Self::Version { .. } => Counter::Version,
            Self::Vrid { .. } => Counter::Vrid,
            Self::Type { .. } => Counter::InvalidType,
            Self::Checksum { .. } => Counter::Checksum,
            Self::Interval { .. } => Counter::AdvertInterval,
            Self::InvalidAuthType { .. } => Counter::InvalidAuthType,
            Self::AuthTypeMismatch { .. } => Counter::AuthTypeMismatch,
            Self::Password
            | Self::HeaderMalformed
            | Self::HeaderCheckValue
            | Self::HeaderSpi { .. }
            | Self::HeaderReplay { .. } => Counter::AuthFailure,
            Self::TrailerMissing => Counter::TrailerMissing,
            Self::TrailerMalformed => Counter::TrailerMalformed,
            Self::TrailerUnknownKey { .. } => Counter::TrailerUnknownKey,
            Self::TrailerInvalidHmac => Counter::TrailerInvalidHmac,
            Self::TrailerStale { .. } => Counter::TrailerStale,
            Self::TrailerReplay => Counter::TrailerReplay,
            Self::Cast { .. } | Self::NoAddress | Self::FirstAddressNotLinkLocal { .. } | Self::UnknownPeer => {
                Counter::AddressList
            }
            Self::Ignored => Counter::Ignored,
        }
    }
}

/// What was wrong, to stand between `(NAME) ` and the sender in a log line; the first words are keepalived's.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { found, needed } => {
                write!(f, "vrrp packet too short, length {found} and expect {needed}")
            }
            Self::IpHeader => f.write_str("IP header is malformed or not one of VRRP"),
            Self::Length { found, expected } => {
                write!(f, "vrrp packet too long, length {found} and expect {expected}")
            }
            Self::Ttl { found } => write!(f, "invalid TTL/HL. Received {} and expect 255", found.0),
            Self::Version { found, expected } => write!(f, "wrong version. Received {found} and expect {expected}"),
            Self::Vrid { found } => write!(f, "VRID {found} is not ours"),
            Self::Type { found } => write!(f, "Invalid packet type. {found} and expect 1"),
            Self::Checksum { version, found, expected } => {
                write!(f, "Invalid VRRPv{version} checksum 0x{found:04x}, 0x{expected:04x} expected")
            }
            Self::Interval { found, expected } => {
                write!(f, "advertisement interval mismatch mine={expected} rcv'd={found}")
            }
            Self::InvalidAuthType { found } => write!(f, "Invalid auth type: {found}"),
            Self::AuthTypeMismatch { found, expected } => write!(f, "received a {found} auth, expecting {expected}!"),
            Self::Password => f.write_str("received an invalid passwd! (check auth_pass on both)"),
            Self::HeaderMalformed => f.write_str("IPSEC-AH : malformed header"),
            Self::HeaderCheckValue => {
                f.write_str("IPSEC-AH : invalid IPSEC HMAC-MD5 value. Due to fields mutation or bad password !")
            }
            Self::HeaderSpi { found } => {
                write!(f, "IPSEC-AH : invalid IPSEC SPI value. {} and expect the address", Ipv4Addr::from_bits(*found))
            }
            Self::HeaderReplay { found, newest } => {
                write!(f, "IPSEC-AH : sequence number {found} already processed. Packet dropped. Local({newest})")
            }
            Self::TrailerMissing => f.write_str("missing authentication trailer"),
            Self::TrailerMalformed => f.write_str("malformed authentication trailer"),
            Self::TrailerUnknownKey { key } => write!(f, "unknown authentication key id {key}"),
            Self::TrailerInvalidHmac => f.write_str("invalid authentication HMAC"),
            Self::TrailerStale { skew, window } => {
                write!(f, "stale authentication trailer, clock skew {skew} sec exceeds window {window} sec")
            }
            Self::TrailerReplay => f.write_str("replayed authentication trailer"),
            Self::Cast { destination, unicast_expected: true } => {
                write!(f, "multicast advert to {destination}, but unicast is configured")
            }
            Self::Cast { destination, unicast_expected: false } => {
                write!(f, "unicast advert to {destination}, but multicast is configured")
            }
            Self::Ignored => f.write_str("dropped since we are address owner"),
            Self::NoAddress => f.write_str("received an unexpected ip number count 0"),
            Self::FirstAddressNotLinkLocal { found } => write!(f, "first address {found} is not link-local"),
            Self::UnknownPeer => f.write_str("sender is not one of unicast_peer"),
            Self::PeerTtl { found, min, max } => {
                write!(f, "invalid TTL/HL. Received {} and expect {} to {} of this peer", found.0, min.0, max.0)
            }
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    /// As logged by keepalived 2.2.7 for the same packets (it adds no sender).
    #[test]
    fn refusals_begin_with_the_words_that_operators_search_for() {
        for (refusal, text) in [
            (Refusal::Ttl { found: Ttl(254) }, "invalid TTL/HL. Received 254 and expect 255"),
            (Refusal::Version { found: 3, expected: 2 }, "wrong version. Received 3 and expect 2"),
            (Refusal::Type { found: 2 }, "Invalid packet type. 2 and expect 1"),
            (Refusal::AuthTypeMismatch { found: 1, expected: 0 }, "received a 1 auth, expecting 0!"),
            (Refusal::InvalidAuthType { found: 3 }, "Invalid auth type: 3"),
            (Refusal::Password, "received an invalid passwd!"),
            (Refusal::TooShort { found: 30, needed: 40 }, "vrrp packet too short, length 30 and expect 40"),
            (Refusal::Length { found: 44, expected: 40 }, "vrrp packet too long, length 44 and expect 40"),
            (Refusal::Checksum { version: VrrpVersion::V2, found: 1, expected: 2 }, "Invalid VRRPv2 checksum"),
            (
                Refusal::HeaderCheckValue,
                "IPSEC-AH : invalid IPSEC HMAC-MD5 value. Due to fields mutation or bad password !",
            ),
            (
                Refusal::HeaderReplay { found: 1, newest: 32 },
                "IPSEC-AH : sequence number 1 already processed. Packet dropped. Local(32)",
            ),
        ] {
            assert!(refusal.to_string().starts_with(text), "{refusal}");
        }
    }
}
