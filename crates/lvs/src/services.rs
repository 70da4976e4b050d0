//! Which IPVS services a virtual server is made of, and where its servers stand in them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipvs::{DestinationKey, Forwarding, Service, ServiceKey};
use types::Port;

use crate::{GroupConfig, GroupEntry, Target, VirtualServerConfig};

/// Most addresses that one range stands for: those of a /16, which is all that its syntax can say.
const RANGE_LIMIT: u128 = 65_536;

/// The services of `target`, without repetition and in the order of the group.
pub(crate) fn services(target: &Target, groups: &HashMap<&str, &GroupConfig>) -> Vec<ServiceKey> {
    match target {
        Target::Address { address, protocol } => {
            vec![ServiceKey::Address { protocol: *protocol, address: address.ip(), port: Port(address.port()) }]
        }
        Target::Mark { mark, family } => vec![ServiceKey::Mark { family: *family, mark: *mark }],
        Target::Group { name, protocol, family } => {
            let entries = groups.get(name.as_str()).map_or(&[][..], |group| &group.entries);
            let mut keys = Vec::new();
            for entry in entries {
                match entry {
                    GroupEntry::Range { first, last, port } => {
                        let addresses = addresses(*first, *last);
                        keys.extend(addresses.map(|address| ServiceKey::Address {
                            protocol: *protocol,
                            address,
                            port: *port,
                        }));
                    }
                    GroupEntry::Mark { mark, family: own } => {
                        keys.push(ServiceKey::Mark { family: own.unwrap_or(*family), mark: *mark });
                    }
                }
            }
            let mut seen = std::collections::HashSet::new();
            keys.retain(|key| seen.insert(*key));
            keys
        }
    }
}

/// From `first` to `last`, both included; a range whose ends are of two families is `first` alone.
fn addresses(first: IpAddr, last: IpAddr) -> Box<dyn Iterator<Item = IpAddr>> {
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let (first, last) = (u32::from(first), u32::from(last));
            let last = last.min(first.saturating_add(RANGE_LIMIT as u32 - 1));
            Box::new((first..=last).map(|address| IpAddr::V4(Ipv4Addr::from(address))))
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            let (first, last) = (u128::from(first), u128::from(last));
            let last = last.min(first.saturating_add(RANGE_LIMIT - 1));
            Box::new((first..=last).map(|address| IpAddr::V6(Ipv6Addr::from(address))))
        }
        (first, _) => Box::new(std::iter::once(first)),
    }
}

/// The attributes of every service of `config`.
pub(crate) fn service(config: &VirtualServerConfig) -> Service {
    Service { scheduler: config.scheduler.clone(), flags: config.flags, persistence: config.persistence.clone() }
}

/// Where a server stands in `service`: NAT has the server's own port; direct routing and tunnels keep the service's, and a mark has none.
pub(crate) fn destination_key(service: &ServiceKey, server: SocketAddr, forwarding: Forwarding) -> DestinationKey {
    let port = match (forwarding, service) {
        (Forwarding::Masquerade, _) => Port(server.port()),
        (_, ServiceKey::Address { port, .. }) => *port,
        (_, ServiceKey::Mark { .. }) => Port(0),
    };
    DestinationKey { address: server.ip(), port }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Protocol;

    #[test]
    fn a_range_that_crosses_a_24_ends_where_it_says() {
        let group = GroupConfig {
            name: "G".into(),
            entries: vec![GroupEntry::Range {
                first: "10.0.0.254".parse().unwrap(),
                last: "10.0.1.1".parse().unwrap(),
                port: Port(80),
            }],
        };
        let target = Target::Group { name: "G".into(), protocol: Protocol::Tcp, family: types::Family::Inet };
        let keys = services(&target, &HashMap::from([("G", &group)]));
        assert_eq!(keys.len(), 4);
    }

    #[test]
    fn the_last_addresses_of_all_end_too() {
        assert_eq!(addresses("255.255.255.254".parse().unwrap(), "255.255.255.255".parse().unwrap()).count(), 2);
        let top: IpAddr = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap();
        assert_eq!(addresses("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0".parse().unwrap(), top).count(), 16);
        assert_eq!(addresses("::".parse().unwrap(), top).count(), 65_536);
        assert_eq!(addresses("10.0.0.2".parse().unwrap(), "10.0.0.1".parse().unwrap()).count(), 0);
    }
}
