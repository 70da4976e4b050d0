//! Who takes over, when, after each way in which a master can go.

use std::time::{Duration, SystemTime};

use integration::{Advert, Daemon, Pinger, on_theirs_and_ours, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    a_stopped_master_says_priority_zero_and_its_backup_waits_only_the_skew,
    a_killed_master_is_replaced_after_three_intervals_and_skew,
    a_pulled_cable_is_a_fault_and_the_backup_takes_over,
    an_interface_set_down_by_hand_is_a_fault_until_it_is_up_again,
    a_silent_partition_makes_two_masters_and_its_end_makes_one,
    a_client_reaches_the_address_through_stop_kill_and_return,
    a_lone_instance_becomes_master_and_announces_itself,
    a_stop_leaves_no_address_no_process_and_no_pid_file,
];

/// v3 at one second: long against the noise of a busy machine, so that the bounds mean something.
fn slow(state: &'static str, priority: u8) -> Instance {
    Instance::quick(state, priority).interval("1")
}

/// RFC 9568 §6.1: ((256 - priority) × interval) / 256.
fn skew(priority: u8, interval: Duration) -> Duration {
    interval * (256 - u32::from(priority)) / 256
}

fn first_after(adverts: Vec<Advert>, time: SystemTime) -> Option<SystemTime> {
    adverts.into_iter().map(|advert| advert.at).find(|at| *at > time)
}

fn a_stopped_master_says_priority_zero_and_its_backup_waits_only_the_skew(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.start(&slow("MASTER", 150), &slow("BACKUP", 100));
    assert!(pair.a.stop().success());
    let farewell = pair.capture.adverts_of("a").pop().unwrap();
    assert_eq!(farewell.priority, 0);
    pair.b.wait_to_hold(VIP, SOON);
    let took = until("b announces itself", SOON, || first_after(pair.capture.adverts_of("b"), farewell.at));
    let waited = took.duration_since(farewell.at).unwrap();
    // without the farewell it would have waited more than three seconds
    let skew = skew(100, Duration::from_secs(1));
    assert!(waited >= skew - Duration::from_millis(20) && waited < Duration::from_secs(3), "waited {waited:?}");
    assert!(pair.presence.longest_overlap() < Duration::from_millis(100));
}

fn a_killed_master_is_replaced_after_three_intervals_and_skew(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.start(&slow("MASTER", 150), &slow("BACKUP", 100));
    until("b has heard a", SOON, || (pair.capture.adverts_of("a").len() > 2).then_some(()));
    pair.a.kill_everything();
    let last = pair.capture.adverts_of("a").pop().unwrap();
    assert_eq!(last.priority, 150, "nobody was left to say farewell");
    pair.b.wait_to_hold(VIP, SOON);
    let took = until("b announces itself", SOON, || first_after(pair.capture.adverts_of("b"), last.at));
    let waited = took.duration_since(last.at).unwrap();
    let down = Duration::from_secs(3) + skew(100, Duration::from_secs(1));
    assert!(waited >= down - Duration::from_millis(20), "waited only {waited:?}");
    assert!(waited < down + Duration::from_secs(1), "waited {waited:?}");
    // kill -9 leaves the address on a: it is the gratuitous ARP of b that moves the clients
    assert!(!pair.capture.announcements("b", VIP).is_empty());
}

fn a_pulled_cable_is_a_fault_and_the_backup_takes_over(daemon: Daemon) {
    let pair = Pair::started(daemon);
    pair.lab.pull(pair.a.host());
    pair.a.wait_for_log("Entering FAULT STATE");
    pair.a.wait_to_release(VIP, SOON);
    pair.b.wait_to_hold(VIP, SOON);
    pair.lab.push(pair.a.host());
    pair.wait_for_only_holder("a");
}

fn an_interface_set_down_by_hand_is_a_fault_until_it_is_up_again(daemon: Daemon) {
    let pair = Pair::started(daemon);
    pair.a.host().ip("link set eth0 down");
    pair.a.wait_for_log("Entering FAULT STATE");
    pair.b.wait_to_hold(VIP, SOON);
    pair.a.host().ip("link set eth0 up");
    pair.wait_for_only_holder("a");
}

fn a_silent_partition_makes_two_masters_and_its_end_makes_one(daemon: Daemon) {
    let pair = Pair::started(daemon);
    pair.lab.partition(pair.a.host());
    pair.b.wait_to_hold(VIP, SOON);
    assert!(pair.a.holds(VIP), "a cannot know");
    pair.lab.heal(pair.a.host());
    pair.wait_for_only_holder("a");
    let healed = SystemTime::now();
    // the higher priority stays master through it all
    let lower = |advert: &Advert| advert.from == "b" && advert.at > healed + Duration::from_millis(500);
    integration::remains("b is silent", Duration::from_secs(1), || !pair.capture.adverts().iter().any(lower));
    assert_eq!(pair.presence.tenures().iter().filter(|tenure| tenure.host == "a").count(), 1);
}

fn a_client_reaches_the_address_through_stop_kill_and_return(daemon: Daemon) {
    let mut pair = Pair::started(daemon);
    let client = pair.lab.host("client", "10.0.0.9/24");
    let pinger = Pinger::start(&client, VIP.parse().unwrap());
    let answered = |pinger: &Pinger| {
        let before = pinger.answers();
        until("the client is answered", SOON, || (pinger.answers() > before + 20).then_some(()));
    };
    answered(&pinger);
    pair.a.stop();
    pair.wait_for_only_holder("b");
    answered(&pinger);
    pair.a.start();
    pair.wait_for_only_holder("a");
    answered(&pinger);
    pair.a.kill_everything();
    pair.b.wait_to_hold(VIP, SOON);
    answered(&pinger);
    pair.a.start();
    pair.wait_for_only_holder("a");
    answered(&pinger);
    assert!(pinger.longest_silence() < Duration::from_secs(3), "{:?}", pinger.longest_silence());
}

fn a_lone_instance_becomes_master_and_announces_itself(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("BACKUP", 100).text());
    pair.a.wait_for_log("Entering BACKUP STATE (init)");
    pair.a.wait_for_log("Entering MASTER STATE");
    pair.a.wait_to_hold(VIP, SOON);
    until("five announcements and five more after garp_master_delay", SOON, || {
        (pair.capture.announcements("a", VIP).len() == 10).then_some(())
    });
    integration::remains("ten", Duration::from_millis(300), || pair.capture.announcements("a", VIP).len() == 10);
}

fn a_stop_leaves_no_address_no_process_and_no_pid_file(daemon: Daemon) {
    let mut pair = Pair::started(daemon);
    let script_and_all = pair.a.stop();
    assert_eq!(script_and_all.code(), Some(0));
    assert!(!pair.a.holds(VIP));
    assert_eq!(pair.a.host().processes(), []);
    let left = pair.a.host().shell("ls /run");
    assert_eq!(left.trim(), "");
}
