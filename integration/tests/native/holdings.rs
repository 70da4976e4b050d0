//! Routes, rules and static items, and the kernel settings that go with addresses.

use std::time::Duration;

use integration::{Daemon, Host, on_theirs_and_ours, remains, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    routes_and_rules_stand_while_master,
    a_deleted_virtual_route_comes_back,
    static_items_stand_while_the_daemon_runs,
    a_deleted_static_route_comes_back,
    promote_secondaries_is_set_while_master,
    ipv6_addresses_move,
    addresses_of_the_other_family_are_excluded_ones,
];

fn has(host: &Host, list: &str, text: &str) -> bool {
    host.ip(list).lines().any(|line| line.trim_end().contains(text))
}

const ROUTES: &str = "virtual_routes {
        192.0.2.0/24 via 10.0.0.254 dev eth0
        198.51.100.0/24 dev eth0 scope link table 77 metric 5
        blackhole 203.0.113.0/24
        192.0.3.0/24 nexthop via 10.0.0.253 weight 2 nexthop via 10.0.0.254 weight 3
        192.0.4.0/24 src 10.0.0.100 dev eth0 mtu 1400
    }
    virtual_rules {
        from 192.0.2.0/24 table 77 priority 1000
        fwmark 0x10/0xf0 lookup 77 preference 1001
        to 198.51.100.0/24 iif eth0 blackhole preference 1002
    }";

fn routes_and_rules_stand_while_master(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.start(&Instance::quick("MASTER", 150).with(ROUTES), &Instance::quick("BACKUP", 100).with(ROUTES));
    let standing = [
        ("route", "192.0.2.0/24 via 10.0.0.254 dev eth0 proto keepalived"),
        ("route show table 77", "198.51.100.0/24 dev eth0 proto keepalived scope link metric 5"),
        ("route", "blackhole 203.0.113.0/24 proto keepalived"),
        ("route", "192.0.3.0/24 proto keepalived"),
        ("route", "nexthop via 10.0.0.253 dev eth0 weight 2"),
        ("route", "192.0.4.0/24 dev eth0 proto keepalived"),
        ("route", "src 10.0.0.100 mtu 1400"),
        ("rule", "1000:\tfrom 192.0.2.0/24 lookup 77 proto keepalived"),
        ("rule", "1001:\tfrom all fwmark 0x10/0xf0 lookup 77 proto keepalived"),
        ("rule", "1002:\tfrom all to 198.51.100.0/24 iif eth0 blackhole proto keepalived"),
    ];
    let lists = |host: &Host| format!("{}{}{}", host.ip("route"), host.ip("route show table all"), host.ip("rule"));
    for (list, text) in standing {
        until(&format!("`{text}` in {}", lists(pair.a.host())), SOON, || has(pair.a.host(), list, text).then_some(()));
    }
    assert!(!lists(pair.b.host()).contains("keepalived"), "{}", lists(pair.b.host()));
    pair.a.stop();
    assert!(!lists(pair.a.host()).contains("keepalived"), "{}", lists(pair.a.host()));
    until("b has them", SOON, || has(pair.b.host(), "rule", "1002:").then_some(()));
}

fn a_deleted_virtual_route_comes_back(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let route = "virtual_routes {\n 192.0.2.0/24 via 10.0.0.254 dev eth0\n }";
    pair.a.start_on(&Instance::quick("MASTER", 150).with(route).text());
    until("the route stands", SOON, || has(pair.a.host(), "route", "192.0.2.0/24").then_some(()));
    pair.a.host().ip("route del 192.0.2.0/24");
    until("it is back", SOON, || has(pair.a.host(), "route", "192.0.2.0/24").then_some(()));
    pair.a.wait_to_hold(VIP, SOON);
}

const STATICS: &str = "static_ipaddress {
    10.0.0.200/24 dev eth0
    fd00::200/64 dev eth0
}
static_routes {
    192.0.2.0/24 via 10.0.0.254 dev eth0
}
static_rules {
    from 192.0.2.0/24 table 77 preference 1000
}
";

fn static_items_stand_while_the_daemon_runs(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    // a backup has them too
    pair.b.start_on(&Instance::quick("MASTER", 200).text());
    pair.b.wait_to_hold(VIP, SOON);
    pair.a.start_on(&Instance::quick("BACKUP", 100).after(STATICS).text());
    pair.a.wait_for_log("Entering BACKUP STATE");
    pair.a.wait_to_hold("10.0.0.200", SOON);
    pair.a.wait_to_hold("fd00::200", SOON);
    until("the route", SOON, || has(pair.a.host(), "route", "192.0.2.0/24 via 10.0.0.254").then_some(()));
    until("the rule", SOON, || has(pair.a.host(), "rule", "1000:\tfrom 192.0.2.0/24").then_some(()));
    pair.a.stop();
    assert!(!pair.a.holds("10.0.0.200") && !pair.a.holds("fd00::200"));
    assert!(!has(pair.a.host(), "route", "192.0.2.0/24") && !has(pair.a.host(), "rule", "1000:"));
}

/// Diary, Addresses: "A static address, route or rule that somebody deletes".
fn a_deleted_static_route_comes_back(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).after(STATICS).text());
    pair.a.wait_to_hold(VIP, SOON);
    until("the route", SOON, || has(pair.a.host(), "route", "192.0.2.0/24").then_some(()));
    pair.a.host().ip("route del 192.0.2.0/24");
    let back = || has(pair.a.host(), "route", "192.0.2.0/24");
    match daemon {
        Daemon::Theirs => remains("it is left so", Duration::from_secs(1), || !back()),
        Daemon::Ours => until("it is back", SOON, || back().then_some(())),
    }
    assert_eq!(pair.a.log().matches("Entering MASTER STATE").count(), 1);
}

fn promote_secondaries_is_set_while_master(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let promoted = |host: &Host| host.shell("cat /proc/sys/net/ipv4/conf/eth0/promote_secondaries").trim() == "1";
    pair.a.host().sysctl("net/ipv4/conf/eth0/promote_secondaries", "0");
    pair.a.start_on(&Instance::quick("MASTER", 150).with("promote_secondaries").text());
    pair.a.wait_to_hold(VIP, SOON);
    until("it is set", SOON, || promoted(pair.a.host()).then_some(()));
    pair.a.stop();
    assert!(!promoted(pair.a.host()));
}

fn ipv6_addresses_move(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let six = |state, priority| Instance::quick(state, priority).addresses("fe80::51/64\nfd00::100/64");
    pair.a.start_on(&six("MASTER", 150).text());
    pair.a.wait_to_hold("fd00::100", SOON);
    pair.b.start_on(&six("BACKUP", 100).text());
    pair.b.wait_for_log("Entering BACKUP STATE");
    let advert = until("an advert", SOON, || pair.capture.adverts_of("a").pop());
    assert_eq!((advert.destination.to_string().as_str(), advert.hops, advert.version), ("ff02::12", 255, 3));
    assert!(advert.source.to_string().starts_with("fe80::") && advert.source.to_string() != "fe80::51");
    assert_eq!(advert.addresses.len(), 2);
    remains("b waits", Duration::from_secs(1), || !pair.b.holds("fd00::100"));
    pair.a.stop();
    pair.b.wait_to_hold("fd00::100", SOON);
    pair.b.wait_to_hold("fe80::51", SOON);
    until("b announces", SOON, || pair.capture.neighbour_advertisements("b", "fd00::100".parse().unwrap()).pop());
    assert!(!pair.a.holds("fd00::100"));
}

fn addresses_of_the_other_family_are_excluded_ones(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let other = "virtual_ipaddress_excluded {\n fd00::100/64\n fd00::101/128 preferred_lft forever\n }";
    pair.a.start_on(&Instance::quick("MASTER", 150).with(other).text());
    pair.a.wait_to_hold("fd00::101", SOON);
    let list = pair.a.host().ip("-6 -o addr show dev eth0");
    assert!(list.contains("fd00::100/64 scope global nodad"), "{list}");
    assert!(list.contains("fd00::101/128 scope global nodad"), "{list}");
}
