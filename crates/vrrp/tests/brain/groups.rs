//! Sync groups: one member's state is everybody's.

use vrrp::config::{Config, InstanceConfig, TrackTarget};
use vrrp::{Event, State};

use crate::scene::*;

/// V1 on eth0, V2 on eth1.
fn pair() -> Config {
    let second = InstanceConfig { interface: Some(name("eth1")), ..numbered("V2", 52) };
    Config { sync_groups: vec![group("G", &["V1", "V2"])], ..config(vec![instance("V1"), second]) }
}

fn masters() -> Scene {
    let mut scene = Scene::started(pair());
    scene.pass(seconds(100));
    assert_eq!((scene.state(0), scene.state(1)), (State::Master, State::Master));
    scene.told();
    scene
}

#[test]
fn a_member_whose_timer_expired_waits_for_the_others_and_then_all_change_in_one_burst() {
    let mut scene = Scene::started(pair());
    scene.pass(seconds(1));
    scene.advert(1, "10.1.0.2", 100);
    scene.pass(micros(2_609_375));
    assert_eq!((scene.told(), scene.state(0)), (vec![], State::Backup));
    let view = scene.routers.instance(vrrp::InstanceId(0)).unwrap();
    assert_eq!(view.wanted_state, State::Master);
    scene.pass(seconds(1));
    assert_eq!(
        scene.told(),
        [
            "send V2 100",
            "log (V2) Entering MASTER STATE",
            "log VRRP_Group(G) Syncing instances to MASTER state",
            "send V1 100",
            "log (V1) Entering MASTER STATE",
            "hold V2",
            "hold V1",
            "announce 10.0.0.52 10.0.0.99",
            "notify V2 Master 100",
            "notify V1 Master 100",
            "notify group G Master",
        ]
    );
}

#[test]
fn a_member_that_waits_listens_again_when_it_hears_a_master() {
    let mut scene = Scene::started(pair());
    scene.pass(seconds(1));
    scene.advert(1, "10.1.0.2", 100);
    scene.pass(seconds(3));
    scene.advert(0, "10.0.0.2", 100);
    scene.pass(micros(609_375));
    assert_eq!((scene.state(0), scene.state(1)), (State::Backup, State::Backup));
}

#[test]
fn one_member_that_yields_takes_all_along() {
    let mut scene = masters();
    scene.advert(1, "10.1.0.2", 200);
    assert_eq!(
        scene.told(),
        [
            "log (V2) Master received advert from 10.1.0.2 with higher priority 200, ours 100",
            "log (V2) Entering BACKUP STATE",
            "log VRRP_Group(G) Syncing instances to BACKUP state",
            "log (V1) Entering BACKUP STATE",
            "release V2",
            "release V1",
            "notify V2 Backup 100",
            "notify V1 Backup 100",
            "notify group G Backup",
        ]
    );
}

#[test]
fn one_faulty_member_takes_all_along_and_all_come_back_when_none_is_faulty() {
    let mut scene = masters();
    scene.event(Event::Link(link(1, "eth0", false)));
    assert_eq!(
        scene.told(),
        [
            "log Netlink reports eth0 down",
            "log (V1): entering FAULT state (interface eth0 down)",
            "log (V1) Entering FAULT STATE",
            "send V1 0",
            "log VRRP_Group(G) Syncing instances to FAULT state",
            "log (V2) Entering FAULT STATE",
            "send V2 0",
            "release V1",
            "release V2",
            "notify V1 Fault 100",
            "notify V2 Fault 100",
            "notify group G Fault",
        ]
    );
    assert_eq!(scene.routers.instance(vrrp::InstanceId(1)).unwrap().faults, ["a member of sync group G is in FAULT"]);
    scene.event(Event::Link(link(2, "eth1", false)));
    scene.event(Event::Link(link(1, "eth0", true)));
    assert_eq!((scene.state(0), scene.state(1)), (State::Fault, State::Fault));
    scene.told();
    scene.event(Event::Link(link(2, "eth1", true)));
    assert_eq!(
        scene.told(),
        [
            "log Netlink reports eth1 up",
            "log (V2) Entering BACKUP STATE",
            "log VRRP_Group(G) Syncing instances to BACKUP state",
            "log (V1) Entering BACKUP STATE",
            "notify V2 Backup 100",
            "notify V1 Backup 100",
            "notify group G Backup",
        ]
    );
}

#[test]
fn members_wait_in_init_together() {
    let mut config = pair();
    config.scripts.push(script("chk"));
    config.instances[0].trackers.push(tracker(TrackTarget::Script("chk".into()), 0));
    let mut scene = Scene::started(config);
    assert_eq!((scene.state(0), scene.state(1)), (State::Init, State::Init));
    scene.script_ends(0, 0);
    assert_eq!((scene.state(0), scene.state(1)), (State::Backup, State::Backup));
}

#[test]
fn what_the_group_tracks_every_member_depends_on() {
    let mut config = pair();
    config.scripts.push(script("chk"));
    config.sync_groups[0].trackers.push(tracker(TrackTarget::Script("chk".into()), 20));
    let mut scene = Scene::started(config);
    scene.script_ends(0, 0);
    assert_eq!((scene.priority(0), scene.priority(1)), (120, 120));
}

#[test]
fn members_keep_no_weighted_trackers_unless_the_group_lets_them() {
    let tracked = |tracking_weight| {
        let mut config = pair();
        config.scripts.push(script("chk"));
        config.sync_groups[0].tracking_weight = tracking_weight;
        config.instances[0].trackers.push(tracker(TrackTarget::Script("chk".into()), 20));
        config.instances[1].trackers.push(tracker(TrackTarget::Interface(name("eth0")), -20));
        let mut scene = Scene::started(config);
        scene.script_ends(0, 0);
        scene.event(Event::Link(link(2, "eth1", true)));
        scene
    };
    assert_eq!(tracked(false).priority(0), 100);
    assert_eq!(tracked(true).priority(0), 120);
    // an interface without its weight is a fault
    let mut scene = tracked(false);
    scene.event(Event::Link(link(1, "eth0", false)));
    assert_eq!((scene.state(1), scene.priority(1)), (State::Fault, 100));
}

#[test]
fn shutdown_says_goodbye_for_all_before_any_address_goes_and_tells_instances_before_groups() {
    let mut scene = masters();
    scene.event(Event::Shutdown);
    assert_eq!(
        scene.told(),
        [
            "send V1 0",
            "send V2 0",
            "release V1",
            "release V2",
            "notify V1 Stop 100",
            "notify V2 Stop 100",
            "notify group G Stop",
        ]
    );
    scene.pass(seconds(100));
    scene.event(Event::Link(link(1, "eth0", false)));
    assert_eq!(scene.told(), Vec::<String>::new());
}

#[test]
fn a_lower_priority_advert_makes_all_members_announce() {
    let mut config = pair();
    for instance in &mut config.instances {
        instance.announce.lower_priority_repeat = 1;
    }
    let mut scene = Scene::started(config);
    scene.pass(seconds(100));
    scene.told();
    scene.advert(0, "10.0.0.2", 50);
    assert_eq!(
        scene.done(),
        ["send V1 100", "announce 10.0.0.99", "announce 10.0.0.52", "notify V1 lower priority 100"]
    );
}
