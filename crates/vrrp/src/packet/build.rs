//! From an advert to octets, one copy for each destination.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use types::{CentiSeconds, Family, Priority, Ttl, Vrid, VrrpVersion};

use super::checksum::Sum;
use super::memory::Memory;
use super::message::{AUTHENTICATION_DATA_LEN, CHECKSUM_AT, FIXED_LEN, TYPE_ADVERTISEMENT, password_octets};
use super::receive::{GROUP, authentication_type};
use super::{PROTOCOL_AH, PROTOCOL_VRRP, authentication_header, ip, trailer};
use crate::config::{Authentication, Cast, ChecksumV3, InstanceConfig};
use crate::event::Destination;

/// An advert that is to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Version; IPv6 is always version 3.
    pub version: VrrpVersion,
    /// Virtual router.
    pub vrid: Vrid,
    /// Effective priority; 0 when leaving.
    pub priority: Priority,
    /// Interval to announce.
    pub interval: CentiSeconds,
    /// Source address in the IP header; its family is the family of the advert.
    pub source: IpAddr,
    /// Addresses to list, all of the same family, at most 255.
    pub addresses: &'a [IpAddr],
    /// The group or the peers.
    pub cast: &'a Cast,
    /// How we prove who we are.
    pub authentication: &'a Authentication,
    /// v3 over IPv4: what the checksum covers.
    pub checksum: ChecksumV3,
}

impl<'a> Outgoing<'a> {
    /// The advert of an instance configured like this.
    pub fn of(config: &'a InstanceConfig, source: IpAddr, priority: Priority) -> Self {
        Self {
            version: config.version,
            vrid: config.vrid,
            priority,
            interval: config.interval,
            source,
            addresses: &config.advertised,
            cast: &config.cast,
            authentication: &config.authentication,
            checksum: config.checksum,
        }
    }
}

/// One copy of an advert for the group or for each peer, ready for the socket: IPv4 with its IP header
/// (IP_HDRINCL), IPv6 the message alone.
///
/// Identification, sequence number and trailer are made once and are the same in all copies. `utc` is the time since the epoch,
/// looked at by `auth_hmac` alone.
pub fn build(outgoing: &Outgoing<'_>, memory: &mut Memory, utc: Duration) -> Vec<Destination> {
    let message = message_without_checksum(outgoing);
    let trailer = match outgoing.authentication {
        Authentication::Hmac(config) => trailer::sign(config, outgoing.source, &message, memory, utc),
        Authentication::None | Authentication::Password(_) | Authentication::AuthenticationHeader(_) => None,
    };
    let header = match outgoing.authentication {
        Authentication::AuthenticationHeader(key) if outgoing.version == VrrpVersion::V2 => {
            Some((key, memory.next_sequence()))
        }
        _ => None,
    };
    let identification = match outgoing.source {
        IpAddr::V4(_) => memory.next_identification(),
        IpAddr::V6(_) => 0,
    };
    let checksum = match outgoing.checksum {
        ChecksumV3::PseudoHeader if memory.uses_old_unicast_checksum() => ChecksumV3::OldUnicast,
        configured => configured,
    };

    let copy = |destination: IpAddr, ttl: Ttl| {
        let (octets, unicast) = match (outgoing.source, destination) {
            (IpAddr::V4(source), IpAddr::V4(to)) => {
                let mut message = message.clone();
                let pseudo = match (outgoing.version, checksum) {
                    (VrrpVersion::V2, _) | (_, ChecksumV3::MessageOnly) => Sum::default(),
                    (_, ChecksumV3::OldUnicast) if !to.is_multicast() => Sum::pseudo_v4(source, GROUP, message.len()),
                    _ => Sum::pseudo_v4(source, to, message.len()),
                };
                put_checksum(&mut message, pseudo);
                message.extend_from_slice(trailer.as_ref().map_or(&[], |trailer| trailer.as_slice()));
                let sequence = header.map(|(_, sequence)| sequence);
                (with_ip_header((source, to), ttl, identification, sequence, &message), !to.is_multicast())
            }
            (source, to) => {
                let mut message = message.clone();
                message.extend_from_slice(trailer.as_ref().map_or(&[], |trailer| trailer.as_slice()));
                let pseudo = Sum::pseudo(source, to, message.len());
                put_checksum(&mut message, pseudo);
                (message, !to.is_multicast())
            }
        };
        let mut octets = octets;
        if let Some((key, _)) = header {
            authentication_header::sign(key, unicast, &mut octets);
        }
        Destination { address: destination, ttl, octets }
    };

    match outgoing.cast {
        Cast::Multicast { group } => vec![copy(*group, Ttl::MAX)],
        Cast::Unicast { peers, ttl, .. } => peers.iter().map(|peer| copy(peer.address, *ttl)).collect(),
    }
}

/// The message with a checksum of zero.
fn message_without_checksum(outgoing: &Outgoing<'_>) -> Vec<u8> {
    let family = Family::of(outgoing.source);
    let addresses = outgoing.addresses.iter().filter(|address| Family::of(**address) == family).take(255);
    let mut message = Vec::with_capacity(
        FIXED_LEN + outgoing.addresses.len() * family.address_len() + AUTHENTICATION_DATA_LEN + trailer::LEN,
    );
    message.extend_from_slice(&[
        outgoing.version.number() << 4 | TYPE_ADVERTISEMENT,
        outgoing.vrid.get(),
        outgoing.priority.get(),
        addresses.clone().count() as u8,
    ]);
    message.extend_from_slice(&match outgoing.version {
        VrrpVersion::V2 => [authentication_type(outgoing.authentication), outgoing.interval.as_v2_seconds()],
        VrrpVersion::V3 => outgoing.interval.min(CentiSeconds::MAX_V3).get().to_be_bytes(),
    });
    message.extend_from_slice(&[0, 0]);
    for address in addresses {
        match address {
            IpAddr::V4(address) => message.extend_from_slice(&address.octets()),
            IpAddr::V6(address) => message.extend_from_slice(&address.octets()),
        }
    }
    if outgoing.version == VrrpVersion::V2 {
        message.extend_from_slice(&match outgoing.authentication {
            Authentication::Password(secret) => password_octets(secret.expose()),
            Authentication::None | Authentication::AuthenticationHeader(_) | Authentication::Hmac(_) => {
                [0; AUTHENTICATION_DATA_LEN]
            }
        });
    }
    message
}

/// Fills in the checksum of a message whose checksum is zero.
fn put_checksum(message: &mut [u8], pseudo: Sum) {
    let checksum = pseudo.add(message).finish();
    message[CHECKSUM_AT..CHECKSUM_AT + 2].copy_from_slice(&checksum.to_be_bytes());
}

/// IP header, unsigned authentication header where there is a `sequence`, message.
fn with_ip_header(
    (source, destination): (Ipv4Addr, Ipv4Addr),
    ttl: Ttl,
    identification: u16,
    sequence: Option<u32>,
    message: &[u8],
) -> Vec<u8> {
    let header = sequence.map(|sequence| authentication_header::unsigned(source.octets(), sequence));
    let header = header.as_ref().map_or(&[][..], |header| header.as_slice());
    let protocol = if header.is_empty() { PROTOCOL_VRRP } else { PROTOCOL_AH };
    let ip_header = ip::header(source, destination, ttl, identification, protocol, header.len() + message.len());
    [&ip_header, header, message].concat()
}
