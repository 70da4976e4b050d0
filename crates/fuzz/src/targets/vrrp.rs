//! Adverts. Checksums are repaired before the packet is handed over, else nearly every mutation would end there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use types::{CentiSeconds, Family, IfIndex, Instant, Priority, Secret, Ttl, Vrid, VrrpVersion};
use vrrp::ReceivedPacket;
use vrrp::config::{AntiReplay, Authentication, Cast, ChecksumV3, HmacConfig, HmacMode};
use vrrp::packet::{Expected, Memory, Outgoing, build, peek_vrid, receive};

const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));
const SOURCE_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 10));
const GROUP_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12));
const UTC: Duration = Duration::from_secs(1_700_000_000);
const IPV4_HEADER: usize = 20;

/// Version 2 over IPv4, with and without password.
pub fn vrrp_v2(octets: &[u8]) {
    let octets = repaired(octets, false);
    for authentication in [Authentication::None, Authentication::Password(key())] {
        check(VrrpVersion::V2, SOURCE, &authentication, &octets);
    }
}

/// Version 3 over IPv4.
pub fn vrrp_v3(octets: &[u8]) {
    check(VrrpVersion::V3, SOURCE, &Authentication::None, octets);
    check(VrrpVersion::V3, SOURCE, &Authentication::None, &repaired(octets, true));
}

/// Version 3 over IPv6.
pub fn vrrp_v6(octets: &[u8]) {
    check(VrrpVersion::V3, SOURCE_V6, &Authentication::None, octets);
}

/// Version 2 behind an authentication header.
pub fn vrrp_header(octets: &[u8]) {
    check(VrrpVersion::V2, SOURCE, &Authentication::AuthenticationHeader(key()), octets);
}

/// Both versions with a trailer of `auth_hmac`.
pub fn vrrp_hmac(octets: &[u8]) {
    for (mode, anti_replay) in [(HmacMode::Enforce, AntiReplay::Time), (HmacMode::Permissive, AntiReplay::Monotonic)] {
        let authentication = Authentication::Hmac(hmac(mode, anti_replay));
        check(VrrpVersion::V2, SOURCE, &authentication, octets);
        check(VrrpVersion::V3, SOURCE, &authentication, octets);
        check(VrrpVersion::V3, SOURCE_V6, &authentication, octets);
    }
}

/// Receives, and builds again what was understood: the receiver must see the same advert.
fn check(version: VrrpVersion, source: IpAddr, authentication: &Authentication, octets: &[u8]) {
    let family = Family::of(source);
    let group = if family == Family::Inet { GROUP } else { GROUP_V6 };
    let cast = Cast::Multicast { group };
    fn packet(source: IpAddr, destination: IpAddr, octets: &[u8]) -> ReceivedPacket<'_> {
        ReceivedPacket { interface: IfIndex(2), source, destination, ttl: Ttl::MAX, octets }
    }
    let Some(Ok(vrid)) = peek_vrid(&packet(source, group, octets)).map(Vrid::new) else { return };
    for checksum in [ChecksumV3::PseudoHeader, ChecksumV3::MessageOnly] {
        let expected = Expected {
            family,
            version,
            vrid,
            interval: CentiSeconds::SECOND,
            authentication,
            checksum,
            cast: &cast,
            addresses: &[],
            skip_addresses: true,
            ignore: false,
            strict: false,
        };
        let see = |octets: &[u8], memory: &mut Memory| {
            receive(&packet(source, group, octets), &expected, memory, Instant::ZERO, UTC)
        };
        let Ok(advert) = see(octets, &mut Memory::default()) else { continue };
        let outgoing = Outgoing {
            version,
            vrid,
            priority: advert.priority,
            interval: advert.interval,
            source,
            addresses: &advert.addresses,
            cast: &cast,
            authentication,
            checksum,
        };
        for copy in build(&outgoing, &mut Memory::default(), UTC) {
            let again = see(&copy.octets, &mut Memory::default()).expect("what we build is valid");
            assert_eq!(again.priority, advert.priority);
            assert_eq!(again.interval, advert.interval);
            assert_eq!(again.addresses, advert.addresses);
        }
    }
}

/// The packet with its total length set right and the checksum of its message repaired; `pseudo` adds the pseudo
/// header of the addresses that [`check`] claims.
fn repaired(octets: &[u8], pseudo: bool) -> Vec<u8> {
    let mut octets = octets.to_vec();
    if octets.len() < IPV4_HEADER + 8 || octets.len() > usize::from(u16::MAX) {
        return octets;
    }
    let total = (octets.len() as u16).to_be_bytes();
    octets[2..4].copy_from_slice(&total);
    octets[26..28].fill(0);
    let mut sum: u64 = octets[IPV4_HEADER..]
        .chunks(2)
        .map(|word| u64::from(word[0]) << 8 | u64::from(word.get(1).copied().unwrap_or(0)))
        .sum();
    if pseudo {
        sum += 0xc000 + 0x0201 + 0xe000 + 0x0012 + 112 + (octets.len() - IPV4_HEADER) as u64;
    }
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    octets[26..28].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    octets
}

fn key() -> Secret {
    Secret::new(b"s3cret".to_vec())
}

fn hmac(mode: HmacMode, anti_replay: AntiReplay) -> HmacConfig {
    HmacConfig {
        keys: vec![(7, Secret::new(vec![0xA5; 32]))],
        active_key: 7,
        time_window: Duration::from_secs(5),
        anti_replay,
        mode,
    }
}

fn seeds(version: VrrpVersion, source: IpAddr, authentication: Authentication) -> Vec<Vec<u8>> {
    let (group, addresses) = match Family::of(source) {
        Family::Inet => (GROUP, vec![IpAddr::from([192, 0, 2, 254]), IpAddr::from([192, 0, 2, 253])]),
        Family::Inet6 => (GROUP_V6, vec![SOURCE_V6, GROUP_V6]),
    };
    let built = |count: usize| {
        let outgoing = Outgoing {
            version,
            vrid: Vrid::new(51).expect("51 is a VRID"),
            priority: Priority::DEFAULT,
            interval: CentiSeconds::SECOND,
            source,
            addresses: &addresses[..count],
            cast: &Cast::Multicast { group },
            authentication: &authentication,
            checksum: ChecksumV3::PseudoHeader,
        };
        build(&outgoing, &mut Memory::default(), UTC).remove(0).octets
    };
    (0..=2).map(built).collect()
}

pub(super) fn seeds_v2() -> Vec<Vec<u8>> {
    [Authentication::None, Authentication::Password(key())]
        .into_iter()
        .flat_map(|authentication| seeds(VrrpVersion::V2, SOURCE, authentication))
        .collect()
}

pub(super) fn seeds_v3() -> Vec<Vec<u8>> {
    seeds(VrrpVersion::V3, SOURCE, Authentication::None)
}

pub(super) fn seeds_v6() -> Vec<Vec<u8>> {
    seeds(VrrpVersion::V3, SOURCE_V6, Authentication::None)
}

pub(super) fn seeds_header() -> Vec<Vec<u8>> {
    seeds(VrrpVersion::V2, SOURCE, Authentication::AuthenticationHeader(key()))
}

pub(super) fn seeds_hmac() -> Vec<Vec<u8>> {
    let authentication = || Authentication::Hmac(hmac(HmacMode::Enforce, AntiReplay::Time));
    [(VrrpVersion::V2, SOURCE), (VrrpVersion::V3, SOURCE), (VrrpVersion::V3, SOURCE_V6)]
        .into_iter()
        .flat_map(|(version, source)| seeds(version, source, authentication()))
        .collect()
}
