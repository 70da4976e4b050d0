//! SIGHUP.

use std::time::Duration;

use integration::{Daemon, on_theirs_and_ours, remains, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    a_reload_adds_and_removes_addresses_without_leaving_master,
    a_reload_with_a_higher_priority_is_advertised,
    a_reload_removes_an_instance_and_its_address,
    a_reload_starts_what_was_not_configured,
];

fn a_reload_adds_and_removes_addresses_without_leaving_master(daemon: Daemon) {
    let pair = Pair::started(daemon);
    pair.a.reload(&Instance::quick("MASTER", 150).addresses("10.0.0.100/24\n10.0.0.101/24").text());
    pair.a.wait_to_hold("10.0.0.101", SOON);
    pair.a.reload(&Instance::quick("MASTER", 150).text());
    pair.a.wait_to_release("10.0.0.101", SOON);
    assert_eq!(pair.presence.tenures().len(), 1, "the first address never moved: {:?}", pair.presence.tenures());
    assert!(pair.capture.adverts_of("b").is_empty(), "b never had to step in");
    assert!(pair.capture.adverts_of("a").iter().all(|advert| advert.priority != 0));
}

fn a_reload_with_a_higher_priority_is_advertised(daemon: Daemon) {
    let pair = Pair::started(daemon);
    pair.b.reload(&Instance::quick("BACKUP", 200).text());
    pair.wait_for_only_holder("b");
    let advert = until("an advert of b", SOON, || pair.capture.adverts_of("b").pop());
    assert_eq!(advert.priority, 200);
}

fn a_reload_removes_an_instance_and_its_address(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let one = Instance::quick("MASTER", 150).text();
    let block = one.split_once("vrrp_instance").unwrap().1;
    let second = block.replace("VI_1", "VI_2").replace(" 51\n", " 52\n").replace(VIP, "10.0.0.102");
    pair.a.start_on(&format!("{one}vrrp_instance{second}"));
    pair.a.wait_to_hold(VIP, SOON);
    pair.a.wait_to_hold("10.0.0.102", SOON);
    pair.a.reload(&one);
    pair.a.wait_to_release("10.0.0.102", SOON);
    remains("the other stays", Duration::from_millis(500), || pair.a.holds(VIP));
    until("a farewell for 52", SOON, || {
        pair.capture.adverts_of("a").into_iter().find(|advert| advert.vrid == 52 && advert.priority == 0)
    });
}

fn a_reload_starts_what_was_not_configured(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on("global_defs {\n}\n");
    pair.a.wait_for_pid("keepalived");
    assert_eq!(pair.a.pid("vrrp"), None);
    pair.a.reload(&Instance::quick("MASTER", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
}
