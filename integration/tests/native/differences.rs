//! Where ours deliberately differs: each test states both sides and stands for a paragraph of `man/behaviour-diary.md`.

use std::time::Duration;

use integration::{Daemon, Lab, Node, Recorder, on_theirs_and_ours, remains, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    a_deleted_address_and_the_state_of_its_instance,
    a_reload_of_a_broken_file,
    a_kernel_without_ipvs_and_a_configured_virtual_server,
    a_keyword_without_its_value_and_the_mistakes_after_it,
    a_definition_that_names_itself,
    a_script_that_shall_count_as_failed_at_first,
    slow_notify_scripts_of_quick_transitions,
];

/// Diary, Addresses: "put back at once … the instance stays master".
fn a_deleted_address_and_the_state_of_its_instance(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
    pair.a.host().ip(&format!("addr del {VIP}/24 dev eth0"));
    match daemon {
        Daemon::Theirs => pair.a.wait_for_log_times("Entering MASTER STATE", 2),
        Daemon::Ours => {
            until("it is announced again", SOON, || (pair.capture.announcements("a", VIP).len() > 5).then_some(()));
            pair.a.wait_to_hold(VIP, SOON);
            assert_eq!(pair.a.log().matches("Entering MASTER STATE").count(), 1);
        }
    }
}

/// Diary, Configuration and reload: "A reload with new errors changes nothing".
fn a_reload_of_a_broken_file(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
    let broken = Instance::quick("MASTER", 150).addresses("10.0.0.101/24").with("nonsense 1").text();
    pair.a.reload(&broken);
    match daemon {
        Daemon::Theirs => {
            pair.a.wait_to_hold("10.0.0.101", SOON);
            pair.a.wait_to_release(VIP, SOON);
        }
        Daemon::Ours => {
            pair.a.wait_for_log("nonsense");
            remains("nothing has changed", Duration::from_secs(1), || pair.a.holds(VIP) && !pair.a.holds("10.0.0.101"));
        }
    }
}

/// Diary, Processes: "A kernel without IPVS leaves VRRP running". The build machines' own kernel has none; one that has is no lab for this.
fn a_kernel_without_ipvs_and_a_configured_virtual_server(daemon: Daemon) {
    if std::path::Path::new("/proc/net/ip_vs").exists() {
        println!("skipped: this kernel has IPVS");
        return;
    }
    let mut pair = Pair::new(daemon, daemon);
    let service = "virtual_server 10.0.0.100 80 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n real_server 10.0.0.3 80 {\n weight 1\n }\n}\n";
    pair.a.start_on(&(Instance::quick("MASTER", 150).text() + service));
    match daemon {
        Daemon::Theirs => assert_eq!(pair.a.wait_for_end().code(), Some(1)),
        Daemon::Ours => {
            pair.a.wait_to_hold(VIP, SOON);
            remains("VRRP goes on", Duration::from_secs(2), || pair.a.holds(VIP));
        }
    }
}

fn tested(daemon: Daemon, text: &str, limit: &str) -> (Option<i32>, String) {
    let lab = Lab::new();
    let node = Node::new(lab.host("a", "10.0.0.1/24"), daemon);
    node.configure(text);
    let mut command = node.host().command("timeout");
    let output = command.args([limit]).arg(daemon.program()).args(["-t", "-f", Node::CONFIGURATION]).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Diary, Configuration and reload: "A mistake does not end the reading".
fn a_keyword_without_its_value_and_the_mistakes_after_it(daemon: Daemon) {
    let text = Instance::quick("MASTER", 150).with("preempt_delay").with("nonsense 1").text();
    let (code, messages) = tested(daemon, &text, "10");
    assert_eq!(code, Some(2), "{messages}");
    assert_eq!(messages.contains("nonsense"), daemon == Daemon::Ours, "{messages}");
}

/// Diary, Configuration and reload: "Definitions that name themselves end with a diagnostic".
fn a_definition_that_names_itself(daemon: Daemon) {
    let text = format!("$X=${{X}}\n{}", Instance::quick("MASTER", 150).with("priority $X").text());
    let (code, messages) = tested(daemon, &text, "2");
    match daemon {
        // `timeout` had to end it
        Daemon::Theirs => assert_eq!(code, Some(124), "{messages}"),
        Daemon::Ours => {
            assert!(code.is_some_and(|code| code != 124 && code != 0) && messages.contains('X'), "{code:?} {messages}")
        }
    }
}

/// Diary, Configuration and reload: "`init_fail` works".
fn a_script_that_shall_count_as_failed_at_first(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let script = "vrrp_script check {\n script \"/usr/bin/sleep 3\"\n interval 4\n timeout 4\n init_fail\n}\n";
    pair.a.start_on(&Instance::quick("MASTER", 150).after(script).with("track_script {\n check\n }").text());
    match daemon {
        // neither backup nor fault until the script's first result
        Daemon::Theirs => pair.a.wait_to_hold(VIP, SOON),
        Daemon::Ours => {
            pair.a.wait_for_log("Entering FAULT STATE");
            pair.a.wait_to_hold(VIP, SOON);
        }
    }
    assert_eq!(pair.a.log().contains("Entering FAULT STATE"), daemon == Daemon::Ours, "{}", pair.a.log());
}

/// Diary, Notification: "Scripts of one instance run in the order of its transitions".
fn slow_notify_scripts_of_quick_transitions(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let recorder = Recorder::install(pair.a.host());
    // BACKUP and MASTER follow each other within half a second; the script for the first takes one
    let slow = format!("#!/bin/sh\nsleep $1\nexec {} $2\n", Recorder::SCRIPT);
    pair.a.host().write_script("/etc/keepalived/slow", &slow);
    let words = "notify_backup \"/etc/keepalived/slow 1 backup\"\n notify_master \"/etc/keepalived/slow 0 master\"";
    pair.a.start_on(&Instance::quick("BACKUP", 150).with(words).text());
    recorder.wait_for("backup");
    recorder.wait_for("master");
    let wanted = match daemon {
        Daemon::Theirs => ["master", "backup"],
        Daemon::Ours => ["backup", "master"],
    };
    assert_eq!(recorder.calls(), wanted);
}
