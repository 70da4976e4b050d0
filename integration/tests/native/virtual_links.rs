//! Virtual routers on interfaces of their own, with the virtual MAC address (RFC 9568 §7.3).

use std::net::Ipv6Addr;
use std::time::Duration;

use integration::{Daemon, Host, Node, on_mixed_pairs, on_theirs_and_ours, remains, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    an_instance_lives_on_a_macvlan_with_the_virtual_mac,
    an_ipv6_instance_lives_on_a_macvlan_with_the_virtual_mac,
    with_vmac_xmit_base_adverts_leave_from_the_base,
    requests_are_answered_with_the_virtual_mac_only,
    the_link_may_have_a_name_and_a_mac,
    names_of_links_have_a_prefix_and_a_number,
    addresses_of_other_interfaces_have_links_there,
    reports_of_multicast_groups_leave_with_the_base_mac,
    a_deleted_link_comes_back,
    a_link_left_over_from_a_crash_is_used_again,
    a_killed_vrrp_process_goes_on_with_its_link,
    a_reload_leaves_the_link_alone,
    a_reload_brings_and_takes_links,
    extra_interfaces_are_refreshed,
    the_own_link_is_refreshed_where_adverts_leave_from_the_base,
];

mod mixed {
    use super::*;
    on_mixed_pairs![takeover_between_virtual_links];
}

const MAC: [u8; 6] = [0, 0, 0x5e, 0, 1, 51];
const MAC6: [u8; 6] = [0, 0, 0x5e, 0, 2, 51];

fn vmac(state: &'static str, priority: u8) -> Instance {
    Instance::quick(state, priority).with("use_vmac")
}

fn exists(host: &Host, interface: &str) -> bool {
    // /sys shows the interfaces of whoever mounted it
    host.ip("-o link").contains(&format!(": {interface}@"))
}

fn link(host: &Host, interface: &str) -> serde_json::Value {
    let all: serde_json::Value = serde_json::from_str(&host.ip(&format!("-j -d link show dev {interface}"))).unwrap();
    all[0].clone()
}

fn sysctl(host: &Host, path: &str) -> String {
    host.shell(&format!("cat /proc/sys/net/{path}")).trim().to_owned()
}

/// The interface that carries an address.
fn carrier(host: &Host, address: &str) -> String {
    let list = host.ip("-o addr");
    let line = list.lines().find(|line| line.contains(&format!(" {address}/")));
    line.and_then(|line| line.split_whitespace().nth(1)).unwrap_or_default().to_owned()
}

fn an_instance_lives_on_a_macvlan_with_the_virtual_mac(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&vmac("MASTER", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
    let host = pair.a.host();
    assert_eq!(carrier(host, VIP), "vrrp.51");
    let made = link(host, "vrrp.51");
    assert_eq!(made["address"], "00:00:5e:00:01:33");
    assert_eq!(made["link"], "eth0");
    assert_eq!(made["linkinfo"]["info_kind"], "macvlan");
    assert_eq!(made["linkinfo"]["info_data"]["mode"], "private");
    assert_eq!(made["inet6_addr_gen_mode"], "none");
    for (path, value) in [
        ("ipv4/conf/vrrp.51/arp_ignore", "1"),
        ("ipv4/conf/vrrp.51/accept_local", "1"),
        ("ipv4/conf/vrrp.51/rp_filter", "0"),
        ("ipv4/conf/vrrp.51/promote_secondaries", "1"),
        ("ipv6/conf/vrrp.51/disable_ipv6", "1"),
        ("ipv4/conf/eth0/arp_ignore", "1"),
        ("ipv4/conf/eth0/arp_filter", "1"),
    ] {
        assert_eq!(sysctl(host, path), value, "{path}");
    }
    let announcements = until("it is announced", SOON, || {
        Some(pair.capture.announcements("a", VIP)).filter(|announcements| announcements.len() >= 5)
    });
    assert!(announcements.iter().all(|arp| arp.sender_hardware == MAC));
    let adverts = pair.capture.adverts_of("a");
    assert!(adverts.iter().all(|advert| advert.hardware == MAC), "{adverts:?}");
    assert!(adverts.iter().all(|advert| advert.source.to_string() == "10.0.0.1"));
    assert!(!pair.a.log().contains("FAULT"), "{}", pair.a.log());
    pair.a.stop();
    assert!(!exists(pair.a.host(), "vrrp.51"));
    assert!(pair.a.host().shell("nft list ruleset").is_empty());
    // Diary, Addresses: "Settings below /proc/sys of the interface under a virtual link"
    let left = match daemon {
        Daemon::Theirs => "1",
        Daemon::Ours => "0",
    };
    assert_eq!(sysctl(pair.a.host(), "ipv4/conf/eth0/arp_ignore"), left);
    assert_eq!(sysctl(pair.a.host(), "ipv4/conf/eth0/arp_filter"), left);
}

fn ipv6(state: &'static str, priority: u8) -> Instance {
    Instance::quick(state, priority).addresses("fe80::51/64\nfd00::100/64")
}

fn an_ipv6_instance_lives_on_a_macvlan_with_the_virtual_mac(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&ipv6("MASTER", 150).with("use_vmac").text());
    pair.a.wait_to_hold("fd00::100", SOON);
    let host = pair.a.host();
    assert_eq!(carrier(host, "fd00::100"), "vrrp.51");
    assert_eq!(carrier(host, "fe80::51"), "vrrp.51");
    assert_eq!(link(host, "vrrp.51")["address"], "00:00:5e:00:02:33");
    assert_eq!(link(host, "vrrp.51")["inet6_addr_gen_mode"], "none");
    until("it is announced", SOON, || {
        let times = pair.capture.neighbour_advertisements("a", "fd00::100".parse::<Ipv6Addr>().unwrap());
        (times.len() >= 5).then_some(())
    });
    let frames = pair.capture.frames();
    let mut advertisements = frames.iter().filter(|frame| frame.neighbour_advertisement().is_some());
    assert!(advertisements.all(|frame| frame.bytes[6..12] == MAC6));
    let adverts = pair.capture.adverts_of("a");
    assert!(adverts.iter().all(|advert| advert.hardware == MAC6 && advert.hops == 255), "{adverts:?}");
    // from the base's link-local address, which the virtual link has as well and never chooses
    let source = adverts[0].source.to_string();
    assert!(host.ip("-6 -o addr show dev eth0").contains(&format!(" {source}/")), "{source}");
    assert!(host.ip("-6 -o addr show dev vrrp.51").contains("deprecated"));
    pair.a.stop();
    assert!(!exists(pair.a.host(), "vrrp.51"));
}

fn with_vmac_xmit_base_adverts_leave_from_the_base(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.start(&vmac("MASTER", 150).with("vmac_xmit_base"), &vmac("BACKUP", 100).with("vmac_xmit_base"));
    assert_eq!(carrier(pair.a.host(), VIP), "vrrp.51");
    let base = link(pair.a.host(), "eth0")["address"].as_str().unwrap().to_owned();
    let adverts = pair.capture.adverts_of("a");
    let text = |mac: [u8; 6]| mac.map(|octet| format!("{octet:02x}")).join(":");
    assert!(adverts.iter().all(|advert| text(advert.hardware) == base), "{adverts:?}");
    assert!(pair.capture.announcements("a", VIP).iter().all(|arp| arp.sender_hardware == MAC));
    pair.a.stop();
    pair.wait_for_only_holder("b");
}

fn requests_are_answered_with_the_virtual_mac_only(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&vmac("MASTER", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
    let client = pair.b.host();
    until("the address answers", SOON, || {
        client.shell("ping -c 1 -W 1 10.0.0.100 || true").contains("1 received").then_some(())
    });
    client.ip("neigh flush all");
    client.shell("ping -c 2 10.0.0.100 && ping -c 1 10.0.0.1");
    let frames = pair.capture.frames();
    let answers: Vec<_> = frames.iter().filter_map(|frame| frame.arp()).filter(|arp| arp.operation == 2).collect();
    let about_vip: Vec<_> = answers.iter().filter(|arp| arp.sender.to_string() == VIP).collect();
    assert!(!about_vip.is_empty() && about_vip.iter().all(|arp| arp.sender_hardware == MAC), "{answers:?}");
    let about_base: Vec<_> = answers.iter().filter(|arp| arp.sender.to_string() == "10.0.0.1").collect();
    assert!(!about_base.is_empty() && about_base.iter().all(|arp| arp.sender_hardware != MAC), "{answers:?}");
}

fn the_link_may_have_a_name_and_a_mac(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).with("use_vmac vm0 02:00:00:00:0a:33").text());
    pair.a.wait_to_hold(VIP, SOON);
    assert_eq!(carrier(pair.a.host(), VIP), "vm0");
    assert_eq!(link(pair.a.host(), "vm0")["address"], "02:00:00:00:0a:33");
    pair.a.stop();
    assert!(!exists(pair.a.host(), "vm0"));
}

fn names_of_links_have_a_prefix_and_a_number(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.lab.plug(pair.a.host(), "eth1", "lan2", "10.2.0.1/24");
    let others = "global_defs {\n vmac_prefix vm\n}\n\
        vrrp_instance V6 {\n interface eth0\n virtual_router_id 51\n advert_int 0.1\n use_vmac\n virtual_ipaddress {\n fe80::51/64\n }\n}\n\
        vrrp_instance L2 {\n interface eth1\n virtual_router_id 51\n advert_int 0.1\n use_vmac\n virtual_ipaddress {\n 10.2.0.100/24\n }\n}\n";
    pair.a.start_on(&vmac("MASTER", 150).after(others).text());
    pair.a.wait_to_hold(VIP, SOON);
    pair.a.wait_to_hold("10.2.0.100", SOON);
    pair.a.wait_to_hold("fe80::51", SOON);
    let host = pair.a.host();
    let names = [carrier(host, "fe80::51"), carrier(host, "10.2.0.100"), carrier(host, VIP)];
    assert_eq!(names, ["vm.51", "vm1.51", "vm2.51"]);
}

fn addresses_of_other_interfaces_have_links_there(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.lab.plug(pair.a.host(), "eth1", "lan2", "10.2.0.1/24");
    let addresses = "10.0.0.100/24\n10.2.0.100/24 dev eth1 use_vmac\n10.2.0.101/24 dev eth1 use_vmac";
    let excluded = "virtual_ipaddress_excluded {\n fd00:2::102/64 dev eth1 use_vmac\n }";
    pair.a.start_on(&Instance::quick("MASTER", 150).addresses(addresses).with(excluded).text());
    pair.a.wait_to_hold("fd00:2::102", SOON);
    let host = pair.a.host();
    let on = ["10.0.0.100", "10.2.0.100", "10.2.0.101", "fd00:2::102"].map(|address| carrier(host, address));
    assert_eq!(on, ["eth0", "vrrp.51", "vrrp.51", "vrrp6.51"]);
    assert_eq!(link(host, "vrrp.51")["address"], "00:00:5e:00:01:33");
    assert_eq!(link(host, "vrrp6.51")["address"], "00:00:5e:00:02:33");
    assert_eq!((&link(host, "vrrp.51")["link"], &link(host, "vrrp6.51")["link"]), (&"eth1".into(), &"eth1".into()));
    pair.a.stop();
    assert!(!exists(pair.a.host(), "vrrp.51") && !exists(pair.a.host(), "vrrp6.51"));
}

/// IGMP (protocol 2) and MLD reports in the name of the virtual MAC would teach switches where it is while it is elsewhere.
fn reports_of_multicast_groups_leave_with_the_base_mac(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&vmac("BACKUP", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
    let reports = |frames: &[integration::Frame]| -> Vec<integration::Frame> {
        let is_report = |frame: &&integration::Frame| {
            frame.from == "a" && frame.bytes[12..14] == [8, 0] && frame.bytes.get(23) == Some(&2)
        };
        frames.iter().filter(is_report).cloned().collect()
    };
    let seen = until("a report", SOON, || Some(reports(&pair.capture.frames())).filter(|seen| !seen.is_empty()));
    assert!(seen.iter().all(|frame| frame.bytes[6..12] != MAC), "{seen:?}");
}

fn a_deleted_link_comes_back(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let dynamic = "global_defs {\n dynamic_interfaces\n}\n";
    pair.a.start_on(&vmac("MASTER", 150).after(dynamic).text());
    pair.a.wait_to_hold(VIP, SOON);
    let before = link(pair.a.host(), "vrrp.51")["ifindex"].clone();
    pair.a.host().ip("link del vrrp.51");
    until("it is there again", SOON, || {
        let host = pair.a.host();
        (exists(host, "vrrp.51") && link(host, "vrrp.51")["ifindex"] != before).then_some(())
    });
    pair.a.wait_to_hold(VIP, SOON);
    assert_eq!(carrier(pair.a.host(), VIP), "vrrp.51");
}

fn a_link_left_over_from_a_crash_is_used_again(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&vmac("MASTER", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
    pair.a.kill_everything();
    assert!(exists(pair.a.host(), "vrrp.51"));
    pair.a.start();
    pair.a.wait_for_pid("vrrp");
    let heard = pair.capture.adverts_of("a").len();
    until("it advertises again", SOON, || {
        (pair.capture.adverts_of("a").len() > heard + 2 && pair.a.holds(VIP)).then_some(())
    });
    assert_eq!(carrier(pair.a.host(), VIP), "vrrp.51");
    pair.a.stop();
    assert!(!exists(pair.a.host(), "vrrp.51"));
    assert!(pair.a.host().shell("nft list ruleset").is_empty());
}

fn number(host: &Host) -> serde_json::Value {
    link(host, "vrrp.51")["ifindex"].clone()
}

fn a_killed_vrrp_process_goes_on_with_its_link(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&vmac("MASTER", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
    let before = number(pair.a.host());
    let old = pair.a.wait_for_pid("vrrp");
    pair.a.signal("vrrp", "KILL");
    until("another process", SOON, || pair.a.pid("vrrp").filter(|pid| *pid != old));
    let heard = pair.capture.adverts_of("a").len();
    until("it advertises again", SOON, || {
        (pair.capture.adverts_of("a").len() > heard + 3 && pair.a.holds(VIP)).then_some(())
    });
    assert_eq!(carrier(pair.a.host(), VIP), "vrrp.51");
    assert_eq!(number(pair.a.host()), before);
    pair.a.stop();
    assert!(!exists(pair.a.host(), "vrrp.51"));
    assert!(pair.a.host().shell("nft list ruleset").is_empty());
}

fn a_reload_leaves_the_link_alone(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&vmac("MASTER", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
    let before = number(pair.a.host());
    let more = vmac("MASTER", 150).addresses("10.0.0.100/24\n10.0.0.101/24");
    pair.a.reload(&more.text());
    pair.a.wait_to_hold("10.0.0.101", SOON);
    assert_eq!(carrier(pair.a.host(), "10.0.0.101"), "vrrp.51");
    assert_eq!(number(pair.a.host()), before);
    assert_eq!(pair.a.log().matches("Entering MASTER STATE").count(), 1);
    assert!(pair.capture.adverts_of("a").iter().all(|advert| advert.hardware == MAC && advert.priority == 150));
}

fn a_reload_brings_and_takes_links(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
    assert_eq!(carrier(pair.a.host(), VIP), "eth0");
    pair.a.reload(&vmac("MASTER", 150).text());
    until("it is on the link", SOON, || (carrier(pair.a.host(), VIP) == "vrrp.51").then_some(()));
    until("with the virtual MAC", SOON, || pair.capture.adverts_of("a").pop().filter(|advert| advert.hardware == MAC));
    pair.a.reload(&Instance::quick("MASTER", 150).text());
    until("it is on the base", SOON, || (carrier(pair.a.host(), VIP) == "eth0").then_some(()));
    until("the link is gone", SOON, || (!exists(pair.a.host(), "vrrp.51")).then_some(()));
    assert!(!pair.a.log().contains("FAULT"), "{}", pair.a.log());
}

/// Where no advert leaves with the virtual MAC, switches along the way must not forget where it is.
fn extra_interfaces_are_refreshed(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.lab.plug(pair.a.host(), "eth1", "lan2", "10.2.0.1/24");
    let both_segments = pair.lab.capture();
    let addresses = "10.0.0.100/24\n10.2.0.100/24 dev eth1 use_vmac";
    let words = "garp_extra_if 1\n garp_master_repeat 1";
    pair.a.start_on(&Instance::quick("MASTER", 150).addresses(addresses).with(words).text());
    pair.a.wait_to_hold(VIP, SOON);
    // one at once, one after garp_master_delay, then the refreshes
    let announcements = until("four announcements", SOON, || {
        Some(both_segments.announcements("a-lan2", "10.2.0.100")).filter(|announcements| announcements.len() >= 4)
    });
    assert!(announcements.iter().all(|arp| arp.sender_hardware == MAC));
    assert!(both_segments.announcements("a", VIP).len() <= 2);
}

/// Diary, Addresses: "`garp_extra_if` also refreshes an instance’s own virtual link".
fn the_own_link_is_refreshed_where_adverts_leave_from_the_base(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let words = "vmac_xmit_base\n garp_extra_if 1\n garp_master_repeat 1";
    pair.a.start_on(&vmac("MASTER", 150).with(words).text());
    pair.a.wait_to_hold(VIP, SOON);
    let announced = || pair.capture.announcements("a", VIP).len();
    match daemon {
        Daemon::Theirs => remains("no more than two sets", Duration::from_secs(4), || announced() <= 2),
        Daemon::Ours => until("refreshes", SOON, || (announced() > 4).then_some(())),
    }
}

fn takeover_between_virtual_links(first: Daemon, second: Daemon) {
    let mut pair = Pair::new(first, second);
    pair.start(&vmac("MASTER", 150), &vmac("BACKUP", 100));
    pair.lab.partition(pair.a.host());
    pair.b.wait_to_hold(VIP, SOON);
    pair.lab.heal(pair.a.host());
    pair.wait_for_only_holder("a");
    pair.a.stop();
    pair.wait_for_only_holder("b");
    let node: &Node = &pair.b;
    assert_eq!(carrier(node.host(), VIP), "vrrp.51");
    assert!(pair.capture.announcements("b", VIP).iter().all(|arp| arp.sender_hardware == MAC));
}
