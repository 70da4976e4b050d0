//! `rkeepalived ipvs …` beside ipvsadm on the same table, whoever made that.

use integration::{Daemon, hold_tcp, on_theirs_and_ours_in_uml, until};

use crate::farm::{Farm, Forwarding, SOON, VIP};

on_theirs_and_ours_in_uml![listings_are_ipvsadms, a_saved_table_is_restored];

fn listings_are_ipvsadms(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    let _servers = farm.serve();
    let more = "virtual_server fwmark 7 {\n lb_algo mh\n lb_kind NAT\n persistence_timeout 60\n real_server 10.9.0.1 0 {\n weight 2\n }\n}\n";
    farm.director.start_on(&(farm.service("lb_algo wrr\npersistence_timeout 300", &["weight 3", "weight 1"]) + more));
    farm.wait_for_weights(&[(21, 3), (22, 1)]);
    let held: Vec<_> = (0..4).map(|_| until("a connection", SOON, || hold_tcp(&farm.client, Farm::target()))).collect();
    let program = Daemon::Ours.program().display().to_string();
    for (theirs, ours) in [
        ("-Ln", "list"),
        ("-Ln --stats", "list --stats"),
        ("-Ln --rate", "list --rate"),
        ("-Ln --thresholds", "list --thresholds"),
        ("-Ln --persistent-conn", "list --persistent-conn"),
        ("-Ln --tun-info", "list --tun-info"),
        ("-Lnc", "list --connections"),
        ("-Sn", "save"),
        ("-L --timeout", "timeouts"),
    ] {
        // counters and timers move between the two looks
        until(&format!("ipvsadm {theirs} and ipvs {ours} say the same"), SOON, || {
            let shell = |line: &str| farm.director.host().shell(line);
            (shell(&format!("ipvsadm {theirs}")) == shell(&format!("{program} ipvs {ours}"))).then_some(())
        });
    }
    drop(held);
}

fn a_saved_table_is_restored(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    farm.director.start_on(&farm.service("lb_algo wrr", &["weight 3", "weight 1"]));
    let key = format!("-t {VIP}:80");
    until("the service stands", SOON, || farm.table(&key).filter(|service| service.destinations.len() == 2));
    farm.director.kill_everything();
    let program = Daemon::Ours.program().display();
    let lines = format!(
        "{program} ipvs save >/run/saved; ipvsadm -C; {program} ipvs restore </run/saved; ipvsadm -Sn | diff - /run/saved"
    );
    farm.director.host().shell(&lines);
    assert_eq!(farm.table(&key).map(|service| service.destinations.len()), Some(2));
}
