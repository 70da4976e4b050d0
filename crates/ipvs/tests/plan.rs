//! The plan: it reaches what is desired, with as few operations as there are differences.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, its helpers too")]

extern crate rkeepalived_ipvs as ipvs;

use std::collections::BTreeMap;

use ipvs::{
    Destination, DestinationKey, Foreign, Forwarding, Operation, Service, ServiceEntry, ServiceFlags, ServiceKey,
    Table, plan,
};
use proptest::prelude::*;
use types::{Port, Protocol, Weight};

fn key(number: u8) -> ServiceKey {
    ServiceKey::Address { protocol: Protocol::Tcp, address: [10, 0, 0, number].into(), port: Port(80) }
}

fn any_table() -> impl Strategy<Value = Table> {
    let destination = (0u8..6, 0u32..3).prop_map(|(number, weight)| {
        let key = DestinationKey { address: [10, 1, 0, number].into(), port: Port(80) };
        let destination = Destination {
            forwarding: Forwarding::DirectRoute,
            weight: Weight::new(weight).unwrap(),
            upper_threshold: 0,
            lower_threshold: 0,
        };
        (key, destination)
    });
    let entry = (0u8..2, prop::collection::vec(destination, 0..6)).prop_map(|(scheduler, mut destinations)| {
        let mut seen = std::collections::HashSet::new();
        destinations.retain(|(key, _)| seen.insert(*key));
        let scheduler = ["rr", "wlc"][usize::from(scheduler)].into();
        let service = Service { scheduler, flags: ServiceFlags::default(), persistence: None };
        ServiceEntry { service, destinations }
    });
    prop::collection::btree_map(0u8..5, entry, 0..5)
        .prop_map(|services| Table { services: services.into_iter().map(|(n, entry)| (key(n), entry)).collect() })
}

fn apply(table: &mut Table, operation: Operation) {
    match operation {
        Operation::Flush => table.services.clear(),
        Operation::AddService { key, service } => {
            assert!(table.services.insert(key, ServiceEntry { service, destinations: vec![] }).is_none());
        }
        Operation::EditService { key, service } => table.services.get_mut(&key).unwrap().service = service,
        Operation::DeleteService { key } => drop(table.services.remove(&key).unwrap()),
        Operation::AddDestination { service, key, destination } => {
            table.services.get_mut(&service).unwrap().destinations.push((key, destination));
        }
        Operation::EditDestination { service, key, destination } => {
            let destinations = &mut table.services.get_mut(&service).unwrap().destinations;
            destinations.iter_mut().find(|(other, _)| *other == key).unwrap().1 = destination;
        }
        Operation::DeleteDestination { service, key } => {
            let destinations = &mut table.services.get_mut(&service).unwrap().destinations;
            destinations.remove(destinations.iter().position(|(other, _)| *other == key).unwrap());
        }
    }
}

type Flat = (BTreeMap<ServiceKey, Service>, BTreeMap<(ServiceKey, DestinationKey), Destination>);

fn flat(table: &Table) -> Flat {
    let services = table.services.iter().map(|(key, entry)| (*key, entry.service.clone())).collect();
    let destinations = table.services.iter().flat_map(|(service, entry)| {
        entry.destinations.iter().map(|(key, destination)| ((*service, *key), destination.clone()))
    });
    (services, destinations.collect())
}

/// Entries that differ between the two, those of removed services not counted one by one.
fn differences(desired: &Table, actual: &Table) -> usize {
    let (a, b) = (flat(desired), flat(actual));
    let services = a.0.iter().filter(|(key, service)| b.0.get(key) != Some(service)).count()
        + b.0.keys().filter(|key| !a.0.contains_key(key)).count();
    let destinations = a.1.iter().filter(|(key, destination)| b.1.get(key) != Some(destination)).count()
        + b.1.keys().filter(|key| a.0.contains_key(&key.0) && !a.1.contains_key(key)).count();
    services + destinations
}

proptest! {
    #[test]
    fn a_plan_reaches_what_is_desired_with_one_operation_for_each_difference(desired in any_table(), actual in any_table()) {
        let operations = plan(&desired, &actual, Foreign::Remove);
        prop_assert_eq!(operations.len(), differences(&desired, &actual));
        let mut table = actual;
        operations.into_iter().for_each(|operation| apply(&mut table, operation));
        prop_assert_eq!(flat(&table), flat(&desired));
        prop_assert!(plan(&desired, &table, Foreign::Remove).is_empty());
    }

    #[test]
    fn strangers_are_kept(desired in any_table(), actual in any_table()) {
        let mut table = actual.clone();
        plan(&desired, &actual, Foreign::Keep).into_iter().for_each(|operation| apply(&mut table, operation));
        for (key, entry) in &actual.services {
            if !desired.services.contains_key(key) {
                prop_assert_eq!(table.services.get(key), Some(entry));
            }
        }
        for (key, entry) in &desired.services {
            prop_assert_eq!(&table.services[key].service, &entry.service);
        }
    }

    /// Schedulers walk destinations from the last added to the first, so their order is part of the table.
    #[test]
    fn an_empty_kernel_gets_destinations_in_their_order(desired in any_table()) {
        let mut table = Table::default();
        plan(&desired, &table, Foreign::Keep).into_iter().for_each(|operation| apply(&mut table, operation));
        prop_assert_eq!(table, desired);
    }
}

#[test]
fn a_server_that_replaces_another_comes_before_it_goes() {
    let entry = |last: u8| ServiceEntry {
        service: Service { scheduler: "rr".into(), flags: ServiceFlags::default(), persistence: None },
        destinations: vec![(
            DestinationKey { address: [10, 1, 0, last].into(), port: Port(80) },
            Destination {
                forwarding: Forwarding::Masquerade,
                weight: Weight::ONE,
                upper_threshold: 0,
                lower_threshold: 0,
            },
        )],
    };
    let table = |last| Table { services: BTreeMap::from([(key(1), entry(last))]) };
    let operations = plan(&table(2), &table(1), Foreign::Keep);
    assert!(matches!(operations[0], Operation::AddDestination { .. }));
    assert!(matches!(operations[1], Operation::DeleteDestination { .. }));
}
