//! The configurations of tutorials and data centres: keepalived's verdict and the right values, field by field.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads its own files")]

use std::time::Duration;

use ipvs::Forwarding;
use lvs::{ProbeConfig, Target};
use rkeepalived_conf::lower::{Described, Options, ScriptFile, ScriptState};
use rkeepalived_conf::preprocess::Memory;
use rkeepalived_conf::{Outcome, parse};
use types::{Protocol, VrrpVersion};
use vrrp::config::{AnnounceConfig, Authentication, Cast, InitialState, TrackTarget};

fn read(file: &str) -> Outcome {
    let text = std::fs::read(format!("{}/tests/classic/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut machine = Described { host_name: "director.example.org".into(), ..Described::default() };
    for script in ["/etc/keepalived/nginx_pid.sh", "/etc/keepalived/check_nginx.sh"] {
        machine
            .scripts
            .insert(script.into(), ScriptFile { state: ScriptState::Secure, real_path: Some(script.into()) });
    }
    parse(file, &Options::default(), &mut Memory::new().file(file, text), &machine)
}

fn messages(outcome: &Outcome) -> Vec<String> {
    outcome.diagnostics.iter().map(|found| format!("{:?} {}", found.class, found.message)).collect()
}

#[test]
fn the_director_pair_serves_http_by_direct_routing() {
    let outcome = read("dr-pair-http-master.conf");
    assert_eq!(outcome.exit_code(), 5, "as keepalived says of persistence_timeout 0");
    assert!(messages(&outcome).iter().any(|message| message == "InvalidNumber persistence_timeout invalid"));
    let configuration = &outcome.configuration;
    let instance = &configuration.vrrp.brain.instances[0];
    assert_eq!(instance.name, "VI_1");
    assert_eq!(instance.initial_state, InitialState::Master);
    assert_eq!(instance.priority.get(), 100);
    assert_eq!(instance.vrid.get(), 51);
    assert_eq!(instance.version, VrrpVersion::V2);
    assert_eq!(instance.interval.get(), 100);
    assert_eq!(instance.down_timer_adverts, 3);
    assert!(instance.preempt && instance.track_primary && !instance.strict);
    assert_eq!(instance.cast, Cast::Multicast { group: "224.0.0.18".parse().unwrap() });
    match &instance.authentication {
        Authentication::Password(secret) => assert_eq!(secret.expose(), b"1111"),
        other => panic!("{other:?}"),
    }
    assert_eq!(instance.announce, AnnounceConfig::default());
    let address = &configuration.vrrp.instances[0].addresses[0];
    assert_eq!(address.address.to_string(), "192.168.160.100/24");
    assert_eq!(address.label.as_deref(), Some("ens33:2"));
    assert_eq!(address.interface.as_ref().unwrap().as_str(), "ens33");
    let server = &configuration.checker.brain.virtual_servers[0];
    assert_eq!(
        server.target,
        Target::Address { address: "192.168.160.100:80".parse().unwrap(), protocol: Protocol::Tcp }
    );
    assert_eq!((server.scheduler.as_str(), server.forwarding), ("rr", Forwarding::DirectRoute));
    assert_eq!(server.persistence, None);
    assert_eq!((server.quorum, server.hysteresis), (1, 0));
    assert_eq!(server.real_servers.len(), 2);
    let real = &server.real_servers[1];
    assert_eq!(real.address, "192.168.160.136:80".parse().unwrap());
    assert_eq!((real.weight.get(), real.smtp_alert, real.alpha), (1, true, false));
    let checker = &real.checkers[0];
    assert_eq!(checker.delay_loop, Duration::from_secs(6));
    assert_eq!((checker.retry, checker.delay_before_retry), (3, Duration::from_secs(3)));
    assert_eq!(checker.warmup, Duration::from_secs(6));
    match &checker.probe {
        ProbeConfig::Http(http) => {
            assert_eq!(http.endpoint.destination, "192.168.160.136:80".parse().unwrap());
            assert_eq!(http.endpoint.timeout, Duration::from_secs(3));
            assert!(!http.tls && http.sni.is_none());
            assert_eq!(http.urls[0].path, "/");
            assert_eq!(http.urls[0].status, [(200, 200)]);
            assert_eq!(http.urls[0].host, None);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_backup_of_the_pair_differs_in_state_and_priority_only() {
    let (master, backup) = (read("dr-pair-http-master.conf"), read("dr-pair-http-backup.conf"));
    let mut expected = master.configuration.clone();
    expected.vrrp.brain.instances[0].initial_state = InitialState::Backup;
    expected.vrrp.brain.instances[0].priority = types::Priority::new(50);
    assert_eq!(backup.configuration, expected);
}

#[test]
fn old_words_of_a_tcp_check_are_told_and_the_rest_holds() {
    let outcome = read("dr-pair-tcp.conf");
    assert_eq!(outcome.exit_code(), 5);
    let unknown: Vec<String> = messages(&outcome).into_iter().filter(|text| text.starts_with("Unknown")).collect();
    assert_eq!(
        unknown,
        [
            "UnknownKeyword Unknown keyword 'nat_mask'",
            "UnknownKeyword Unknown keyword 'nb_get_retry'",
            "UnknownKeyword Unknown keyword 'nb_get_retry'"
        ]
    );
    let server = &outcome.configuration.checker.brain.virtual_servers[0];
    assert_eq!(server.scheduler, "wrr");
    let checker = &server.real_servers[0].checkers[0];
    assert_eq!((checker.retry, checker.delay_before_retry), (1, Duration::from_secs(3)));
    match &checker.probe {
        ProbeConfig::Tcp(endpoint) => assert_eq!(endpoint.timeout, Duration::from_secs(8)),
        other => panic!("{other:?}"),
    }
    let mail = outcome.configuration.global.mail.unwrap();
    assert_eq!(mail.recipients, ["ops@example.org"]);
    assert_eq!(mail.from, "lvs@example.org");
    assert_eq!(mail.server, "127.0.0.1:25".parse().unwrap());
    assert_eq!(mail.helo, "director.example.org");
    assert_eq!(mail.timeout, Duration::from_secs(30));
    assert_eq!(mail.router_id, "LVS01");
}

#[test]
fn a_weight_that_bridges_no_gap_is_told_without_spoiling_the_verdict() {
    let outcome = read("nginx-pair.conf");
    assert_eq!(outcome.exit_code(), 6, "the script runs as root without enable_script_security");
    let advice = messages(&outcome);
    assert!(
        advice
            .iter()
            .any(|text| text.starts_with("Advice") && text.contains("moves the priority between 100 and 103 only")),
        "{advice:#?}"
    );
    let brain = &outcome.configuration.vrrp.brain;
    assert_eq!(brain.scripts[0].interval, Duration::from_secs(2));
    assert_eq!(brain.scripts[0].timeout, Duration::from_secs(2));
    let tracker = &brain.instances[0].trackers[0];
    assert_eq!(tracker.target, TrackTarget::Script("chk_nginx".into()));
    assert_eq!(tracker.weight.get(), 3);
    assert_eq!(outcome.configuration.vrrp.instances[0].addresses[0].address.to_string(), "192.168.2.242/32");
    assert_eq!(outcome.configuration.vrrp.scripts["chk_nginx"].words, ["/etc/keepalived/nginx_pid.sh"]);
}

#[test]
fn three_nodes_wait_as_backups_with_a_script_that_is_a_fault() {
    let outcome = read("three-nodes.conf");
    let instance = &outcome.configuration.vrrp.brain.instances[0];
    assert_eq!((instance.initial_state, instance.priority.get()), (InitialState::Backup, 90));
    assert_eq!(instance.trackers[0].weight.get(), 0);
    assert_eq!(outcome.configuration.global.mail.unwrap().recipients, ["ops@example.org", "failover@example.org"]);
}

#[test]
fn the_mail_pair_is_without_fault() {
    for (file, state, priority) in [
        ("vip-pair-mail-master.conf", InitialState::Master, 150),
        ("vip-pair-mail-backup.conf", InitialState::Backup, 100),
    ] {
        let outcome = read(file);
        assert_eq!(messages(&outcome), [""; 0], "{file}");
        assert_eq!(outcome.exit_code(), 0, "{file}");
        let instance = &outcome.configuration.vrrp.brain.instances[0];
        assert_eq!((instance.initial_state, instance.priority.get(), instance.vrid.get()), (state, priority, 55));
    }
}
