//! Every scheduler, programmed and used.

use integration::{Daemon, ask_tcp, hold_tcp, on_theirs_and_ours_in_uml, spread, until};

use crate::farm::{Farm, Forwarding, SOON, VIP, wait_for_answer};

on_theirs_and_ours_in_uml![
    every_scheduler_is_programmed,
    scheduler_flags_and_one_packet_arrive,
    wrr_follows_the_weights,
    wlc_follows_the_weights_of_open_connections,
    a_weight_of_zero_gets_nothing_new,
];

/// All that keepalived 2.2.7 knows but `twos`, which Linux 6.1 has not.
const SCHEDULERS: [&str; 13] = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "dh", "sed", "nq", "fo", "ovf", "mh"];

fn every_scheduler_is_programmed(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 1);
    let services = SCHEDULERS.iter().enumerate().map(|(index, scheduler)| {
        let port = 1000 + index;
        let lines = format!("lb_algo {scheduler}");
        farm.service(&lines, &["weight 1"]).replace(" 80 {", &format!(" {port} {{"))
    });
    let configuration: String = services.collect();
    farm.director.start_on(&configuration);
    for (index, scheduler) in SCHEDULERS.iter().enumerate() {
        let key = format!("-t {VIP}:{}", 1000 + index);
        let service = until(&format!("{key} stands"), SOON, || farm.table(&key));
        assert_eq!(service.scheduler, *scheduler);
    }
}

fn scheduler_flags_and_one_packet_arrive(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 1);
    let hash = farm.service("lb_algo sh\nsh-port\nsh-fallback", &["weight 1"]);
    let packet = farm.service("lb_algo rr\nops", &["weight 1"]).replace(" 80 {", " 53 {").replace("TCP", "UDP");
    farm.director.start_on(&(hash + &packet));
    let hash = until("sh stands", SOON, || farm.table(&format!("-t {VIP}:80")));
    assert!(hash.options.contains("sh-fallback") && hash.options.contains("sh-port"), "{hash:?}");
    let packet = until("the UDP service stands", SOON, || farm.table(&format!("-u {VIP}:53")));
    assert!(packet.options.contains("-o"), "{packet:?}");
}

fn wrr_follows_the_weights(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 3);
    let _servers = farm.serve();
    farm.director.start_on(&farm.service("lb_algo wrr", &["weight 3", "weight 2", "weight 1"]));
    farm.wait_for_weights(&[(21, 3), (22, 2), (23, 1)]);
    wait_for_answer(&farm);
    let seen = spread(12, || ask_tcp(&farm.client, Farm::target()));
    let count = |name: &str| seen.get(name).copied().unwrap_or_default();
    // whole rounds of six, wherever the first request fell in its round
    assert_eq!((count("r1"), count("r2"), count("r3")), (6, 4, 2), "{seen:?}");
}

fn wlc_follows_the_weights_of_open_connections(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 3);
    let servers = farm.serve();
    farm.director.start_on(&farm.service("lb_algo wlc", &["weight 2", "weight 1", "weight 1"]));
    farm.wait_for_weights(&[(21, 2), (22, 1), (23, 1)]);
    let held: Vec<_> = (0..8).map(|_| until("a connection", SOON, || hold_tcp(&farm.client, Farm::target()))).collect();
    until("all are taken", SOON, || (servers.iter().map(|server| server.requests()).sum::<u64>() == 8).then_some(()));
    let taken: Vec<u64> = servers.iter().map(|server| server.requests()).collect();
    assert_eq!(taken, [4, 2, 2]);
    drop(held);
}

fn a_weight_of_zero_gets_nothing_new(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    let _servers = farm.serve();
    farm.director.start_on(&farm.service("lb_algo rr", &["weight 0", "weight 1"]));
    farm.wait_for_weights(&[(21, 0), (22, 1)]);
    wait_for_answer(&farm);
    let seen = spread(6, || ask_tcp(&farm.client, Farm::target()));
    assert_eq!(seen.get("r2"), Some(&6), "{seen:?}");
}
