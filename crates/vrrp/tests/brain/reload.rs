//! What a reload keeps, changes, begins and ends.

use types::{CentiSeconds, Priority};
use vrrp::config::{Announced, Config, InstanceConfig, ScriptConfig, TrackTarget};
use vrrp::{GroupId, InstanceId, Reconfigured, ScriptId, State};

use crate::scene::*;

impl Scene {
    fn reload(&mut self, config: Config) -> (Reconfigured, Vec<String>) {
        let utc = self.utc();
        let old = self.routers.config().clone();
        let mut out = Vec::new();
        let result = self.routers.reconfigure(self.now, utc, config, &mut out);
        self.out = out;
        let words = self.told();
        // removals speak of the old numbers
        let bench = Scene::bare(old, &[]);
        let removals = result.removals.iter().map(|action| bench.word(action)).collect();
        (result, [removals, words].concat())
    }
}

#[test]
fn the_same_configuration_again_changes_nothing() {
    let one = || config(vec![instance("V1"), numbered("V2", 52)]);
    let mut scene = Scene::started(one());
    scene.pass(seconds(10));
    scene.advert(1, "10.0.0.2", 200);
    scene.told();
    let before = (scene.deadline(), scene.routers.remembered());
    let (result, words) = scene.reload(one());
    assert_eq!(words, ["hold V1"]);
    assert_eq!(result.instances, [Some(InstanceId(0)), Some(InstanceId(1))]);
    assert_eq!((scene.deadline(), scene.routers.remembered()), before);
}

#[test]
fn instances_are_known_by_what_they_are_and_numbered_anew() {
    let mut scene = Scene::started(config(vec![instance("V1"), numbered("V2", 52), numbered("V3", 53)]));
    scene.pass(seconds(10));
    scene.told();
    let renamed = InstanceConfig { name: "Other".into(), ..numbered("V3", 53) };
    let (result, words) = scene.reload(config(vec![renamed, numbered("V4", 54), instance("V1")]));
    assert_eq!(result.instances, [Some(InstanceId(2)), None, Some(InstanceId(0))]);
    assert_eq!(
        words,
        [
            "send V2 0",
            "release V2",
            "notify V2 Fault 100",
            "hold Other",
            "hold V1",
            "release V4",
            "log (V4) Entering BACKUP STATE (init)",
            "notify V4 Backup 100",
        ]
    );
    assert_eq!([0, 1, 2].map(|id| scene.state(id)), [State::Master, State::Backup, State::Master]);
    scene.pass(seconds(1));
    let sent: Vec<_> = scene.done();
    assert_eq!(sent, ["send Other 100", "send V1 100"]);
}

#[test]
fn a_removed_instance_reports_deleted_when_asked_to() {
    let mut scene = Scene::started(config(vec![InstanceConfig { notify_deleted: true, ..instance("V1") }]));
    let (result, words) = scene.reload(config(vec![]));
    assert_eq!(result.instances, [None]);
    assert_eq!(words, ["notify V1 Deleted 100", "sockets"]);
    assert_eq!(scene.deadline(), None);
}

#[test]
fn new_addresses_of_a_master_are_announced_twice_and_the_next_advert_lists_them() {
    let mut scene = Scene::in_state(instance("V1"), State::Master);
    let announce = vrrp::config::AnnounceConfig { master_delay: seconds(5), ..instance("V1").announce };
    let more = InstanceConfig {
        announce,
        advertised: vec![ip("10.0.0.99"), ip("10.0.0.98")],
        announced: ["10.0.0.99", "10.0.0.98"].map(|text| Announced { address: ip(text), interface: None }).into(),
        ..instance("V1")
    };
    let (_, words) = scene.reload(config(vec![more]));
    assert_eq!(words, ["hold V1", "announce 10.0.0.98"]);
    scene.pass(seconds(1));
    let vrrp::Action::Send(advert) = &scene.out[0] else { panic!("{:?}", scene.out) };
    assert_eq!(advert.destinations[0].octets[23], 2);
    scene.pass(seconds(4));
    assert!(scene.done().contains(&"announce 10.0.0.99 10.0.0.98".to_owned()));
}

#[test]
fn another_interval_or_priority_moves_running_timers() {
    let mut scene = Scene::in_state(instance("V1"), State::Master);
    let quick = || InstanceConfig { interval: CentiSeconds::new(10).unwrap(), ..instance("V1") };
    scene.reload(config(vec![quick()]));
    assert_eq!(scene.deadline(), Some(100_000));
    let mut scene = Scene::in_state(instance("V1"), State::Backup);
    scene.pass(seconds(1));
    let (_, words) = scene.reload(config(vec![InstanceConfig { priority: Priority::new(150), ..instance("V1") }]));
    assert_eq!(words, ["log (V1) Changing effective priority from 100 to 150"]);
    assert_eq!(scene.deadline(), Some(2_414_062));
}

#[test]
fn script_results_are_kept_while_the_command_is_equal() {
    let tracked = |command: &str| {
        let mut config = config(vec![instance("V1")]);
        config.scripts.push(ScriptConfig { command: command.into(), ..script("chk") });
        config.instances[0].trackers.push(tracker(TrackTarget::Script("chk".into()), 10));
        config
    };
    let mut scene = Scene::started(tracked("/bin/a"));
    scene.script_ends(0, 0);
    let (result, words) = scene.reload(tracked("/bin/a"));
    assert_eq!(result.scripts, [Some(ScriptId(0))]);
    assert_eq!(words, ["log VRRP_Script(chk) considered successful on reload"]);
    assert_eq!(scene.priority(0), 110);
    let (result, words) = scene.reload(tracked("/bin/b"));
    assert_eq!(result.scripts, [None]);
    assert_eq!(words, ["run chk", "log (V1) Changing effective priority from 110 to 100"]);
}

#[test]
fn a_tracker_that_a_reload_adds_may_be_a_fault_and_one_that_it_removes_ends_it() {
    let plain = || config(vec![instance("V1")]);
    let mut tracked = plain();
    tracked.bfds.push("bfd".into());
    tracked.instances[0].trackers.push(tracker(TrackTarget::Bfd("bfd".into()), 0));
    let mut scene = Scene::in_state(instance("V1"), State::Master);
    scene.reload(tracked);
    assert_eq!(scene.state(0), State::Fault);
    scene.reload(plain());
    assert_eq!(scene.state(0), State::Backup);
}

#[test]
fn masters_joined_to_a_group_with_a_backup_listen_first() {
    let two = |grouped| Config {
        sync_groups: if grouped { vec![group("G", &["V1", "V2"])] } else { vec![] },
        ..config(vec![instance("V1"), numbered("V2", 52)])
    };
    let mut scene = Scene::started(two(false));
    scene.pass(seconds(1));
    scene.advert(1, "10.0.0.2", 100);
    scene.pass(seconds(3));
    assert_eq!((scene.state(0), scene.state(1)), (State::Master, State::Backup));
    let (result, _) = scene.reload(two(true));
    assert_eq!(result.groups, []);
    assert_eq!((scene.state(0), scene.state(1)), (State::Backup, State::Backup));
    scene.pass(seconds(10));
    let (result, words) = scene.reload(two(true));
    assert_eq!(result.groups, [Some(GroupId(0))]);
    assert_eq!(words, ["hold V1", "hold V2"]);
}

#[test]
fn a_startup_delay_may_be_shortened_while_it_runs() {
    let delayed = |delay| Config { startup_delay: seconds(delay), ..config(vec![instance("V1")]) };
    let mut scene = Scene::started(delayed(100));
    scene.pass(seconds(10));
    scene.reload(delayed(20));
    assert_eq!(scene.deadline(), Some(10_000_000));
    let (_, words) = scene.reload(delayed(5));
    assert!(words.contains(&"log Delayed start completed".to_owned()), "{words:?}");
}

/// Reload equivalence: from A to B gives the same sockets, faults and priorities as a start with B.
#[test]
fn after_a_reload_everything_is_as_after_a_start_with_the_new_configuration() {
    let mut variants = Vec::new();
    for bits in 0..32u32 {
        let mut config = config(vec![instance("V1"), numbered("V2", 52)]);
        config.bfds.push("bfd".into());
        if bits & 1 != 0 {
            config.instances[0].interface = Some(name("eth1"));
        }
        if bits & 2 != 0 {
            config.instances[0].trackers.push(tracker(TrackTarget::Bfd("bfd".into()), -30));
        }
        if bits & 4 != 0 {
            config.instances[1].trackers.push(tracker(TrackTarget::Interface(name("absent")), 0));
        }
        if bits & 8 != 0 {
            config.sync_groups.push(group("G", &["V1", "V2"]));
        }
        if bits & 16 != 0 {
            config.instances.swap(0, 1);
            config.instances[0].cast = unicast(&["10.0.0.2"]);
        }
        variants.push(config);
    }
    let look = |scene: &Scene| {
        let instances: Vec<_> = scene
            .routers
            .instances()
            .map(|view| (view.config.name.clone(), view.effective_priority, view.faults, view.source, view.interface))
            .collect();
        (instances, scene.routers.sockets())
    };
    for from in &variants {
        for to in &variants {
            let mut reloaded = Scene::started(from.clone());
            reloaded.pass(seconds(10));
            reloaded.reload(to.clone());
            let mut fresh = Scene::started(to.clone());
            assert_eq!(look(&reloaded), look(&fresh));
            reloaded.pass(seconds(10));
            fresh.pass(seconds(10));
            let states = |scene: &Scene| scene.routers.instances().map(|view| view.state).collect::<Vec<_>>();
            assert_eq!(states(&reloaded), states(&fresh));
        }
    }
}
