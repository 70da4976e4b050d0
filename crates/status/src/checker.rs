//! `keepalived_check.data`.

use std::fmt::Write as _;

use ipvs::{Forwarding, Tunnel};
use lvs::{Config, ProbeConfig, Target, VirtualServerReport};

/// The text of SIGUSR1 of the checker process.
pub fn dump(config: &Config, report: &[VirtualServerReport]) -> String {
    let mut text = String::from("------< LVS Topology >------\n System is compiled with LVS\n");
    for (server, now) in config.virtual_servers.iter().zip(report) {
        // Writing into a string cannot fail, here and below.
        let _ = writeln!(text, " VIP = {}", service(&server.target));
        let _ = writeln!(text, "   lb_algo = {}", server.scheduler);
        if let Some(persistence) = &server.persistence {
            let _ = writeln!(text, "   persistence timeout = {}", persistence.timeout);
        }
        let _ = writeln!(text, "   default forwarding method = {}", forwarding(server.forwarding));
        let _ = writeln!(text, "   quorum = {}, hysteresis = {}", server.quorum, server.hysteresis);
        let _ = writeln!(text, "   alpha is {}, omega is {}", onoff(server.alpha), onoff(server.omega));
        let _ = writeln!(text, "   quorum state = {}", if now.quorum_met { "UP" } else { "DOWN" });
        let _ = writeln!(text, "   live weight = {}", now.live_weight);
        if let Some(sorry) = &server.sorry_server {
            let _ = writeln!(
                text,
                "   sorry server = {}, {}",
                sorry.address,
                if now.sorry_active { "active" } else { "inactive" }
            );
        }
        for (real, state) in server.real_servers.iter().zip(&now.real_servers) {
            let _ = writeln!(
                text,
                "   RIP = {}, port = {}, weight = {} ({} configured)",
                real.address.ip(),
                real.address.port(),
                state.weight,
                real.weight
            );
            let _ = writeln!(text, "     forwarding method = {}", forwarding(real.forwarding));
            let _ = writeln!(
                text,
                "     state = {}, {}",
                if state.up { "UP" } else { "DOWN" },
                if state.in_table { "in the table" } else { "not in the table" }
            );
            for (checker, result) in real.checkers.iter().zip(&state.checkers) {
                let _ = write!(text, "     {} every {} s: ", kind(&checker.probe), checker.delay_loop.as_secs_f64());
                text.push_str(match (result.has_run, result.up) {
                    (false, _) => "not run yet",
                    (true, true) => "up",
                    (true, false) => "down",
                });
                if let Some(reason) = result.reason.as_ref().filter(|_| !result.up) {
                    let _ = write!(text, " ({reason})");
                }
                text.push('\n');
            }
        }
    }
    text
}

fn service(target: &Target) -> String {
    match target {
        Target::Address { address, protocol } => {
            format!("{}, VPORT = {}, protocol = {protocol}", address.ip(), address.port())
        }
        Target::Mark { mark, family } => format!("FWM {mark}, {family}"),
        Target::Group { name, protocol, .. } => format!("group {name}, protocol = {protocol}"),
    }
}

fn forwarding(forwarding: Forwarding) -> &'static str {
    match forwarding {
        Forwarding::Masquerade => "NAT",
        Forwarding::DirectRoute => "DR",
        Forwarding::Tunnel(Tunnel::Ipip) => "TUN",
        Forwarding::Tunnel(Tunnel::Gue { .. }) => "TUN, type GUE",
        Forwarding::Tunnel(Tunnel::Gre { .. }) => "TUN, type GRE",
    }
}

fn onoff(on: bool) -> &'static str {
    if on { "ON" } else { "OFF" }
}

fn kind(probe: &ProbeConfig) -> &'static str {
    match probe {
        ProbeConfig::Tcp(_) => "TCP_CHECK",
        ProbeConfig::Http(http) if http.tls => "SSL_GET",
        ProbeConfig::Http(_) => "HTTP_GET",
        ProbeConfig::Smtp { .. } => "SMTP_CHECK",
        ProbeConfig::Dns { .. } => "DNS_CHECK",
        ProbeConfig::Udp(_) => "UDP_CHECK",
        ProbeConfig::Ping(_) => "PING_CHECK",
        ProbeConfig::Misc(_) => "MISC_CHECK",
        ProbeConfig::File { .. } => "FILE_CHECK",
        ProbeConfig::Bfd { .. } => "BFD_CHECK",
    }
}
