//! What follows something else: the connection synchronisation daemon its VRRP instance, a real server its BFD session.

use integration::{Daemon, Host, Lab, Node, ipvs_table, on_theirs_and_ours_in_uml, until};

use crate::farm::SOON;

on_theirs_and_ours_in_uml![the_synchronisation_daemon_follows_its_instance, a_real_server_follows_its_bfd_session];

const SERVICE: &str = "
virtual_server 10.1.0.100 80 {
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.1.0.21 80 {
CHECK
    }
}
";

fn daemons(host: &Host) -> String {
    host.shell("ipvsadm -L --daemon")
}

fn the_synchronisation_daemon_follows_its_instance(daemon: Daemon) {
    let lab = Lab::new();
    let node = |name: &str, number: u8, priority: u8| {
        let node = Node::new(lab.host(name, &format!("10.1.0.{number}/24")), daemon);
        let configuration = format!(
            "global_defs {{\n    lvs_sync_daemon eth0 VI_1 id 7\n}}\nvrrp_instance VI_1 {{\n    state BACKUP\n    interface eth0\n    \
             virtual_router_id 51\n    priority {priority}\n    version 3\n    advert_int 0.2\n    virtual_ipaddress {{\n        \
             10.1.0.100/24\n    }}\n}}\n{}",
            SERVICE.replace("CHECK", "")
        );
        (node, configuration)
    };
    let ((mut a, of_a), (mut b, of_b)) = (node("a", 11, 150), node("b", 12, 100));
    a.start_on(&of_a);
    b.start_on(&of_b);
    a.wait_to_hold("10.1.0.100", SOON);
    let is = |node: &Node, role: &str| daemons(node.host()).contains(&format!("{role} sync daemon")).then_some(());
    until("the master sends its connections", SOON, || is(&a, "master"));
    until("the backup receives them", SOON, || is(&b, "backup"));
    assert!(daemons(a.host()).contains("syncid=7"), "{}", daemons(a.host()));
    a.stop();
    until("the new master sends", SOON, || is(&b, "master"));
    until("nothing is left on the other", SOON, || (!daemons(a.host()).contains("sync daemon")).then_some(()));
}

fn a_real_server_follows_its_bfd_session(daemon: Daemon) {
    let lab = Lab::new();
    let mut director = Node::new(lab.host("director", "10.1.0.11/24"), daemon);
    let mut server = Node::new(lab.host("r1", "10.1.0.21/24"), daemon);
    let session = |own: u8, neighbour: u8| {
        format!(
            "bfd_instance S {{\n    source_ip 10.1.0.{own}\n    neighbor_ip 10.1.0.{neighbour}\n    min_rx 100\n    min_tx 100\n    \
             multiplier 5\n}}\n"
        )
    };
    // Something that the session of the real server serves, so that its daemon has a reason to run.
    let instance = "vrrp_instance VI_9 {\n    state BACKUP\n    interface eth0\n    virtual_router_id 9\n    virtual_ipaddress {\n        \
                    10.1.0.190/24\n    }\n    track_bfd {\n        S\n    }\n}\n";
    server.start_on(&format!("{}{instance}", session(21, 11)));
    director.start_on(&format!(
        "{}{}",
        session(11, 21),
        SERVICE.replace("CHECK", "        BFD_CHECK {\n            name S\n        }")
    ));
    let stands = |node: &Node| {
        ipvs_table(node.host()).remove("-t 10.1.0.100:80").is_some_and(|service| !service.destinations.is_empty())
    };
    until("the session is up and the server in the table", SOON, || stands(&director).then_some(()));
    director.wait_for_log("(S) Entering Up state");
    server.kill_everything();
    until("the session is down and the server has left", SOON, || (!stands(&director)).then_some(()));
    server.start();
    until("it is back", SOON, || stands(&director).then_some(()));
}
