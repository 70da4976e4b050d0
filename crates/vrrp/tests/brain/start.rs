//! The first state: listened for after a start, remembered after a restart of the process.

use std::time::Duration;

use types::{CentiSeconds, Priority, VrrpVersion};
use vrrp::config::{Config, InitialState, InstanceConfig, TrackTarget};
use vrrp::{Event, Remembered, State};

use crate::scene::*;

/// (source, version, configured state, priority, interval in cs, microseconds until it becomes master).
const WAITS: &[(&str, VrrpVersion, InitialState, u8, u16, u128)] = &[
    ("RFC 9568 §6.1", VrrpVersion::V3, InitialState::Backup, 100, 100, 3_609_375),
    ("RFC 9568 §6.1", VrrpVersion::V3, InitialState::Backup, 254, 100, 3_007_812),
    ("RFC 9568 §6.1", VrrpVersion::V3, InitialState::Backup, 1, 4095, 163_640_039),
    ("RFC 9568 §6.1", VrrpVersion::V3, InitialState::Backup, 100, 1, 36_093),
    ("RFC 9568 §6.1", VrrpVersion::V3, InitialState::Backup, 200, 10, 321_875),
    ("RFC 3768 §6.1", VrrpVersion::V2, InitialState::Backup, 100, 500, 15_609_375),
    ("RFC 3768 §6.1", VrrpVersion::V2, InitialState::Backup, 200, 100, 3_218_750),
    (
        "keepalived: state MASTER, one interval and the smallest skew",
        VrrpVersion::V3,
        InitialState::Master,
        100,
        100,
        1_003_906,
    ),
    (
        "keepalived: state MASTER, one interval and the smallest skew",
        VrrpVersion::V2,
        InitialState::Master,
        100,
        200,
        2_003_906,
    ),
    ("RFC 9568 §6.4.1: the owner does not wait", VrrpVersion::V3, InitialState::Master, 255, 100, 1),
];

#[test]
fn the_first_wait_is_exact_to_the_microsecond() {
    for (source, version, initial_state, priority, interval, wait) in WAITS {
        let mut scene = Scene::started(config(vec![InstanceConfig {
            version: *version,
            initial_state: *initial_state,
            priority: Priority::new(*priority),
            interval: CentiSeconds::new(*interval).unwrap(),
            ..instance("V1")
        }]));
        assert_eq!(scene.deadline(), Some(*wait), "{source}");
        scene.pass(micros(*wait as u64 - 1));
        assert_eq!(scene.state(0), State::Backup, "{source}");
        scene.pass(micros(1));
        assert_eq!(scene.state(0), State::Master, "{source}");
    }
}

#[test]
fn nothing_is_decided_before_started_and_leftovers_are_released_then() {
    let mut scene = Scene::furnished(config(vec![instance("V1")]), &[]);
    scene.pass(seconds(100));
    assert_eq!((scene.told(), scene.deadline()), (vec![], None));
    scene.event(Event::Started);
    assert_eq!(
        scene.told(),
        ["sockets", "release V1", "log (V1) Entering BACKUP STATE (init)", "notify V1 Backup 100"]
    );
}

#[test]
fn an_instance_without_interface_address_or_with_a_configuration_fault_starts_in_fault() {
    let mut scene = Scene::bare(config(vec![instance("V1")]), &[]);
    scene.event(Event::Started);
    assert_eq!(scene.lines(), ["(V1): entering FAULT state (interface eth0 down)", "(V1) Entering FAULT STATE (init)"]);
    scene.event(Event::Link(link(1, "eth0", true)));
    assert_eq!(scene.state(0), State::Fault);
    scene.address(1, "10.0.0.1");
    assert_eq!(scene.state(0), State::Backup);

    let broken = InstanceConfig { configuration_fault: Some("no VIP".into()), ..instance("V1") };
    let mut scene = Scene::furnished(config(vec![broken]), &[]);
    scene.event(Event::Started);
    assert_eq!(scene.lines(), ["(V1) entering FAULT state (no VIP)", "(V1) Entering FAULT STATE (init)"]);
}

#[test]
fn startup_delay_hears_nothing_sends_nothing_and_counts_the_timer_from_its_end() {
    let mut scene = Scene::furnished(Config { startup_delay: seconds(10), ..config(vec![instance("V1")]) }, &[]);
    scene.event(Event::Started);
    assert!(scene.lines().contains(&"Delaying startup for 10 seconds".to_owned()));
    scene.pass(seconds(9));
    scene.advert(0, "10.0.0.2", 0);
    scene.advert(0, "10.0.0.2", 50);
    assert_eq!(scene.told(), Vec::<String>::new());
    scene.pass(seconds(1));
    assert_eq!(scene.lines(), ["Delayed start completed"]);
    assert_eq!(scene.deadline(), Some(3_609_375));
}

#[test]
fn an_instance_waits_in_init_for_its_script_unless_init_fail_says_that_it_is_down() {
    let tracked = |init_fail| {
        let mut config = config(vec![instance("V1")]);
        config.scripts.push(vrrp::config::ScriptConfig { init_fail, ..script("chk") });
        config.instances[0].trackers.push(tracker(TrackTarget::Script("chk".into()), 0));
        config
    };
    let mut scene = Scene::furnished(tracked(false), &[]);
    scene.event(Event::Started);
    assert_eq!(scene.told(), ["run chk", "sockets", "release V1"]);
    assert_eq!(scene.state(0), State::Init);
    scene.script_ends(0, 0);
    assert_eq!(
        scene.told(),
        ["log VRRP_Script(chk) succeeded", "log (V1) Entering BACKUP STATE", "notify V1 Backup 100"]
    );

    // keepalived forgets init_fail: there the instance waits in INIT
    let mut scene = Scene::furnished(tracked(true), &[]);
    scene.event(Event::Started);
    assert_eq!(scene.state(0), State::Fault);
    scene.script_ends(0, 0);
    assert_eq!(scene.state(0), State::Backup);
}

fn remembered(label: &str, state: State, age: Duration) -> Remembered {
    Remembered {
        name: label.into(),
        state,
        priority: Priority::new(100),
        last_advert: BEGIN - age,
        master_interval: CentiSeconds::SECOND,
        master: None,
        last_transition: 1_600_000_000_000_000,
        sequence: 7,
    }
}

#[test]
fn a_restarted_process_goes_on_as_the_master_it_was_without_moving_an_address() {
    let former = [remembered("V1", State::Master, micros(2_999_999))];
    let mut scene = Scene::furnished(config(vec![instance("V1")]), &former);
    assert_eq!(scene.routers.remembered(), former);
    scene.event(Event::Started);
    assert_eq!(
        scene.told(),
        [
            "sockets",
            "send V1 100",
            "log (V1) going on in MASTER STATE, as before the restart of this process",
            "hold V1"
        ]
    );
    assert_eq!(scene.deadline(), Some(1_000_000));
    let view = scene.routers.instance(vrrp::InstanceId(0)).unwrap();
    assert_eq!(view.last_transition, Duration::from_micros(1_600_000_000_000_000));
    assert_eq!(scene.routers.remembered()[0].sequence, 7);
}

#[test]
fn a_process_restarted_after_three_intervals_listens_first() {
    let mut scene =
        Scene::furnished(config(vec![instance("V1")]), &[remembered("V1", State::Master, micros(3_000_000))]);
    scene.event(Event::Started);
    assert_eq!(
        scene.told(),
        ["sockets", "release V1", "log (V1) Entering BACKUP STATE (init)", "notify V1 Backup 100"]
    );
    assert_eq!(scene.deadline(), Some(3_609_375));
}

#[test]
fn a_restarted_backup_tells_nobody_what_they_know() {
    let mut scene = Scene::furnished(config(vec![instance("V1")]), &[remembered("V1", State::Backup, seconds(1))]);
    scene.event(Event::Started);
    assert_eq!(scene.told(), ["sockets", "release V1", "log (V1) Entering BACKUP STATE (init)"]);
}

#[test]
fn a_restarted_master_keeps_its_priority_until_its_scripts_have_spoken() {
    let mut config = config(vec![instance("V1")]);
    config.scripts.push(script("chk"));
    config.instances[0].trackers.push(tracker(TrackTarget::Script("chk".into()), 50));
    let former = Remembered { priority: Priority::new(150), ..remembered("V1", State::Master, seconds(1)) };
    let mut scene = Scene::furnished(config, &[former]);
    scene.event(Event::Started);
    assert_eq!(scene.priority(0), 150);
    scene.script_ends(0, 0);
    assert_eq!(scene.priority(0), 150);
    scene.pass(seconds(1));
    scene.script_ends(0, 1);
    assert_eq!(scene.priority(0), 100);
}

#[test]
fn a_group_of_remembered_masters_goes_on_together_or_not_at_all() {
    let grouped =
        || Config { sync_groups: vec![group("G", &["V1", "V2"])], ..config(vec![instance("V1"), numbered("V2", 52)]) };
    let young = |label| remembered(label, State::Master, seconds(1));
    let mut scene = Scene::furnished(grouped(), &[young("V1"), young("V2")]);
    scene.event(Event::Started);
    assert_eq!((scene.state(0), scene.state(1)), (State::Master, State::Master));
    assert!(!scene.told().iter().any(|word| word.starts_with("notify") || word.starts_with("release")));
    let mut scene = Scene::furnished(grouped(), &[young("V1"), remembered("V2", State::Backup, seconds(1))]);
    scene.event(Event::Started);
    assert_eq!((scene.state(0), scene.state(1)), (State::Backup, State::Backup));
}
