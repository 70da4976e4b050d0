//! Sessions of Bidirectional Forwarding Detection (RFC 5880, 5881) that speak in the election.

use std::time::Duration;

use integration::{Daemon, Node, on_mixed_pairs, on_theirs_and_ours, remains, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    a_session_that_fails_is_a_fault,
    a_session_with_weight_moves_the_priority,
    a_passive_neighbour_answers_only,
    a_session_over_ipv6,
    a_session_with_bfdd_of_frr,
];

mod mixed {
    use super::*;
    on_mixed_pairs![a_session_rises_and_falls];
}

/// Detection takes three lost packets of 100 ms.
fn session(own: &str, neighbour: &str, more: &str) -> String {
    format!(
        "bfd_instance peer {{\n neighbor_ip {neighbour}\n source_ip {own}\n min_rx 100\n min_tx 100\n idle_tx 1000\n multiplier 3\n {more}\n}}\n"
    )
}

const TRACK: &str = "track_bfd {\n peer\n }";

/// What a node runs that has nothing but a session.
fn neighbour_only(node: &mut Node, session: &str) {
    node.start_on(&format!("global_defs {{\n enable_script_security\n}}\n{session}"));
}

fn up(node: &Node) {
    node.wait_for_log("Entering Up state");
}

fn a_session_that_fails_is_a_fault(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    neighbour_only(&mut pair.b, &session("10.0.0.2", "10.0.0.1", ""));
    pair.a.start_on(&Instance::quick("MASTER", 150).after(&session("10.0.0.1", "10.0.0.2", "")).with(TRACK).text());
    up(&pair.a);
    pair.a.wait_to_hold(VIP, SOON);
    pair.b.kill_everything();
    pair.a.wait_for_log("Entering FAULT STATE");
    pair.a.wait_to_release(VIP, SOON);
    pair.b.start();
    pair.a.wait_to_hold(VIP, SOON);
}

fn a_session_with_weight_moves_the_priority(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    neighbour_only(&mut pair.b, &session("10.0.0.2", "10.0.0.1", ""));
    let weighted = "track_bfd {\n peer weight -40\n }";
    pair.a.start_on(&Instance::quick("MASTER", 150).after(&session("10.0.0.1", "10.0.0.2", "")).with(weighted).text());
    up(&pair.a);
    let says = |priority: u8| {
        until(&format!("an advert says {priority}"), SOON, || {
            pair.capture.adverts_of("a").pop().filter(|advert| advert.priority == priority)
        })
    };
    says(150);
    pair.b.host().shell("kill -9 -1 || true");
    says(110);
}

fn a_passive_neighbour_answers_only(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let control = |pair: &Pair, host: &str| {
        let is_control = |frame: &&integration::Frame| {
            frame.from == host && frame.bytes.get(23) == Some(&17) && frame.bytes.get(36..38) == Some(&[0x0e, 0xc8])
        };
        pair.capture.frames().iter().filter(is_control).count()
    };
    neighbour_only(&mut pair.b, &session("10.0.0.2", "10.0.0.1", "passive"));
    pair.b.wait_for_pid("bfd");
    remains("it waits to be spoken to", Duration::from_secs(1), || control(&pair, "b") == 0);
    neighbour_only(&mut pair.a, &session("10.0.0.1", "10.0.0.2", ""));
    up(&pair.a);
    up(&pair.b);
    assert!(control(&pair, "b") > 0);
}

fn a_session_over_ipv6(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.host().ip("addr add fd00::1/64 dev eth0 nodad");
    pair.b.host().ip("addr add fd00::2/64 dev eth0 nodad");
    neighbour_only(&mut pair.a, &session("fd00::1", "fd00::2", ""));
    neighbour_only(&mut pair.b, &session("fd00::2", "fd00::1", ""));
    up(&pair.a);
    up(&pair.b);
    pair.b.kill_everything();
    pair.a.wait_for_log("Entering Down state");
}

/// Another implementation: FRR's daemon, which learns of interfaces from its zebra.
fn a_session_with_bfdd_of_frr(daemon: Daemon) {
    const FRR: &str = "/usr/lib/frr";
    if !std::path::Path::new(FRR).exists() {
        println!("skipped: no {FRR}: apt-get install frr");
        return;
    }
    let mut pair = Pair::new(daemon, daemon);
    let frr = pair.b.host();
    frr.shell("mount -t tmpfs none /var/tmp && mkdir -p /run/frr && chown frr:frr /run/frr && touch /run/zebra.conf");
    let peer = "bfd\n peer 10.0.0.1 local-address 10.0.0.2\n  detect-multiplier 3\n  receive-interval 100\n  transmit-interval 100\n";
    frr.write("/run/bfdd.conf", peer);
    for (program, more) in [("zebra", ""), ("bfdd", "--bfdctl /run/frr/bfdd.sock")] {
        frr.shell(&format!(
            "{FRR}/{program} -d -f /run/{program}.conf -i /run/frr/{program}.pid --vty_socket /run/frr -z /run/frr/zserv.api -P 0 {more}"
        ));
    }
    pair.a.start_on(&Instance::quick("MASTER", 150).after(&session("10.0.0.1", "10.0.0.2", "")).with(TRACK).text());
    up(&pair.a);
    pair.a.wait_to_hold(VIP, SOON);
    pair.b.host().shell("kill -9 $(cat /run/frr/bfdd.pid)");
    pair.a.wait_for_log("Entering Down state");
    pair.a.wait_to_release(VIP, SOON);
}

/// Found out by `first`, whose neighbour `second` falls silent.
fn a_session_rises_and_falls(first: Daemon, second: Daemon) {
    let mut pair = Pair::new(first, second);
    neighbour_only(&mut pair.b, &session("10.0.0.2", "10.0.0.1", ""));
    pair.a.start_on(&Instance::quick("MASTER", 150).after(&session("10.0.0.1", "10.0.0.2", "")).with(TRACK).text());
    up(&pair.a);
    up(&pair.b);
    pair.a.wait_to_hold(VIP, SOON);
    // a polite end is told at once, a silent one after the detection time
    pair.b.stop();
    pair.a.wait_to_release(VIP, SOON);
    pair.b.start();
    pair.a.wait_to_hold(VIP, SOON);
    pair.lab.partition(pair.b.host());
    pair.a.wait_to_release(VIP, SOON);
    pair.lab.heal(pair.b.host());
    pair.a.wait_to_hold(VIP, SOON);
}
