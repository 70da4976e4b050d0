//! Priorities and faults from scripts, files, processes, BFD sessions and interfaces.

use vrrp::config::{Config, ParameterMatch, ScriptConfig, TrackFileConfig, TrackProcessConfig, TrackTarget, Tracker};
use vrrp::view::ScriptResult;
use vrrp::{Event, ScriptId, ScriptOutcome, State};

use crate::scene::*;

fn tracking(target: TrackTarget, weight: i16, reverse: bool) -> Config {
    let mut config = config(vec![instance("V1")]);
    if matches!(target, TrackTarget::Script(_)) {
        config.scripts.push(script("chk"));
    }
    config.files.push(TrackFileConfig { name: "file".into(), path: "/f".into(), init: None });
    config.processes.push(TrackProcessConfig {
        name: "proc".into(),
        process: "httpd".into(),
        parameters: Vec::new(),
        parameter_match: ParameterMatch::None,
        full_command: false,
        quorum: 2,
        quorum_max: Some(3),
        fork_delay: seconds(1),
        terminate_delay: seconds(2),
    });
    config.bfds.push("bfd".into());
    config.instances[0].trackers.push(Tracker { reverse, ..tracker(target, weight) });
    config
}

#[derive(Debug, Clone, Copy)]
enum Told {
    Script(i32),
    File(i64),
    Bfd(bool),
    Link(bool),
}

/// (weight, reverse, what is told, effective priority, state). keepalived.conf(5), `track_*`; 0 is a fault.
#[test]
fn every_tracker_moves_the_priority_or_is_a_fault() {
    use Told::*;
    let rows: &[(i16, bool, Told, u8, State)] = &[
        (20, false, Script(0), 120, State::Backup),
        (20, false, Script(1), 100, State::Backup),
        (-20, false, Script(0), 100, State::Backup),
        (-20, false, Script(1), 80, State::Backup),
        (20, true, Script(0), 100, State::Backup),
        (20, true, Script(1), 120, State::Backup),
        (-20, true, Script(0), 80, State::Backup),
        (0, false, Script(0), 100, State::Backup),
        (0, false, Script(1), 100, State::Fault),
        (0, true, Script(0), 100, State::Fault),
        (253, false, Script(0), 254, State::Backup),
        (-253, false, Script(1), 1, State::Backup),
        (1, false, File(30), 130, State::Backup),
        (2, false, File(-30), 40, State::Backup),
        (2, true, File(-30), 160, State::Backup),
        (1, false, File(-254), 100, State::Fault),
        (1, false, File(i64::MAX), 254, State::Backup),
        (254, false, File(i64::MIN), 100, State::Fault),
        (0, false, File(0), 100, State::Backup),
        (0, false, File(-1), 100, State::Fault),
        (0, true, File(0), 100, State::Fault),
        (15, false, Bfd(true), 115, State::Backup),
        (0, false, Bfd(false), 100, State::Fault),
        (0, true, Bfd(true), 100, State::Fault),
        (5, false, Link(true), 105, State::Backup),
        (-5, false, Link(false), 95, State::Backup),
        (0, false, Link(false), 100, State::Fault),
        (0, true, Link(true), 100, State::Fault),
    ];
    for (weight, reverse, told, priority, state) in rows {
        let target = match told {
            Script(_) => TrackTarget::Script("chk".into()),
            File(_) => TrackTarget::File("file".into()),
            Bfd(_) => TrackTarget::Bfd("bfd".into()),
            Link(_) => TrackTarget::Interface(name("eth1")),
        };
        let mut scene = Scene::started(tracking(target, *weight, *reverse));
        match *told {
            Script(status) => scene.script_ends(0, status),
            File(value) => scene.event(Event::FileValue { file: 0, value }),
            Bfd(up) => scene.event(Event::BfdState { bfd: 0, up }),
            Link(up) => scene.event(Event::Link(link(2, "eth1", up))),
        }
        assert_eq!((scene.priority(0), scene.state(0)), (*priority, *state), "{weight} {reverse} {told:?}");
    }
}

#[test]
fn log_lines_of_trackers_are_keepalived_s() {
    let mut scene = Scene::started(tracking(TrackTarget::Script("chk".into()), 0, false));
    scene.script_ends(0, 0);
    scene.told();
    scene.pass(seconds(1));
    scene.script_ends(0, 3);
    assert_eq!(
        scene.lines(),
        [
            "Script `chk` now returning 3",
            "VRRP_Script(chk) failed (exited with status 3)",
            "(V1): entering FAULT state due to script chk",
            "(V1) Entering FAULT STATE",
        ]
    );
    scene.pass(seconds(1));
    scene.script_ends(0, 0);
    assert_eq!(
        scene.lines(),
        ["Script `chk` now returning 0", "VRRP_Script(chk) succeeded", "(V1) Entering BACKUP STATE"]
    );
    for (outcome, text) in [
        (ScriptOutcome::Signalled(9), "VRRP_Script(chk) failed (due to signal 9)"),
        (ScriptOutcome::TimedOut, "VRRP_Script(chk) timed_out"),
        (ScriptOutcome::NotStarted, "VRRP_Script(chk) failed (could not be started)"),
    ] {
        scene.pass(seconds(1));
        scene.told();
        scene.event(Event::ScriptEnded { script: ScriptId(0), outcome });
        assert_eq!(scene.lines()[0], text);
        scene.pass(seconds(1));
        scene.script_ends(0, 0);
    }

    let mut scene = Scene::started(tracking(TrackTarget::File("file".into()), 0, false));
    scene.event(Event::FileValue { file: 0, value: 7 });
    assert_eq!(scene.lines()[0], "(V1): entering FAULT state (tracked file file has status 7)");
    scene.event(Event::FileValue { file: 0, value: 8 });
    assert_eq!(scene.lines(), Vec::<String>::new());

    let mut scene = Scene::started(tracking(TrackTarget::Bfd("bfd".into()), 0, false));
    scene.event(Event::BfdState { bfd: 0, up: true });
    assert_eq!(scene.lines(), ["VRRP_Instance(V1) Tracked BFD instance bfd is UP", "(V1) Entering BACKUP STATE"]);
    scene.event(Event::BfdState { bfd: 0, up: false });
    assert_eq!(scene.lines()[0], "VRRP_Instance(V1) Tracked BFD instance bfd is DOWN");
}

#[test]
fn a_script_starts_at_once_then_every_interval_and_never_twice_at_a_time() {
    let mut scene = Scene::furnished(tracking(TrackTarget::Script("chk".into()), 5, false), &[]);
    scene.event(Event::Started);
    assert!(scene.told().contains(&"run chk".to_owned()));
    scene.pass(seconds(1));
    assert_eq!(scene.told(), ["log Track script chk is already running, expect idle - skipping run"]);
    scene.script_ends(0, 0);
    scene.told();
    scene.pass(seconds(1));
    assert_eq!(scene.told(), ["run chk"]);
    // an answer that nobody asked for
    scene.script_ends(0, 1);
    scene.script_ends(0, 1);
    assert_eq!(scene.routers.scripts().next().unwrap().result, ScriptResult::Down { successes: 0 });
}

#[test]
fn rise_and_fall_count_from_the_second_result_on() {
    let mut config = tracking(TrackTarget::Script("chk".into()), 5, false);
    config.scripts[0] = ScriptConfig { rise: 2, fall: 3, ..config.scripts[0].clone() };
    let mut scene = Scene::started(config);
    let mut seen = Vec::new();
    // first success: up. Two failures, success, three failures: down. One success, failure, two successes: up.
    for status in [0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0] {
        scene.script_ends(0, status);
        seen.push(scene.priority(0));
        scene.pass(seconds(1));
    }
    assert_eq!(seen, [105, 105, 105, 105, 105, 105, 100, 100, 100, 100, 105]);
}

#[test]
fn a_process_quorum_counts_after_its_delays_and_within_its_maximum() {
    let mut scene = Scene::furnished(tracking(TrackTarget::Process("proc".into()), 0, false), &[]);
    let count = |scene: &mut Scene, count| scene.event(Event::ProcessCount { process: 0, count });
    count(&mut scene, 2);
    scene.event(Event::Started);
    scene.told();
    assert_eq!(scene.state(0), State::Backup);
    count(&mut scene, 1);
    scene.pass(micros(1_999_999));
    assert_eq!(scene.state(0), State::Backup);
    assert!(scene.routers.processes().next().unwrap().terminate_delay_running);
    scene.pass(micros(1));
    assert_eq!(
        scene.lines(),
        [
            "Quorum lost for tracked process proc",
            "(V1) entering FAULT state (tracked process proc quorum not achieved)",
            "(V1) Entering FAULT STATE",
        ]
    );
    // a short visit does not count
    count(&mut scene, 2);
    scene.pass(micros(500_000));
    count(&mut scene, 1);
    scene.pass(seconds(5));
    assert_eq!(scene.state(0), State::Fault);
    count(&mut scene, 3);
    scene.pass(seconds(1));
    assert_eq!(scene.lines(), ["Quorum gained for tracked process proc", "(V1) Entering BACKUP STATE"]);
    count(&mut scene, 4);
    scene.pass(seconds(2));
    assert_eq!(scene.state(0), State::Fault);
}

#[test]
fn a_backup_shifts_its_running_timer_by_the_skew_and_a_master_tells_with_its_next_advert() {
    let config = tracking(TrackTarget::File("file".into()), 1, false);
    let mut scene = Scene::started(config.clone());
    scene.pass(seconds(1));
    scene.event(Event::FileValue { file: 0, value: 50 });
    assert_eq!(scene.lines(), ["(V1) Changing effective priority from 100 to 150"]);
    // skew of 100: 609375 µs, of 150: 414062 µs
    assert_eq!(scene.deadline(), Some(2_609_375 - 609_375 + 414_062));
    scene.pass(seconds(50));
    assert_eq!(scene.state(0), State::Master);
    let before = scene.deadline();
    scene.told();
    scene.event(Event::FileValue { file: 0, value: 0 });
    assert_eq!(scene.told(), ["log (V1) Changing effective priority from 150 to 100"]);
    assert_eq!(scene.deadline(), before);
    scene.pass(seconds(1));
    assert_eq!(scene.told(), ["send V1 100"]);
}

#[test]
fn priority_changes_are_notified_when_asked_for() {
    let mut config = tracking(TrackTarget::File("file".into()), 1, false);
    config.instances[0].notify_priority_changes = true;
    let mut scene = Scene::started(config);
    scene.event(Event::FileValue { file: 0, value: 5 });
    assert_eq!(scene.done(), ["notify V1 Backup priority 105"]);
}

#[test]
fn an_owner_keeps_255_whatever_its_trackers_say() {
    let mut config = tracking(TrackTarget::File("file".into()), 1, false);
    config.instances[0].priority = types::Priority::OWNER;
    let mut scene = Scene::started(config);
    scene.event(Event::FileValue { file: 0, value: -100 });
    assert_eq!(scene.priority(0), 255);
}
