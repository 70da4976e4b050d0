//! The director pairs of `classic/`, as they stand: VIP by VRRP, DR service, real servers with the VIP on `lo`.

use std::net::SocketAddr;
use std::time::Duration;

use integration::{Daemon, Host, HttpServer, Lab, Node, ask_tcp, ipvs_table, on_theirs_and_ours_in_uml, until};

use crate::farm::carry_on_loopback;

on_theirs_and_ours_in_uml![
    the_http_pair_serves_through_stop_kill_cut_and_return,
    the_tcp_pair_serves_and_drops_a_dead_server
];

const SOON: Duration = Duration::from_secs(40);

fn file(name: &str) -> String {
    let path = format!("{}/classic/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

struct Site {
    a: Node,
    b: Node,
    servers: Vec<Host>,
    client: Host,
    vip: &'static str,
    lab: Lab,
}

impl Site {
    fn new(daemon: Daemon, net: &str, interface: &str, vip: &'static str, servers: [u8; 2]) -> Self {
        let lab = Lab::new();
        let node = |name: &str, number: u8| {
            let host = Host::boot(name);
            lab.plug(&host, interface, "lan", &format!("{net}.{number}/24"));
            Node::new(host, daemon)
        };
        let (a, b) = (node("a", 11), node("b", 12));
        let servers = servers.map(|number| {
            let host = Host::boot(&format!("r{number}"));
            carry_on_loopback(&host, vip);
            lab.plug(&host, "eth0", "lan", &format!("{net}.{number}/24"));
            host
        });
        let client = lab.host("client", &format!("{net}.2/24"));
        Self { a, b, servers: servers.into(), client, vip, lab }
    }

    fn target(&self) -> SocketAddr {
        format!("{}:80", self.vip).parse().unwrap()
    }

    #[track_caller]
    fn is_served(&self) {
        until("the client is served", SOON, || ask_tcp(&self.client, self.target()));
        for _ in 0..6 {
            assert!(ask_tcp(&self.client, self.target()).is_some(), "a request went unanswered");
        }
    }

    fn destinations(&self, node: &Node) -> usize {
        ipvs_table(node.host()).remove(&format!("-t {}:80", self.vip)).map_or(0, |service| service.destinations.len())
    }
}

fn the_http_pair_serves_through_stop_kill_cut_and_return(daemon: Daemon) {
    let mut site = Site::new(daemon, "192.168.160", "ens33", "192.168.160.100", [135, 136]);
    let _servers: Vec<_> = site.servers.iter().map(|server| HttpServer::start(server, 80)).collect();
    let vip = site.vip;
    site.a.start_on(&file("dr-pair-http-master.conf"));
    site.b.start_on(&file("dr-pair-http-backup.conf"));
    site.a.wait_to_hold(vip, SOON);
    assert!(site.a.host().ip("addr show dev ens33").contains("ens33:2"));
    until("both have the table", SOON, || {
        (site.destinations(&site.a) == 2 && site.destinations(&site.b) == 2).then_some(())
    });
    site.is_served();
    // stopped
    site.a.stop();
    site.b.wait_to_hold(vip, SOON);
    site.is_served();
    site.a.start();
    site.a.wait_to_hold(vip, SOON);
    site.b.wait_to_release(vip, SOON);
    site.is_served();
    // cut off
    site.lab.pull(site.a.host());
    site.b.wait_to_hold(vip, SOON);
    site.is_served();
    site.lab.push(site.a.host());
    site.b.wait_to_release(vip, SOON);
    site.is_served();
    // killed
    site.a.kill_everything();
    site.b.wait_to_hold(vip, SOON);
    site.is_served();
}

fn the_tcp_pair_serves_and_drops_a_dead_server(daemon: Daemon) {
    let mut site = Site::new(daemon, "192.168.0", "eth0", "192.168.0.240", [223, 224]);
    let mut servers: Vec<_> = site.servers.iter().map(|server| HttpServer::start(server, 80)).collect();
    let master = file("dr-pair-tcp.conf");
    let backup = master.replace("state MASTER", "state BACKUP").replace("priority 150", "priority 100");
    site.a.start_on(&master);
    site.b.start_on(&backup);
    site.a.wait_to_hold(site.vip, SOON);
    until("both have the table", SOON, || {
        (site.destinations(&site.a) == 2 && site.destinations(&site.b) == 2).then_some(())
    });
    site.is_served();
    drop(servers.remove(0));
    until("the dead one has left both tables", SOON, || {
        (site.destinations(&site.a) == 1 && site.destinations(&site.b) == 1).then_some(())
    });
    site.is_served();
    servers.push(HttpServer::start(&site.servers[0], 80));
    until("it is back", SOON, || (site.destinations(&site.a) == 2 && site.destinations(&site.b) == 2).then_some(()));
}
