//! A client, a director and real servers.
//!
//! ```text
//!   client 10.1.0.2 ── lan ── director 10.1.0.11 (VIP 10.1.0.100) ── lan: r1 10.1.0.21, r2 .22, r3 .23   direct routing, tunnels
//!                                        └── inside 10.2.0.1 ─────── inside: r1 10.2.0.21 …              NAT
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use integration::{Daemon, Host, HttpServer, Lab, Node, Service, ipvs_table, until};

/// The service's address.
pub(crate) const VIP: &str = "10.1.0.100";
/// Longer than any verdict here.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// How packets reach the real servers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forwarding {
    Nat,
    DirectRouting,
    Tunnel,
}

impl Forwarding {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Nat => "NAT",
            Self::DirectRouting => "DR",
            Self::Tunnel => "TUN",
        }
    }
}

pub(crate) struct Farm {
    pub(crate) director: Node,
    pub(crate) servers: Vec<Host>,
    pub(crate) client: Host,
    pub(crate) forwarding: Forwarding,
    pub(crate) lab: Lab,
}

impl Farm {
    /// A farm of `count` real servers; nothing serves yet.
    pub(crate) fn new(daemon: Daemon, forwarding: Forwarding, count: usize) -> Self {
        let lab = Lab::new();
        let client = lab.host("client", "10.1.0.2/24");
        let director = lab.host("director", "10.1.0.11/24");
        director.ip(&format!("addr add {VIP}/32 dev eth0"));
        let servers = (1..=count).map(|number| server(&lab, number, forwarding)).collect();
        if forwarding == Forwarding::Nat {
            lab.plug(&director, "eth1", "inside", "10.2.0.1/24");
            director.sysctl("net/ipv4/ip_forward", "1");
        }
        Self { director: Node::new(director, daemon), servers, client, forwarding, lab }
    }

    /// Starts an HTTP server on port 80 of every real server.
    pub(crate) fn serve(&self) -> Vec<HttpServer> {
        self.servers.iter().map(|server| HttpServer::start(server, 80)).collect()
    }

    /// Address of the real server `number` (from 1).
    pub(crate) fn address(&self, number: usize) -> String {
        address(number, self.forwarding)
    }

    /// A `virtual_server` for the VIP's port 80 with `lines`, and one real server of each text.
    pub(crate) fn service(&self, lines: &str, servers: &[&str]) -> String {
        let kind = self.forwarding.word();
        let mut text =
            format!("virtual_server {VIP} 80 {{\n    delay_loop 1\n    lb_kind {kind}\n    protocol TCP\n{lines}\n");
        for (index, lines) in servers.iter().enumerate() {
            text += &format!("    real_server {} 80 {{\n{lines}\n    }}\n", self.address(index + 1));
        }
        text + "}\n"
    }

    /// The service at `key` (`-t ADDRESS:PORT`), if it stands.
    pub(crate) fn table(&self, key: &str) -> Option<Service> {
        ipvs_table(self.director.host()).remove(key)
    }

    /// Waits until the weights of the VIP's port 80 are these, by the last number of the real server's address.
    #[track_caller]
    pub(crate) fn wait_for_weights(&self, weights: &[(u8, u32)]) {
        let wanted: Vec<(u8, u32)> = weights.to_vec();
        let mut seen = Vec::new();
        let deadline = std::time::Instant::now() + SOON;
        while std::time::Instant::now() < deadline {
            seen = self.weights();
            if seen == wanted {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the weights are {seen:?}, not {wanted:?}");
    }

    /// The weights of the VIP's port 80.
    pub(crate) fn weights(&self) -> Vec<(u8, u32)> {
        let service = self.table(&format!("-t {VIP}:80")).unwrap_or_default();
        let number = |address: &str| address.split(':').next()?.rsplit('.').next()?.parse().ok();
        service.destinations.iter().filter_map(|(address, server)| Some((number(address)?, server.weight))).collect()
    }

    /// The VIP's port 80.
    pub(crate) fn target() -> SocketAddr {
        format!("{VIP}:80").parse().unwrap()
    }
}

fn address(number: usize, forwarding: Forwarding) -> String {
    let net = if forwarding == Forwarding::Nat { 2 } else { 1 };
    format!("10.{net}.0.{}", 20 + number)
}

fn server(lab: &Lab, number: usize, forwarding: Forwarding) -> Host {
    let host = Host::boot(&format!("r{number}"));
    let address = address(number, forwarding);
    match forwarding {
        Forwarding::Nat => {
            lab.plug(&host, "eth0", "inside", &format!("{address}/24"));
            host.ip("route add default via 10.2.0.1");
        }
        Forwarding::DirectRouting => {
            carry_on_loopback(&host, VIP);
            lab.plug(&host, "eth0", "lan", &format!("{address}/24"));
        }
        Forwarding::Tunnel => {
            do_not_answer_arp(&host);
            lab.plug(&host, "eth0", "lan", &format!("{address}/24"));
            // tunl0 comes with the first tunnel of the namespace
            host.shell("ip link show tunl0 >/dev/null 2>&1 || ip tunnel add t0 mode ipip remote 10.1.0.11");
            host.ip("link set tunl0 up");
            host.ip(&format!("addr add {VIP}/32 dev tunl0"));
            for interface in ["all", "default", "tunl0", "eth0"] {
                host.sysctl(&format!("net/ipv4/conf/{interface}/rp_filter"), "0");
            }
        }
    }
    host
}

/// What real servers of direct routing do, and the usual scripts for them: the VIP on `lo`, and not a word about it on the wire.
pub(crate) fn carry_on_loopback(host: &Host, vip: &str) {
    do_not_answer_arp(host);
    host.ip(&format!("addr add {vip}/32 dev lo"));
}

fn do_not_answer_arp(host: &Host) {
    for interface in ["all", "lo"] {
        host.sysctl(&format!("net/ipv4/conf/{interface}/arp_ignore"), "1");
        host.sysctl(&format!("net/ipv4/conf/{interface}/arp_announce"), "2");
    }
}

/// Waits until the service's VIP answers at all: neighbours are learnt, the daemon has made its table.
#[track_caller]
pub(crate) fn wait_for_answer(farm: &Farm) {
    until("the service answers", SOON, || integration::ask_tcp(&farm.client, Farm::target()));
}
