//! The table as ipvsadm 1.31 writes and reads it, to the octet.
//!
//! Only numbers: no names of hosts or ports (`ipvsadm -n`).

mod connections;
mod list;
mod restore;
mod save;

pub use connections::{Connection, list_connections, parse_connections};
pub use list::{View, list, sort};
pub use restore::{RestoreError, parse_line};
pub use save::{Thresholds, save};

use std::fmt::Write as _;
use std::net::IpAddr;

use types::Port;

use crate::{PersistenceConfig, Service, ServiceKey};

/// `10.0.0.1:80` or `[2001:db8::1]:80`.
fn end(address: IpAddr, port: Port) -> String {
    match address {
        IpAddr::V4(address) => format!("{address}:{port}"),
        IpAddr::V6(address) => format!("[{address}]:{port}"),
    }
}

/// Names of the scheduler's flags, joined by commas; empty when none is set. `sh` and `mh` have no third flag.
fn flags(service: &Service) -> String {
    let names = match service.scheduler.as_str() {
        "sh" => ["sh-fallback", "sh-port", ""],
        "mh" => ["mh-fallback", "mh-port", ""],
        _ => ["flag-1", "flag-2", "flag-3"],
    };
    let set = [service.flags.scheduler_1, service.flags.scheduler_2, service.flags.scheduler_3];
    let names = names.into_iter().zip(set).filter(|(name, set)| *set && !name.is_empty());
    names.map(|(name, _)| name).collect::<Vec<_>>().join(",")
}

/// The persistence mask, where it is not a host's: a netmask for IPv4, a prefix length for IPv6.
fn mask(key: &ServiceKey, persistence: &PersistenceConfig) -> Option<String> {
    let family = key.family();
    if persistence.granularity >= family.max_prefix_len() {
        return None;
    }
    let mut text = String::new();
    match family {
        types::Family::Inet => {
            let bits = u32::MAX.checked_shl(32 - u32::from(persistence.granularity)).unwrap_or(0);
            let _ = write!(text, "{}", std::net::Ipv4Addr::from(bits));
        }
        types::Family::Inet6 => {
            let _ = write!(text, "{}", persistence.granularity);
        }
    }
    Some(text)
}
