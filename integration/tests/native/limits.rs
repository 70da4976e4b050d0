//! Authentication, tracked files, delays of interfaces and limits of announcements.

use std::time::Duration;

use integration::{Daemon, on_mixed_pairs, on_theirs_and_ours, remains, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    an_authentication_header_is_sent_and_believed,
    a_wrong_authentication_header_is_not_believed,
    a_value_in_a_file_times_its_weight_moves_the_priority,
    a_value_in_a_file_without_weight_is_a_fault,
    interface_delays_hide_short_outages,
    announcements_of_a_group_of_interfaces_keep_their_distance,
    unicast_pairs_check_who_speaks,
    ipv6_unicast_pairs_agree,
];

mod mixed {
    use super::*;
    on_mixed_pairs![an_authentication_header_is_believed_by_the_other];
}

fn authenticated(state: &'static str, priority: u8, password: &str) -> Instance {
    let block = format!("authentication {{\n auth_type AH\n auth_pass {password}\n }}");
    Instance::classic(state, priority).with(&block)
}

fn an_authentication_header_is_sent_and_believed(daemon: Daemon) {
    an_authentication_header_is_believed_by_the_other(daemon, daemon);
}

fn an_authentication_header_is_believed_by_the_other(first: Daemon, second: Daemon) {
    let mut pair = Pair::new(first, second);
    pair.start(&authenticated("MASTER", 150, "secret"), &authenticated("BACKUP", 100, "secret"));
    let heard = pair.capture.adverts_of("a").len();
    until("five more adverts", SOON, || (pair.capture.adverts_of("a").len() > heard + 5).then_some(()));
    assert_eq!(pair.presence.holders(), ["a"]);
    // IP protocol 51 (RFC 4302), then VRRP of authentication type 2
    let frames = pair.capture.frames();
    let adverts: Vec<_> = frames.iter().filter(|frame| frame.advert().is_some()).collect();
    assert!(adverts.iter().all(|frame| frame.bytes[23] == 51 && frame.advert().unwrap().authentication == 2));
    pair.a.stop();
    pair.wait_for_only_holder("b");
}

fn a_wrong_authentication_header_is_not_believed(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.start(&authenticated("MASTER", 150, "secret"), &authenticated("BACKUP", 100, "guess"));
    pair.b.wait_to_hold(VIP, SOON);
    assert!(pair.a.holds(VIP));
}

const FILE: &str = "track_file load {\n file /run/load\n weight -2\n}\n";

fn a_value_in_a_file_times_its_weight_moves_the_priority(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.host().write("/run/load", "5\n");
    let track = "track_file {\n load\n }";
    pair.start(&Instance::quick("MASTER", 150).after(FILE).with(track), &Instance::quick("BACKUP", 100));
    let says = |priority: u8| {
        until(&format!("an advert says {priority}"), SOON, || {
            pair.capture.adverts_of("a").pop().filter(|advert| advert.priority == priority)
        })
    };
    says(140);
    pair.a.host().shell("echo 10 >/run/load");
    says(130);
    pair.a.host().shell("echo 40 >/run/new && mv /run/new /run/load");
    pair.wait_for_only_holder("b");
    pair.a.host().shell("rm /run/load");
    pair.wait_for_only_holder("a");
    says(150);
}

fn a_value_in_a_file_without_weight_is_a_fault(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.host().write("/run/load", "0\n");
    let track = "track_file {\n load weight 0\n }";
    pair.a.start_on(&Instance::quick("MASTER", 150).after(FILE).with(track).text());
    pair.a.wait_to_hold(VIP, SOON);
    pair.a.host().shell("echo 1 >/run/load");
    pair.a.wait_to_release(VIP, SOON);
    pair.a.host().shell("echo 0 >/run/load");
    pair.a.wait_to_hold(VIP, SOON);
}

fn interface_delays_hide_short_outages(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.lab.plug(pair.a.host(), "eth1", "lan2", "10.2.0.1/24");
    let delays = "interface_up_down_delays {\n eth1 2 2\n}\n";
    // a delay may not outlast the backups' patience
    let instance = Instance::quick("MASTER", 150).interval("1").after(delays).with("track_interface {\n eth1\n }");
    pair.a.start_on(&instance.text());
    pair.a.wait_to_hold(VIP, SOON);
    pair.a.host().ip("link set eth1 down");
    remains("nothing happens at once", Duration::from_millis(700), || pair.a.holds(VIP));
    pair.a.host().ip("link set eth1 up");
    remains("nothing happens afterwards", Duration::from_secs(3), || pair.a.holds(VIP));
    assert!(!pair.a.log().contains("FAULT"), "{}", pair.a.log());
    pair.a.host().ip("link set eth1 down");
    pair.a.wait_to_release(VIP, SOON);
}

/// Diary, Addresses: "Announcements that wait for a limit are repeated".
fn announcements_of_a_group_of_interfaces_keep_their_distance(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let group = "garp_group {\n garp_interval 0.2\n interfaces {\n eth0\n }\n}\n";
    let addresses = "10.0.0.100/24\n10.0.0.101/24\n10.0.0.102/24";
    let words = "garp_master_repeat 2";
    pair.a.start_on(&Instance::quick("MASTER", 150).after(group).addresses(addresses).with(words).text());
    let all = || {
        let of = |address| pair.capture.announcements("a", address);
        let mut all: Vec<_> = [VIP, "10.0.0.101", "10.0.0.102"].into_iter().flat_map(of).map(|arp| arp.at).collect();
        all.sort();
        all
    };
    // theirs forgets to repeat what had to wait
    let sent = match daemon {
        Daemon::Theirs => 8,
        Daemon::Ours => 12,
    };
    let times = until("two sets", SOON, || Some(all()).filter(|times| times.len() >= sent));
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1].duration_since(pair[0]).unwrap()).collect();
    // a late machine makes gaps longer, and the one after it shorter, never all of them
    let kept = gaps.iter().filter(|gap| **gap >= Duration::from_millis(150)).count();
    assert!(kept + 2 >= gaps.len(), "{gaps:?}");
}

fn unicast_pairs_check_who_speaks(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let unicast =
        |own: &str, peer: &str| format!("unicast_src_ip {own}\n unicast_peer {{\n {peer}\n }}\n check_unicast_src");
    // b believes nobody but 10.0.0.9
    pair.start(
        &Instance::quick("MASTER", 150).with(&unicast("10.0.0.1", "10.0.0.2")),
        &Instance::quick("BACKUP", 100).with(&unicast("10.0.0.2", "10.0.0.9")),
    );
    pair.b.wait_to_hold(VIP, SOON);
    assert!(pair.a.holds(VIP));
}

fn ipv6_unicast_pairs_agree(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.host().ip("addr add fd00::1/64 dev eth0 nodad");
    pair.b.host().ip("addr add fd00::2/64 dev eth0 nodad");
    let six = |state, priority, own: &str, peer: &str| {
        let unicast = format!("unicast_src_ip {own}\n unicast_peer {{\n {peer}\n }}");
        Instance::quick(state, priority).with(&unicast).addresses("fd00::100/64")
    };
    pair.a.start_on(&six("MASTER", 150, "fd00::1", "fd00::2").text());
    pair.a.wait_to_hold("fd00::100", SOON);
    pair.b.start_on(&six("BACKUP", 100, "fd00::2", "fd00::1").text());
    pair.b.wait_for_log("Entering BACKUP STATE");
    remains("b waits", Duration::from_secs(1), || !pair.b.holds("fd00::100"));
    let advert = until("an advert", SOON, || pair.capture.adverts_of("a").pop());
    assert_eq!((advert.source.to_string().as_str(), advert.destination.to_string().as_str()), ("fd00::1", "fd00::2"));
    pair.a.stop();
    pair.b.wait_to_hold("fd00::100", SOON);
}
