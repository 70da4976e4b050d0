//! The IPVS hands against a real kernel, in a network namespace of their own.
//!
//! Kernels without IPVS skip these tests by name; user-mode Linux has it.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, its helpers too")]

use std::net::IpAddr;

use ipvs::{
    Daemon, DaemonRole, Destination, DestinationKey, Foreign, Forwarding, Operation, PersistenceConfig, Service,
    ServiceEntry, ServiceFlags, ServiceKey, Table, Timeouts, Tunnel, TunnelChecksum, plan,
};
use rkeepalived_net::ipvs::{Ipvs, IpvsError};
use types::{Family, FwMark, Port, Protocol, Weight};

/// A socket in a fresh namespace, or the reason why there is none.
fn fresh(test: &str) -> Option<Ipvs> {
    if let Err(error) = nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET) {
        eprintln!("{test} skipped: no network namespace: {error}");
        return None;
    }
    // without its local table a namespace takes every address for a broadcast one, and IPVS refuses those
    link("link set lo up");
    match Ipvs::open() {
        Ok(ipvs) => Some(ipvs),
        Err(error @ IpvsError::Missing { .. }) => {
            eprintln!("{test} skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Runs `ip` in the thread's namespace.
fn link(arguments: &str) {
    let status = std::process::Command::new("ip").args(arguments.split_whitespace()).status().unwrap();
    assert!(status.success(), "ip {arguments}");
}

/// Waits until a kernel thread of this name has run and sleeps.
fn wait_for_sleep(name: &str) {
    let sleeps = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let states = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
        states.into_iter().any(|stat| stat.contains(&format!("({name}")) && stat.contains(") S "))
    };
    let begin = std::time::Instant::now();
    while !sleeps() {
        assert!(begin.elapsed().as_secs() < 20, "{name} never sleeps");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn tcp(text: &str, port: u16) -> ServiceKey {
    ServiceKey::Address { protocol: Protocol::Tcp, address: address(text), port: Port(port) }
}

fn service(scheduler: &str) -> Service {
    Service { scheduler: scheduler.into(), flags: ServiceFlags::default(), persistence: None }
}

fn destination(forwarding: Forwarding, weight: u32) -> Destination {
    Destination { forwarding, weight: Weight::new(weight).unwrap(), upper_threshold: 0, lower_threshold: 0 }
}

fn end(text: &str, port: u16) -> DestinationKey {
    DestinationKey { address: address(text), port: Port(port) }
}

/// Everything that IPVS can be told.
fn everything() -> Table {
    let mut table = Table::default();
    let mut add = |key: ServiceKey, service: Service, destinations: Vec<(DestinationKey, Destination)>| {
        table.services.insert(key, ServiceEntry { service, destinations });
    };
    for (number, scheduler) in
        ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "dh", "sed", "nq", "fo", "ovf", "mh"].into_iter().enumerate()
    {
        let port = 1000 + number as u16;
        add(
            tcp("10.0.0.100", port),
            service(scheduler),
            vec![(end("10.0.0.1", port), destination(Forwarding::Masquerade, number as u32))],
        );
    }
    let flags = ServiceFlags { scheduler_1: true, scheduler_2: true, ..ServiceFlags::default() };
    add(
        tcp("10.0.0.101", 443),
        Service {
            scheduler: "sh".into(),
            flags,
            persistence: Some(PersistenceConfig { timeout: 360, granularity: 24, engine: None }),
        },
        vec![
            (end("10.0.0.3", 443), destination(Forwarding::DirectRoute, 1)),
            (end("10.0.0.1", 443), destination(Forwarding::Tunnel(Tunnel::Ipip), 2147483647)),
            (
                end("10.0.0.2", 443),
                Destination {
                    upper_threshold: 100,
                    lower_threshold: 50,
                    ..destination(
                        Forwarding::Tunnel(Tunnel::Gue { port: Port(6080), checksum: TunnelChecksum::Remote }),
                        0,
                    )
                },
            ),
            (
                end("10.0.0.4", 443),
                destination(Forwarding::Tunnel(Tunnel::Gue { port: Port(6081), checksum: TunnelChecksum::None }), 3),
            ),
            (end("10.0.0.5", 443), destination(Forwarding::Tunnel(Tunnel::Gre { checksum: TunnelChecksum::Full }), 4)),
            (end("2001:db8::9", 443), destination(Forwarding::Tunnel(Tunnel::Ipip), 5)),
        ],
    );
    add(
        ServiceKey::Address { protocol: Protocol::Udp, address: address("10.0.0.100"), port: Port(5060) },
        Service {
            scheduler: "rr".into(),
            flags: ServiceFlags { one_packet: true, ..ServiceFlags::default() },
            persistence: Some(PersistenceConfig { timeout: 30, granularity: 32, engine: Some("sip".into()) }),
        },
        vec![],
    );
    add(
        ServiceKey::Address { protocol: Protocol::Sctp, address: address("2001:db8::1"), port: Port(0) },
        Service {
            persistence: Some(PersistenceConfig { timeout: 20, granularity: 64, engine: None }),
            ..service("wlc")
        },
        vec![(end("2001:db8::7", 0), destination(Forwarding::DirectRoute, 1))],
    );
    for family in [Family::Inet, Family::Inet6] {
        add(
            ServiceKey::Mark { family, mark: FwMark(7) },
            Service { flags: ServiceFlags { scheduler_3: true, ..ServiceFlags::default() }, ..service("mh") },
            vec![],
        );
    }
    table
}

#[test]
fn a_planned_table_is_read_back_as_it_was_desired_and_needs_nothing_more() {
    let Some(mut ipvs) = fresh("round trip") else { return };
    let desired = everything();
    let operations = plan(&desired, &Table::default(), Foreign::Keep);
    let refusals = ipvs.apply(&operations).unwrap();
    assert!(refusals.is_empty(), "{}", refusals[0]);
    let standing = ipvs.read_table().unwrap();
    assert_eq!(standing, desired);
    assert!(plan(&desired, &standing, Foreign::Remove).is_empty());

    // once more the same: everything exists and nothing is refused
    assert!(ipvs.apply(&operations).unwrap().is_empty());
    assert_eq!(ipvs.read_table().unwrap(), desired);
}

#[test]
fn edits_change_what_they_name_and_flags_can_be_cleared() {
    let Some(mut ipvs) = fresh("edits") else { return };
    let mut desired = everything();
    assert!(ipvs.apply(&plan(&desired, &Table::default(), Foreign::Keep)).unwrap().is_empty());
    let entry = desired.services.get_mut(&tcp("10.0.0.101", 443)).unwrap();
    entry.service = service("wrr");
    entry.destinations[0].1 = destination(Forwarding::Tunnel(Tunnel::Gre { checksum: TunnelChecksum::None }), 9);
    entry.destinations[1].1 = destination(Forwarding::Masquerade, 8);
    entry.destinations[2].1 = destination(Forwarding::DirectRoute, 7);
    let operations = plan(&desired, &ipvs.read_table().unwrap(), Foreign::Keep);
    assert_eq!(operations.len(), 4);
    let refusals = ipvs.apply(&operations).unwrap();
    assert!(refusals.is_empty(), "{}", refusals[0]);
    assert_eq!(ipvs.read_table().unwrap(), desired);
}

#[test]
fn a_refused_service_is_told_once_and_the_others_stand() {
    let Some(mut ipvs) = fresh("refusal") else { return };
    let mut desired = Table::default();
    for (port, scheduler) in [(1, "rr"), (2, "nosuch"), (3, "wlc")] {
        let destinations =
            (1..=3).map(|n| (end(&format!("10.0.0.{n}"), port), destination(Forwarding::DirectRoute, 1)));
        desired.services.insert(
            tcp("10.0.0.100", port),
            ServiceEntry { service: service(scheduler), destinations: destinations.collect() },
        );
    }
    let refusals = ipvs.apply(&plan(&desired, &Table::default(), Foreign::Keep)).unwrap();
    assert_eq!(refusals.len(), 1);
    assert_eq!(
        refusals[0].to_string(),
        "IPVS cmd IP_VS_SO_SET_ADD(1154) error: Scheduler or persistence engine not found(2) (10.0.0.100:tcp:2): is the module ip_vs_nosuch installed?"
    );
    desired.services.remove(&tcp("10.0.0.100", 2));
    assert_eq!(ipvs.read_table().unwrap(), desired);
}

#[test]
fn what_has_gone_is_deleted_already_and_what_went_is_added_again() {
    let Some(mut ipvs) = fresh("gone") else { return };
    let (key, one) = (tcp("10.0.0.100", 80), end("10.0.0.1", 80));
    let destination = destination(Forwarding::DirectRoute, 1);
    assert!(ipvs.apply(&[Operation::DeleteService { key }]).unwrap().is_empty());
    let refusals =
        ipvs.apply(&[Operation::AddDestination { service: key, key: one, destination: destination.clone() }]).unwrap();
    assert!(refusals[0].table_differs());
    let refusals = ipvs
        .apply(&[
            Operation::EditService { key, service: service("rr") },
            Operation::DeleteDestination { service: key, key: one },
        ])
        .unwrap();
    assert!(refusals.is_empty());
    assert!(ipvs.apply(&[Operation::EditDestination { service: key, key: one, destination }]).unwrap().is_empty());
    assert_eq!(ipvs.read_table().unwrap().services[&key].destinations.len(), 1);
    assert!(ipvs.apply(&[Operation::Flush]).unwrap().is_empty());
    assert_eq!(ipvs.read_table().unwrap(), Table::default());
}

#[test]
fn two_thousand_refusals_are_all_told() {
    let Some(mut ipvs) = fresh("refusals") else { return };
    let operations: Vec<Operation> = (1..=2000)
        .map(|port| Operation::AddDestination {
            service: tcp("10.0.0.100", 80),
            key: end("10.0.0.1", port),
            destination: destination(Forwarding::Masquerade, 1),
        })
        .collect();
    let refusals = ipvs.apply(&operations).unwrap();
    assert_eq!(refusals.len(), 2000);
    assert!(refusals.iter().enumerate().all(|(number, refusal)| refusal.index == number));
}

#[test]
fn timeouts_are_set_and_a_zero_leaves_a_value() {
    let Some(mut ipvs) = fresh("timeouts") else { return };
    assert_eq!(ipvs.timeouts().unwrap(), Timeouts { tcp: 900, tcp_fin: 120, udp: 300 });
    ipvs.set_timeouts(Timeouts { tcp: 30, tcp_fin: 5, udp: 60 }).unwrap();
    ipvs.set_timeouts(Timeouts { tcp: 0, tcp_fin: 7, udp: 0 }).unwrap();
    assert_eq!(ipvs.timeouts().unwrap(), Timeouts { tcp: 30, tcp_fin: 7, udp: 60 });
    assert_eq!(ipvs.info().unwrap().version, (1, 2, 1));
    ipvs.zero(None).unwrap();
}

#[test]
fn synchronisation_daemons_start_and_stop_with_their_options() {
    let Some(mut ipvs) = fresh("daemons") else { return };
    link("link add c2s0 type veth peer name c2s1");
    link("link set c2s0 up");
    link("link set c2s1 up");
    link("address add 10.9.0.1/24 dev c2s0");
    assert_eq!(ipvs.daemons().unwrap(), []);
    let master = Daemon {
        role: DaemonRole::Master,
        interface: "c2s0".parse().unwrap(),
        sync_id: 51,
        max_len: Some(1400),
        group: Some(address("224.0.0.82")),
        port: Some(8849),
        ttl: Some(3),
    };
    let backup =
        Daemon { role: DaemonRole::Backup, max_len: None, group: None, port: None, ttl: None, ..master.clone() };
    ipvs.start_daemon(&master).unwrap();
    ipvs.start_daemon(&backup).unwrap();
    let running = ipvs.daemons().unwrap();
    assert_eq!(running[0], master);
    assert_eq!(running[1].role, DaemonRole::Backup);
    assert!(backup.is_met_by(&running[1]) && !master.is_met_by(&running[1]));
    assert_eq!((running[1].port, running[1].ttl), (Some(8848), Some(1)));
    assert_eq!(running[1].group, Some(address("224.0.0.81")));
    // user-mode Linux hangs when a kernel thread is stopped before it first ran
    wait_for_sleep("ipvs-m");
    wait_for_sleep("ipvs-b");
    ipvs.stop_daemon(DaemonRole::Backup).unwrap();
    ipvs.stop_daemon(DaemonRole::Backup).unwrap();
    ipvs.stop_daemon(DaemonRole::Master).unwrap();
    assert_eq!(ipvs.daemons().unwrap(), []);
}
