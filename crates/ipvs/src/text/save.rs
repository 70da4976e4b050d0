//! `ipvsadm -Sn`.

use std::fmt::Write as _;

use types::{Family, Protocol};

use super::{end, flags, mask};
use crate::{Destination, Forwarding, ServiceKey, ServiceListing, Tunnel, TunnelChecksum};

/// What becomes of connection thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thresholds {
    /// They are left out, as ipvsadm 1.31 leaves them out.
    Omit,
    /// They are written as `-x` and `-y` where there are any; ipvsadm reads them.
    Keep,
}

/// The table as lines that `ipvsadm -R` and [`super::parse_line`] read, in the order of `listings`.
pub fn save(listings: &[ServiceListing], thresholds: Thresholds) -> String {
    let mut text = String::new();
    for listing in listings {
        let name = service_option(&listing.key);
        let _ = write!(text, "-A {name} -s {}", listing.service.scheduler);
        if let Some(persistence) = &listing.service.persistence {
            let _ = write!(text, " -p {}", persistence.timeout);
            if let Some(mask) = mask(&listing.key, persistence) {
                let _ = write!(text, " -M {mask}");
            }
            if let Some(engine) = &persistence.engine {
                let _ = write!(text, " --pe {engine}");
            }
        }
        if listing.service.flags.one_packet {
            text.push_str(" -o");
        }
        let flags = flags(&listing.service);
        if !flags.is_empty() {
            let _ = write!(text, " -b {flags}");
        }
        text.push('\n');
        for destination in &listing.destinations {
            let _ = write!(text, "-a {name} -r {}", end(destination.key.address, destination.key.port));
            destination_options(&mut text, &destination.destination, thresholds);
            text.push('\n');
        }
    }
    text
}

fn service_option(key: &ServiceKey) -> String {
    match *key {
        ServiceKey::Address { protocol, address, port } => {
            let option = match protocol {
                Protocol::Tcp => "-t",
                Protocol::Udp => "-u",
                Protocol::Sctp => "--sctp-service",
            };
            format!("{option} {}", end(address, port))
        }
        ServiceKey::Mark { family: Family::Inet, mark } => format!("-f {mark}"),
        ServiceKey::Mark { family: Family::Inet6, mark } => format!("-f {mark} -6"),
    }
}

fn destination_options(text: &mut String, destination: &Destination, thresholds: Thresholds) {
    let method = match destination.forwarding {
        Forwarding::Masquerade => "-m",
        Forwarding::DirectRoute => "-g",
        Forwarding::Tunnel(_) => "-i",
    };
    let _ = write!(text, " {method} -w {}", destination.weight);
    if thresholds == Thresholds::Keep && (destination.upper_threshold, destination.lower_threshold) != (0, 0) {
        let _ = write!(text, " -x {} -y {}", destination.upper_threshold, destination.lower_threshold);
    }
    let checksum = |checksum| match checksum {
        TunnelChecksum::None => "--tun-nocsum",
        TunnelChecksum::Full => "--tun-csum",
        TunnelChecksum::Remote => "--tun-remcsum",
    };
    let _ = match destination.forwarding {
        Forwarding::Masquerade | Forwarding::DirectRoute => Ok(()),
        Forwarding::Tunnel(Tunnel::Ipip) => write!(text, " --tun-type ipip"),
        Forwarding::Tunnel(Tunnel::Gue { port, checksum: sum }) => {
            write!(text, " --tun-type gue --tun-port {port} {}", checksum(sum))
        }
        Forwarding::Tunnel(Tunnel::Gre { checksum: sum }) => write!(text, " --tun-type gre {}", checksum(sum)),
    };
}
