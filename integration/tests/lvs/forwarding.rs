//! Traffic through the table: what the client gets and what the real server sees.

use integration::{Daemon, NameServer, ask_tcp, ask_udp, on_theirs_and_ours_in_uml, spread, until};

use crate::farm::{Farm, Forwarding, SOON, VIP, wait_for_answer};

on_theirs_and_ours_in_uml![
    nat_answers_and_the_server_sees_the_client,
    nat_may_change_the_port,
    direct_routing_answers_from_the_server_itself,
    a_tunnel_answers,
    udp_is_balanced,
    a_firewall_mark_is_a_service,
    persistence_keeps_a_client_at_its_server,
    a_stop_empties_the_table,
];

fn started(daemon: Daemon, forwarding: Forwarding) -> Farm {
    let mut farm = Farm::new(daemon, forwarding, 2);
    let configuration = farm.service("lb_algo rr", &["weight 1", "weight 1"]);
    farm.director.start_on(&configuration);
    farm.wait_for_weights(&[(21, 1), (22, 1)]);
    farm
}

/// Twelve requests are spread evenly by `rr`, and the real server sees the client itself.
fn is_balanced(farm: &Farm) {
    wait_for_answer(farm);
    let seen = spread(12, || {
        let answer = ask_tcp(&farm.client, Farm::target())?;
        assert_eq!(answer.client.to_string(), "10.1.0.2");
        Some(answer)
    });
    assert_eq!((seen.get("r1"), seen.get("r2")), (Some(&6), Some(&6)), "{seen:?}");
}

fn nat_answers_and_the_server_sees_the_client(daemon: Daemon) {
    let farm = started(daemon, Forwarding::Nat);
    let _servers = farm.serve();
    is_balanced(&farm);
}

fn nat_may_change_the_port(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::Nat, 1);
    let _servers = farm.serve();
    let configuration = farm.service("lb_algo rr", &["weight 1"]).replace(&format!("{VIP} 80"), &format!("{VIP} 8080"));
    farm.director.start_on(&configuration);
    let target = format!("{VIP}:8080").parse().unwrap();
    until("port 8080 answers", SOON, || ask_tcp(&farm.client, target));
}

fn direct_routing_answers_from_the_server_itself(daemon: Daemon) {
    let farm = started(daemon, Forwarding::DirectRouting);
    let _servers = farm.serve();
    let capture = farm.lab.capture();
    is_balanced(&farm);
    let answers: Vec<_> = capture.frames().into_iter().filter(|frame| is_from_vip(&frame.bytes)).collect();
    assert!(!answers.is_empty());
    assert!(answers.iter().all(|frame| frame.from != "director"), "no answer passes the director");
    // only the director speaks for the VIP: r1 and r2 have it on lo and keep quiet
    let speakers = capture.frames().into_iter().filter_map(|frame| frame.arp());
    assert!(speakers.filter(|arp| arp.sender.to_string() == VIP).all(|arp| arp.from == "director"));
}

/// True for an IPv4 frame with the VIP as its source.
fn is_from_vip(bytes: &[u8]) -> bool {
    bytes.get(12..14) == Some(&[8, 0]) && bytes.get(26..30) == Some(&[10, 1, 0, 100])
}

fn a_tunnel_answers(daemon: Daemon) {
    let farm = started(daemon, Forwarding::Tunnel);
    let _servers = farm.serve();
    let capture = farm.lab.capture();
    is_balanced(&farm);
    let tunnelled = |bytes: &[u8]| bytes.get(12..14) == Some(&[8, 0]) && bytes.get(23) == Some(&4);
    assert!(capture.frames().iter().any(|frame| frame.from == "director" && tunnelled(&frame.bytes)));
}

fn udp_is_balanced(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    let vip = format!("{VIP}:53").parse().unwrap();
    let _servers: Vec<_> = farm.servers.iter().map(|server| NameServer::start(server, vip)).collect();
    let text = farm.service("lb_algo rr", &["weight 1", "weight 1"]);
    farm.director.start_on(&text.replace(" 80 {", " 53 {").replace("protocol TCP", "protocol UDP"));
    until("the table stands", SOON, || {
        farm.table(&format!("-u {VIP}:53")).filter(|service| service.destinations.len() == 2)
    });
    until("it answers", SOON, || ask_udp(&farm.client, vip));
    let seen = spread(10, || ask_udp(&farm.client, vip));
    assert_eq!((seen.get("r1"), seen.get("r2")), (Some(&5), Some(&5)), "{seen:?}");
}

fn a_firewall_mark_is_a_service(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    let _servers = farm.serve();
    let text = farm.service("lb_algo rr", &["weight 1", "weight 1"]);
    farm.director.start_on(&text.replace(&format!("virtual_server {VIP} 80"), "virtual_server fwmark 7"));
    let service =
        until("the table stands", SOON, || farm.table("-f 7").filter(|service| service.destinations.len() == 2));
    assert_eq!(service.scheduler, "rr");
    // the mark that an operator's firewall would set; this kernel has no nftables families, and `tc` is always there
    farm.director.host().shell("tc qdisc add dev eth0 ingress");
    let rule = format!("u32 match ip dst {VIP}/32 match ip dport 80 0xffff action skbedit mark 7");
    farm.director.host().shell(&format!("tc filter add dev eth0 ingress protocol ip {rule}"));
    is_balanced(&farm);
}

fn persistence_keeps_a_client_at_its_server(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    let _servers = farm.serve();
    farm.director.start_on(&farm.service("lb_algo rr\npersistence_timeout 50", &["weight 1", "weight 1"]));
    farm.wait_for_weights(&[(21, 1), (22, 1)]);
    assert!(farm.table(&format!("-t {VIP}:80")).unwrap().options.contains("-p 50"));
    wait_for_answer(&farm);
    let seen = spread(8, || ask_tcp(&farm.client, Farm::target()));
    assert_eq!(seen.len(), 1, "{seen:?}");
}

fn a_stop_empties_the_table(daemon: Daemon) {
    let mut farm = started(daemon, Forwarding::DirectRouting);
    assert_eq!(farm.director.stop().code(), Some(0));
    assert!(integration::ipvs_table(farm.director.host()).is_empty());
    assert_eq!(farm.director.host().processes(), []);
}
