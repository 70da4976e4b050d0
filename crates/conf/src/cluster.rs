//! What several nodes' configurations say of each other: the mistakes that no single file shows.
//!
//! Two instances of two files are the same virtual router when VRID and family agree and they also share a name, an
//! interface or an address: VRIDs alone are used again on other networks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use types::Family;
use vrrp::config::{Authentication, Cast, InstanceConfig};

use crate::configuration::{Configuration, InstancePart};
use crate::diagnostic::{Class, Diagnostic, Diagnostics};

/// One node: how messages name it, and what its files say.
#[derive(Debug, Clone, Copy)]
pub struct Node<'c> {
    /// Usually the path of its file.
    pub name: &'c str,
    /// Its configuration.
    pub configuration: &'c Configuration,
}

/// An instance with the node it belongs to.
#[derive(Clone, Copy)]
struct Member<'c> {
    node: usize,
    name: &'c str,
    instance: &'c InstanceConfig,
    part: &'c InstancePart,
}

/// Compares the nodes of a cluster. What is found has no place in a text: it is between texts.
pub fn compare(nodes: &[Node<'_>]) -> Diagnostics {
    let mut found = Diagnostics::new();
    let routers = routers(nodes);
    for members in &routers {
        compare_addresses(members, &mut found);
        compare_priorities(members, &mut found);
        compare_protocol(members, &mut found);
    }
    compare_owners(&routers, &mut found);
    found
}

/// The instances that are one virtual router, for each virtual router.
fn routers<'c>(nodes: &[Node<'c>]) -> Vec<Vec<Member<'c>>> {
    let mut routers: Vec<Vec<Member<'c>>> = Vec::new();
    for (node, Node { name, configuration }) in nodes.iter().enumerate() {
        let vrrp = &configuration.vrrp;
        for (instance, part) in vrrp.brain.instances.iter().zip(&vrrp.instances) {
            let member = Member { node, name, instance, part };
            let same = |members: &&mut Vec<Member<'c>>| {
                members.iter().all(|other| other.node != node) && members.iter().any(|other| is_same(other, &member))
            };
            match routers.iter_mut().find(same) {
                Some(members) => members.push(member),
                None => routers.push(vec![member]),
            }
        }
    }
    routers
}

fn is_same(one: &Member<'_>, other: &Member<'_>) -> bool {
    let (a, b) = (one.instance, other.instance);
    (a.vrid, a.family) == (b.vrid, b.family)
        && (a.name == b.name
            || (a.interface.is_some() && a.interface == b.interface)
            || !addresses(one).is_disjoint(&addresses(other)))
}

fn addresses(member: &Member<'_>) -> BTreeSet<IpAddr> {
    member.part.addresses.iter().chain(&member.part.excluded).map(|address| address.address.address()).collect()
}

/// `virtual router 51 (VI_1 of a.conf, VI_1 of b.conf)`
fn router(one: &Member<'_>, other: &Member<'_>) -> String {
    let family = if one.instance.family == Family::Inet6 { " over IPv6" } else { "" };
    format!(
        "virtual router {}{family} ({} of {}, {} of {})",
        one.instance.vrid, one.instance.name, one.name, other.instance.name, other.name
    )
}

fn compare_addresses(members: &[Member<'_>], found: &mut Diagnostics) {
    let Some((first, others)) = members.split_first() else { return };
    let here = addresses(first);
    for other in others {
        let there = addresses(other);
        let only = |more: &BTreeSet<IpAddr>, less: &BTreeSet<IpAddr>, name: &str| {
            let missing: Vec<String> = more.difference(less).map(ToString::to_string).collect();
            (!missing.is_empty()).then(|| format!("only {name} has {}", missing.join(", ")))
        };
        let differences = [only(&here, &there, first.name), only(&there, &here, other.name)];
        let differences: Vec<String> = differences.into_iter().flatten().collect();
        if !differences.is_empty() {
            found.push(
                Diagnostic::new(
                    Class::Warning,
                    "cluster-addresses",
                    format!("{} has different addresses", router(first, other)),
                )
                .label(differences.join("; "))
                .consequence(format!("{}; these addresses vanish when mastership moves", differences.join("; ")))
                .help("write the same virtual_ipaddress on every node"),
            );
        }
        let listed = |member: &Member<'_>| member.instance.advertised.iter().copied().collect::<BTreeSet<_>>();
        if differences.is_empty() && listed(first) != listed(other) {
            found.push(
                Diagnostic::new(
                    Class::Warning,
                    "cluster-advertised",
                    format!("{} advertises different addresses", router(first, other)),
                )
                .consequence("a node refuses adverts whose addresses are not its own, and then both are master")
                .help("list the same addresses in virtual_ipaddress, and the same ones in virtual_ipaddress_excluded"),
            );
        }
    }
}

fn compare_priorities(members: &[Member<'_>], found: &mut Diagnostics) {
    let mut by_priority: BTreeMap<u8, Vec<&Member<'_>>> = BTreeMap::new();
    for member in members {
        by_priority.entry(member.instance.priority.get()).or_default().push(member);
    }
    for (priority, equal) in by_priority {
        let [one, other, ..] = equal.as_slice() else { continue };
        let owners = one.instance.priority.is_owner();
        let (code, message, consequence, help) = if owners {
            (
                "cluster-owners",
                format!("{} has two owners of its addresses (priority 255)", router(one, other)),
                "neither gives way to the other: both hold the addresses",
                "give priority 255 to the node that owns the addresses, and less to every other",
            )
        } else {
            (
                "cluster-priorities",
                format!("{} has the priority {priority} on both", router(one, other)),
                "the node with the greater address becomes master, and after a cut both may be for a moment",
                "give each node a priority of its own",
            )
        };
        let class = if owners { Class::Warning } else { Class::Advice };
        found.push(Diagnostic::new(class, code, message).consequence(consequence).help(help));
    }
}

fn compare_protocol(members: &[Member<'_>], found: &mut Diagnostics) {
    let Some((first, others)) = members.split_first() else { return };
    for other in others {
        let (a, b) = (first.instance, other.instance);
        let mut differ = |code, what: String, consequence: &str, help: &str| {
            let message = format!("{} has {what}", router(first, other));
            found.push(Diagnostic::new(Class::Warning, code, message).consequence(consequence).help(help));
        };
        if a.version != b.version {
            differ(
                "cluster-versions",
                format!("version {} here and {} there", a.version.number(), b.version.number()),
                "each refuses the other's adverts, and both are master",
                "write the same `version` on every node",
            );
        }
        if a.interval != b.interval {
            differ(
                "cluster-intervals",
                format!("advert_int {} here and {} there", a.interval, b.interval),
                "with version 2 each refuses the other's adverts, and both are master; with version 3 the time to a takeover depends on who was master",
                "write the same `advert_int` on every node",
            );
        }
        if a.authentication != b.authentication {
            let kind = |authentication: &Authentication| match authentication {
                Authentication::None => "no authentication",
                Authentication::Password(_) => "a password",
                Authentication::AuthenticationHeader(_) => "an authentication header",
                Authentication::Hmac(_) => "keyed digests",
            };
            let what = match (kind(&a.authentication), kind(&b.authentication)) {
                (one, other) if one == other => "different keys or settings of authentication".to_owned(),
                (one, other) => format!("{one} here and {other} there"),
            };
            differ(
                "cluster-authentication",
                what,
                "each refuses the other's adverts, and both are master",
                "write the same `authentication` on every node",
            );
        }
        let cast = match (&a.cast, &b.cast) {
            (Cast::Multicast { group: one }, Cast::Multicast { group: other }) if one != other => {
                Some(format!("the groups {one} and {other}"))
            }
            (Cast::Multicast { .. }, Cast::Multicast { .. }) | (Cast::Unicast { .. }, Cast::Unicast { .. }) => None,
            _ => Some("unicast peers on one node and multicast on the other".to_owned()),
        };
        if let Some(what) = cast {
            differ(
                "cluster-groups",
                what,
                "neither hears the other, and both are master",
                "let all nodes of a virtual router speak in the same way",
            );
        }
    }
}

/// An address that two virtual routers of different nodes both claim.
fn compare_owners(routers: &[Vec<Member<'_>>], found: &mut Diagnostics) {
    let mut claimed: BTreeMap<IpAddr, (usize, &Member<'_>)> = BTreeMap::new();
    for (number, members) in routers.iter().enumerate() {
        for member in members {
            for address in addresses(member) {
                match claimed.get(&address) {
                    Some((other, _)) if *other == number => {}
                    Some((_, first)) if first.node == member.node => {}
                    Some((_, first)) => found.push(
                        Diagnostic::new(
                            Class::Warning,
                            "cluster-address-of-two",
                            format!(
                                "{address} belongs to virtual router {} ({} of {}) and to {} ({} of {})",
                                first.instance.vrid,
                                first.instance.name,
                                first.name,
                                member.instance.vrid,
                                member.instance.name,
                                member.name
                            ),
                        )
                        .consequence("both are master of their own, and two nodes hold the address")
                        .help("let one virtual router have the address, or give both the same virtual_router_id"),
                    ),
                    None => _ = claimed.insert(address, (number, member)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::{Offline, Options, parse};
    use crate::preprocess::Memory;

    fn read(text: &str) -> Configuration {
        parse("/k.conf", &Options::default(), &mut Memory::new().file("/k.conf", text), &Offline).configuration
    }

    const A: &str = "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n priority 150\n advert_int 1\n \
         authentication {\n auth_type PASS\n auth_pass hunter22\n }\n virtual_ipaddress {\n 10.0.0.100\n }\n}\n";

    fn found(texts: &[&str]) -> Vec<(&'static str, String)> {
        let configurations: Vec<Configuration> = texts.iter().map(|text| read(text)).collect();
        let names = ["a", "b", "c"];
        let nodes: Vec<Node<'_>> =
            names.iter().zip(&configurations).map(|(name, configuration)| Node { name, configuration }).collect();
        compare(&nodes).iter().map(|diagnostic| (diagnostic.code, diagnostic.message.clone())).collect()
    }

    fn codes(texts: &[&str]) -> Vec<&'static str> {
        found(texts).into_iter().map(|(code, _)| code).collect()
    }

    #[test]
    fn nodes_that_differ_only_in_priority_and_state_are_right() {
        let b = A.replace("priority 150", "state BACKUP\n priority 100");
        let c = A.replace("priority 150", "state BACKUP\n priority 50");
        assert_eq!(found(&[A, &b, &c]), []);
        assert_eq!(found(&[A]), []);
        assert_eq!(found(&[]), []);
    }

    #[test]
    fn each_mistake_between_nodes_is_told() {
        let b = A.replace("priority 150", "priority 100");
        let rows = [
            (A.to_owned(), "cluster-priorities"),
            (b.replace("10.0.0.100", "10.0.0.101"), "cluster-addresses"),
            (b.replace("advert_int 1", "advert_int 2"), "cluster-intervals"),
            (b.replace("hunter22", "hunter23"), "cluster-authentication"),
            (b.replace("auth_type PASS", "auth_type AH"), "cluster-authentication"),
            (b.replace("advert_int 1", "unicast_peer {\n 10.0.0.1\n }"), "cluster-groups"),
            (b.replace("_id 51", "_id 52"), "cluster-address-of-two"),
        ];
        for (other, code) in rows {
            assert_eq!(codes(&[A, &other]), [code], "{other}");
        }
        let three = b.replace("advert_int 1", "version 3");
        assert!(codes(&[A, &three]).contains(&"cluster-versions"));
        let owners = A.replace("priority 150", "priority 255");
        assert_eq!(codes(&[&owners, &owners]), ["cluster-owners"]);
    }

    #[test]
    fn a_vrid_that_is_used_again_on_another_network_is_no_mistake() {
        let other = A.replace("VI_1", "VI_9").replace("eth0", "eth7").replace("10.0.0.100", "10.7.0.100");
        assert_eq!(found(&[A, &other]), []);
    }

    #[test]
    fn keys_are_not_told() {
        let b = A.replace("hunter22", "hunter23").replace("priority 150", "priority 100");
        assert!(found(&[A, &b]).iter().all(|(_, message)| !message.contains("hunter")));
    }
}
