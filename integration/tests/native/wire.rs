//! What adverts look like, and which are believed.

use std::net::IpAddr;
use std::time::Duration;

use integration::{Daemon, on_theirs_and_ours, remains, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    a_version_two_advert_carries_interval_password_and_addresses,
    a_version_three_advert_carries_centiseconds,
    the_right_password_is_believed,
    a_wrong_password_is_not_believed,
    unicast_adverts_go_to_the_peers_only,
    mcast_src_ip_is_the_source,
    gratuitous_arp_words_set_count_and_repetition,
    excluded_addresses_are_held_but_not_advertised,
];

fn a_version_two_advert_carries_interval_password_and_addresses(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let password = "authentication {\n auth_type PASS\n auth_pass 1111\n }";
    let instance = Instance::classic("MASTER", 150).with(password).addresses("10.0.0.100/24\n10.0.0.50");
    pair.a.start_on(&instance.text());
    let advert = until("an advert", SOON, || pair.capture.adverts_of("a").pop());
    assert_eq!((advert.version, advert.vrid, advert.priority, advert.hops), (2, 51, 150, 255));
    assert_eq!(advert.traffic_class, 0xc0);
    assert_eq!(advert.destination, IpAddr::from([224, 0, 0, 18]));
    assert_eq!((advert.authentication, advert.trailer.as_slice()), (1, b"1111\0\0\0\0".as_slice()));
    assert_eq!(advert.interval, Duration::from_secs(1));
    // order of the file, not of the numbers
    assert_eq!(advert.addresses, [IpAddr::from([10, 0, 0, 100]), IpAddr::from([10, 0, 0, 50])]);
}

fn a_version_three_advert_carries_centiseconds(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).interval("0.25").text());
    let advert = until("an advert", SOON, || pair.capture.adverts_of("a").pop());
    assert_eq!((advert.version, advert.interval), (3, Duration::from_millis(250)));
    assert!(advert.trailer.is_empty());
}

fn with_password(state: &'static str, priority: u8, password: &str) -> Instance {
    let block = format!("authentication {{\n auth_type PASS\n auth_pass {password}\n }}");
    Instance::classic(state, priority).with(&block)
}

fn the_right_password_is_believed(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.start(&with_password("MASTER", 150, "secret"), &with_password("BACKUP", 100, "secret"));
    let heard = pair.capture.adverts_of("a").len();
    until("five more adverts", SOON, || (pair.capture.adverts_of("a").len() > heard + 5).then_some(()));
    assert_eq!(pair.presence.holders(), ["a"]);
}

fn a_wrong_password_is_not_believed(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.start(&with_password("MASTER", 150, "secret"), &with_password("BACKUP", 100, "guess"));
    pair.b.wait_to_hold(VIP, SOON);
    remains("both hold it", Duration::from_secs(2), || pair.a.holds(VIP) && pair.b.holds(VIP));
}

fn unicast_adverts_go_to_the_peers_only(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let unicast = |own: &str, peer: &str| format!("unicast_src_ip {own}\n unicast_peer {{\n {peer}\n }}");
    let a = Instance::quick("MASTER", 150).with(&unicast("10.0.0.1", "10.0.0.2"));
    let b = Instance::quick("BACKUP", 100).with(&unicast("10.0.0.2", "10.0.0.1"));
    pair.start(&a, &b);
    let adverts = until("adverts", SOON, || Some(pair.capture.adverts_of("a")).filter(|adverts| adverts.len() > 5));
    assert!(adverts.iter().all(|advert| advert.destination == IpAddr::from([10, 0, 0, 2])));
    assert_eq!(pair.presence.holders(), ["a"]);
    pair.a.stop();
    pair.wait_for_only_holder("b");
}

fn mcast_src_ip_is_the_source(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.host().ip("addr add 10.0.0.77/24 dev eth0");
    pair.a.start_on(&Instance::quick("MASTER", 150).with("mcast_src_ip 10.0.0.77").text());
    let advert = until("an advert", SOON, || pair.capture.adverts_of("a").pop());
    assert_eq!(advert.source, IpAddr::from([10, 0, 0, 77]));
}

fn gratuitous_arp_words_set_count_and_repetition(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let words = "garp_master_repeat 2\n garp_master_refresh 1\n garp_master_refresh_repeat 3";
    pair.a.start_on(&Instance::quick("MASTER", 150).with(words).text());
    // 2 at once, 2 after garp_master_delay 1, then 3 every second
    let announcements = until("ten announcements", SOON, || {
        Some(pair.capture.announcements("a", VIP)).filter(|announcements| announcements.len() >= 10)
    });
    assert!(announcements.iter().all(|arp| arp.destination == [0xff; 6] && arp.operation == 1));
    assert!(announcements.iter().all(|arp| arp.target == VIP.parse::<std::net::Ipv4Addr>().unwrap()));
}

fn excluded_addresses_are_held_but_not_advertised(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let excluded = "virtual_ipaddress_excluded {\n 10.0.0.101/24\n fd00::101/64\n }";
    pair.a.start_on(&Instance::quick("MASTER", 150).with(excluded).text());
    pair.a.wait_to_hold("10.0.0.101", SOON);
    pair.a.wait_to_hold("fd00::101", SOON);
    let advert = until("an advert", SOON, || pair.capture.adverts_of("a").pop());
    assert_eq!(advert.addresses, [VIP.parse::<IpAddr>().unwrap()]);
    until("announced all the same", SOON, || pair.capture.announcements("a", "10.0.0.101").pop());
}
