//! Scripts and interfaces that speak in the election, and the scripts that are told about it.

use std::time::Duration;

use integration::{Daemon, Node, Recorder, on_theirs_and_ours, remains, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    notify_scripts_get_exactly_these_arguments,
    notify_stop_runs_at_the_end,
    a_failing_script_with_weight_lowers_the_priority_and_back,
    a_succeeding_script_with_positive_weight_raises_the_priority,
    a_failing_script_without_weight_is_a_fault,
    rise_and_fall_count_runs,
    a_hanging_script_is_killed_with_its_children,
    a_tracked_interface_without_weight_is_a_fault,
    a_tracked_interface_with_weight_moves_the_priority,
];

/// A script that succeeds while `/run/good` is there.
fn check(words: &str) -> String {
    format!("vrrp_script check {{\n    script \"/usr/bin/test -e /run/good\"\n    interval 1\n{words}\n}}\n")
}

const TRACK: &str = "track_script {\n check\n }";

fn notify_scripts_get_exactly_these_arguments(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let recorder = Recorder::install(pair.a.host());
    let script = Recorder::SCRIPT;
    let words = format!(
        "notify {script}\n notify_master \"{script} to-master\"\n notify_backup \"{script} to-backup\"\n notify_fault \"{script} to-fault\""
    );
    pair.a.start_on(&Instance::quick("BACKUP", 100).with(&words).text());
    recorder.wait_for("INSTANCE VI_1 BACKUP 100");
    recorder.wait_for("to-backup");
    recorder.wait_for("INSTANCE VI_1 MASTER 100");
    recorder.wait_for("to-master");
    recorder.forget();
    pair.a.host().ip("link set eth0 down");
    recorder.wait_for("INSTANCE VI_1 FAULT 100");
    recorder.wait_for("to-fault");
    assert_eq!(recorder.calls().len(), 2, "{:?}", recorder.calls());
}

fn notify_stop_runs_at_the_end(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let recorder = Recorder::install(pair.a.host());
    let script = Recorder::SCRIPT;
    pair.a.start_on(
        &Instance::quick("MASTER", 100).with(&format!("notify {script}\n notify_stop \"{script} to-stop\"")).text(),
    );
    recorder.wait_for("INSTANCE VI_1 MASTER 100");
    pair.a.stop();
    recorder.wait_for("to-stop");
    recorder.wait_for("INSTANCE VI_1 STOP 100");
}

fn a_failing_script_with_weight_lowers_the_priority_and_back(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.host().write("/run/good", "");
    pair.start(
        &Instance::quick("MASTER", 150).after(&check("weight -60")).with(TRACK),
        &Instance::quick("BACKUP", 100),
    );
    pair.a.host().shell("rm /run/good");
    pair.wait_for_only_holder("b");
    assert!(pair.capture.adverts_of("a").iter().any(|advert| advert.priority == 90));
    pair.a.host().write("/run/good", "");
    pair.wait_for_only_holder("a");
    pair.a.wait_for_log("Changing effective priority from 90 to 150");
}

fn a_succeeding_script_with_positive_weight_raises_the_priority(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 100).after(&check("weight 30")).with(TRACK).text());
    until("the advert says 100", SOON, || {
        pair.capture.adverts_of("a").into_iter().find(|advert| advert.priority == 100)
    });
    pair.a.host().write("/run/good", "");
    until("the advert says 130", SOON, || {
        pair.capture.adverts_of("a").into_iter().find(|advert| advert.priority == 130)
    });
}

fn a_failing_script_without_weight_is_a_fault(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.host().write("/run/good", "");
    pair.start(&Instance::quick("MASTER", 150).after(&check("")).with(TRACK), &Instance::quick("BACKUP", 100));
    pair.a.host().shell("rm /run/good");
    pair.a.wait_for_log("Entering FAULT STATE");
    pair.wait_for_only_holder("b");
    pair.a.host().write("/run/good", "");
    pair.wait_for_only_holder("a");
}

fn rise_and_fall_count_runs(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.host().write_script("/run/check", "#!/bin/sh\necho run >>/run/runs\ntest -e /run/good\n");
    pair.a.host().write("/run/good", "");
    let block = "vrrp_script check {\n script /run/check\n interval 1\n fall 3\n rise 2\n}\n";
    pair.a.start_on(&Instance::quick("MASTER", 150).after(block).with(TRACK).text());
    pair.a.wait_to_hold(VIP, SOON);
    let runs = || pair.a.host().read("/run/runs").lines().count();
    pair.a.host().shell("rm /run/good");
    let before = runs();
    pair.a.wait_to_release(VIP, SOON);
    assert!((before + 2..=before + 4).contains(&runs()), "three runs: {before} to {}", runs());
    pair.a.host().write("/run/good", "");
    let before = runs();
    pair.a.wait_to_hold(VIP, SOON);
    assert!((before + 1..=before + 4).contains(&runs()), "two runs: {before} to {}", runs());
}

fn a_hanging_script_is_killed_with_its_children(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.host().write("/run/good", "");
    pair.a.host().write_script("/run/check", "#!/bin/sh\ntest -e /run/good && exit 0\nsleep 1000 &\nwait\n");
    let block = "vrrp_script check {\n script /run/check\n interval 1\n timeout 1\n}\n";
    pair.a.start_on(&Instance::quick("MASTER", 150).after(block).with(TRACK).text());
    pair.a.wait_to_hold(VIP, SOON);
    pair.a.host().shell("rm /run/good");
    pair.a.wait_for_log("timed_out");
    pair.a.wait_to_release(VIP, SOON);
    // one may be running, never a heap of them
    let sleeping = |node: &Node| node.host().processes().iter().filter(|(_, name)| name == "sleep").count();
    remains("no heap of sleepers", Duration::from_secs(2), || sleeping(&pair.a) <= 1);
    pair.a.stop();
    until("no sleeper is left", SOON, || (sleeping(&pair.a) == 0).then_some(()));
}

fn a_tracked_interface_without_weight_is_a_fault(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.lab.plug(pair.a.host(), "eth1", "lan2", "10.2.0.1/24");
    pair.start(&Instance::quick("MASTER", 150).with("track_interface {\n eth1\n }"), &Instance::quick("BACKUP", 100));
    pair.a.host().ip("link set eth1 down");
    pair.wait_for_only_holder("b");
    pair.a.host().ip("link set eth1 up");
    pair.wait_for_only_holder("a");
}

fn a_tracked_interface_with_weight_moves_the_priority(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.lab.plug(pair.a.host(), "eth1", "lan2", "10.2.0.1/24");
    pair.start(
        &Instance::quick("MASTER", 150).with("track_interface {\n eth1 weight -70\n }"),
        &Instance::quick("BACKUP", 100),
    );
    pair.a.host().ip("link set eth1 down");
    pair.wait_for_only_holder("b");
    assert!(pair.capture.adverts_of("a").iter().any(|advert| advert.priority == 80));
    pair.a.host().ip("link set eth1 up");
    pair.wait_for_only_holder("a");
}
