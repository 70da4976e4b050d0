//! `vrrp_track_process`. keepalived 2.2.7 hears of processes only in the machine's first network namespace, which is no place for a
//! test: here it stays silent, and ours counts in /proc instead.

use integration::{Daemon, Host, on_theirs_and_ours};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    a_process_that_ends_is_a_fault_until_it_runs_again,
    a_process_with_weight_moves_the_priority,
    more_processes_than_allowed_are_a_fault,
];

const SERVER: &str = "sleep 1000.5";

fn definition(lines: &str) -> String {
    format!("vrrp_track_process server {{\n    process {SERVER}\n{lines}\n}}\n")
}

const TRACK: &str = "track_process {\n server\n }";

/// Runs the process; its number on that host.
fn serve(host: &Host) -> String {
    host.shell(&format!("{SERVER} >/dev/null 2>&1 & echo $!")).trim().to_owned()
}

/// What theirs says at start; it then counts no processes at all.
fn is_theirs(pair: &Pair, daemon: Daemon) -> bool {
    if daemon == Daemon::Theirs {
        pair.a.wait_for_log("Failed to set/clear process event listen");
    }
    daemon == Daemon::Theirs
}

fn a_process_that_ends_is_a_fault_until_it_runs_again(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let server = serve(pair.a.host());
    pair.a.start_on(&Instance::quick("MASTER", 150).after(&definition("")).with(TRACK).text());
    if is_theirs(&pair, daemon) {
        return;
    }
    pair.a.wait_to_hold(VIP, SOON);
    pair.a.host().shell(&format!("kill {server}"));
    pair.a.wait_to_release(VIP, SOON);
    pair.a.wait_for_log("Quorum lost for tracked process server");
    pair.a.wait_for_log("(VI_1) entering FAULT state (tracked process server quorum not achieved)");
    serve(pair.a.host());
    pair.a.wait_to_hold(VIP, SOON);
    pair.a.wait_for_log("Quorum gained for tracked process server");
}

fn a_process_with_weight_moves_the_priority(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let (a, b) = (Instance::quick("MASTER", 150), Instance::quick("BACKUP", 120));
    let server = serve(pair.a.host());
    pair.a.start_on(&a.after(&definition("    weight -50")).with(TRACK).text());
    if is_theirs(&pair, daemon) {
        return;
    }
    pair.a.wait_to_hold(VIP, SOON);
    pair.b.start_on(&b.text());
    pair.b.wait_for_log("Entering BACKUP STATE");
    pair.a.host().shell(&format!("kill {server}"));
    pair.wait_for_only_holder("b");
    serve(pair.a.host());
    pair.wait_for_only_holder("a");
}

fn more_processes_than_allowed_are_a_fault(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    serve(pair.a.host());
    pair.a.start_on(&Instance::quick("MASTER", 150).after(&definition("    quorum_max 1")).with(TRACK).text());
    if is_theirs(&pair, daemon) {
        return;
    }
    pair.a.wait_to_hold(VIP, SOON);
    let second = serve(pair.a.host());
    pair.a.wait_to_release(VIP, SOON);
    pair.a.host().shell(&format!("kill {second}"));
    pair.a.wait_to_hold(VIP, SOON);
}
