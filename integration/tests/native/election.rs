//! Priorities, preemption, ties and owners.

use std::time::Duration;

use integration::{Daemon, Node, on_theirs_and_ours, remains, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    the_higher_priority_takes_the_address_back_when_it_returns,
    nopreempt_leaves_the_address_where_it_is,
    preempt_delay_puts_the_return_off,
    of_equal_priorities_the_higher_address_wins,
    an_owner_is_master_at_once_and_stays_at_255,
    of_three_nodes_one_takes_over,
];

fn the_higher_priority_takes_the_address_back_when_it_returns(daemon: Daemon) {
    let mut pair = Pair::started(daemon);
    pair.a.stop();
    pair.wait_for_only_holder("b");
    pair.a.start();
    pair.wait_for_only_holder("a");
    pair.b.wait_for_log("Master received advert from 10.0.0.1 with higher priority 150, ours 100");
}

fn nopreempt_leaves_the_address_where_it_is(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let (a, b) = (Instance::quick("BACKUP", 150).with("nopreempt"), Instance::quick("BACKUP", 100).with("nopreempt"));
    pair.start(&a, &b);
    pair.a.stop();
    pair.wait_for_only_holder("b");
    pair.a.start();
    pair.a.wait_for_log_times("Entering BACKUP STATE (init)", 2);
    remains("b holds the VIP", Duration::from_millis(1500), || pair.presence.holders() == ["b"]);
    pair.b.stop();
    pair.wait_for_only_holder("a");
}

fn preempt_delay_puts_the_return_off(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.start(&Instance::quick("BACKUP", 150).with("preempt_delay 2"), &Instance::quick("BACKUP", 100));
    pair.a.stop();
    pair.wait_for_only_holder("b");
    pair.a.start();
    pair.a.wait_for_log_times("Entering BACKUP STATE (init)", 2);
    pair.a.wait_for_log("start preempt delay");
    remains("b holds the VIP", Duration::from_millis(1500), || pair.presence.holders() == ["b"]);
    pair.wait_for_only_holder("a");
}

fn of_equal_priorities_the_higher_address_wins(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let both = Instance::quick("BACKUP", 100);
    pair.a.start_on(&both.text());
    pair.b.start_on(&both.text());
    until("someone holds it", SOON, || (!pair.presence.holders().is_empty()).then_some(()));
    // whoever was first: when both are masters the tie is decided by the address (RFC 9568 §6.4.3)
    pair.lab.partition(pair.a.host());
    pair.a.wait_to_hold(VIP, SOON);
    pair.b.wait_to_hold(VIP, SOON);
    pair.lab.heal(pair.a.host());
    pair.wait_for_only_holder("b");
}

fn an_owner_is_master_at_once_and_stays_at_255(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.b.start_on(&Instance::quick("BACKUP", 100).text());
    pair.b.wait_to_hold(VIP, SOON);
    pair.a.start_on(&Instance::quick("MASTER", 255).text());
    pair.wait_for_only_holder("a");
    until("the owner advertises", SOON, || pair.capture.adverts_of("a").pop());
    assert!(pair.capture.adverts_of("a").iter().all(|advert| advert.priority == 255));
}

fn of_three_nodes_one_takes_over(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let mut c = Node::new(pair.lab.host("c", "10.0.0.3/24"), daemon);
    let presence = integration::Presence::watch(VIP.parse().unwrap(), [pair.a.host(), pair.b.host(), c.host()]);
    pair.start(&Instance::quick("BACKUP", 150), &Instance::quick("BACKUP", 120));
    c.start_on(&Instance::quick("BACKUP", 100).text());
    c.wait_for_log("Entering BACKUP STATE");
    pair.a.stop();
    pair.b.wait_to_hold(VIP, SOON);
    remains("only b holds it", Duration::from_secs(1), || presence.holders() == ["b"]);
    assert!(presence.tenures().iter().all(|tenure| tenure.host != "c"));
}
