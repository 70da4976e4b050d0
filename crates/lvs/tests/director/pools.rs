//! Quorum, sorry server, inhibit, weights, alpha: (state, event) to operations.

use lvs::{Event, GroupConfig, GroupEntry, Outcome, Target, VirtualServerConfig};
use types::{Family, FwMark, Port, Protocol, Weight};

use crate::lab::{Lab, config, misc_check, real, sorry, virtual_server};

const A: &str = "10.0.0.1:80";
const B: &str = "10.0.0.2:80";
const C: &str = "10.0.0.3:80";
const VIP: &str = "10.0.0.100:80";

/// Fails twice: the first failure of a server that has run is a retry.
fn down(lab: &mut Lab, server: &str) {
    lab.succeeds(server);
    lab.fails(server);
    lab.fails(server);
}

fn started(virtual_server: VirtualServerConfig) -> Lab {
    let mut lab = Lab::new(config(vec![virtual_server]));
    lab.assert_settled();
    lab.forget();
    lab
}

#[test]
fn servers_are_in_service_before_their_first_check() {
    let lab = Lab::new(config(vec![virtual_server(VIP, &[A, B])]));
    assert_eq!(lab.changes(), ["+S", "+10.0.0.1 w1", "+10.0.0.2 w1"]);
    assert_eq!(lab.logs[0], "Activating healthchecker for service [10.0.0.1]:tcp:80 for VS [10.0.0.100]:tcp:80");
    assert_eq!(lab.logs[2], "Gained quorum 1+0=1 <= 2 for VS [10.0.0.100]:tcp:80");
    assert_eq!(lab.notifications.len(), 1);
    assert_eq!(lab.notifications[0].line, "VS [10.0.0.100]:tcp:80 UP\n");
    assert_eq!(lab.scripts, [1]);
}

#[test]
fn with_rs_init_notifies_servers_are_told_before_their_service() {
    let mut with = config(vec![virtual_server(VIP, &[A])]);
    with.init_notifies = true;
    let lab = Lab::new(with);
    let lines: Vec<&str> = lab.notifications.iter().map(|notification| notification.line.as_str()).collect();
    assert_eq!(lines, ["RS [10.0.0.1]:tcp:80 [10.0.0.100]:tcp:80 UP\n", "VS [10.0.0.100]:tcp:80 UP\n"]);
}

#[test]
fn a_server_goes_when_its_checker_fails_and_comes_when_it_succeeds() {
    let mut lab = started(virtual_server(VIP, &[A, B]));
    down(&mut lab, A);
    assert_eq!(lab.changes(), ["-10.0.0.1"]);
    assert_eq!(
        lab.logs,
        [
            "TCP connection to [10.0.0.1]:tcp:80 success.",
            "TCP_CHECK on service [10.0.0.1]:tcp:80 failed after 1 retries.",
            "Removing service [10.0.0.1]:tcp:80 from VS [10.0.0.100]:tcp:80",
        ]
    );
    assert_eq!(lab.notifications[0].line, "RS [10.0.0.1]:tcp:80 [10.0.0.100]:tcp:80 DOWN\n");
    assert_eq!(lab.scripts, [2001]);
    lab.forget();
    lab.succeeds(A);
    assert_eq!(lab.changes(), ["+10.0.0.1 w1"]);
    assert_eq!(lab.logs[1], "Adding service [10.0.0.1]:tcp:80 to VS [10.0.0.100]:tcp:80");
    assert_eq!(lab.scripts, [1001]);
    lab.assert_settled();
}

#[test]
fn the_quorum_of_the_last_server_is_lost_without_a_sorry_server_too() {
    let mut lab = started(virtual_server(VIP, &[A]));
    lab.fails(A);
    assert_eq!(lab.changes(), ["-10.0.0.1"]);
    assert_eq!(lab.logs[0], "TCP_CHECK on service [10.0.0.1]:tcp:80 failed.");
    assert_eq!(lab.logs[2], "Lost quorum 1-0=1 > 0 for VS [10.0.0.100]:tcp:80");
    assert_eq!(lab.scripts, [2001, 2]);
    assert_eq!(lab.notifications[1].line, "VS [10.0.0.100]:tcp:80 DOWN\n");
}

#[test]
fn a_sorry_server_comes_before_live_servers_go_and_goes_after_they_came() {
    let mut with = virtual_server(VIP, &[A, B, C]);
    with.sorry_server = sorry("10.0.0.9:80", false);
    (with.quorum, with.hysteresis) = (2, 1);
    let mut lab = started(with);
    // 2 of 3 is not below quorum − hysteresis
    down(&mut lab, A);
    assert_eq!(lab.changes(), ["-10.0.0.1"]);
    down(&mut lab, B);
    assert_eq!(lab.changes(), ["-10.0.0.1", "-10.0.0.2"]);
    lab.forget();
    // none lives
    down(&mut lab, C);
    assert_eq!(lab.changes(), ["-10.0.0.3", "+10.0.0.9 w1"]);
    assert_eq!(lab.stands(), ["10.0.0.100:80 -> 10.0.0.9:80 w1"]);
    assert!(lab.logs.contains(&"Lost quorum 2-1=1 > 0 for VS [10.0.0.100]:tcp:80".to_owned()));
    assert!(lab.logs.contains(&"Adding sorry server [10.0.0.9]:tcp:80 to VS [10.0.0.100]:tcp:80".to_owned()));
    assert!(lab.logs.contains(&"Removing alive servers from the pool for VS [10.0.0.100]:tcp:80".to_owned()));
    lab.forget();
    // 1 and 2 are below quorum + hysteresis: the live ones wait
    lab.succeeds(A);
    lab.succeeds(B);
    assert_eq!(lab.changes(), [""; 0]);
    lab.forget();
    lab.succeeds(C);
    let changes = lab.changes();
    assert_eq!(changes.len(), 4);
    assert_eq!(changes[3], "-10.0.0.9");
    assert_eq!(lab.logs[2], "Gained quorum 2+1=3 <= 3 for VS [10.0.0.100]:tcp:80");
    lab.assert_settled();
}

#[test]
fn a_sorry_server_with_inhibit_stands_with_weight_0_until_it_is_wanted() {
    let mut with = virtual_server(VIP, &[A]);
    with.sorry_server = sorry("10.0.0.9:80", true);
    let mut lab = Lab::new(config(vec![with]));
    assert_eq!(lab.changes(), ["+S", "+10.0.0.1 w1", "+10.0.0.9 w0"]);
    lab.forget();
    lab.fails(A);
    assert_eq!(lab.changes(), ["-10.0.0.1", "=10.0.0.9 w1"]);
    lab.forget();
    lab.succeeds(A);
    assert_eq!(lab.changes(), ["+10.0.0.1 w1", "=10.0.0.9 w0"]);
    lab.assert_settled();
}

#[test]
fn a_sorry_server_that_is_a_real_server_too_is_never_removed_by_the_other() {
    let mut with = virtual_server(VIP, &[A, B]);
    with.sorry_server = sorry(A, false);
    with.quorum = 2;
    let mut lab = started(with);
    // A dies: it is the sorry server and stays, B leaves the pool
    down(&mut lab, A);
    assert_eq!(lab.stands(), ["10.0.0.100:80 -> 10.0.0.1:80 w1"]);
    lab.assert_settled();
    lab.forget();
    lab.succeeds(A);
    assert_eq!(lab.changes(), ["+10.0.0.2 w1"]);
    lab.assert_settled();
    lab.forget();
    down(&mut lab, B);
    assert_eq!(lab.changes(), ["-10.0.0.2"]);
    assert_eq!(lab.stands(), ["10.0.0.100:80 -> 10.0.0.1:80 w1"]);
    lab.assert_settled();
}

#[test]
fn inhibited_servers_lose_their_weight_instead_of_their_place() {
    let mut with = virtual_server(VIP, &[A, B]);
    with.real_servers[0].inhibit_on_failure = true;
    with.real_servers[0].weight = Weight::new(5).unwrap();
    let mut lab = started(with);
    down(&mut lab, A);
    assert_eq!(lab.changes(), ["=10.0.0.1 w0"]);
    assert_eq!(lab.logs[2], "Disabling service [10.0.0.1]:tcp:80 of VS [10.0.0.100]:tcp:80");
    lab.forget();
    lab.succeeds(A);
    assert_eq!(lab.changes(), ["=10.0.0.1 w5"]);
    assert_eq!(lab.logs[1], "Enabling service [10.0.0.1]:tcp:80 of VS [10.0.0.100]:tcp:80");
}

#[test]
fn an_alpha_server_starts_down_and_its_first_failure_is_told() {
    let mut with = virtual_server(VIP, &[A]);
    with.real_servers[0].checkers[0].alpha = true;
    let mut lab = Lab::new(config(vec![with.clone()]));
    assert_eq!(lab.stands(), ["10.0.0.100:80"]);
    assert_eq!(lab.logs[1], "Starting with quorum down 1-0=1 > 0 for VS [10.0.0.100]:tcp:80");
    assert_eq!(lab.scripts, [2]);
    lab.forget();
    lab.fails(A);
    assert_eq!(lab.scripts, [2001]);
    assert_eq!(lab.changes(), [""; 0]);
    lab.fails(A);
    assert_eq!(lab.scripts, [2001]);
    lab.forget();
    lab.succeeds(A);
    assert_eq!(lab.changes(), ["+10.0.0.1 w1"]);
    assert_eq!(lab.scripts, [1001, 1]);

    with.real_servers[0].inhibit_on_failure = true;
    let lab = Lab::new(config(vec![with]));
    assert_eq!(lab.stands(), ["10.0.0.100:80 -> 10.0.0.1:80 w0"]);
}

#[test]
fn an_alpha_server_needs_all_its_checkers() {
    let mut with = virtual_server(VIP, &[A]);
    with.real_servers[0].checkers.push(misc_check(7, false));
    for checker in &mut with.real_servers[0].checkers {
        checker.alpha = true;
    }
    let mut lab = started(with);
    lab.succeeds(A);
    assert_eq!(lab.changes(), [""; 0]);
    lab.ends("0.0.0.0:7", Outcome::Exited(0));
    assert_eq!(lab.changes(), ["+10.0.0.1 w1"]);
}

#[test]
fn dynamic_weights_add_up_and_come_back() {
    let mut with = virtual_server(VIP, &[A, B]);
    with.real_servers[0].weight = Weight::new(10).unwrap();
    with.real_servers[0].checkers = vec![misc_check(1, true), misc_check(2, true)];
    let mut lab = started(with);
    for (script, outcome, weight) in [
        ("0.0.0.0:1", Outcome::Exited(22), Some("=10.0.0.1 w20")),
        ("0.0.0.0:2", Outcome::Exited(17), Some("=10.0.0.1 w25")),
        ("0.0.0.0:2", Outcome::Exited(17), None),
        ("0.0.0.0:1", Outcome::Exited(2), Some("=10.0.0.1 w5")),
        ("0.0.0.0:2", Outcome::Exited(2), Some("=10.0.0.1 w0")),
        ("0.0.0.0:2", Outcome::Exited(0), None),
        ("0.0.0.0:1", Outcome::Exited(0), Some("=10.0.0.1 w10")),
        ("0.0.0.0:1", Outcome::Exited(255), Some("=10.0.0.1 w253")),
        // a script that hangs or fails takes the server out; the weight does not drift
        ("0.0.0.0:1", Outcome::TimedOut, Some("-10.0.0.1")),
        ("0.0.0.0:1", Outcome::Exited(255), Some("+10.0.0.1 w253")),
        ("0.0.0.0:1", Outcome::Exited(1), Some("-10.0.0.1")),
        ("0.0.0.0:1", Outcome::Exited(0), Some("+10.0.0.1 w10")),
    ] {
        lab.forget();
        lab.ends(script, outcome.clone());
        assert_eq!(lab.changes(), weight.into_iter().collect::<Vec<_>>(), "{script} {outcome:?}");
        lab.assert_settled();
    }
}

#[test]
fn a_reload_after_exit_0_keeps_the_weight_of_the_file() {
    let mut with = virtual_server(VIP, &[A]);
    with.real_servers[0].weight = Weight::new(10).unwrap();
    with.real_servers[0].checkers = vec![misc_check(1, true)];
    let mut lab = started(with.clone());
    lab.ends("0.0.0.0:1", Outcome::Exited(0));
    lab.reload(config(vec![with.clone()]));
    assert_eq!(lab.stands(), ["10.0.0.100:80 -> 10.0.0.1:80 w10"]);
    // and a dynamic weight stays when the file's changes
    lab.ends("0.0.0.0:1", Outcome::Exited(9));
    with.real_servers[0].weight = Weight::new(20).unwrap();
    lab.reload(config(vec![with]));
    assert_eq!(lab.stands(), ["10.0.0.100:80 -> 10.0.0.1:80 w7"]);
    lab.assert_settled();
}

#[test]
fn quorum_counts_weights() {
    let mut with = virtual_server(VIP, &[A, B]);
    with.real_servers[0].weight = Weight::new(10).unwrap();
    with.quorum = 5;
    let mut lab = started(with);
    down(&mut lab, B);
    assert_eq!(lab.scripts, [2002]);
    lab.forget();
    down(&mut lab, A);
    assert_eq!(lab.scripts, [2001, 2]);
}

#[test]
fn a_quorum_of_weights_that_are_all_0_is_met_while_a_server_lives() {
    let mut with = virtual_server(VIP, &[A]);
    with.real_servers[0].weight = Weight::ZERO;
    with.quorum = 0;
    let mut lab = Lab::new(config(vec![with]));
    assert_eq!(lab.scripts, [1]);
    lab.fails(A);
    lab.succeeds(A);
    assert_eq!(lab.scripts, [1, 2001, 2, 1001, 1]);
}

#[test]
fn a_file_adds_to_the_weight_and_weight_0_makes_it_a_failure() {
    use lvs::ProbeConfig;
    let mut with = virtual_server(VIP, &[A, B]);
    let file = |weight, reverse| ProbeConfig::File { file: "f".into(), weight, reverse };
    with.real_servers[0].weight = Weight::new(10).unwrap();
    with.real_servers[0].checkers[0].probe = file(2, false);
    with.real_servers[1].checkers[0].probe = file(0, false);
    let mut lab = started(with);
    let mut tell = |value| {
        lab.forget();
        lab.tell(Event::File { name: "f".into(), value });
        lab.assert_settled();
        lab.changes()
    };
    assert_eq!(tell(Some(0)), [""; 0]);
    assert_eq!(tell(Some(5)), ["=10.0.0.1 w20", "-10.0.0.2"]);
    assert_eq!(tell(Some(-20)), ["=10.0.0.1 w0"]);
    assert_eq!(tell(Some(i64::MIN)), ["-10.0.0.1"]);
    assert_eq!(tell(None), ["+10.0.0.1 w10", "+10.0.0.2 w1"]);
}

#[test]
fn a_group_is_one_service_for_each_address_and_mark() {
    let mut groups = config(vec![virtual_server(VIP, &["10.0.0.1:81"]), virtual_server(VIP, &["10.0.0.2:82"])]);
    for (number, virtual_server) in groups.virtual_servers.iter_mut().enumerate() {
        let protocol = [Protocol::Tcp, Protocol::Udp][number];
        virtual_server.target = Target::Group { name: "G".into(), protocol, family: Family::Inet };
    }
    groups.groups = vec![GroupConfig {
        name: "G".into(),
        entries: vec![
            GroupEntry::Range {
                first: "10.1.0.254".parse().unwrap(),
                last: "10.1.1.1".parse().unwrap(),
                port: Port(80),
            },
            GroupEntry::Mark { mark: FwMark(9), family: None },
        ],
    }];
    let mut lab = Lab::new(groups);
    assert_eq!(lab.kernel.services.len(), 4 + 4 + 1);
    assert!(lab.logs.contains(&"Gained quorum 1+0=1 <= 1 for VS [G]:1".to_owned()));
    // the mark is shared by both
    assert_eq!(lab.stands().iter().filter(|line| line.starts_with("mark 9")).count(), 2);
    lab.forget();
    lab.fails("10.0.0.2:82");
    assert_eq!(lab.changes().len(), 5);
    lab.assert_settled();
}

#[test]
fn two_virtual_servers_of_one_group_share_its_services() {
    let mut groups = config(vec![virtual_server(VIP, &[A, B]), virtual_server(VIP, &[B, C])]);
    for virtual_server in &mut groups.virtual_servers {
        virtual_server.target = Target::Group { name: "G".into(), protocol: Protocol::Tcp, family: Family::Inet };
    }
    groups.virtual_servers[1].real_servers[0].checkers[0].retry = 0;
    let address = "10.1.0.1".parse().unwrap();
    let range = GroupEntry::Range { first: address, last: address, port: Port(80) };
    groups.groups = vec![GroupConfig { name: "G".into(), entries: vec![range] }];
    let mut lab = Lab::new(groups);
    assert_eq!(lab.stands().len(), 3);
    // B leaves when both have lost it
    lab.fails(B);
    lab.assert_settled();
    lab.forget();
    let other = lab.running.iter().find(|(_, (address, _))| *address == B.parse().unwrap()).map(|(probe, _)| *probe);
    let probe = other.unwrap_or_else(|| lab.until_check_of(B));
    lab.running.remove(&probe);
    lab.tell(Event::Probe { probe, outcome: Outcome::Failed("x".into()) });
    lab.assert_settled();
}

#[test]
fn direct_routing_keeps_the_service_port() {
    let mut with = virtual_server(VIP, &["10.0.0.1:8080"]);
    with.real_servers[0].forwarding = ipvs::Forwarding::DirectRoute;
    let lab = Lab::new(config(vec![with]));
    assert_eq!(lab.stands(), ["10.0.0.100:80 -> 10.0.0.1:80 w1"]);
}

#[test]
fn mails_tell_the_server_as_a_whole() {
    let mut with = virtual_server(VIP, &[A]);
    with.smtp_alert = true;
    with.real_servers[0].smtp_alert = true;
    with.real_servers[0].checkers.push(misc_check(7, false));
    let mut lab = Lab::new(config(vec![with]));
    assert_eq!(lab.mails[0].subject, "Virtualserver [10.0.0.100]:tcp:80 - UP");
    assert_eq!(lab.mails[0].body, "=> Starting with quorum up 1+0=1 <= 1 <=");
    lab.forget();
    lab.fails(A);
    let mails: Vec<(&str, &str)> = lab.mails.iter().map(|mail| (mail.subject.as_str(), mail.body.as_str())).collect();
    assert_eq!(
        mails,
        [
            ("Virtualserver [10.0.0.100]:tcp:80 - DOWN", "=> Lost quorum 1-0=1 > 0 <="),
            (
                "Realserver [10.0.0.1]:tcp:80 of virtual server [10.0.0.100]:tcp:80 - DOWN",
                "=> TCP CHECK failed on service <="
            ),
        ]
    );
    lab.forget();
    lab.ends("0.0.0.0:7", Outcome::Exited(1));
    assert!(lab.mails[0].checker_only);
    lab.forget();
    lab.succeeds(A);
    assert!(lab.mails[0].subject.ends_with(" - DOWN") && lab.mails[0].checker_only);
    assert_eq!(lab.mails[0].body, "=> TCP CHECK succeed on service <=");
}

#[test]
fn weights_set_by_hand_last_until_the_next_reload() {
    let with = config(vec![virtual_server(VIP, &[A, B])]);
    let mut lab = Lab::new(with.clone());
    lab.forget();
    lab.tell(Event::SetWeight { virtual_server: 0, real_server: 1, weight: Weight::new(30).unwrap() });
    lab.tell(Event::SetWeight { virtual_server: 0, real_server: 9, weight: Weight::new(30).unwrap() });
    assert_eq!(lab.changes(), ["=10.0.0.2 w30"]);
    assert_eq!(
        lab.logs[0],
        "Changing weight from 1 to 30 for active service [10.0.0.2]:tcp:80 of VS [10.0.0.100]:tcp:80"
    );
    lab.forget();
    lab.reload(with);
    assert_eq!(lab.changes(), ["=10.0.0.2 w1"]);
}

#[test]
fn somebody_elses_changes_are_mended_and_told() {
    let mut lab = Lab::new(config(vec![virtual_server(VIP, &[A, B])]));
    lab.forget();
    lab.tell(Event::Compare);
    assert_eq!(lab.changes(), [""; 0]);
    assert_eq!(lab.logs, [""; 0]);
    lab.kernel.services.clear();
    while lab.changes().is_empty() {
        lab.step();
    }
    assert_eq!(lab.changes(), ["+S", "+10.0.0.1 w1", "+10.0.0.2 w1"]);
    assert_eq!(lab.logs[0], "IPVS table is not as it should be (3 changes by somebody else): putting it back");
}

#[test]
fn what_stands_is_adopted_and_strangers_are_left_alone_unless_lvs_flush_says_so() {
    let stranger = Lab::new(config(vec![virtual_server("10.0.0.200:80", &[C])])).kernel;
    let ours = config(vec![virtual_server(VIP, &[A, B])]);
    let mut standing = Lab::new(ours.clone()).kernel;
    standing.services.extend(stranger.services);
    let lab = Lab::after_crash(ours.clone(), &Default::default(), standing.clone());
    assert_eq!(lab.changes(), [""; 0]);
    let lab = Lab::after_crash(lvs::Config { flush: true, ..ours }, &Default::default(), standing);
    assert_eq!(lab.changes(), ["-S"]);
}

#[test]
fn real_ipv6_servers_have_names_too() {
    let with = virtual_server("[2001:db8::100]:80", &["[2001:db8::1]:80"]);
    let mut lab = Lab::new(config(vec![with]));
    lab.fails("[2001:db8::1]:80");
    assert!(lab.logs.contains(&"TCP_CHECK on service [2001:db8::1]:tcp:80 failed.".to_owned()));
    let _ = real(A);
}
