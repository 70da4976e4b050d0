//! Reloads and crashes: what stays, what changes, what is told.

use types::{Port, Weight};

use crate::lab::{Lab, config, misc_check, seconds, sorry, virtual_server};

const A: &str = "10.0.0.1:80";
const B: &str = "10.0.0.2:80";
const C: &str = "10.0.0.3:80";
const VIP: &str = "10.0.0.100:80";

#[test]
fn a_reload_of_the_same_touches_nothing() {
    let with = config(vec![virtual_server(VIP, &[A, B])]);
    let mut lab = Lab::new(with.clone());
    lab.fails(A);
    let deadline = lab.director.next_deadline();
    lab.until_check_of(B);
    lab.forget();
    lab.reload(with);
    assert_eq!(lab.changes(), [""; 0]);
    assert_eq!(lab.logs, [""; 0]);
    assert_eq!(lab.notifications, []);
    assert_eq!(lab.running.len(), 1, "a check under way goes on");
    assert!(lab.director.next_deadline() >= deadline);
    lab.assert_settled();
}

#[test]
fn warmup_does_not_start_again_however_often_one_reloads() {
    let mut with = virtual_server(VIP, &[A]);
    with.real_servers[0].checkers[0].warmup = seconds(3);
    let mut lab = Lab::new(config(vec![with.clone()]));
    for n in 0..100 {
        lab.now = lab.now + std::time::Duration::from_millis(100);
        with.real_servers[0].upper_threshold = n;
        lab.reload(config(vec![with.clone()]));
        let mut actions = Vec::new();
        lab.director.handle_timeout(lab.now, &mut actions);
        if !actions.is_empty() {
            return;
        }
    }
    panic!("no check within 10 s of reloads");
}

/// (what changes, operations).
#[test]
fn only_what_differs_is_changed() {
    type Change = fn(&mut lvs::VirtualServerConfig);
    let table: [(&str, Change, &[&str]); 11] = [
        ("upper threshold", |v| v.real_servers[0].upper_threshold = 100, &["=10.0.0.1 w1"]),
        ("lower threshold", |v| v.real_servers[0].lower_threshold = 100, &["=10.0.0.1 w1"]),
        ("weight", |v| v.real_servers[1].weight = Weight::new(7).unwrap(), &["=10.0.0.2 w7"]),
        ("weight of a server that is down", |v| v.real_servers[2].weight = Weight::new(7).unwrap(), &[]),
        ("scheduler", |v| v.scheduler = "rr".into(), &["=S"]),
        ("flag", |v| v.flags.one_packet = true, &["=S"]),
        ("server removed", |v| drop(v.real_servers.remove(0)), &["-10.0.0.1"]),
        ("server that is down removed", |v| drop(v.real_servers.remove(2)), &[]),
        ("inhibit for a server that is down", |v| v.real_servers[2].inhibit_on_failure = true, &["+10.0.0.3 w0"]),
        ("sorry server", |v| v.sorry_server = sorry("10.0.0.9:80", false), &[]),
        ("waiting sorry server", |v| v.sorry_server = sorry("10.0.0.9:80", true), &["+10.0.0.9 w0"]),
    ];
    for (what, change, expected) in table {
        let with = virtual_server(VIP, &[A, B, C]);
        let mut lab = Lab::new(config(vec![with.clone()]));
        lab.fails(C);
        lab.forget();
        let mut changed = with;
        change(&mut changed);
        lab.reload(config(vec![changed]));
        assert_eq!(lab.changes(), expected, "{what}");
        lab.assert_settled();
    }
}

#[test]
fn forwarding_and_port_of_direct_routing_follow_the_reload() {
    let with = virtual_server(VIP, &["10.0.0.1:8080"]);
    let mut lab = Lab::new(config(vec![with.clone()]));
    lab.forget();
    let mut changed = with;
    changed.real_servers[0].forwarding = ipvs::Forwarding::DirectRoute;
    lab.reload(config(vec![changed]));
    // another port is another destination: the new one comes first
    assert_eq!(lab.changes(), ["+10.0.0.1 w1", "-10.0.0.1"]);
    lab.assert_settled();
}

#[test]
fn removed_servers_are_always_told() {
    let mut with = virtual_server(VIP, &[A, B]);
    with.real_servers[0].smtp_alert = true;
    let mut lab = Lab::new(config(vec![with.clone()]));
    lab.forget();
    with.real_servers.remove(0);
    lab.reload(config(vec![with]));
    assert_eq!(lab.scripts, [2001]);
    assert_eq!(lab.logs[0], "service [10.0.0.1]:tcp:80 no longer exist");
    assert_eq!(lab.logs[1], "Removing service [10.0.0.1]:tcp:80 from VS [10.0.0.100]:tcp:80");
    assert_eq!(lab.mails[0].body, "=> Removing <=");
    lab.forget();
    lab.reload(config(vec![]));
    assert_eq!(lab.changes(), ["-S"]);
    assert_eq!(lab.scripts, [2002, 2]);
    assert!(lab.logs.contains(&"Removing Virtual Server [10.0.0.100]:tcp:80".to_owned()));
    assert_eq!(lab.kernel.services.len(), 0);
}

#[test]
fn a_server_that_is_down_stays_down_under_other_checks_until_one_saw_it_up() {
    let mut with = virtual_server(VIP, &[A, B]);
    let mut lab = Lab::new(config(vec![with.clone()]));
    lab.fails(A);
    with.real_servers[0].checkers = vec![misc_check(5, false)];
    lab.forget();
    lab.reload(config(vec![with.clone()]));
    assert_eq!(lab.changes(), [""; 0]);
    lab.ends("0.0.0.0:5", lvs::Outcome::Exited(0));
    assert_eq!(lab.changes(), ["+10.0.0.1 w1"]);
    // the same check at another pace keeps its verdict
    lab.fails(B);
    lab.fails(B);
    lab.forget();
    with.real_servers[1].checkers[0].delay_loop = seconds(2);
    lab.reload(config(vec![with.clone()]));
    assert_eq!(lab.changes(), [""; 0]);
    // and without its check it is up
    with.real_servers[1].checkers.clear();
    lab.reload(config(vec![with]));
    assert_eq!(lab.changes(), ["+10.0.0.2 w1"]);
    assert!(lab.logs.contains(&"Adding service [10.0.0.2]:tcp:80 to VS [10.0.0.100]:tcp:80".to_owned()));
}

#[test]
fn a_changed_quorum_is_weighed_at_once() {
    let mut with = virtual_server(VIP, &[A, B]);
    with.sorry_server = sorry("10.0.0.9:80", false);
    let mut lab = Lab::new(config(vec![with.clone()]));
    lab.fails(A);
    lab.forget();
    with.quorum = 2;
    lab.reload(config(vec![with]));
    assert_eq!(lab.changes(), ["+10.0.0.9 w1", "-10.0.0.2"]);
    assert_eq!(lab.scripts, [2]);
    assert_eq!(lab.logs[0], "Lost quorum 2-0=2 > 1 for VS [10.0.0.100]:tcp:80");
}

#[test]
fn a_range_that_is_removed_from_a_group_takes_its_services_along() {
    use lvs::{GroupConfig, GroupEntry, Target};
    let entry = |first: &str, last: &str| GroupEntry::Range {
        first: first.parse().unwrap(),
        last: last.parse().unwrap(),
        port: Port(80),
    };
    let mut with = config(vec![virtual_server(VIP, &[A])]);
    with.virtual_servers[0].target =
        Target::Group { name: "G".into(), protocol: types::Protocol::Tcp, family: types::Family::Inet };
    with.groups = vec![GroupConfig {
        name: "G".into(),
        entries: vec![entry("10.1.0.1", "10.1.0.3"), entry("10.2.0.1", "10.2.0.1")],
    }];
    let mut lab = Lab::new(with.clone());
    assert_eq!(lab.kernel.services.len(), 4);
    lab.forget();
    with.groups[0].entries[0] = entry("10.1.0.3", "10.1.0.4");
    lab.reload(with);
    assert_eq!(lab.changes(), ["-S", "-S", "+S", "+10.0.0.1 w1"]);
    lab.assert_settled();
}

#[test]
fn after_a_crash_dead_servers_stay_out_and_living_ones_are_adopted() {
    let mut with = virtual_server(VIP, &[A, B]);
    with.real_servers[1].checkers[0].alpha = true;
    let with = config(vec![with]);
    let mut lab = Lab::new(with.clone());
    lab.succeeds(B);
    lab.fails(A);
    let mut after = Lab::after_crash(with, &lab.director.remember(), lab.kernel.clone());
    assert_eq!(after.changes(), [""; 0]);
    assert_eq!(after.notifications, []);
    assert_eq!(after.stands(), ["10.0.0.100:80 -> 10.0.0.2:80 w1"]);
    after.succeeds(A);
    assert_eq!(after.changes(), ["+10.0.0.1 w1"]);
    assert_eq!(after.scripts, [1001]);
}

#[test]
fn two_virtual_servers_of_one_group_are_remembered_apart() {
    let mut with = config(vec![virtual_server(VIP, &[A]), virtual_server(VIP, &[A])]);
    for virtual_server in &mut with.virtual_servers {
        virtual_server.target =
            lvs::Target::Group { name: "G".into(), protocol: types::Protocol::Tcp, family: types::Family::Inet };
    }
    // the second has no check, so there the server is up
    with.virtual_servers[1].real_servers[0].checkers.clear();
    let mut lab = Lab::new(with.clone());
    lab.fails(A);
    let after = Lab::after_crash(with, &lab.director.remember(), lab.kernel.clone());
    assert_eq!(after.changes(), [""; 0]);
    assert_eq!(after.notifications, []);
    let up: Vec<bool> = after.director.report().iter().map(|report| report.real_servers[0].up).collect();
    assert_eq!(up, [false, true]);
}
