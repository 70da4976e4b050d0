//! The configurations of `classic/`, as they stand: the lab's hosts take the interfaces and addresses that the files name.

use std::time::Duration;

use integration::{Daemon, Lab, Node, Presence, on_theirs_and_ours, remains, until};

use crate::instance::SOON;

on_theirs_and_ours![
    the_mail_pair_hands_over,
    the_nginx_pair_runs_its_script_and_its_weight_bridges_no_gap,
    the_three_nodes_have_one_master_and_a_script_that_stops_the_daemon_moves_it,
];

fn file(name: &str) -> String {
    let path = format!("{}/classic/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A node with one interface of the name and address that the file wants.
fn node(lab: &Lab, name: &str, interface: &str, address: &str, daemon: Daemon) -> Node {
    let host = integration::Host::boot(name);
    lab.plug(&host, interface, "lan", address);
    Node::new(host, daemon)
}

fn the_mail_pair_hands_over(daemon: Daemon) {
    let lab = Lab::new();
    let mut a = node(&lab, "a", "eth0", "192.168.0.1/24", daemon);
    let mut b = node(&lab, "b", "eth0", "192.168.0.2/24", daemon);
    let vip = "192.168.0.240";
    a.start_on(&file("vip-pair-mail-master.conf"));
    a.wait_to_hold(vip, SOON);
    b.start_on(&file("vip-pair-mail-backup.conf"));
    b.wait_for_log("Entering BACKUP STATE");
    assert!(a.host().ip("addr show dev eth0").contains("eth0:240"));
    let presence = Presence::watch(vip.parse().unwrap(), [a.host(), b.host()]);
    a.stop();
    b.wait_to_hold(vip, SOON);
    a.start();
    a.wait_to_hold(vip, SOON);
    until("only a holds it", SOON, || (presence.holders() == ["a"]).then_some(()));
}

fn the_nginx_pair_runs_its_script_and_its_weight_bridges_no_gap(daemon: Daemon) {
    let lab = Lab::new();
    let mut a = node(&lab, "a", "ens32", "192.168.2.1/24", daemon);
    let mut b = node(&lab, "b", "ens32", "192.168.2.2/24", daemon);
    let capture = lab.capture();
    let vip = "192.168.2.242";
    for node in [&a, &b] {
        node.host().write("/run/nginx-runs", "");
        node.host().write_script("/etc/keepalived/nginx_pid.sh", "#!/bin/sh\ntest -e /run/nginx-runs\n");
    }
    let master = file("nginx-pair.conf");
    let backup = master.replace("state MASTER", "state BACKUP").replace("priority 100", "priority 90");
    a.start_on(&master);
    a.wait_to_hold(vip, SOON);
    b.start_on(&backup);
    until("the script has raised the priority", SOON, || {
        capture.adverts_of("a").into_iter().find(|advert| advert.priority == 103)
    });
    a.host().shell("rm /run/nginx-runs");
    until("the priority falls", SOON, || capture.adverts_of("a").pop().filter(|advert| advert.priority == 100));
    // 100 against 93: three points can never bridge ten
    remains("a stays master", Duration::from_secs(4), || a.holds(vip) && !b.holds(vip));
}

fn the_three_nodes_have_one_master_and_a_script_that_stops_the_daemon_moves_it(daemon: Daemon) {
    let lab = Lab::new();
    let mut nodes: Vec<Node> = (1..=3)
        .map(|number| node(&lab, &format!("n{number}"), "ens33", &format!("172.18.8.{number}/24"), daemon))
        .collect();
    let presence = Presence::watch("172.18.8.231".parse().unwrap(), nodes.iter().map(Node::host));
    for node in &nodes {
        node.host().write("/run/nginx-runs", "");
        let script = "#!/bin/sh\ntest -e /run/nginx-runs || kill $(cat /run/keepalived.pid)\n";
        node.host().write_script("/etc/keepalived/check_nginx.sh", script);
    }
    for node in &mut nodes {
        node.start_on(&file("three-nodes.conf"));
    }
    until("one holds the VIP", SOON, || (presence.holders().len() == 1).then_some(()));
    remains("one only", Duration::from_secs(2), || presence.holders().len() == 1);
    let first = presence.holders().remove(0);
    let position = nodes.iter().position(|node| node.host().name() == first).unwrap();
    nodes[position].host().shell("rm /run/nginx-runs");
    nodes[position].wait_for_end();
    until("another holds the VIP", SOON, || {
        let holders = presence.holders();
        (holders.len() == 1 && holders[0] != first).then_some(())
    });
    assert!(presence.longest_overlap() < Duration::from_millis(500));
}
