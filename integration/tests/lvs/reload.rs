//! A reload touches only what changed: counters and connections of the rest survive.

use integration::{Daemon, ask_tcp, on_theirs_and_ours_in_uml, until};

use crate::farm::{Farm, Forwarding, SOON, VIP, wait_for_answer};

on_theirs_and_ours_in_uml![
    a_changed_weight_keeps_the_counters,
    a_removed_server_leaves_and_an_added_one_comes,
    a_removed_service_leaves_and_the_other_stays,
    a_killed_checker_child_finds_its_table_standing,
];

/// Connections that the kernel counted for the service, over all its servers. It sums its counters every two seconds.
fn connections(farm: &Farm) -> u64 {
    let text = farm.director.host().shell("ipvsadm -Ln --stats --exact");
    let own = text.lines().find(|line| line.starts_with("TCP") && line.contains(&format!("{VIP}:80 ")));
    own.and_then(|line| line.split_whitespace().nth(2)).and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn a_changed_weight_keeps_the_counters(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    let _servers = farm.serve();
    farm.director.start_on(&farm.service("lb_algo wrr", &["weight 1", "weight 1"]));
    farm.wait_for_weights(&[(21, 1), (22, 1)]);
    wait_for_answer(&farm);
    for _ in 0..5 {
        ask_tcp(&farm.client, Farm::target());
    }
    let before = until("the kernel has counted", SOON, || Some(connections(&farm)).filter(|count| *count >= 6));
    farm.director.reload(&farm.service("lb_algo wrr", &["weight 1", "weight 3"]));
    farm.wait_for_weights(&[(21, 1), (22, 3)]);
    assert!(connections(&farm) >= before, "{} after {before}", connections(&farm));
}

fn a_removed_server_leaves_and_an_added_one_comes(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 3);
    let _servers = farm.serve();
    let all = farm.service("lb_algo rr", &["weight 1", "weight 1", "weight 1"]);
    let two = farm.service("lb_algo rr", &["weight 1", "weight 1"]);
    farm.director.start_on(&all);
    farm.wait_for_weights(&[(21, 1), (22, 1), (23, 1)]);
    farm.director.reload(&two);
    farm.wait_for_weights(&[(21, 1), (22, 1)]);
    farm.director.reload(&all);
    farm.wait_for_weights(&[(21, 1), (22, 1), (23, 1)]);
}

fn a_removed_service_leaves_and_the_other_stays(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 1);
    let one = farm.service("lb_algo rr", &["weight 1"]);
    let other = one.replace(" 80 {", " 81 {");
    farm.director.start_on(&format!("{one}{other}"));
    until("both stand", SOON, || (integration::ipvs_table(farm.director.host()).len() == 2).then_some(()));
    farm.director.reload(&one);
    until("one stands", SOON, || (integration::ipvs_table(farm.director.host()).len() == 1).then_some(()));
    assert!(farm.table(&format!("-t {VIP}:80")).is_some());
}

fn a_killed_checker_child_finds_its_table_standing(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    let _servers = farm.serve();
    farm.director.start_on(&farm.service("lb_algo rr", &["weight 1", "weight 1"]));
    farm.wait_for_weights(&[(21, 1), (22, 1)]);
    wait_for_answer(&farm);
    let child = farm.director.wait_for_pid("checkers");
    farm.director.signal("checkers", "KILL");
    until("another child runs", SOON, || farm.director.pid("checkers").filter(|pid| *pid != child));
    farm.wait_for_weights(&[(21, 1), (22, 1)]);
    wait_for_answer(&farm);
}
