//! The keeper against a kernel that does as it is told and reports it late.

use std::collections::VecDeque;

use proptest::prelude::*;
use types::{Family, IfIndex, IfName, MacAddr, Prefix};

use super::*;
use crate::actual::{AddressState, LinkKind, Observation};
use crate::config::Address;
use crate::operation::Refusal;
use crate::virtual_link::{VirtualLink, VirtualLinkKind};

fn name(text: &str) -> IfName {
    text.parse().unwrap()
}

fn link(index: u32, text: &str) -> LinkState {
    LinkState {
        index: IfIndex(index),
        name: name(text),
        enabled: true,
        running: true,
        mac: Some(MacAddr([2, 0, 0, 0, 0, index as u8])),
        mtu: 1500,
        base: None,
        master: None,
        group: 0,
        kind: LinkKind::Other,
    }
}

fn address(text: &str) -> Address {
    let address: Prefix = text.parse().unwrap();
    Address {
        address,
        peer: None,
        interface: None,
        scope: 0,
        broadcast: None,
        label: None,
        home: false,
        no_dad: true,
        manage_temporary: false,
        no_prefix_route: false,
        autojoin: false,
        no_track: false,
        preferred_lifetime: None,
        use_vmac: false,
        track_group: None,
    }
}

fn holdings(text: &str, addresses: &[&str]) -> Holdings {
    Holdings {
        name: text.to_owned(),
        interface: Some(name("eth0")),
        addresses: addresses.iter().map(|text| address(text)).collect(),
        ..Holdings::default()
    }
}

fn config(instances: Vec<Holdings>) -> Config {
    Config { instances, ..Config::default() }
}

/// A kernel with addresses alone; what it reports waits until it is read.
#[derive(Default)]
struct Kernel {
    addresses: BTreeSet<AddressKey>,
    reports: VecDeque<Observation>,
}

impl Kernel {
    fn perform(&mut self, operation: &Operation) -> Outcome {
        let done = match operation {
            Operation::AddAddress(spec) => self.add(spec.key).then_some(()).ok_or(17),
            Operation::RemoveAddress(key) => self.remove(key).then_some(()).ok_or(99),
            _ => Ok(()),
        };
        done.map_or_else(|errno| Outcome::Refused(Refusal { errno, text: None }), |()| Outcome::Done)
    }

    fn add(&mut self, key: AddressKey) -> bool {
        let added = self.addresses.insert(key);
        let state = AddressState { key, tentative: false, protocol: 18 };
        self.reports.extend(added.then_some(Observation::Address(state)));
        added
    }

    fn remove(&mut self, key: &AddressKey) -> bool {
        let removed = self.addresses.remove(key);
        self.reports.extend(removed.then_some(Observation::AddressGone(*key)));
        removed
    }
}

struct Node {
    keeper: Keeper,
    kernel: Kernel,
}

impl Node {
    fn start(config: Config, links: &[LinkState], standing: &[(&str, u32)], masters: &[u32]) -> (Self, Vec<Operation>) {
        let mut node = Self { keeper: Keeper::new(config), kernel: Kernel::default() };
        let (mut out, mut told) = (Vec::new(), Vec::new());
        node.keeper.observe(&Observation::DumpBegins, &mut out, &mut told);
        for link in links {
            node.keeper.observe(&Observation::Link(link.clone()), &mut out, &mut told);
        }
        for (text, interface) in standing {
            let key = address(text).key(IfIndex(*interface));
            node.kernel.addresses.insert(key);
            let state = AddressState { key, tentative: false, protocol: 18 };
            node.keeper.observe(&Observation::Address(state), &mut out, &mut told);
        }
        node.keeper.observe(&Observation::DumpEnds, &mut out, &mut told);
        node.keeper.start(masters, false, &mut out);
        node.perform(&out);
        (node, out)
    }

    fn perform(&mut self, operations: &[Operation]) {
        let mut follow_up = Vec::new();
        for operation in operations {
            let outcome = self.kernel.perform(operation);
            self.keeper.performed(operation, &outcome, &mut follow_up);
        }
        if !follow_up.is_empty() {
            self.perform(&follow_up);
        }
    }

    fn hold(&mut self, instance: u32) -> Vec<String> {
        let mut out = Vec::new();
        self.keeper.hold(instance, &mut out);
        self.perform(&out);
        out.iter().map(Operation::to_string).collect()
    }

    fn release(&mut self, instance: u32) -> Vec<String> {
        let mut out = Vec::new();
        self.keeper.release(instance, &mut out);
        self.perform(&out);
        out.iter().map(Operation::to_string).collect()
    }

    fn reload(&mut self, config: Config) -> Vec<String> {
        let mut out = Vec::new();
        self.keeper.reload(config, &mut out);
        self.perform(&out);
        out.iter().map(Operation::to_string).collect()
    }

    fn observe(&mut self, observation: Observation) -> (Vec<String>, Vec<Consequence>) {
        let (mut out, mut told) = (Vec::new(), Vec::new());
        self.keeper.observe(&observation, &mut out, &mut told);
        self.perform(&out);
        (out.iter().map(Operation::to_string).collect(), told)
    }

    /// Reads all reports; returns the consequences.
    fn settle(&mut self) -> Vec<Consequence> {
        let mut all = Vec::new();
        while let Some(report) = self.kernel.reports.pop_front() {
            let mut out = Vec::new();
            self.keeper.observe(&report, &mut out, &mut all);
            self.perform(&out);
        }
        all
    }
}

#[test]
fn an_address_of_two_holders_goes_with_the_second_one() {
    let shared = config(vec![holdings("A", &["10.0.0.1/32"]), holdings("B", &["10.0.0.1/32", "10.0.0.2/32"])]);
    let (mut node, _) = Node::start(shared, &[link(2, "eth0")], &[], &[]);
    assert_eq!(node.hold(0), ["add address 10.0.0.1/32 dev #2"]);
    assert_eq!(node.hold(0), [""; 0]);
    assert_eq!(node.hold(1), ["add address 10.0.0.2/32 dev #2"]);
    assert_eq!(node.release(0), [""; 0]);
    assert_eq!(node.release(1), ["remove address 10.0.0.2/32 dev #2", "remove address 10.0.0.1/32 dev #2"]);
}

#[test]
fn a_crashed_process_finds_its_addresses_and_touches_none() {
    let instances = vec![holdings("A", &["10.0.0.1/32", "10.0.0.2/32"]), holdings("B", &["10.0.0.3/32"])];
    let standing = [("10.0.0.1/32", 2), ("10.0.0.3/32", 2), ("10.0.0.1/24", 2)];
    let (mut node, out) = Node::start(config(instances), &[link(2, "eth0")], &standing, &[0]);
    let out: Vec<_> = out.iter().map(Operation::to_string).collect();
    assert_eq!(out, ["remove address 10.0.0.3/32 dev #2", "add address 10.0.0.2/32 dev #2"]);
    assert_eq!(node.hold(0), [""; 0]);
    assert!(node.kernel.addresses.contains(&address("10.0.0.1/24").key(IfIndex(2))));
}

#[test]
fn late_reports_of_our_own_removals_are_no_loss() {
    let (mut node, _) = Node::start(config(vec![holdings("A", &["10.0.0.1/32"])]), &[link(2, "eth0")], &[], &[]);
    for _ in 0..3 {
        node.hold(0);
        node.release(0);
    }
    node.hold(0);
    assert_eq!(node.settle(), []);
    node.kernel.remove(&address("10.0.0.1/32").key(IfIndex(2)));
    assert_eq!(node.settle(), [Consequence::Lost { instance: 0 }]);
}

#[test]
fn what_somebody_took_away_is_put_back_and_nothing_else_is_touched() {
    let held = config(vec![holdings("A", &["10.0.0.1/32", "10.0.0.2/32"])]);
    let (mut node, _) = Node::start(held, &[link(2, "eth0")], &[], &[]);
    node.hold(0);
    node.settle();
    node.kernel.remove(&address("10.0.0.2/32").key(IfIndex(2)));
    assert_eq!(node.settle(), [Consequence::Lost { instance: 0 }]);
    let mut out = Vec::new();
    node.keeper.restore(0, &mut out);
    let out: Vec<_> = out.iter().map(Operation::to_string).collect();
    assert_eq!(out, ["add address 10.0.0.2/32 dev #2"]);
}

#[test]
fn the_same_address_of_another_length_is_somebody_elses_business() {
    let (mut node, _) = Node::start(config(vec![holdings("A", &["10.0.0.1/32"])]), &[link(2, "eth0")], &[], &[0]);
    let other = address("10.0.0.1/24").key(IfIndex(2));
    node.kernel.add(other);
    node.kernel.remove(&other);
    let (interface, local) = (other.interface, other.local);
    assert_eq!(
        node.settle(),
        [
            Consequence::SourceAdded { interface, address: local, tentative: false },
            Consequence::SourceRemoved { interface, address: local },
        ]
    );
}

#[test]
fn a_reload_touches_only_what_changed_and_knows_instances_by_name() {
    let before = vec![holdings("A", &["10.0.0.1/32", "10.0.0.2/32"]), holdings("B", &["10.0.0.3/32"])];
    let (mut node, _) = Node::start(config(before), &[link(2, "eth0")], &[], &[0, 1]);
    // B is first now and has taken an address over from A; C is new and holds nothing.
    let after = vec![
        holdings("B", &["10.0.0.3/32", "10.0.0.2/32"]),
        holdings("C", &["10.0.0.9/32"]),
        holdings("A", &["10.0.0.1/32", "10.0.0.4/32"]),
    ];
    assert_eq!(node.reload(config(after.clone())), ["add address 10.0.0.4/32 dev #2"]);
    assert!(node.keeper.holds(0) && !node.keeper.holds(1) && node.keeper.holds(2));
    assert_eq!(
        node.reload(config(after[..2].to_vec())),
        ["remove address 10.0.0.4/32 dev #2", "remove address 10.0.0.1/32 dev #2"]
    );
}

#[test]
fn an_address_that_must_look_different_is_made_anew() {
    let (mut node, _) = Node::start(config(vec![holdings("A", &["10.0.0.1/32"])]), &[link(2, "eth0")], &[], &[0]);
    let mut changed = holdings("A", &["10.0.0.1/32"]);
    changed.addresses[0].label = Some("eth0:1".to_owned());
    let out = node.reload(config(vec![changed.clone()]));
    assert_eq!(out, ["remove address 10.0.0.1/32 dev #2", "add address 10.0.0.1/32 dev #2"]);
    changed.addresses[0].no_track = true;
    assert_eq!(node.reload(config(vec![changed])), [""; 0]);
}

#[test]
fn an_interface_that_comes_back_under_another_number_gets_its_addresses() {
    let (mut node, _) = Node::start(config(vec![holdings("A", &["10.0.0.1/32"])]), &[link(2, "eth0")], &[], &[0]);
    let (out, told) = node.observe(Observation::LinkGone(IfIndex(2)));
    assert_eq!(out, [""; 0]);
    let owner = Owner::Instance(0);
    assert_eq!(told, [Consequence::LinkGone(IfIndex(2)), Consequence::Missing { owner, interface: name("eth0") }]);
    let (out, _) = node.observe(Observation::Link(link(7, "eth0")));
    assert_eq!(out, ["add address 10.0.0.1/32 dev #7"]);
    assert_eq!(node.release(0), ["remove address 10.0.0.1/32 dev #7"]);
}

#[test]
fn what_falls_with_its_interface_is_no_loss_and_returns_with_it() {
    let (mut node, _) = Node::start(config(vec![holdings("A", &["2001:db8::1/128"])]), &[link(2, "eth0")], &[], &[0]);
    let down = LinkState { enabled: false, running: false, ..link(2, "eth0") };
    node.observe(Observation::Link(down));
    node.kernel.remove(&address("2001:db8::1/128").key(IfIndex(2)));
    assert_eq!(node.settle(), []);
    let (out, _) = node.observe(Observation::Link(link(2, "eth0")));
    assert_eq!(out, ["add address 2001:db8::1/128 dev #2"]);
}

#[test]
fn packets_are_dropped_before_the_addresses_come_and_until_they_have_gone() {
    let mut guarded = holdings("A", &["10.0.0.1/32", "fe80::5/64"]);
    guarded.no_accept = true;
    let firewall = crate::FirewallConfig { table: "keepalived".to_owned(), priority: -1, counters: false };
    let config = Config { firewall: Some(firewall), ..config(vec![guarded]) };
    let (mut node, out) = Node::start(config, &[link(2, "eth0")], &[], &[]);
    assert_eq!(out.len(), 2, "one table for each family");
    assert_eq!(
        node.hold(0),
        [
            "drop packets for 10.0.0.1",
            "drop packets for fe80::5",
            "add address 10.0.0.1/32 dev #2",
            "add address fe80::5/64 dev #2",
        ]
    );
    assert_eq!(
        node.release(0),
        [
            "remove address fe80::5/64 dev #2",
            "remove address 10.0.0.1/32 dev #2",
            "accept packets for 10.0.0.1",
            "accept packets for fe80::5",
        ]
    );
}

fn vmac() -> Holdings {
    let mac: MacAddr = "00:00:5e:00:01:33".parse().unwrap();
    let virtual_link = VirtualLink {
        name: name("vrrp.51"),
        base: name("eth0"),
        family: Family::Inet,
        kind: VirtualLinkKind::Macvlan { mac },
        group: None,
        notify_message: false,
        keep_ipv6: false,
        link_local: None,
        copies_link_local: true,
    };
    Holdings { interface: Some(name("vrrp.51")), links: vec![virtual_link], ..holdings("A", &["10.0.0.1/32"]) }
}

fn vmac_state() -> LinkState {
    LinkState {
        enabled: false,
        running: false,
        mac: Some("00:00:5e:00:01:33".parse().unwrap()),
        base: Some(IfIndex(2)),
        kind: LinkKind::Macvlan { mode: 1 },
        ..link(9, "vrrp.51")
    }
}

#[test]
fn a_virtual_link_is_created_then_set_up_once_and_goes_at_the_end() {
    let (mut node, out) = Node::start(config(vec![vmac()]), &[link(2, "eth0")], &[], &[]);
    assert_eq!(out.iter().map(Operation::to_string).collect::<Vec<_>>(), ["create macvlan vrrp.51 over eth0 (#2)"]);
    let (out, _) = node.observe(Observation::Link(vmac_state()));
    assert_eq!(
        out,
        [
            "set sysctl net/ipv4/conf/vrrp.51/arp_ignore to 1",
            "set sysctl net/ipv4/conf/vrrp.51/accept_local to 1",
            "set sysctl net/ipv4/conf/vrrp.51/rp_filter to 0",
            "set sysctl net/ipv4/conf/vrrp.51/promote_secondaries to 1",
            "set sysctl net/ipv6/conf/vrrp.51/disable_ipv6 to 1",
            "set sysctl net/ipv4/conf/eth0/arp_ignore to 1",
            "set sysctl net/ipv4/conf/eth0/arp_filter to 1",
            "set sysctl net/ipv4/conf/all/rp_filter to 0",
            "set up interface vrrp.51",
        ]
    );
    assert_eq!(node.observe(Observation::Link(LinkState { enabled: true, ..vmac_state() })).0, [""; 0]);
    assert_eq!(node.hold(0), ["add address 10.0.0.1/32 dev #9"]);
    let mut out = Vec::new();
    node.keeper.stop(&mut out);
    let out: Vec<_> = out.iter().map(Operation::to_string).collect();
    assert_eq!(out, ["remove address 10.0.0.1/32 dev #9", "delete interface vrrp.51"]);
}

#[test]
fn a_virtual_link_that_stands_is_adopted_and_a_wrong_one_replaced() {
    let (_, out) = Node::start(config(vec![vmac()]), &[link(2, "eth0"), vmac_state()], &[], &[]);
    assert!(
        !out.iter().any(|operation| matches!(operation, Operation::CreateLink { .. } | Operation::DeleteLink { .. }))
    );
    let wrong = LinkState { kind: LinkKind::Macvlan { mode: 4 }, ..vmac_state() };
    let (_, out) = Node::start(config(vec![vmac()]), &[link(2, "eth0"), wrong], &[], &[]);
    let out: Vec<_> = out.iter().map(Operation::to_string).collect();
    assert_eq!(out, ["delete interface vrrp.51", "create macvlan vrrp.51 over eth0 (#2)"]);
}

#[test]
fn links_of_a_coming_configuration_stand_before_it_counts_and_its_firewall_knows_them() {
    let (mut node, _) = Node::start(config(vec![holdings("A", &["10.0.0.1/32"])]), &[link(2, "eth0")], &[], &[]);
    let firewall = crate::FirewallConfig { table: "keepalived".to_owned(), priority: -1, counters: false };
    let next = Config { firewall: Some(firewall), ..config(vec![vmac()]) };
    let mut out = Vec::new();
    assert!(node.keeper.expect_links(&next, &mut out));
    let out: Vec<_> = out.iter().map(Operation::to_string).collect();
    assert_eq!(out, ["create macvlan vrrp.51 over eth0 (#2)"]);
    assert!(node.keeper.awaits_links());
    node.observe(Observation::Link(vmac_state()));
    node.observe(Observation::Link(LinkState { enabled: true, running: true, ..vmac_state() }));
    assert!(!node.keeper.awaits_links());
    let out = node.reload(next.clone());
    assert!(out.contains(&"send reports of interface #9 through #2".to_owned()), "{out:?}");
    assert!(!out.iter().any(|line| line.starts_with("create macvlan")), "{out:?}");
    assert!(!node.keeper.expect_links(&next, &mut Vec::new()));
}

#[test]
fn what_a_link_has_for_itself_is_not_claimed_as_left_behind() {
    let mut inet6 = vmac();
    inet6.links[0].family = Family::Inet6;
    inet6.links[0].link_local = Some("fe80::7".parse().unwrap());
    let (mut out, mut told) = (Vec::new(), Vec::new());
    let mut keeper = Keeper::new(config(vec![inet6]));
    for link in [link(2, "eth0"), vmac_state()] {
        keeper.observe(&Observation::Link(link), &mut out, &mut told);
    }
    for text in ["fe80::7/64", "fe80::8/64"] {
        let state = AddressState { key: address(text).key(IfIndex(9)), tentative: false, protocol: 18 };
        keeper.observe(&Observation::Address(state), &mut out, &mut told);
    }
    keeper.start(&[], true, &mut out);
    let out: Vec<_> = out.iter().map(Operation::to_string).filter(|text| text.contains("address")).collect();
    assert_eq!(out, ["remove address fe80::8/64 dev #9"]);
}

#[test]
fn the_former_rp_filter_of_all_goes_to_each_interface_but_ours() {
    let (mut node, _) = Node::start(config(vec![vmac()]), &[link(2, "eth0"), vmac_state()], &[], &[]);
    let operation = Operation::Sysctl { path: "net/ipv4/conf/all/rp_filter".to_owned(), value: "0".to_owned() };
    let mut out = Vec::new();
    node.keeper.performed(&operation, &Outcome::Previous("2".to_owned()), &mut out);
    let out: Vec<_> = out.iter().map(Operation::to_string).collect();
    assert_eq!(
        out,
        ["set sysctl net/ipv4/conf/default/rp_filter to 2", "set sysctl net/ipv4/conf/eth0/rp_filter to 2"]
    );
}

#[derive(Debug, Clone)]
enum Step {
    Hold(u32),
    Release(u32),
    Reload(Vec<Vec<u8>>),
    Read,
    Steal(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let addresses = prop::collection::btree_set(1..6u8, 0..4).prop_map(|set| set.into_iter().collect::<Vec<_>>());
    let step = prop_oneof![
        4 => (0..3u32).prop_map(Step::Hold),
        3 => (0..3u32).prop_map(Step::Release),
        1 => prop::collection::vec(addresses, 3).prop_map(Step::Reload),
        3 => Just(Step::Read),
        1 => (1..6u8).prop_map(Step::Steal),
    ];
    prop::collection::vec(step, 0..40)
}

fn three(sets: &[Vec<u8>]) -> Config {
    let named = ["A", "B", "C"].iter().zip(sets);
    config(
        named
            .map(|(name, hosts)| {
                let texts: Vec<String> = hosts.iter().map(|host| format!("10.0.0.{host}/32")).collect();
                holdings(name, &texts.iter().map(String::as_str).collect::<Vec<_>>())
            })
            .collect(),
    )
}

proptest! {
    #[test]
    fn what_stands_is_what_is_held_and_only_thieves_cause_losses(steps in steps()) {
        let mut sets = vec![vec![1, 2], vec![2, 3], vec![4]];
        let (mut node, _) = Node::start(three(&sets), &[link(2, "eth0")], &[], &[]);
        for step in steps {
            let mut stolen = false;
            match step {
                Step::Hold(instance) => drop(node.hold(instance)),
                Step::Release(instance) => drop(node.release(instance)),
                Step::Reload(ref next) => {
                    sets = next.clone();
                    node.reload(three(&sets));
                }
                Step::Read => {}
                Step::Steal(host) => {
                    node.settle();
                    stolen = node.kernel.remove(&address(&format!("10.0.0.{host}/32")).key(IfIndex(2)));
                }
            }
            if matches!(step, Step::Read | Step::Steal(_)) {
                let told = node.settle();
                let lost: Vec<u32> = told.iter().filter_map(|told| match told {
                    Consequence::Lost { instance } => Some(*instance),
                    _ => None,
                }).collect();
                prop_assert_eq!(stolen, !lost.is_empty());
                // As the brain does.
                lost.iter().for_each(|instance| drop(node.release(*instance)));
                lost.iter().for_each(|instance| drop(node.hold(*instance)));
            }
            let held: BTreeSet<AddressKey> = (0..3u32)
                .filter(|instance| node.keeper.holds(*instance))
                .flat_map(|instance| &sets[instance as usize])
                .map(|host| address(&format!("10.0.0.{host}/32")).key(IfIndex(2)))
                .collect();
            prop_assert_eq!(&held, &node.kernel.addresses);
        }
        node.settle();
        let known: BTreeSet<AddressKey> = node.keeper.actual().addresses().map(|(key, _)| *key).collect();
        prop_assert_eq!(known, node.kernel.addresses);
    }

    #[test]
    fn a_reload_ends_where_a_fresh_start_would(
        before in prop::collection::vec(prop::collection::vec(1..9u8, 0..4), 3),
        after in prop::collection::vec(prop::collection::vec(1..9u8, 0..4), 3),
        masters in prop::collection::btree_set(0..3u32, 0..3)
    ) {
        let masters: Vec<u32> = masters.into_iter().collect();
        let links = [link(2, "eth0")];
        let (mut reloaded, _) = Node::start(three(&before), &links, &[], &masters);
        reloaded.reload(three(&after));
        let (fresh, _) = Node::start(three(&after), &links, &[], &masters);
        prop_assert_eq!(reloaded.kernel.addresses, fresh.kernel.addresses);
    }
}
