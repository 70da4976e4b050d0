//! `ipvsadm -Ln`.

use std::fmt::Write as _;

use types::{Family, Protocol};

use super::{end, flags, mask};
use crate::{
    DestinationListing, Forwarding, Info, Service, ServiceKey, ServiceListing, Statistics, Tunnel, TunnelChecksum,
};

/// What is shown of each destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// Weight and connections.
    #[default]
    Connections,
    /// `--stats`; exact numbers, or rounded ones with K, M, G or T beyond 8 digits.
    Statistics {
        /// `--exact`.
        exact: bool,
    },
    /// `--rate`.
    Rate {
        /// `--exact`.
        exact: bool,
    },
    /// `--thresholds`.
    Thresholds,
    /// `--persistent-conn`.
    Persistent,
    /// `--tun-info`.
    Tunnels,
}

/// Sorts as ipvsadm does without `--nosort`: by mark, family, protocol, address and port.
pub fn sort(listings: &mut [ServiceListing]) {
    let rank = |key: &ServiceKey| match *key {
        ServiceKey::Address { protocol, address, port } => {
            (0, Family::of(address), protocol.number(), Some(address), port.0)
        }
        ServiceKey::Mark { family, mark } => (mark.0, family, 0, None, 0),
    };
    let is_mark = |key: &ServiceKey| matches!(key, ServiceKey::Mark { .. });
    listings.sort_by_key(|listing| (is_mark(&listing.key), rank(&listing.key)));
    for listing in listings {
        listing.destinations.sort_by_key(|destination| {
            (Family::of(destination.key.address), destination.key.address, destination.key.port)
        });
    }
}

/// The whole listing with its headings, each line ended.
pub fn list(info: Info, listings: &[ServiceListing], view: View) -> String {
    let (major, minor, patch) = info.version;
    let size = info.connection_table_size;
    let mut text = format!("IP Virtual Server version {major}.{minor}.{patch} (size={size})\n");
    text.push_str(heading(view));
    for listing in listings {
        service_line(&mut text, listing, view);
        for destination in &listing.destinations {
            destination_line(&mut text, destination, view);
        }
    }
    text
}

fn heading(view: View) -> &'static str {
    match view {
        View::Connections => {
            "Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
        }
        View::Statistics { .. } => {
            "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n  -> RemoteAddress:Port\n"
        }
        View::Rate { .. } => {
            "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n  -> RemoteAddress:Port\n"
        }
        View::Thresholds => {
            "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n  -> RemoteAddress:Port\n"
        }
        View::Persistent => {
            "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n  -> RemoteAddress:Port\n"
        }
        View::Tunnels => {
            "Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn\n"
        }
    }
}

/// `TCP  10.0.0.100:80`, `FWM  7`, `FWM  7 IPv6`.
fn service_name(key: &ServiceKey) -> (&'static str, String) {
    match *key {
        ServiceKey::Address { protocol, address, port } => {
            let protocol = match protocol {
                Protocol::Tcp => "TCP",
                Protocol::Udp => "UDP",
                Protocol::Sctp => "SCTP",
            };
            (protocol, end(address, port))
        }
        ServiceKey::Mark { family: Family::Inet, mark } => ("FWM", mark.to_string()),
        ServiceKey::Mark { family: Family::Inet6, mark } => ("FWM", format!("{mark} IPv6")),
    }
}

fn service_line(text: &mut String, listing: &ServiceListing, view: View) {
    let (protocol, name) = service_name(&listing.key);
    match view {
        View::Statistics { exact } => {
            let _ = write!(text, "{protocol:<4} {name:<28}");
            numbers(text, counters(&listing.statistics), exact);
        }
        View::Rate { exact } => {
            let _ = write!(text, "{protocol:<4} {name:<28}");
            numbers(text, rates(&listing.statistics), exact);
        }
        _ => {
            let _ = write!(text, "{protocol:<4} {name} ");
            attributes(text, &listing.key, &listing.service);
        }
    }
    text.push('\n');
}

fn attributes(text: &mut String, key: &ServiceKey, service: &Service) {
    text.push_str(&service.scheduler);
    let flags = flags(service);
    if !flags.is_empty() {
        let _ = write!(text, " ({flags})");
    }
    if let Some(persistence) = &service.persistence {
        let _ = write!(text, " persistent {}", persistence.timeout);
        if let Some(mask) = mask(key, persistence) {
            let _ = write!(text, " mask {mask}");
        }
        if let Some(engine) = &persistence.engine {
            let _ = write!(text, " pe {engine}");
        }
    }
    if service.flags.one_packet {
        text.push_str(" ops");
    }
}

fn destination_line(text: &mut String, listing: &DestinationListing, view: View) {
    let name = end(listing.key.address, listing.key.port);
    let _ = write!(text, "  -> {name:<28}");
    let (destination, counters_) = (&listing.destination, &listing.counters);
    let (active, inactive) = (counters_.active, counters_.inactive);
    let forward = match destination.forwarding {
        Forwarding::Masquerade => "Masq",
        Forwarding::DirectRoute => "Route",
        Forwarding::Tunnel(_) => "Tunnel",
    };
    let weight = destination.weight.get();
    let _ = match view {
        View::Connections => write!(text, " {forward:<7} {weight:<6} {active:<10} {inactive:<10}"),
        View::Tunnels => {
            let tunnel = tunnel(destination.forwarding);
            write!(text, " {forward:<7} {tunnel:<13} {weight:<6} {active:<10} {inactive:<10}")
        }
        View::Thresholds => {
            let (upper, lower) = (destination.upper_threshold, destination.lower_threshold);
            write!(text, " {upper:<10} {lower:<10} {active:<10} {inactive:<10}")
        }
        View::Persistent => {
            let persistent = counters_.persistent;
            write!(text, " {weight:<9} {persistent:<11} {active:<10} {inactive:<10}")
        }
        View::Statistics { exact } => {
            numbers(text, counters(&counters_.statistics), exact);
            Ok(())
        }
        View::Rate { exact } => {
            numbers(text, rates(&counters_.statistics), exact);
            Ok(())
        }
    };
    text.push('\n');
}

fn tunnel(forwarding: Forwarding) -> String {
    let sign = |checksum| match checksum {
        TunnelChecksum::None => "-c",
        TunnelChecksum::Full => "+c",
        TunnelChecksum::Remote => "r+c",
    };
    match forwarding {
        Forwarding::Masquerade | Forwarding::DirectRoute => String::from("n/a"),
        Forwarding::Tunnel(Tunnel::Ipip) => String::from("ipip"),
        Forwarding::Tunnel(Tunnel::Gue { port, checksum }) => format!("gue:{port}:{}", sign(checksum)),
        Forwarding::Tunnel(Tunnel::Gre { checksum }) => format!("gre:{}", sign(checksum)),
    }
}

fn counters(statistics: &Statistics) -> [u64; 5] {
    let Statistics { connections, packets_in, packets_out, octets_in, octets_out, .. } = *statistics;
    [connections, packets_in, packets_out, octets_in, octets_out]
}

fn rates(statistics: &Statistics) -> [u64; 5] {
    let Statistics { connection_rate, packet_rate_in, packet_rate_out, octet_rate_in, octet_rate_out, .. } =
        *statistics;
    [connection_rate, packet_rate_in, packet_rate_out, octet_rate_in, octet_rate_out]
}

fn numbers(text: &mut String, numbers: [u64; 5], exact: bool) {
    for number in numbers {
        let _ = match number {
            _ if exact => write!(text, " {number:>8}"),
            0..=99_999_999 => write!(text, " {number:>8}"),
            100_000_000..=99_999_999_999 => write!(text, " {:>7}K", number / 1_000),
            100_000_000_000..=99_999_999_999_999 => write!(text, " {:>7}M", number / 1_000_000),
            100_000_000_000_000..=99_999_999_999_999_999 => write!(text, " {:>7}G", number / 1_000_000_000),
            _ => write!(text, " {:>7}T", number / 1_000_000_000_000),
        };
    }
}
