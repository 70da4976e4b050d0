//! From one table to another with the fewest changes.

use std::collections::BTreeMap;

use crate::{Destination, DestinationKey, Operation, ServiceEntry, ServiceKey, Table};

/// What becomes of services that stand in the kernel and are not desired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// They belong to somebody else (ipvsadm, kube-proxy) and stay.
    Keep,
    /// They go: `lvs_flush`.
    Remove,
}

/// The smallest list of operations that turns `actual` into `desired`.
///
/// What stands as desired is not touched, so counters and connections survive. Destinations are added in the order of `desired`; standing ones are never removed and added
/// again to mend their order, because that would drop packets of living connections.
pub fn plan(desired: &Table, actual: &Table, foreign: Foreign) -> Vec<Operation> {
    let mut operations = Vec::new();
    if foreign == Foreign::Remove {
        let gone = actual.services.keys().filter(|key| !desired.services.contains_key(key));
        operations.extend(gone.map(|&key| Operation::DeleteService { key }));
    }
    for (&key, wanted) in &desired.services {
        plan_service(key, Some(wanted), actual.services.get(&key), &mut operations);
    }
    operations
}

/// The same for one service, which may be wanted or not and may stand or not.
pub fn plan_service(
    key: ServiceKey,
    wanted: Option<&ServiceEntry>,
    standing: Option<&ServiceEntry>,
    out: &mut Vec<Operation>,
) {
    let (wanted, standing) =
        match (wanted, standing) {
            (None, None) => return,
            (None, Some(_)) => return out.push(Operation::DeleteService { key }),
            (Some(wanted), None) => {
                out.push(Operation::AddService { key, service: wanted.service.clone() });
                out.extend(wanted.destinations.iter().map(|(destination_key, destination)| {
                    Operation::AddDestination { service: key, key: *destination_key, destination: destination.clone() }
                }));
                return;
            }
            (Some(wanted), Some(standing)) => (wanted, standing),
        };
    if wanted.service != standing.service {
        out.push(Operation::EditService { key, service: wanted.service.clone() });
    }
    if wanted.destinations == standing.destinations {
        return;
    }
    let mut left: BTreeMap<DestinationKey, &Destination> =
        standing.destinations.iter().map(|(key, destination)| (*key, destination)).collect();
    for (destination_key, destination) in &wanted.destinations {
        match left.remove(destination_key) {
            Some(stands) if stands == destination => {}
            Some(_) => out.push(Operation::EditDestination {
                service: key,
                key: *destination_key,
                destination: destination.clone(),
            }),
            None => out.push(Operation::AddDestination {
                service: key,
                key: *destination_key,
                destination: destination.clone(),
            }),
        }
    }
    // additions first: the service is never without a server while one replaces another
    out.extend(left.into_keys().map(|gone| Operation::DeleteDestination { service: key, key: gone }));
}
