//! From octets to an advert, or to the reason why they are none.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use subtle::ConstantTimeEq;
use types::{CentiSeconds, Family, Instant, Priority, Vrid, VrrpVersion};

use super::checksum::Sum;
use super::memory::Memory;
use super::message::{self, AUTHENTICATION_DATA_LEN, FIXED_LEN, Fixed, TYPE_ADVERTISEMENT, password_octets};
use super::refusal::{Counter, Refusal};
use super::replay::Sender;
use super::{PROTOCOL_AH, PROTOCOL_VRRP, authentication_header, ip, trailer};
use crate::config::{Authentication, Cast, ChecksumV3, HmacMode, InstanceConfig};
use crate::event::ReceivedPacket;

/// 224.0.0.18: the destination in the pseudo header of keepalived before 1.3.6, unicast included.
pub(super) const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// What a valid advert says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedAdvert {
    /// Sender, as the IP header names it.
    pub source: IpAddr,
    /// Version.
    pub version: VrrpVersion,
    /// Virtual router.
    pub vrid: Vrid,
    /// Sender's priority; 0 when it is leaving.
    pub priority: Priority,
    /// Interval that the sender announces.
    pub interval: CentiSeconds,
    /// Addresses that it lists, in its order.
    pub addresses: Vec<IpAddr>,
    /// What is odd about it though it is accepted.
    pub remarks: Vec<Remark>,
}

/// Something to log (once) and perhaps to count about an advert that is valid nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// v3: the interval differs from ours (RFC 9568 §7.1); a backup adopts it.
    Interval {
        /// As received.
        found: CentiSeconds,
        /// Ours.
        own: CentiSeconds,
    },
    /// v3 over IPv4: the checksum only matches with 224.0.0.18 as destination; we send the same from now on.
    OldUnicastChecksum,
    /// v3 over IPv4: the checksum covers the message alone, as RFC 9568 §5.2.8 says.
    MessageOnlyChecksum,
    /// Another number of addresses than ours.
    AddressCount {
        /// As received.
        found: usize,
        /// Ours.
        own: usize,
    },
    /// An address of ours is not listed.
    AddressMissing(IpAddr),
    /// `auth_hmac`: the clocks differ by more than half the window.
    ClockSkew {
        /// Sender's clock minus ours, in seconds.
        skew: i64,
        /// Accepted difference, in seconds.
        window: u64,
    },
}

impl Remark {
    /// The counter to move, for those that keepalived counts.
    pub fn counter(&self) -> Option<Counter> {
        match self {
            Self::AddressCount { .. } | Self::AddressMissing(_) => Some(Counter::AddressList),
            Self::Interval { .. } | Self::OldUnicastChecksum | Self::MessageOnlyChecksum | Self::ClockSkew { .. } => {
                None
            }
        }
    }
}

/// What an instance accepts.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Family of the adverts.
    pub family: Family,
    /// Version.
    pub version: VrrpVersion,
    /// Virtual router.
    pub vrid: Vrid,
    /// Our own interval.
    pub interval: CentiSeconds,
    /// How senders prove who they are.
    pub authentication: &'a Authentication,
    /// v3 over IPv4: what the checksum covers.
    pub checksum: ChecksumV3,
    /// Multicast or unicast, and from whom.
    pub cast: &'a Cast,
    /// Addresses that we list.
    pub addresses: &'a [IpAddr],
    /// `skip_check_adv_addr` and the sender is the master whose list was compared before.
    pub skip_addresses: bool,
    /// `owner_ignore_adverts`, and we are the owner.
    pub ignore: bool,
    /// `strict_mode`.
    pub strict: bool,
}

impl<'a> Expected<'a> {
    /// What an instance configured like this accepts; [`skip_addresses`](Self::skip_addresses) is the caller's to set.
    pub fn of(config: &'a InstanceConfig) -> Self {
        Self {
            family: config.family,
            version: config.version,
            vrid: config.vrid,
            interval: config.interval,
            authentication: &config.authentication,
            checksum: config.checksum,
            cast: &config.cast,
            addresses: &config.advertised,
            skip_addresses: false,
            ignore: config.owner_ignore_adverts && config.priority.is_owner(),
            strict: config.strict,
        }
    }
}

/// VRID octet of a packet, also behind an authentication header: enough to look the instance up, nothing is checked.
///
/// `None` where the packet is too short or not one of VRRP.
pub fn peek_vrid(packet: &ReceivedPacket<'_>) -> Option<u8> {
    let parts = split(packet).ok()?;
    parts.message.get(1).copied()
}

/// Checks a packet in keepalived's order and returns the advert in it.
///
/// `now` is the monotonic clock, `utc` the time since the epoch (for `auth_hmac` alone). `memory` changes only by
/// what was proven: a sequence number or stamp after its digest, an old checksum after it matched.
pub fn receive(
    packet: &ReceivedPacket<'_>,
    expected: &Expected<'_>,
    memory: &mut Memory,
    now: Instant,
    utc: Duration,
) -> Result<ReceivedAdvert, Refusal> {
    let mut remarks = Vec::new();

    let parts = split(packet)?;
    let before = parts.before();
    let too_short = |needed| Refusal::TooShort { found: before + parts.message.len(), needed: before + needed };
    let fixed = Fixed::parse(parts.message).ok_or_else(|| too_short(FIXED_LEN))?;
    if fixed.vrid != expected.vrid.get() {
        return Err(Refusal::Vrid { found: fixed.vrid });
    }
    let message_len = fixed.message_len(expected.family);
    let pdu = parts.message.get(..message_len).ok_or_else(|| too_short(message_len))?;
    let rest = &parts.message[message_len..];

    if packet.destination.is_multicast() && packet.ttl.0 != 255 {
        return Err(Refusal::Ttl { found: packet.ttl });
    }
    if fixed.version != expected.version.number() {
        return Err(Refusal::Version { found: fixed.version, expected: expected.version.number() });
    }

    let rest = match expected.authentication {
        Authentication::Hmac(config) => match <&[u8; trailer::LEN]>::try_from(rest) {
            Ok(found) => {
                let peers = match expected.cast {
                    Cast::Multicast { .. } => 0,
                    Cast::Unicast { peers, .. } => peers.len(),
                };
                let sender = Sender { address: packet.source, peers };
                if let Some(skew) = trailer::verify(config, sender, pdu, found, memory, now, utc)? {
                    remarks.push(Remark::ClockSkew { skew, window: config.time_window.as_secs() });
                }
                &[]
            }
            Err(_) => match config.mode {
                HmacMode::Enforce => return Err(Refusal::TrailerMissing),
                HmacMode::Permissive | HmacMode::ReceiveOnly => rest,
            },
        },
        Authentication::None | Authentication::Password(_) | Authentication::AuthenticationHeader(_) => rest,
    };

    if expected.version == VrrpVersion::V2 {
        authenticate_v2(packet, expected.authentication, &parts, fixed, pdu, memory)?;
        if fixed.seconds() != expected.interval.as_v2_seconds() {
            return Err(Refusal::Interval {
                found: u16::from(fixed.seconds()),
                expected: u16::from(expected.interval.as_v2_seconds()),
            });
        }
    } else if parts.header.is_some() {
        return Err(Refusal::AuthTypeMismatch { found: 2, expected: 0 });
    }
    if fixed.kind != TYPE_ADVERTISEMENT {
        return Err(Refusal::Type { found: fixed.kind });
    }
    if !rest.is_empty() {
        return Err(Refusal::Length { found: before + parts.message.len(), expected: before + message_len });
    }

    let interval = match expected.version {
        VrrpVersion::V2 => expected.interval,
        VrrpVersion::V3 => {
            let zero = Refusal::Interval { found: 0, expected: expected.interval.get() };
            let found = CentiSeconds::new(fixed.centiseconds()).map_err(|_| zero)?;
            if found != expected.interval {
                remarks.push(Remark::Interval { found, own: expected.interval });
            }
            found
        }
    };
    verify_checksum(packet, expected, parts.message, pdu, memory, &mut remarks)?;

    let unicast_expected = matches!(expected.cast, Cast::Unicast { .. });
    if packet.destination.is_multicast() == unicast_expected {
        return Err(Refusal::Cast { destination: packet.destination, unicast_expected });
    }
    if expected.ignore {
        return Err(Refusal::Ignored);
    }

    let list = &pdu[FIXED_LEN..FIXED_LEN + usize::from(fixed.count) * expected.family.address_len()];
    let addresses = message::addresses(list, expected.family);
    compare_addresses(expected, &addresses, &mut remarks)?;
    check_peer(packet, expected.cast)?;

    Ok(ReceivedAdvert {
        source: packet.source,
        version: expected.version,
        vrid: expected.vrid,
        priority: fixed.priority,
        interval,
        addresses,
        remarks,
    })
}

/// A packet cut at its headers.
struct Parts<'a> {
    /// IPv4 header; empty for IPv6.
    ip_header: &'a [u8],
    /// Authentication header, where there is one.
    header: Option<authentication_header::View<'a>>,
    /// The VRRP message and what follows it.
    message: &'a [u8],
}

impl Parts<'_> {
    /// Octets in front of the message.
    fn before(&self) -> usize {
        self.ip_header.len() + self.header.map_or(0, |_| authentication_header::LEN)
    }
}

/// Cuts a packet at its headers.
fn split<'a>(packet: &ReceivedPacket<'a>) -> Result<Parts<'a>, Refusal> {
    if packet.source.is_ipv6() {
        return Ok(Parts { ip_header: &[], header: None, message: packet.octets });
    }
    let view = ip::view(packet.octets)?;
    match view.protocol {
        PROTOCOL_VRRP => Ok(Parts { ip_header: view.header, header: None, message: view.payload }),
        PROTOCOL_AH => {
            let header = authentication_header::view(view.payload)?;
            Ok(Parts { ip_header: view.header, header: Some(header), message: header.message })
        }
        _ => Err(Refusal::IpHeader),
    }
}

/// Authentication type, password and authentication header (RFC 2338 §5.3.6; RFC 3768 §5.3.6).
fn authenticate_v2(
    packet: &ReceivedPacket<'_>,
    authentication: &Authentication,
    parts: &Parts<'_>,
    fixed: Fixed,
    pdu: &[u8],
    memory: &mut Memory,
) -> Result<(), Refusal> {
    let own = authentication_type(authentication);
    let found = fixed.authentication_type();
    if found > 2 {
        return Err(Refusal::InvalidAuthType { found });
    }
    if found != own || parts.header.is_some() != (own == 2) {
        return Err(Refusal::AuthTypeMismatch { found, expected: own });
    }
    match authentication {
        Authentication::None | Authentication::Hmac(_) => Ok(()),
        Authentication::Password(secret) => {
            let data = pdu.last_chunk::<AUTHENTICATION_DATA_LEN>().ok_or(Refusal::Password)?;
            let same: bool = password_octets(secret.expose()).ct_eq(data).into();
            if same { Ok(()) } else { Err(Refusal::Password) }
        }
        Authentication::AuthenticationHeader(key) => {
            let header = parts.header.ok_or(Refusal::HeaderMalformed)?;
            if !header.verifies(key, parts.ip_header, !packet.destination.is_multicast()) {
                return Err(Refusal::HeaderCheckValue);
            }
            if IpAddr::V4(Ipv4Addr::from_bits(header.spi)) != packet.source {
                return Err(Refusal::HeaderSpi { found: header.spi });
            }
            let newest = memory.sequence();
            if !memory.accept_sequence(header.sequence) {
                return Err(Refusal::HeaderReplay { found: header.sequence, newest });
            }
            Ok(())
        }
    }
}

/// The authentication type octet of version 2.
pub(super) fn authentication_type(authentication: &Authentication) -> u8 {
    match authentication {
        Authentication::None | Authentication::Hmac(_) => 0,
        Authentication::Password(_) => 1,
        Authentication::AuthenticationHeader(_) => 2,
    }
}

/// RFC 9568 §5.2.8 and what peers make of it.
///
/// | version, family | covers |
/// |---|---|
/// | v2 | message with authentication data, no pseudo header |
/// | v3, IPv4 | pseudo header and message; the variants of [`ChecksumV3`] are recognised |
/// | v3, IPv6 | pseudo header and everything after the IP header, a trailer included (the kernel computes it so) |
fn verify_checksum(
    packet: &ReceivedPacket<'_>,
    expected: &Expected<'_>,
    everything: &[u8],
    pdu: &[u8],
    memory: &mut Memory,
    remarks: &mut Vec<Remark>,
) -> Result<(), Refusal> {
    // A sum over everything, the received checksum included, is zero when the checksum is right.
    let right = |pseudo: Sum, octets: &[u8]| pseudo.add(octets).finish() == 0;
    let version = expected.version;
    let wrong = |pseudo: Sum, octets: &[u8]| {
        let found = u16::from_be_bytes([octets[message::CHECKSUM_AT], octets[message::CHECKSUM_AT + 1]]);
        let expected = pseudo.add(&octets[..message::CHECKSUM_AT]).add(&octets[message::CHECKSUM_AT + 2..]).finish();
        Err(Refusal::Checksum { version, found, expected })
    };
    let (source, destination) = match (expected.version, packet.source, packet.destination) {
        (VrrpVersion::V2, ..) => {
            let none = Sum::default();
            return if right(none, pdu) { Ok(()) } else { wrong(none, pdu) };
        }
        (VrrpVersion::V3, IpAddr::V4(source), IpAddr::V4(destination)) => (source, destination),
        (VrrpVersion::V3, source, destination) => {
            let pseudo = Sum::pseudo(source, destination, everything.len());
            return if right(pseudo, everything) { Ok(()) } else { wrong(pseudo, everything) };
        }
    };
    let pseudo = Sum::pseudo_v4(source, destination, pdu.len());
    if right(pseudo, pdu) {
        return Ok(());
    }
    let recognises_old = match expected.checksum {
        // Received checksums are not enforced: the peers of such a router compute them in more than one way.
        ChecksumV3::MessageOnly => return Ok(()),
        ChecksumV3::PseudoHeader | ChecksumV3::OldUnicast => !destination.is_multicast(),
        ChecksumV3::PseudoHeaderOnly => false,
    };
    if recognises_old && right(Sum::pseudo_v4(source, GROUP, pdu.len()), pdu) {
        if expected.checksum == ChecksumV3::PseudoHeader && !memory.old_unicast_checksum {
            memory.old_unicast_checksum = true;
            remarks.push(Remark::OldUnicastChecksum);
        }
        return Ok(());
    }
    if right(Sum::default(), pdu) {
        remarks.push(Remark::MessageOnlyChecksum);
        return Ok(());
    }
    wrong(pseudo, pdu)
}

/// Compares the list with ours: a difference is remarked, never a reason to drop (keepalived since 2.3.3).
fn compare_addresses(expected: &Expected<'_>, found: &[IpAddr], remarks: &mut Vec<Remark>) -> Result<(), Refusal> {
    if found.is_empty() && expected.version == VrrpVersion::V3 && !expected.addresses.is_empty() {
        return Err(Refusal::NoAddress);
    }
    if let (true, Some(IpAddr::V6(first))) = (expected.strict, found.first())
        && !first.is_unicast_link_local()
    {
        return Err(Refusal::FirstAddressNotLinkLocal { found: IpAddr::V6(*first) });
    }
    if expected.skip_addresses {
        return Ok(());
    }
    if found.len() != expected.addresses.len() {
        remarks.push(Remark::AddressCount { found: found.len(), own: expected.addresses.len() });
        return Ok(());
    }
    // Both lists are in the order of their files, so most often they are simply equal.
    if found != expected.addresses
        && let Some(missing) = expected.addresses.iter().find(|address| !found.contains(address))
    {
        remarks.push(Remark::AddressMissing(*missing));
    }
    Ok(())
}

/// Unicast: the sender must be a peer within its TTL range, where the configuration asks for that.
fn check_peer(packet: &ReceivedPacket<'_>, cast: &Cast) -> Result<(), Refusal> {
    let Cast::Unicast { peers, check_source: true, .. } = cast else { return Ok(()) };
    let peer = peers.iter().find(|peer| peer.address == packet.source).ok_or(Refusal::UnknownPeer)?;
    if packet.ttl < peer.min_ttl || packet.ttl > peer.max_ttl {
        return Err(Refusal::PeerTtl { found: packet.ttl, min: peer.min_ttl, max: peer.max_ttl });
    }
    Ok(())
}
