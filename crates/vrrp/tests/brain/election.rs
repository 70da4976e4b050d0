//! Preemption, delays, owners, intervals and refusals.

use types::{CentiSeconds, IfIndex, Priority, Ttl, VrrpVersion};
use vrrp::config::{Authentication, Cast, InstanceConfig};
use vrrp::{Event, InstanceId, ReceivedPacket, State};

use crate::scene::*;

#[test]
fn preempt_delay_starts_with_the_first_lower_advert_and_stops_with_a_higher_one() {
    let delayed = InstanceConfig { preempt_delay: seconds(5), ..instance("V1") };
    let mut scene = Scene::started(config(vec![delayed]));
    scene.routers.set_detail(true);
    for _ in 0..3 {
        scene.pass(seconds(1));
        scene.advert(0, "10.0.0.2", 50);
        assert_eq!(scene.deadline(), Some(3_609_375), "a lower master is accepted while the delay runs");
    }
    assert_eq!(scene.lines(), ["(V1) start preempt delay (5.000000)", "(V1) master set to 10.0.0.2"]);
    scene.advert(0, "10.0.0.3", 150);
    assert_eq!(scene.lines(), ["(V1) stop preempt delay", "(V1) master changed from 10.0.0.2 to 10.0.0.3"]);
    scene.advert(0, "10.0.0.2", 50);
    for _ in 0..6 {
        scene.pass(seconds(1));
        scene.advert(0, "10.0.0.2", 50);
    }
    scene.told();
    // the delay ended with the fifth; the timer runs since the fourth
    scene.pass(micros(1_609_375));
    assert_eq!(scene.state(0), State::Master);
}

#[test]
fn preempt_delay_does_not_hold_back_when_the_master_is_silent() {
    let delayed = InstanceConfig { preempt_delay: seconds(1000), ..instance("V1") };
    let mut scene = Scene::started(config(vec![delayed]));
    scene.advert(0, "10.0.0.2", 50);
    scene.pass(micros(3_609_375));
    assert_eq!(scene.state(0), State::Master);
}

#[test]
fn version_3_learns_the_masters_interval_and_forgets_it_when_master() {
    let mut scene = Scene::started(config(vec![instance("V1")]));
    scene.routers.set_detail(true);
    let slow = InstanceConfig { interval: CentiSeconds::new(300).unwrap(), ..instance("V1") };
    scene.advert_of(&slow, 1, "10.0.0.2", 200);
    let lines = scene.lines();
    assert!(
        lines.contains(&"(V1) advertisement interval updated from 1000ms to 3000ms by master".to_owned()),
        "{lines:?}"
    );
    // RFC 9568 §6.1: 3 × 3 s + 156/256 × 3 s
    assert_eq!(scene.deadline(), Some(10_828_125));
    scene.pass(micros(10_828_125));
    assert_eq!(scene.state(0), State::Master);
    assert_eq!(scene.deadline(), Some(1_000_000));
}

#[test]
fn version_2_refuses_another_interval_and_its_skew_knows_no_interval() {
    let v2 = |interval| InstanceConfig {
        version: VrrpVersion::V2,
        interval: CentiSeconds::new(interval).unwrap(),
        ..instance("V1")
    };
    let mut scene = Scene::started(config(vec![v2(200)]));
    assert_eq!(scene.deadline(), Some(6_609_375));
    scene.pass(seconds(1));
    for _ in 0..3 {
        scene.advert_of(&v2(100), 1, "10.0.0.2", 200);
    }
    assert_eq!(scene.lines(), ["(V1) advertisement interval mismatch with 10.0.0.2 mine=2 sec rcv'd=1 sec"]);
    assert_eq!(scene.deadline(), Some(5_609_375));
    let view = scene.routers.instance(InstanceId(0)).unwrap();
    assert_eq!((view.statistics.advert_interval_err, view.statistics.advert_rcvd), (3, 0));
}

#[test]
fn down_timer_adverts_counts_the_intervals() {
    let mut scene = Scene::started(config(vec![InstanceConfig { down_timer_adverts: 7, ..instance("V1") }]));
    assert_eq!(scene.deadline(), Some(7_609_375));
    scene.pass(seconds(1));
    scene.advert(0, "10.0.0.2", 100);
    assert_eq!(scene.deadline(), Some(7_609_375));
}

#[test]
fn lower_priority_no_advert_and_higher_priority_send_advert() {
    let quiet = InstanceConfig { lower_priority_no_advert: true, ..instance("V1") };
    let mut scene = Scene::in_state(quiet, State::Master);
    scene.advert(0, "10.0.0.2", 50);
    assert_eq!(
        scene.told(),
        ["log (V1) Received advert from 10.0.0.2 with lower priority 50, ours 100", "notify V1 lower priority 100"]
    );
    let polite = InstanceConfig { higher_priority_send_advert: true, ..instance("V1") };
    let mut scene = Scene::in_state(polite, State::Master);
    scene.advert(0, "10.0.0.2", 200);
    assert_eq!(scene.done(), ["send V1 100", "release V1", "notify V1 Backup 100"]);
}

#[test]
fn an_advert_from_our_own_address_is_told_once_and_changes_nothing() {
    let mut scene = Scene::in_state(instance("V1"), State::Master);
    scene.advert(0, "10.0.0.1", 100);
    scene.advert(0, "10.0.0.1", 100);
    assert_eq!(
        scene.told(),
        ["log (V1) WARNING - equal priority advert received from remote host with our IP address."]
    );
}

fn owner() -> InstanceConfig {
    InstanceConfig {
        priority: Priority::OWNER,
        initial_state: vrrp::config::InitialState::Master,
        preempt: false,
        ..instance("V1")
    }
}

#[test]
fn an_owner_preempts_even_with_nopreempt() {
    let mut scene = Scene::started(config(vec![owner()]));
    scene.advert(0, "10.0.0.2", 254);
    scene.pass(micros(1));
    assert_eq!(scene.state(0), State::Master);
}

/// RFC 9568 §7.1 erratum 8298 and keepalived 2.3.3: two owners settle it by address.
#[test]
fn of_two_owners_the_lower_address_yields() {
    let mut scene = Scene::in_state(owner(), State::Master);
    scene.advert(0, "10.0.0.2", 255);
    assert_eq!(
        scene.lines()[0],
        "(V1) CONFIGURATION ERROR: local instance and 10.0.0.2 are both configured as address owner, please resolve"
    );
    assert_eq!(scene.state(0), State::Backup);
}

#[test]
fn an_owner_that_does_not_yield_makes_us_step_down_to_254_until_it_is_gone() {
    let mut scene = Scene::in_state(owner(), State::Master);
    scene.advert(0, "10.0.0.0", 255);
    assert_eq!(scene.state(0), State::Master);
    scene.told();
    for _ in 0..4 {
        scene.pass(seconds(1));
        scene.advert(0, "10.0.0.0", 255);
    }
    assert_eq!((scene.state(0), scene.priority(0)), (State::Backup, 254));
    let lines = scene.lines();
    let reduced = "(V1) CONFIGURATION ERROR: 10.0.0.0 is still advertising as address owner, please resolve - reducing our priority";
    assert!(lines.contains(&reduced.to_owned()), "{lines:?}");
    // the rogue falls silent: 3 s + 2/256 s with priority 254
    scene.pass(micros(3_007_812));
    assert_eq!((scene.state(0), scene.priority(0)), (State::Master, 255));
}

#[test]
fn a_rival_owner_that_gives_way_in_time_costs_nothing() {
    let mut scene = Scene::in_state(owner(), State::Master);
    scene.advert(0, "10.0.0.0", 255);
    scene.pass(seconds(10));
    assert_eq!((scene.state(0), scene.priority(0)), (State::Master, 255));
}

#[test]
fn owner_ignore_adverts_hears_nobody() {
    let mut scene = Scene::in_state(InstanceConfig { owner_ignore_adverts: true, ..owner() }, State::Master);
    scene.advert(0, "10.0.0.2", 255);
    scene.advert(0, "10.0.0.2", 255);
    assert_eq!(scene.told(), ["log (V1) Dropping packet(s) from 10.0.0.2 since we are address owner"]);
}

#[test]
fn a_refused_packet_is_counted_each_time_told_once_and_leaves_the_timer_alone() {
    let password = |secret: &str| InstanceConfig {
        version: VrrpVersion::V2,
        authentication: Authentication::Password(types::Secret::new(secret.as_bytes().to_vec())),
        ..instance("V1")
    };
    let mut scene = Scene::started(config(vec![password("right")]));
    scene.pass(seconds(1));
    for _ in 0..1000 {
        scene.advert_of(&password("wrong"), 1, "10.0.0.2", 200);
    }
    assert_eq!(scene.lines().len(), 1);
    assert_eq!(scene.deadline(), Some(2_609_375));
    assert_eq!(scene.routers.instance(InstanceId(0)).unwrap().statistics.auth_failure, 1000);
    // another master begins: it may be told again
    scene.advert_of(&password("right"), 1, "10.0.0.2", 200);
    scene.advert_of(&password("right"), 1, "10.0.0.3", 200);
    scene.told();
    scene.advert_of(&password("wrong"), 1, "10.0.0.2", 200);
    assert_eq!(scene.lines().len(), 1);
}

#[test]
fn other_addresses_in_an_advert_are_counted_and_told_once_and_the_advert_counts() {
    let mut scene = Scene::started(config(vec![instance("V1")]));
    scene.pass(seconds(1));
    let other = InstanceConfig { advertised: vec![ip("10.0.0.98"), ip("10.0.0.97")], ..instance("V1") };
    for _ in 0..5 {
        scene.advert_of(&other, 1, "10.0.0.2", 200);
    }
    assert_eq!(scene.deadline(), Some(3_609_375));
    let statistics = scene.routers.instance(InstanceId(0)).unwrap().statistics;
    assert_eq!(statistics.advert_rcvd, 5);
    assert!(statistics.addr_list_err >= 5);
    let lines = scene.lines().len();
    assert!((1..=2).contains(&lines), "{lines}");
}

#[test]
fn packets_with_another_ttl_or_vrid_or_no_sense_at_all_change_nothing() {
    let mut scene = Scene::started(config(vec![instance("V1")]));
    scene.pass(seconds(1));
    let packet = |octets, ttl| {
        Event::Packet(ReceivedPacket {
            interface: IfIndex(1),
            source: ip("10.0.0.2"),
            destination: ip("224.0.0.18"),
            ttl: Ttl(ttl),
            octets,
        })
    };
    for octets in [&[][..], &[0x31], &[0; 20], &[0xff; 64]] {
        scene.event(packet(octets, 255));
    }
    scene.advert_of(&numbered("other", 7), 1, "10.0.0.2", 200);
    assert_eq!(scene.deadline(), Some(2_609_375));
    assert!(scene.routers.global_statistics().vrid_err >= 1);
    assert_eq!(scene.told(), Vec::<String>::new());
}

#[test]
fn unknown_vrids_are_told_once_when_asked_for() {
    let mut scene = Scene::started(vrrp::config::Config { log_unknown_vrids: true, ..config(vec![instance("V1")]) });
    for _ in 0..3 {
        scene.advert_of(&numbered("other", 7), 1, "10.0.0.2", 200);
    }
    assert_eq!(scene.lines(), ["Unknown VRID(7) received on interface(eth0) from 10.0.0.2. ignoring..."]);
}

#[test]
fn unicast_goes_to_each_peer_and_its_socket_is_bound_to_the_source() {
    let pair = InstanceConfig { cast: unicast(&["10.0.0.2", "10.0.0.3"]), ..instance("V1") };
    let mut scene = Scene::in_state(pair.clone(), State::Master);
    scene.pass(seconds(1));
    let vrrp::Action::Send(advert) = &scene.out[0] else { panic!("{:?}", scene.out) };
    let to: Vec<_> = advert.destinations.iter().map(|one| one.address).collect();
    assert_eq!(to, [ip("10.0.0.2"), ip("10.0.0.3")]);
    assert_eq!((advert.socket.group, advert.socket.source), (None, Some(ip("10.0.0.1"))));
    assert_eq!(scene.routers.sockets(), std::slice::from_ref(&advert.socket));
    scene.told();
    let theirs = InstanceConfig { cast: unicast(&["10.0.0.1"]), ..pair };
    scene.advert_of(&theirs, 1, "10.0.0.2", 200);
    assert_eq!(scene.state(0), State::Backup);
    // a multicast advert is none for us
    let group = InstanceConfig { cast: Cast::Multicast { group: ip("224.0.0.18") }, ..theirs };
    let before = scene.deadline();
    scene.pass(seconds(1));
    scene.advert_of(&group, 1, "10.0.0.2", 200);
    assert_eq!(scene.deadline().unwrap() + 1_000_000, before.unwrap());
    assert_eq!(scene.routers.instance(InstanceId(0)).unwrap().statistics.addr_list_err, 1);
}

#[test]
fn the_same_vrid_over_ipv4_and_ipv6_is_two_routers() {
    let six = InstanceConfig {
        family: types::Family::Inet6,
        cast: Cast::Multicast { group: ip("ff02::12") },
        advertised: vec![ip("fe80::99"), ip("2001:db8::99")],
        announced: Vec::new(),
        ..instance("V6")
    };
    let mut scene = Scene::started(config(vec![instance("V4"), six.clone()]));
    assert_eq!(scene.routers.sockets().len(), 2);
    scene.pass(seconds(2));
    scene.advert_of(&six, 1, "fe80::2", 200);
    scene.pass(micros(1_609_375));
    assert_eq!((scene.state(0), scene.state(1)), (State::Master, State::Backup));
}

#[test]
fn statistics_count_adverts_and_changes() {
    let mut scene = Scene::in_state(instance("V1"), State::Master);
    scene.advert(0, "10.0.0.2", 200);
    scene.advert(0, "10.0.0.2", 0);
    let statistics = *scene.routers.instance(InstanceId(0)).unwrap().statistics;
    assert_eq!((statistics.become_master, statistics.release_master), (1, 1));
    assert_eq!((statistics.advert_rcvd, statistics.pri_zero_rcvd), (2, 1));
    assert_eq!(statistics.advert_sent, 197);
    scene.routers.clear_statistics();
    assert_eq!(*scene.routers.instance(InstanceId(0)).unwrap().statistics, vrrp::Statistics::default());
}

#[test]
fn adverts_stay_on_their_grid_when_the_loop_is_late() {
    let fast = InstanceConfig { interval: CentiSeconds::new(1).unwrap(), ..instance("V1") };
    let mut scene = Scene::in_state(fast, State::Master);
    let wait = scene.deadline().unwrap() as u64;
    scene.oversleep(micros(wait + 3_000));
    assert_eq!(scene.told(), ["send V1 100"]);
    assert_eq!(scene.deadline(), Some(7_000));
}

#[test]
fn a_master_that_overslept_does_not_claim_anything_when_it_hears_the_new_master() {
    let mut scene = Scene::in_state(instance("V1"), State::Master);
    scene.now = scene.now + seconds(5);
    scene.advert(0, "10.0.0.2", 50);
    let told = scene.told();
    assert!(!told.iter().any(|word| word.starts_with("send") || word.starts_with("announce")), "{told:?}");
    assert_eq!(scene.state(0), State::Backup);
}

#[test]
fn timer_expired_backup_says_how_long_a_stall_is_harmless() {
    let cautious = InstanceConfig { timer_expired_backup: Some(Priority::new(254)), preempt: false, ..instance("V1") };
    let mut scene = Scene::in_state(cautious, State::Master);
    let wait = scene.deadline().unwrap() as u64;
    // silent for an interval when due; a peer of 254 takes over after 3007812 µs of silence
    scene.oversleep(micros(wait + 2_007_812));
    assert_eq!(scene.state(0), State::Backup);
    let mut scene = Scene::in_state(instance("V1"), State::Master);
    scene.oversleep(micros(wait + 2_007_812));
    assert_eq!(scene.state(0), State::Master);
}

/// Two masters that count in step refuse each other's numbers; skipping as many as the address says ends it.
#[test]
fn a_master_steps_out_of_line_when_another_one_uses_its_sequence_numbers() {
    let header = InstanceConfig {
        version: VrrpVersion::V2,
        authentication: Authentication::AuthenticationHeader(types::Secret::new(b"key".to_vec())),
        ..instance("V1")
    };
    let mut scene = Scene::in_state(header, State::Master);
    let sequence = |scene: &Scene| scene.routers.remembered()[0].sequence;
    let before = sequence(&scene);
    // an old number, and again within the interval
    scene.advert(0, "10.0.0.2", 200);
    scene.advert(0, "10.0.0.2", 200);
    assert_eq!(scene.state(0), State::Master);
    assert_eq!(sequence(&scene), before + 2, "10.0.0.1 skips two, once an interval");
    assert_eq!(scene.routers.instance(InstanceId(0)).unwrap().statistics.auth_failure, 2);
}
