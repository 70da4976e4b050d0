//! Packets to virtual addresses that may not be accepted (RFC 9568 §6.1, `Accept_Mode`).

use std::net::Ipv4Addr;
use std::time::Duration;

use integration::{Daemon, Pinger, on_theirs_and_ours, remains, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    packets_are_accepted_by_default,
    no_accept_drops_packets_but_answers_requests_for_the_mac,
    no_accept_drops_packets_of_ipv6_but_not_neighbour_discovery,
    the_owner_accepts_although_no_accept,
    strict_mode_does_not_accept_unless_told,
    protection_ends_with_mastership,
    the_table_has_the_name_and_the_counters_that_were_asked_for,
    a_table_left_over_from_a_crash_is_replaced,
];

fn table(pair: &Pair) -> String {
    pair.a.host().shell("nft list ruleset")
}

/// Whether `target` answers the other host, asked three times.
fn answers(pair: &Pair, target: &str) -> bool {
    pair.b.host().shell(&format!("ping -c 3 -i 0.2 -W 1 {target} || true")).contains(" 0% packet loss")
}

fn packets_are_accepted_by_default(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
    let pinger = Pinger::start(pair.b.host(), VIP.parse::<Ipv4Addr>().unwrap());
    until("it answers", SOON, || (pinger.answers() > 3).then_some(()));
    assert_eq!(table(&pair), "");
}

fn no_accept_drops_packets_but_answers_requests_for_the_mac(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).with("no_accept").text());
    pair.a.wait_to_hold(VIP, SOON);
    assert!(!answers(&pair, VIP));
    assert!(answers(&pair, "10.0.0.1"));
    let asked = until("the MAC is known", SOON, || {
        let answer = |arp: &integration::Arp| arp.operation == 2 && arp.sender.to_string() == VIP;
        pair.capture.frames().iter().filter_map(|frame| frame.arp()).find(answer)
    });
    assert_eq!(asked.from, "a");
    let rules = table(&pair);
    for part in ["table ip keepalived {", "elements = { 10.0.0.100 }", "ip daddr @vips drop", "ip saddr @vips drop"] {
        assert!(rules.contains(part), "{part}: {rules}");
    }
    pair.a.stop();
    assert_eq!(table(&pair), "");
}

fn no_accept_drops_packets_of_ipv6_but_not_neighbour_discovery(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.lab.plug(pair.a.host(), "eth1", "lan2", "");
    pair.a.host().ip("addr add fd00::1/64 dev eth0 nodad");
    pair.b.host().ip("addr add fd00::2/64 dev eth0 nodad");
    let instance = Instance::quick("MASTER", 150).addresses("fe80::51/64\nfd00::100/64").with("no_accept");
    pair.a.start_on(&instance.text());
    pair.a.wait_to_hold("fd00::100", SOON);
    until("the base answers", SOON, || answers(&pair, "fd00::1").then_some(()));
    assert!(!answers(&pair, "fd00::100") && !answers(&pair, "fe80::51%eth0"));
    // the neighbour is known all the same
    let neighbours = pair.b.host().ip("-6 neigh show");
    assert!(neighbours.lines().any(|line| line.starts_with("fd00::100 ") && line.contains("lladdr")), "{neighbours}");
    let rules = table(&pair);
    for part in [
        "table ip6 keepalived {",
        "elements = { fd00::100 }",
        "elements = { fe80::51 . \"eth0\" }",
        "icmpv6 type @neighbor-discovery accept",
        "ip6 daddr . iif @vips_link_local drop",
    ] {
        assert!(rules.contains(part), "{part}: {rules}");
    }
    pair.a.stop();
    assert_eq!(table(&pair), "");
}

fn the_owner_accepts_although_no_accept(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 255).with("no_accept").text());
    pair.a.wait_to_hold(VIP, SOON);
    until("it answers", SOON, || answers(&pair, VIP).then_some(()));
}

fn strict_mode_does_not_accept_unless_told(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).with("strict_mode on").text());
    pair.a.wait_to_hold(VIP, SOON);
    assert!(!answers(&pair, VIP));
    pair.a.stop();
    pair.a.start_on(&Instance::quick("MASTER", 150).with("strict_mode on\n accept").text());
    pair.a.wait_to_hold(VIP, SOON);
    until("it answers", SOON, || answers(&pair, VIP).then_some(()));
}

fn protection_ends_with_mastership(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.start(&Instance::quick("MASTER", 150).with("no_accept"), &Instance::quick("BACKUP", 100).with("no_accept"));
    assert!(table(&pair).contains(VIP));
    pair.lab.pull(pair.a.host());
    pair.wait_for_only_holder("b");
    until("nothing is dropped", SOON, || (!table(&pair).contains(VIP)).then_some(()));
    pair.lab.push(pair.a.host());
    pair.wait_for_only_holder("a");
    until("it is dropped again", SOON, || table(&pair).contains(VIP).then_some(()));
}

fn the_table_has_the_name_and_the_counters_that_were_asked_for(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let words = "global_defs {\n nftables guard\n nftables_counters\n nftables_priority -5\n}\n";
    pair.a.start_on(&Instance::quick("MASTER", 150).after(words).with("no_accept").text());
    pair.a.wait_to_hold(VIP, SOON);
    assert!(!answers(&pair, VIP));
    let rules = table(&pair);
    assert!(rules.contains("table ip guard {") && rules.contains("priority filter - 5"), "{rules}");
    let counted = |line: &str| line.contains("daddr @vips counter packets") && !line.contains("packets 0 ");
    assert!(rules.lines().any(counted), "{rules}");
    pair.a.stop();
    assert_eq!(table(&pair), "");
}

/// Diary, Addresses: "A firewall table left behind by a crash".
fn a_table_left_over_from_a_crash_is_replaced(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).with("no_accept").text());
    pair.a.wait_to_hold(VIP, SOON);
    pair.a.kill_everything();
    assert!(table(&pair).contains(VIP));
    // started anew as one who only listens, it protects nothing
    pair.b.start_on(&Instance::quick("MASTER", 200).text());
    pair.b.wait_to_hold(VIP, SOON);
    pair.a.start_on(&Instance::quick("BACKUP", 50).with("no_accept").text());
    pair.a.wait_for_log("Entering BACKUP STATE");
    match daemon {
        // looks at its table only when it has something to put there
        Daemon::Theirs => {
            remains("nobody accepts", Duration::from_millis(500), || table(&pair).contains(VIP));
            pair.a.stop();
            return;
        }
        Daemon::Ours => until("the old element is gone", SOON, || (!table(&pair).contains(VIP)).then_some(())),
    }
    pair.a.stop();
    assert_eq!(table(&pair), "");
}
