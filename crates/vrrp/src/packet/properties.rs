//! What must hold for every advert and for every octet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use types::{Secret, Ttl, VrrpVersion};

use super::golden::{NOW, Router, UTC, hex, hmac, ip};
use super::{Counter, Memory, build, peek_vrid, receive};
use crate::config::{AntiReplay, Authentication, Cast, ChecksumV3, HmacMode, Peer};
use crate::event::ReceivedPacket;

/// Any router whose receiver enforces checksums.
fn routers() -> impl Strategy<Value = Router> {
    let version = prop_oneof![Just(VrrpVersion::V2), Just(VrrpVersion::V3)];
    let source = prop_oneof![
        (1u32..0xE000_0000).prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        any::<u64>().prop_map(|low| IpAddr::V6(Ipv6Addr::from_bits(0xfe80 << 112 | u128::from(low)))),
    ];
    let checksum =
        prop_oneof![Just(ChecksumV3::PseudoHeader), Just(ChecksumV3::PseudoHeaderOnly), Just(ChecksumV3::OldUnicast)];
    let addresses = prop::collection::vec(any::<u128>(), 1..40);
    (version, source, 1..=255u8, any::<u8>(), 1..=255u16, addresses, 0..3usize, 0..4u8, any::<[u8; 8]>(), checksum)
        .prop_map(|(version, source, vrid, priority, seconds, bits, peers, authentication, key, checksum)| {
            let version = if source.is_ipv6() { VrrpVersion::V3 } else { version };
            let address = |bits: &u128| match source {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(*bits as u32)),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(*bits)),
            };
            let (group, base) = match source {
                IpAddr::V4(_) => (ip("224.0.0.18"), "192.0.2."),
                IpAddr::V6(_) => (ip("ff02::12"), "2001:db8::"),
            };
            let peer = |n: usize| Peer { address: ip(&format!("{base}{}", n + 7)), min_ttl: Ttl(0), max_ttl: Ttl(255) };
            let cast = match peers {
                0 => Cast::Multicast { group },
                peers => Cast::Unicast { peers: (0..peers).map(peer).collect(), ttl: Ttl(64), check_source: false },
            };
            let authentication = match (authentication, version) {
                (1, VrrpVersion::V2) => Authentication::Password(Secret::new(key.to_vec())),
                (2, VrrpVersion::V2) => Authentication::AuthenticationHeader(Secret::new(key.to_vec())),
                (3, _) => Authentication::Hmac(hmac(HmacMode::Enforce, AntiReplay::Time)),
                _ => Authentication::None,
            };
            Router {
                version,
                vrid,
                priority,
                centiseconds: if version == VrrpVersion::V2 { seconds * 100 } else { seconds },
                source,
                addresses: bits.iter().map(address).collect(),
                cast,
                authentication,
                checksum,
            }
        })
}

/// First octet that a checksum or digest covers: IPv4 headers are the kernel's to check.
fn covered_from(router: &Router) -> usize {
    if router.source.is_ipv4() { super::IPV4_HEADER_LEN } else { 0 }
}

proptest! {
    #[test]
    fn what_is_built_is_received(router in routers()) {
        for copy in build(&router.outgoing(), &mut Memory::default(), UTC) {
            prop_assert_eq!(peek_vrid(&router.packet(copy.address, &copy.octets)), Some(router.vrid));
            prop_assert_eq!(router.receive(copy.address, &copy.octets), Ok(router.advert()));
        }
    }

    #[test]
    fn padding_of_the_frame_is_not_looked_at(router in routers(), padding in 1..46usize) {
        prop_assume!(router.source.is_ipv4());
        let mut copy = build(&router.outgoing(), &mut Memory::default(), UTC).remove(0);
        copy.octets.resize(copy.octets.len() + padding, 0xEE);
        prop_assert_eq!(router.receive(copy.address, &copy.octets), Ok(router.advert()));
    }

    #[test]
    fn every_truncation_is_refused(router in routers()) {
        let copy = build(&router.outgoing(), &mut Memory::default(), UTC).remove(0);
        for length in 0..copy.octets.len() {
            let refusal = router.receive(copy.address, &copy.octets[..length]).expect_err("truncated");
            // A trailer that is cut off is a trailer that is missing; anything else is too short.
            prop_assert!(matches!(refusal.counter(), Counter::PacketLength | Counter::TrailerMissing), "{:?}", refusal);
        }
    }

    #[test]
    fn every_flipped_bit_is_refused_or_seen(router in routers()) {
        let copy = build(&router.outgoing(), &mut Memory::default(), UTC).remove(0);
        let mut octets = copy.octets.clone();
        for bit in covered_from(&router) * 8..octets.len() * 8 {
            octets[bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(router.receive(copy.address, &octets), Ok(router.advert()), "bit {}", bit);
            octets[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn no_octets_cause_a_panic(router in routers(), octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let packet = ReceivedPacket { ttl: Ttl(255), ..router.packet(ip("224.0.0.18"), &octets) };
        let _ = peek_vrid(&packet);
        let _ = receive(&packet, &router.expected(), &mut Memory::default(), NOW, UTC);
    }

    #[test]
    fn no_message_behind_a_good_ip_header_causes_a_panic(
        router in routers(),
        header in any::<bool>(),
        message in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let mut octets = hex("45c0000000010000ff700000c0000201e0000012");
        octets[3] = (octets.len() + message.len()) as u8;
        octets[9] = if header { super::PROTOCOL_AH } else { super::PROTOCOL_VRRP };
        octets.extend_from_slice(&message);
        if let Some(vrid) = octets.get_mut(21) { *vrid = router.vrid; }
        let packet = ReceivedPacket { ttl: Ttl(255), ..router.packet(ip("224.0.0.18"), &octets) };
        let _ = receive(&packet, &router.expected(), &mut Memory::default(), NOW, UTC);
    }
}
