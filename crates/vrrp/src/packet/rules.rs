//! One test for each rule of reception: RFC 9568 §7.1, RFC 3768 §7.1 and what keepalived adds.

use types::{Ttl, VrrpVersion};

use super::golden::{GROUP, NOW, Router, UTC, ip, octets_of, plain, secret};
use super::{Counter, Memory, Refusal, Remark, receive};
use crate::config::{Authentication, Cast, Peer};
use crate::event::ReceivedPacket;

/// Sets octets and repairs the message-only checksum of version 2.
fn changed(mut octets: Vec<u8>, changes: &[(usize, u8)]) -> Vec<u8> {
    for (at, value) in changes {
        octets[*at] = *value;
    }
    octets[26] = 0;
    octets[27] = 0;
    let sum = super::Sum::default().add(&octets[20..]).finish().to_be_bytes();
    octets[26..28].copy_from_slice(&sum);
    octets
}

/// One wrong field each: RFC 9568 §7.1, RFC 3768 §7.1, and keepalived's counter for it.
#[test]
fn each_wrong_field_is_refused_with_its_counter() {
    let v2 = plain(VrrpVersion::V2);
    let good = octets_of(&v2);
    for (rule, octets, refusal, counter) in [
        (
            "RFC 3768 §7.1 version",
            changed(good.clone(), &[(20, 0x31)]),
            Refusal::Version { found: 3, expected: 2 },
            Counter::Version,
        ),
        (
            "RFC 3768 §5.3.2 type",
            changed(good.clone(), &[(20, 0x22)]),
            Refusal::Type { found: 2 },
            Counter::InvalidType,
        ),
        ("RFC 3768 §7.1 VRID", changed(good.clone(), &[(21, 52)]), Refusal::Vrid { found: 52 }, Counter::Vrid),
        (
            "RFC 3768 §7.1 length: an address too many claimed",
            changed(good.clone(), &[(23, 2)]),
            Refusal::TooShort { found: 40, needed: 44 },
            Counter::PacketLength,
        ),
        (
            "RFC 3768 §7.1 length: an address too few claimed",
            changed(good.clone(), &[(23, 0)]),
            Refusal::Length { found: 40, expected: 36 },
            Counter::PacketLength,
        ),
        (
            "RFC 3768 §5.3.6 authentication type unknown",
            changed(good.clone(), &[(24, 3)]),
            Refusal::InvalidAuthType { found: 3 },
            Counter::InvalidAuthType,
        ),
        (
            "RFC 3768 §5.3.6 authentication type of another",
            changed(good.clone(), &[(24, 1)]),
            Refusal::AuthTypeMismatch { found: 1, expected: 0 },
            Counter::AuthTypeMismatch,
        ),
        (
            "RFC 3768 §7.1 interval",
            changed(good.clone(), &[(25, 2)]),
            Refusal::Interval { found: 2, expected: 1 },
            Counter::AdvertInterval,
        ),
        (
            "IP version",
            {
                let mut o = good.clone();
                o[0] = 0x65;
                o
            },
            Refusal::IpHeader,
            Counter::PacketLength,
        ),
        (
            "IP header length",
            {
                let mut o = good.clone();
                o[0] = 0x44;
                o
            },
            Refusal::IpHeader,
            Counter::PacketLength,
        ),
        (
            "a fragment",
            {
                let mut o = good.clone();
                o[7] = 1;
                o
            },
            Refusal::IpHeader,
            Counter::PacketLength,
        ),
        (
            "another protocol",
            {
                let mut o = good.clone();
                o[9] = 17;
                o
            },
            Refusal::IpHeader,
            Counter::PacketLength,
        ),
        (
            "total length beyond the packet",
            {
                let mut o = good.clone();
                o[3] = 41;
                o
            },
            Refusal::TooShort { found: 40, needed: 41 },
            Counter::PacketLength,
        ),
    ] {
        let found = v2.receive(ip(GROUP), &octets).expect_err(rule);
        assert_eq!(found, refusal, "{rule}");
        assert_eq!(found.counter(), counter, "{rule}");
    }
}

#[test]
fn options_of_the_ip_header_are_skipped() {
    let v2 = plain(VrrpVersion::V2);
    let mut octets = octets_of(&v2);
    octets[0] = 0x46;
    octets[3] += 4;
    octets.splice(20..20, [0x94, 0x04, 0x00, 0x00]);
    assert_eq!(v2.receive(ip(GROUP), &octets), Ok(v2.advert()));
}

#[test]
fn a_multicast_advert_that_crossed_a_router_is_refused() {
    let v2 = plain(VrrpVersion::V2);
    let octets = octets_of(&v2);
    for ttl in [0, 1, 254] {
        let packet = ReceivedPacket { ttl: Ttl(ttl), ..v2.packet(ip(GROUP), &octets) };
        let found = receive(&packet, &v2.expected(), &mut Memory::default(), NOW, UTC);
        assert_eq!(found, Err(Refusal::Ttl { found: Ttl(ttl) }));
    }
}

#[test]
fn another_password_is_refused_and_garbage_without_authentication_is_not() {
    let right = plain(VrrpVersion::V2).with(Authentication::Password(secret("s3cret")));
    let wrong = plain(VrrpVersion::V2).with(Authentication::Password(secret("s3cre7")));
    assert_eq!(right.receive(ip(GROUP), &octets_of(&wrong)), Err(Refusal::Password));
    let longer = plain(VrrpVersion::V2).with(Authentication::Password(secret("12345678-and-more")));
    let eight = plain(VrrpVersion::V2).with(Authentication::Password(secret("12345678")));
    assert!(longer.receive(ip(GROUP), &octets_of(&eight)).is_ok(), "only eight octets count");

    let none = plain(VrrpVersion::V2);
    let garbage = changed(octets_of(&none), &[(32, 0xAA), (39, 0x55)]);
    assert!(none.receive(ip(GROUP), &garbage).is_ok(), "RFC 3768 §5.3.10: ignored on reception");
}

#[test]
fn an_authentication_header_is_checked_for_digest_then_spi_then_sequence() {
    let ah = plain(VrrpVersion::V2).with(Authentication::AuthenticationHeader(secret("s3cret")));
    let octets = octets_of(&ah);
    let mut memory = Memory::default();
    let mut see = |octets: &[u8], source: &str| {
        let packet = ReceivedPacket { source: ip(source), ..ah.packet(ip(GROUP), octets) };
        receive(&packet, &ah.expected(), &mut memory, NOW, UTC).map(|_| ())
    };
    assert_eq!(see(&octets, "192.0.2.9"), Err(Refusal::HeaderSpi { found: 0xc000_0201 }));
    assert_eq!(see(&octets, "192.0.2.1"), Ok(()));
    assert_eq!(see(&octets, "192.0.2.1"), Err(Refusal::HeaderReplay { found: 1, newest: 1 }));
    let mut forged = octets.clone();
    forged[31] = 9;
    assert_eq!(see(&forged, "192.0.2.1"), Err(Refusal::HeaderCheckValue));
    let mut malformed = octets;
    malformed[21] = 5;
    assert_eq!(see(&malformed, "192.0.2.1"), Err(Refusal::HeaderMalformed));

    let none = plain(VrrpVersion::V2);
    assert_eq!(none.receive(ip(GROUP), &octets_of(&ah)), Err(Refusal::AuthTypeMismatch { found: 2, expected: 0 }));
    assert_eq!(ah.receive(ip(GROUP), &octets_of(&none)), Err(Refusal::AuthTypeMismatch { found: 0, expected: 2 }));
}

#[test]
fn version_3_adopts_the_interval_ignores_reserved_bits_and_refuses_interval_0() {
    let ours = plain(VrrpVersion::V3);
    let theirs = plain(VrrpVersion::V3).interval(4095);
    let advert = ours.receive(ip(GROUP), &octets_of(&theirs)).unwrap();
    assert_eq!(advert.interval.get(), 4095);
    assert_eq!(advert.remarks, [Remark::Interval { found: advert.interval, own: ours.expected().interval }]);

    // RFC 9568 §5.2.6: 0xF064 is 100. The checksum loses what the reserved bits added.
    let mut reserved = octets_of(&ours);
    reserved[24] |= 0xF0;
    let sum = super::Sum::default().add(&[0xF0, 0x00]).add(&[!reserved[26], !reserved[27]]).finish();
    reserved[26..28].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(ours.receive(ip(GROUP), &reserved), Ok(ours.advert()));

    let zero = changed(octets_of(&ours), &[(25, 0)]);
    assert_eq!(ours.receive(ip(GROUP), &zero), Err(Refusal::Interval { found: 0, expected: 100 }));
}

#[test]
fn unicast_and_multicast_do_not_mix() {
    let multicast = plain(VrrpVersion::V3);
    let unicast = plain(VrrpVersion::V3).unicast(255, &["192.0.2.2"]);
    assert_eq!(
        unicast.receive(ip(GROUP), &octets_of(&multicast)),
        Err(Refusal::Cast { destination: ip(GROUP), unicast_expected: true })
    );
    assert_eq!(
        multicast.receive(ip("192.0.2.2"), &octets_of(&unicast)),
        Err(Refusal::Cast { destination: ip("192.0.2.2"), unicast_expected: false })
    );
}

#[test]
fn unicast_senders_are_checked_where_asked() {
    let mut router = plain(VrrpVersion::V3).unicast(200, &["192.0.2.2"]);
    let octets = octets_of(&router);
    assert!(router.receive(ip("192.0.2.2"), &octets).is_ok());
    if let Cast::Unicast { check_source, .. } = &mut router.cast {
        *check_source = true;
    }
    assert_eq!(router.receive(ip("192.0.2.2"), &octets), Err(Refusal::UnknownPeer));
    let octets = octets_of(&router);
    if let Cast::Unicast { peers, .. } = &mut router.cast {
        peers[0] = Peer { address: ip("192.0.2.1"), min_ttl: Ttl(254), max_ttl: Ttl(255) };
    }
    assert_eq!(
        router.receive(ip("192.0.2.2"), &octets),
        Err(Refusal::PeerTtl { found: Ttl(200), min: Ttl(254), max: Ttl(255) })
    );
}

#[test]
fn a_differing_list_of_addresses_is_remarked_and_accepted() {
    let ours = Router::new(VrrpVersion::V2, 51, 100, "192.0.2.1", &["192.0.2.254", "192.0.2.253"]);
    let swapped = Router::new(VrrpVersion::V2, 51, 100, "192.0.2.1", &["192.0.2.253", "192.0.2.254"]);
    let other = Router::new(VrrpVersion::V2, 51, 100, "192.0.2.1", &["192.0.2.254", "192.0.2.9"]);
    let fewer = plain(VrrpVersion::V2);
    let remarks = |sender: &Router| ours.receive(ip(GROUP), &octets_of(sender)).unwrap().remarks;
    assert_eq!(remarks(&swapped), []);
    assert_eq!(remarks(&other), [Remark::AddressMissing(ip("192.0.2.253"))]);
    assert_eq!(remarks(&fewer), [Remark::AddressCount { found: 1, own: 2 }]);
    assert_eq!(remarks(&fewer)[0].counter(), Some(Counter::AddressList));

    let mut expected = ours.expected();
    expected.skip_addresses = true;
    let octets = octets_of(&fewer);
    let advert = receive(&ours.packet(ip(GROUP), &octets), &expected, &mut Memory::default(), NOW, UTC).unwrap();
    assert_eq!(advert.remarks, [], "skip_check_adv_addr");
}

#[test]
fn an_advert_without_addresses_is_refused_only_by_version_3_routers_that_list_some() {
    for (version, own, accepted) in [
        (VrrpVersion::V3, &["192.0.2.254"][..], false),
        (VrrpVersion::V3, &[], true),
        (VrrpVersion::V2, &["192.0.2.254"], true),
    ] {
        let empty = Router::new(version, 51, 100, "192.0.2.1", &[]);
        let ours = Router::new(version, 51, 100, "192.0.2.1", own);
        let found = ours.receive(ip(GROUP), &octets_of(&empty));
        assert_eq!(found.is_ok(), accepted, "{version:?} {own:?} {found:?}");
    }
}

#[test]
fn strict_mode_wants_a_link_local_address_first() {
    let global = Router::new(VrrpVersion::V3, 51, 100, "fe80::a", &["2001:db8::1"]);
    let octets = octets_of(&global);
    let mut expected = global.expected();
    expected.strict = true;
    let packet = global.packet(ip("ff02::12"), &octets);
    assert_eq!(
        receive(&packet, &expected, &mut Memory::default(), NOW, UTC),
        Err(Refusal::FirstAddressNotLinkLocal { found: ip("2001:db8::1") })
    );
}

#[test]
fn an_owner_that_ignores_adverts_does_so_after_the_checks() {
    let v3 = plain(VrrpVersion::V3);
    let octets = octets_of(&v3);
    let mut expected = v3.expected();
    expected.ignore = true;
    let refusal = receive(&v3.packet(ip(GROUP), &octets), &expected, &mut Memory::default(), NOW, UTC).unwrap_err();
    assert_eq!((refusal.clone(), refusal.counter()), (Refusal::Ignored, Counter::Ignored));
}
