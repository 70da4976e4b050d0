//! `auth_hmac` end to end: modes, the order of its checks, its layout.

use std::time::Duration;

use types::VrrpVersion;

use super::golden::{GROUP, NOW, UTC, hex, hmac, ip, octets_of, plain};
use super::{Memory, Refusal, Remark, build, receive};
use crate::config::{AntiReplay, Authentication, HmacMode};

/// (sends a trailer, accepts without one): keepalived.conf(5) `mode` of `auth_hmac`.
#[test]
fn the_modes_of_auth_hmac_sign_and_accept_as_they_say() {
    for version in [VrrpVersion::V2, VrrpVersion::V3] {
        let bare = plain(version);
        let bare_len = octets_of(&bare).len();
        for (mode, signs, accepts_bare) in
            [(HmacMode::Enforce, true, false), (HmacMode::Permissive, true, true), (HmacMode::ReceiveOnly, false, true)]
        {
            let router = plain(version).with(Authentication::Hmac(hmac(mode, AntiReplay::Time)));
            assert_eq!(octets_of(&router).len(), bare_len + if signs { super::TRAILER_LEN } else { 0 }, "{mode:?}");
            assert_eq!(router.receive(ip(GROUP), &octets_of(&bare)).is_ok(), accepts_bare, "{mode:?}");
            let signed = plain(version).with(Authentication::Hmac(hmac(HmacMode::Enforce, AntiReplay::Time)));
            let mut octets = octets_of(&signed);
            assert_eq!(router.receive(ip(GROUP), &octets), Ok(router.advert()), "{mode:?}");
            assert!(matches!(bare.receive(ip(GROUP), &octets), Err(Refusal::Length { .. })), "unconfigured refuses");
            *octets.last_mut().unwrap() ^= 1;
            assert_eq!(router.receive(ip(GROUP), &octets), Err(Refusal::TrailerInvalidHmac), "{mode:?}");
        }
    }
}

#[test]
fn a_trailer_is_checked_for_form_key_freshness_digest_and_replay_in_this_order() {
    let router = plain(VrrpVersion::V3).with(Authentication::Hmac(hmac(HmacMode::Enforce, AntiReplay::Time)));
    let good = octets_of(&router);
    let trailer = good.len() - super::TRAILER_LEN;
    let mut memory = Memory::default();
    let mut see = |changes: &[(usize, u8)], utc: Duration| {
        let mut octets = good.clone();
        for (at, value) in changes {
            octets[trailer + at] = *value;
        }
        receive(&router.packet(ip(GROUP), &octets), &router.expected(), &mut memory, NOW, utc).map(|a| a.remarks)
    };
    let late = UTC + Duration::from_secs(60);
    let broken = (27, 0);
    assert_eq!(see(&[(0, 2), (1, 99), broken], late), Err(Refusal::TrailerMalformed));
    assert_eq!(see(&[(3, 1), (1, 99), broken], late), Err(Refusal::TrailerMalformed));
    assert_eq!(see(&[(1, 99), broken], late), Err(Refusal::TrailerUnknownKey { key: 99 }));
    assert_eq!(see(&[broken], late), Err(Refusal::TrailerStale { skew: -60, window: 5 }));
    assert_eq!(see(&[], UTC - Duration::from_secs(60)), Err(Refusal::TrailerStale { skew: 60, window: 5 }));
    assert_eq!(see(&[(1, 1)], UTC), Err(Refusal::TrailerInvalidHmac), "another key that we have");
    assert_eq!(see(&[], UTC + Duration::from_secs(4)), Ok(vec![Remark::ClockSkew { skew: -4, window: 5 }]));
    assert_eq!(see(&[], UTC), Err(Refusal::TrailerReplay));
}

#[test]
fn monotonic_replay_protection_does_not_compare_clocks() {
    let router = plain(VrrpVersion::V3).with(Authentication::Hmac(hmac(HmacMode::Enforce, AntiReplay::Monotonic)));
    let octets = octets_of(&router);
    let mut memory = Memory::default();
    let years = Duration::from_secs(200_000_000);
    let mut see = || receive(&router.packet(ip(GROUP), &octets), &router.expected(), &mut memory, NOW, UTC + years);
    assert_eq!(see(), Ok(router.advert()));
    assert_eq!(see(), Err(Refusal::TrailerReplay));
}

/// The layout of keepalived 2.4.2, digest computed apart from this crate (Python's hmac module).
#[test]
fn a_signed_advert_has_the_documented_layout() {
    let router = plain(VrrpVersion::V3).with(Authentication::Hmac(hmac(HmacMode::Enforce, AntiReplay::Time)));
    let octets = octets_of(&router);
    assert_eq!(octets[..20], hex("45c0003c00010000ff70187dc0000201e0000012"), "the total length counts the trailer");
    assert_eq!(octets[20..32], hex("31336401006404d8c00002fe"), "the checksum does not");
    assert_eq!(
        octets[32..44],
        hex("010700006553f10080000000"),
        "type, key 7, reserved, seconds, half a second, counter"
    );
    assert_eq!(octets[44..], hex("ebafa1525db3c014439298a6315576d8"));
}

#[test]
fn all_copies_of_an_advert_carry_the_same_trailer() {
    let router = plain(VrrpVersion::V3)
        .unicast(255, &["192.0.2.2", "192.0.2.3"])
        .with(Authentication::Hmac(hmac(HmacMode::Enforce, AntiReplay::Time)));
    let mut memory = Memory::default();
    let first = build(&router.outgoing(), &mut memory, UTC);
    assert_eq!(first[0].octets[32..], first[1].octets[32..]);
    let second = build(&router.outgoing(), &mut memory, UTC);
    assert_ne!(first[0].octets[32..], second[0].octets[32..], "the counter tells adverts of one moment apart");
}
