//! When checks run, and what several of them make of a verdict.

use std::net::IpAddr;

use lvs::{Event, HttpConfig, HttpVersion, Outcome, ProbeConfig, UrlConfig};

use crate::lab::{Lab, config, misc_check, seconds, tcp_check, virtual_server};

const A: &str = "10.0.0.1:80";
const VIP: &str = "10.0.0.100:80";

/// How long until `server` is checked again.
fn pause(lab: &mut Lab, server: &str) -> std::time::Duration {
    let before = lab.now;
    lab.until_check_of(server);
    lab.now.since(before)
}

#[test]
fn the_first_check_comes_after_a_second_and_a_part_of_the_warmup() {
    for warmup in [0, 10] {
        let mut with = virtual_server(VIP, &[A]);
        with.real_servers[0].checkers[0].warmup = seconds(warmup);
        let mut lab = Lab::new(config(vec![with]));
        let first = pause(&mut lab, A);
        assert!(first >= seconds(1) && first <= seconds(1 + warmup), "{first:?}");
    }
}

#[test]
fn first_checks_are_spread_over_the_warmup() {
    let servers: Vec<String> = (1..=200).map(|n| format!("10.0.0.{n}:80")).collect();
    let servers: Vec<&str> = servers.iter().map(String::as_str).collect();
    let mut lab = Lab::new(config(vec![virtual_server(VIP, &servers)]));
    let start = lab.now;
    let mut in_second = [0u32; 12];
    while lab.running.len() < 200 {
        let before = lab.running.len();
        lab.step();
        in_second[lab.now.since(start).as_secs() as usize] += (lab.running.len() - before) as u32;
    }
    assert!(in_second[1..11].iter().all(|&count| count > 5), "{in_second:?}");
    assert!(in_second[1..11].iter().all(|&count| count < 50), "{in_second:?}");
}

#[test]
fn retries_come_quickly_and_a_success_forgets_them() {
    let mut with = virtual_server(VIP, &[A]);
    with.real_servers[0].checkers[0].retry = 2;
    let mut lab = Lab::new(config(vec![with]));
    lab.succeeds(A);
    assert_eq!(pause(&mut lab, A), seconds(10));
    lab.fails(A);
    assert_eq!(pause(&mut lab, A), seconds(1));
    lab.fails(A);
    assert_eq!(pause(&mut lab, A), seconds(1));
    lab.succeeds(A);
    assert_eq!(pause(&mut lab, A), seconds(10));
    lab.forget();
    lab.fails(A);
    lab.fails(A);
    assert_eq!(lab.changes(), [""; 0]);
    assert_eq!(lab.logs, [""; 0]);
    lab.fails(A);
    assert_eq!(lab.changes(), ["-10.0.0.1"]);
    // a server that is down is asked at the ordinary pace and needs no retries to stay down
    assert_eq!(pause(&mut lab, A), seconds(10));
    lab.fails(A);
    assert_eq!(pause(&mut lab, A), seconds(10));
}

#[test]
fn log_all_failures_tells_each_attempt() {
    let mut with = virtual_server(VIP, &[A]);
    with.real_servers[0].checkers[0].log_all_failures = true;
    let mut lab = Lab::new(config(vec![with]));
    lab.succeeds(A);
    lab.forget();
    lab.fails(A);
    assert_eq!(lab.logs, ["TCP connection to [10.0.0.1]:tcp:80 failed: Connection refused."]);
}

#[test]
fn a_script_keeps_its_interval_from_start_to_start() {
    let mut with = virtual_server(VIP, &[A]);
    with.real_servers[0].checkers = vec![misc_check(1, false)];
    let mut lab = Lab::new(config(vec![with]));
    lab.until_check_of("0.0.0.0:1");
    lab.now = lab.now + seconds(4);
    lab.ends("0.0.0.0:1", Outcome::Exited(0));
    assert_eq!(pause(&mut lab, "0.0.0.0:1"), seconds(6));
    lab.now = lab.now + seconds(14);
    lab.ends("0.0.0.0:1", Outcome::Exited(0));
    assert_eq!(pause(&mut lab, "0.0.0.0:1"), seconds(0));
}

#[test]
fn a_check_that_could_not_be_made_changes_nothing_and_is_made_later() {
    let mut lab = Lab::new(config(vec![virtual_server(VIP, &[A])]));
    lab.forget();
    lab.ends(A, Outcome::NotRun("Too many open files".into()));
    assert_eq!(lab.changes(), [""; 0]);
    assert_eq!(lab.logs, ["TCP_CHECK of [10.0.0.1]:tcp:80 could not be made: Too many open files. Rescheduling."]);
    assert_eq!(pause(&mut lab, A), seconds(10));
}

fn http(urls: usize) -> ProbeConfig {
    let ProbeConfig::Tcp(endpoint) = tcp_check(A).probe else { unreachable!("a TCP check") };
    let url = UrlConfig {
        path: "/".into(),
        host: None,
        digest: None,
        status: vec![(200, 299)],
        regex: None,
        tls_compliant: false,
    };
    ProbeConfig::Http(HttpConfig {
        endpoint,
        tls: false,
        version: HttpVersion::Http10,
        sni: None,
        fast_recovery: false,
        tls_compliant: false,
        urls: vec![url; urls],
    })
}

#[test]
fn all_urls_are_asked_in_one_round_and_the_failed_one_first_afterwards() {
    let mut with = virtual_server(VIP, &[A]);
    with.real_servers[0].checkers[0].probe = http(3);
    let mut lab = Lab::new(config(vec![with]));
    let mut asked = Vec::new();
    let mut answer = |lab: &mut Lab, good: bool| {
        let pause = pause(lab, A);
        let probe = lab.until_check_of(A);
        asked.push((lab.running[&probe].1, pause.as_secs()));
        if good { lab.succeeds(A) } else { lab.fails(A) }
    };
    for good in [true, true, true, true, false, false, true, true, true, true] {
        answer(&mut lab, good);
        lab.forget();
    }
    assert_eq!(asked[1..3], [(1, 0), (2, 0)]);
    // the next round: url 1 fails, is retried after delay_before_retry, and takes the server down
    assert_eq!(asked[3..6], [(0, 10), (1, 0), (1, 1)]);
    // once down it is asked first; when it works, all of them have to
    assert_eq!(asked[6..10], [(1, 10), (0, 0), (1, 0), (2, 0)]);
    assert_eq!(lab.stands(), ["10.0.0.100:80 -> 10.0.0.1:80 w1"]);
}

#[test]
fn http_texts_carry_the_reason() {
    let mut with = virtual_server(VIP, &[A]);
    with.real_servers[0].checkers[0].probe = http(1);
    let mut lab = Lab::new(config(vec![with]));
    lab.forget();
    lab.ends(A, Outcome::Failed("HTTP status code error to".into()));
    assert_eq!(lab.logs[0], "HTTP status code error to server [10.0.0.1]:tcp:80.");
    assert_eq!(lab.logs[1], "HTTP_CHECK on service [10.0.0.1]:tcp:80 failed after 0 retries.");
    let report = lab.director.report();
    assert_eq!(report[0].real_servers[0].checkers[0].reason.as_deref(), Some("HTTP status code error to"));
}

#[test]
fn one_check_serves_every_service_that_names_the_same_server_and_check() {
    let services = ["10.0.0.100:80", "10.0.0.101:80", "10.0.0.102:80"];
    let services = services.map(|service| virtual_server(service, &[A, "10.0.0.2:80"]));
    let mut lab = Lab::new(config(services.to_vec()));
    while lab.running.len() < 2 {
        lab.step();
    }
    lab.step();
    assert_eq!(lab.running.len(), 2);
    lab.forget();
    lab.fails(A);
    assert_eq!(lab.changes(), ["-10.0.0.1"; 3]);
    assert_eq!(lab.notifications.len(), 3);
    lab.assert_settled();
    // a virtual server that comes later knows at once
    let mut more = services.to_vec();
    more.push(virtual_server("10.0.0.103:80", &[A, "10.0.0.2:80"]));
    lab.forget();
    lab.reload(config(more));
    assert_eq!(lab.changes(), ["+S", "+10.0.0.2 w1"]);
}

#[test]
fn checks_of_other_rules_are_their_own() {
    let mut services = vec![virtual_server("10.0.0.100:80", &[A]), virtual_server("10.0.0.101:80", &[A])];
    services[1].real_servers[0].checkers[0].delay_loop = seconds(3);
    let mut lab = Lab::new(config(services));
    while lab.running.len() < 2 {
        lab.step();
    }
}

#[test]
fn ha_suspend_checks_only_while_the_address_is_here() {
    let mut with = virtual_server(VIP, &[A]);
    with.ha_suspend = true;
    let address: IpAddr = "10.0.0.100".parse().unwrap();
    let mut lab = Lab::new(config(vec![with]));
    for _ in 0..5 {
        lab.step();
    }
    assert!(lab.running.is_empty());
    lab.forget();
    lab.tell(Event::AddressPresent(address));
    assert_eq!(lab.logs, ["Activating healthchecker for service [10.0.0.1]:tcp:80 for VS [10.0.0.100]:tcp:80"]);
    assert!(pause(&mut lab, A) <= seconds(1));
    // on a second interface too: it is counted
    lab.tell(Event::AddressPresent(address));
    lab.tell(Event::AddressAbsent(address));
    assert_eq!(lab.running.len(), 1);
    lab.tell(Event::AddressAbsent(address));
    assert_eq!(lab.running.len(), 0);
    assert_eq!(lab.logs[1], "Suspending healthchecker for service [10.0.0.1]:tcp:80 for VS [10.0.0.100]:tcp:80");
    assert_eq!(lab.stands(), ["10.0.0.100:80 -> 10.0.0.1:80 w1"]);
}

#[test]
fn late_outcomes_of_checks_that_nobody_waits_for_are_ignored() {
    let mut lab = Lab::new(config(vec![virtual_server(VIP, &[A])]));
    let probe = lab.until_check_of(A);
    lab.reload(config(vec![]));
    assert!(lab.running.is_empty());
    lab.forget();
    lab.tell(Event::Probe { probe, outcome: Outcome::Failed("late".into()) });
    assert_eq!(lab.operations, []);
    assert_eq!(lab.logs, [""; 0]);
}

#[test]
fn early_and_repeated_timeouts_change_nothing() {
    let mut lab = Lab::new(config(vec![virtual_server(VIP, &[A])]));
    lab.until_check_of(A);
    let mut actions = Vec::new();
    lab.director.handle_timeout(lab.now, &mut actions);
    lab.director.handle_timeout(lab.now, &mut actions);
    assert_eq!(actions, []);
}
