//! The plan by table and by chance.

use std::sync::Arc;

use proptest::prelude::*;
use types::{Family, IfIndex, Prefix};

use super::*;
use crate::actual::{AddressState, Observation, RouteState};
use crate::config::{Placement, Route, RouteKind, Rule, RuleAction};
use crate::operation::{AddressSpec, RouteSpec};

pub(crate) fn spec(local: &str, interface: u32) -> AddressSpec {
    let prefix: Prefix = local.parse().unwrap();
    let key =
        AddressKey { interface: IfIndex(interface), local: prefix.address(), length: prefix.length(), peer: None };
    AddressSpec { key, scope: 0, broadcast: None, label: None, flags: 0, preferred_lifetime: None, no_track: false }
}

pub(crate) fn route(destination: &str, metric: Option<u32>) -> RouteSpec {
    let destination: Prefix = destination.parse().unwrap();
    let route = Route {
        family: destination.family(),
        destination,
        kind: RouteKind::Unicast,
        preferred_source: None,
        gateway: None,
        source: None,
        tos: 0,
        table: 254,
        protocol: PROTOCOL_KEEPALIVED,
        scope: None,
        metric,
        interface: None,
        onlink: false,
        encap: None,
        expires: None,
        metrics: Vec::new(),
        realms: None,
        preference: None,
        ttl_propagate: None,
        placement: Placement::Prepend,
        nexthops: Vec::new(),
        no_track: false,
        track_group: None,
        vrf: None,
    };
    let interface = Some(IfIndex(2));
    RouteSpec { route: Arc::new(route), interface, nexthop_interfaces: Vec::new(), table: 254 }
}

pub(crate) fn rule(preference: u32) -> Arc<Rule> {
    Arc::new(Rule {
        family: Family::Inet,
        source: None,
        destination: None,
        invert: false,
        preference,
        tos: 0,
        mark: None,
        input: None,
        output: None,
        action: RuleAction::Lookup(100),
        realms: None,
        suppress_prefix_length: None,
        suppress_group: None,
        tunnel_id: None,
        uid_range: None,
        l3mdev: false,
        protocol: PROTOCOL_KEEPALIVED,
        ip_protocol: None,
        source_ports: None,
        destination_ports: None,
        no_track: false,
        track_group: None,
    })
}

fn stands(items: &Items) -> Actual {
    let mut actual = Actual::default();
    let mut operations = Vec::new();
    items.additions(&mut operations);
    operations.iter().for_each(|operation| actual.apply(operation));
    actual
}

fn text(operations: &[Operation]) -> Vec<String> {
    operations.iter().map(Operation::to_string).collect()
}

#[test]
fn additions_go_address_route_rule_and_removals_the_other_way() {
    let items = Items {
        addresses: vec![spec("10.0.0.1/24", 2), spec("10.0.0.2/24", 2)],
        routes: vec![route("10.1.0.0/16", None)],
        rules: vec![rule(7)],
    };
    let up = plan(&Desired { wanted: items.clone(), ..Desired::default() }, &Actual::default());
    assert_eq!(
        text(&up),
        [
            "add address 10.0.0.1/24 dev #2",
            "add address 10.0.0.2/24 dev #2",
            "add route 10.1.0.0/16 table 254",
            "add rule preference 7 from all",
        ]
    );
    let down = plan(&Desired { unwanted: items.clone(), ..Desired::default() }, &stands(&items));
    assert_eq!(
        text(&down),
        [
            "remove rule preference 7 from all",
            "remove route 10.1.0.0/16 table 254",
            "remove address 10.0.0.2/24 dev #2",
            "remove address 10.0.0.1/24 dev #2",
        ]
    );
}

#[test]
fn another_prefix_length_or_interface_is_another_address() {
    let wanted = Items { addresses: vec![spec("10.0.0.1/32", 2)], ..Items::default() };
    for other in [spec("10.0.0.1/24", 2), spec("10.0.0.1/32", 3)] {
        let actual = stands(&Items { addresses: vec![other], ..Items::default() });
        let plan = plan(&Desired { wanted: wanted.clone(), ..Desired::default() }, &actual);
        assert_eq!(text(&plan), ["add address 10.0.0.1/32 dev #2"]);
    }
}

#[test]
fn what_carries_our_number_is_claimed_only_when_told_and_what_does_not_never() {
    let mut actual = stands(&Items {
        addresses: vec![spec("10.0.0.1/32", 2)],
        routes: vec![route("10.1.0.0/16", None)],
        rules: vec![rule(7)],
    });
    let foreign = AddressState { key: spec("10.0.0.9/32", 2).key, tentative: false, protocol: 0 };
    actual.observe(&Observation::Address(foreign));
    assert_eq!(plan(&Desired::default(), &actual), []);
    let claimed = plan(&Desired { claim: true, ..Desired::default() }, &actual);
    assert_eq!(
        text(&claimed),
        [
            "remove rule preference 7 from all",
            "remove route 10.1.0.0/16 table 254 metric 0",
            "remove address 10.0.0.1/32 dev #2"
        ]
    );
}

#[test]
fn a_route_is_recognised_by_what_the_configuration_says_of_it() {
    let spec = route("10.1.2.3/16", None);
    let state = RouteState {
        family: Family::Inet,
        destination: "10.1.0.0/16".parse().unwrap(),
        tos: 0,
        table: 254,
        metric: 0,
        kind: 1,
        protocol: 18,
        interface: Some(IfIndex(2)),
        gateway: Some("10.0.0.1".parse().unwrap()),
        nexthops: 0,
    };
    assert!(spec.stands_as(&state), "a gateway that is not configured may be any");
    for other in [
        RouteState { destination: "10.2.0.0/16".parse().unwrap(), ..state.clone() },
        RouteState { tos: 4, ..state.clone() },
        RouteState { table: 255, ..state.clone() },
        RouteState { metric: 1, ..state.clone() },
        RouteState { kind: 6, ..state.clone() },
        RouteState { protocol: 3, ..state.clone() },
        RouteState { interface: Some(IfIndex(3)), ..state.clone() },
        RouteState { nexthops: 2, ..state.clone() },
    ] {
        assert!(!spec.stands_as(&other), "{other:?}");
    }
}

fn some_items() -> impl Strategy<Value = Items> {
    let addresses = prop::collection::btree_set((0..12u8, 0..2u8, 2..4u32), 0..10);
    let routes = prop::collection::btree_set((0..6u8, 0..2u32), 0..5);
    let rules = prop::collection::btree_set(0..6u32, 0..5);
    (addresses, routes, rules).prop_map(|(addresses, routes, rules)| Items {
        addresses: addresses
            .into_iter()
            .map(|(host, long, interface)| spec(&format!("10.0.0.{host}/{}", 24 + 8 * long), interface))
            .collect(),
        routes: routes.into_iter().map(|(net, metric)| route(&format!("10.{net}.0.0/16"), Some(metric))).collect(),
        rules: rules.into_iter().map(rule).collect(),
    })
}

proptest! {
    #[test]
    fn a_plan_leads_to_what_is_desired_and_then_there_is_none(
        wanted in some_items(), unwanted in some_items(), before in some_items(), claim: bool
    ) {
        let mut actual = stands(&before);
        let desired = Desired { wanted, unwanted, claim };
        let operations = plan(&desired, &actual);
        operations.iter().for_each(|operation| actual.apply(operation));
        let wanted = &desired.wanted;
        prop_assert!(wanted.addresses.iter().all(|spec| actual.has_address(&spec.key)));
        prop_assert!(wanted.routes.iter().all(|spec| actual.has_route(spec)));
        prop_assert!(wanted.rules.iter().all(|rule| actual.has_rule(rule)));
        for spec in &desired.unwanted.addresses {
            let both = wanted.addresses.iter().any(|wanted| wanted.key == spec.key);
            prop_assert_eq!(actual.has_address(&spec.key), both);
        }
        prop_assert_eq!(plan(&desired, &actual), []);
    }

    #[test]
    fn what_stands_and_is_wanted_is_never_touched(wanted in some_items(), before in some_items()) {
        let actual = stands(&before);
        for operation in plan(&Desired { wanted: wanted.clone(), unwanted: before, claim: true }, &actual) {
            match operation {
                Operation::AddAddress(spec) => prop_assert!(!actual.has_address(&spec.key)),
                Operation::RemoveAddress(key) => {
                    prop_assert!(!wanted.addresses.iter().any(|spec| spec.key == key));
                }
                Operation::AddRoute(spec) => prop_assert!(!actual.has_route(&spec)),
                Operation::RemoveRoute(spec) => prop_assert!(!wanted.routes.contains(&spec)),
                Operation::AddRule(rule) => prop_assert!(!actual.has_rule(&rule)),
                Operation::RemoveRule(rule) => prop_assert!(!wanted.rules.contains(&rule)),
                other => prop_assert!(false, "{}", other),
            }
        }
    }
}
