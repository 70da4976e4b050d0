//! From what stands to what must stand: a pure function, for start, crash recovery and lost messages alike.

use std::collections::BTreeSet;

use crate::actual::{Actual, RouteState};
use crate::holdings::Items;
use crate::operation::{AddressKey, Operation, PROTOCOL_KEEPALIVED};

/// What must stand and what must not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// Must stand. What stands already is taken over untouched.
    pub wanted: Items,
    /// Ours by configuration, and must not stand now.
    pub unwanted: Items,
    /// Whether addresses, routes and rules that carry keepalived's number (18) and are not wanted are removed as well: left by a former
    /// configuration. Not to be set where another keepalived runs in the same network namespace.
    pub claim: bool,
}

/// The operations that lead from `actual` to `desired`: removals first (rules, routes, addresses), then additions (addresses, routes, rules).
///
/// Applied to `actual` they give a state for which the plan is empty.
pub fn plan(desired: &Desired, actual: &Actual) -> Vec<Operation> {
    let mut out = Vec::new();
    removals(desired, actual, &mut out);
    let mut missing = desired.wanted.clone();
    missing.retain(
        |spec| !actual.has_address(&spec.key),
        |route| !actual.has_route(route),
        |rule| !actual.has_rule(rule),
    );
    missing.additions(&mut out);
    out
}

fn removals(desired: &Desired, actual: &Actual, out: &mut Vec<Operation>) {
    let wanted = &desired.wanted;
    let wanted_keys: BTreeSet<AddressKey> = wanted.addresses.iter().map(|spec| spec.key).collect();
    let wanted_rules: Vec<_> = wanted.rules.iter().map(|rule| rule.as_the_kernel_tells()).collect();
    let route_is_wanted = |state: &RouteState| wanted.routes.iter().any(|spec| spec.stands_as(state));

    let mut surplus = desired.unwanted.clone();
    surplus.retain(
        |spec| actual.has_address(&spec.key) && !wanted_keys.contains(&spec.key),
        |route| actual.routes().any(|state| route.stands_as(state) && !route_is_wanted(state)),
        |rule| actual.has_rule(rule) && !wanted_rules.contains(&rule.as_the_kernel_tells()),
    );
    if desired.claim {
        let known: BTreeSet<AddressKey> = surplus.addresses.iter().map(|spec| spec.key).collect();
        let claimed = actual.rules().iter().filter(|rule| rule.protocol == PROTOCOL_KEEPALIVED);
        let claimed = claimed.filter(|rule| {
            !wanted_rules.contains(rule) && !surplus.rules.iter().any(|known| known.as_the_kernel_tells() == **rule)
        });
        out.extend(claimed.map(|rule| Operation::RemoveRule(std::sync::Arc::new(rule.clone()))));
        let claimed = actual.routes().filter(|state| state.protocol == PROTOCOL_KEEPALIVED && state.nexthops == 0);
        let claimed = claimed
            .filter(|state| !route_is_wanted(state) && !surplus.routes.iter().any(|known| known.stands_as(state)));
        out.extend(claimed.filter_map(|state| state.as_spec()).map(Operation::RemoveRoute));
        surplus.removals(out);
        let claimed = actual.addresses().filter(|(key, protocol)| {
            *protocol == PROTOCOL_KEEPALIVED && !wanted_keys.contains(key) && !known.contains(key)
        });
        out.extend(claimed.map(|(key, _)| Operation::RemoveAddress(*key)));
    } else {
        surplus.removals(out);
    }
}

#[cfg(test)]
mod tests;
