//! Operations against the kernel, in network namespaces of their own. Needs root; skips otherwise.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers too")]

mod namespace;

use namespace::{Shell, ip, run};
use rkeepalived_net as net;
use std::time::Instant;
use types::{Family, IfName, Prefix};
use vip::config::{Encap, Nexthop, Placement, RouteKind, RouteMetric, RouteMetricKind, RouteMetricValue};
use vip::{Address, Config, Consequence, Holdings, Route, Rule, RuleAction};

fn name(text: &str) -> IfName {
    text.parse().unwrap()
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn address(text: &str) -> Address {
    let address = prefix(text);
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
        preferred_lifetime: (address.family() == Family::Inet6 && address.is_host()).then_some(0),
        use_vmac: false,
        track_group: None,
    }
}

fn route(destination: &str) -> Route {
    let destination = prefix(destination);
    Route {
        family: destination.family(),
        destination,
        kind: RouteKind::Unicast,
        preferred_source: None,
        gateway: None,
        source: None,
        tos: 0,
        table: 254,
        protocol: 18,
        scope: None,
        metric: None,
        interface: Some(name("left")),
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
    }
}

fn rule(family: Family, preference: u32) -> Rule {
    Rule {
        family,
        source: None,
        destination: None,
        invert: false,
        preference,
        tos: 0,
        mark: None,
        input: None,
        output: None,
        action: RuleAction::Lookup(254),
        realms: None,
        suppress_prefix_length: None,
        suppress_group: None,
        tunnel_id: None,
        uid_range: None,
        l3mdev: false,
        protocol: 18,
        ip_protocol: None,
        source_ports: None,
        destination_ports: None,
        no_track: false,
        track_group: None,
    }
}

fn instance(addresses: Vec<Address>) -> Holdings {
    Holdings { name: "VI_1".to_owned(), interface: Some(name("left")), addresses, ..Holdings::default() }
}

fn config(holdings: Holdings) -> Config {
    Config { instances: vec![holdings], ..Config::default() }
}

#[test]
fn a_thousand_addresses_come_and_go_together() {
    run(async || {
        let addresses = (0..1000).map(|n| address(&format!("10.9.{}.{}/32", n / 250, n % 250 + 1)));
        let mut shell = Shell::start(config(instance(addresses.collect())), &[]);
        let start = Instant::now();
        shell.hold(0);
        println!("1,000 addresses added in {:?}", start.elapsed());
        assert_eq!(shell.refused, [""; 0]);
        assert_eq!(ip("-o -4 addr show dev left").lines().count(), 1000);
        let told = shell.settle();
        assert!(!told.iter().any(|told| matches!(told, Consequence::SourceAdded { .. } | Consequence::Lost { .. })));
        let start = Instant::now();
        shell.release(0);
        println!("1,000 addresses removed in {:?}", start.elapsed());
        assert_eq!(ip("-o -4 addr show dev left").lines().count(), 0);
        assert!(!shell.settle().iter().any(|told| matches!(told, Consequence::Lost { .. })));
        assert_eq!(shell.refused, [""; 0]);
    });
}

#[test]
fn every_attribute_of_an_address_is_the_kernels_own() {
    run(async || {
        let mut labelled = address("10.9.0.1/24");
        labelled.label = Some("left:vip".to_owned());
        labelled.broadcast = Some("10.9.0.255".parse().unwrap());
        labelled.scope = 253;
        labelled.no_prefix_route = true;
        let mut pointed = address("10.9.1.1/32");
        pointed.peer = Some(prefix("10.9.1.2/30"));
        let (mut v6, mut v6_peer) = (address("2001:db8::1/128"), address("2001:db8:1::1/128"));
        v6.home = true;
        v6_peer.peer = Some(prefix("2001:db8:1::2/127"));
        let mut shell = Shell::start(config(instance(vec![labelled, pointed, v6, v6_peer])), &[]);
        shell.hold(0);
        assert_eq!(shell.refused, [""; 0]);
        let shown = ip("addr show dev left");
        for expected in [
            "inet 10.9.0.1/24 brd 10.9.0.255 scope link noprefixroute proto 0x12 left:vip",
            "inet 10.9.1.1 peer 10.9.1.2/30 scope global proto 0x12 left",
            "inet6 2001:db8::1/128 scope global nodad home deprecated",
            "inet6 2001:db8:1::1 peer 2001:db8:1::2/127 scope global",
        ] {
            // Older iproute2 does not show the protocol.
            let without = expected.replace("proto 0x12 ", "").replace(" proto 0x12", "");
            let named = expected.replace("0x12", "keepalived");
            let found = [expected, &without, &named].iter().any(|expected| shown.contains(*expected));
            assert!(found, "{expected}\n{shown}");
        }
        shell.settle();
        shell.release(0);
        assert!(!shell.settle().iter().any(|told| matches!(told, Consequence::Lost { .. })));
        assert!(!ip("addr show dev left").contains("10.9."), "{}", ip("addr show dev left"));
        assert_eq!(shell.refused, [""; 0]);
    });
}

#[test]
fn an_address_that_stands_is_taken_over_and_one_of_another_length_is_left_alone() {
    run(async || {
        ip("addr add 10.9.0.1/32 dev left");
        ip("addr add 10.9.0.2/24 dev left");
        let addresses = vec![address("10.9.0.1/32"), address("10.9.0.2/32")];
        let mut shell = Shell::start(config(instance(addresses)), &[0]);
        shell.hold(0);
        shell.settle();
        assert_eq!(shell.refused, [""; 0]);
        shell.release(0);
        let shown = ip("-o -4 addr show dev left");
        assert!(shown.contains("10.9.0.2/24") && shown.lines().count() == 1, "{shown}");
    });
}

#[test]
fn what_a_former_life_left_is_removed_at_start_unless_its_instance_is_master() {
    run(async || {
        ip("addr add 10.9.0.1/32 dev left");
        Shell::start(config(instance(vec![address("10.9.0.1/32")])), &[0]);
        assert!(ip("-o -4 addr show dev left").contains("10.9.0.1/32"));
        Shell::start(config(instance(vec![address("10.9.0.1/32")])), &[]);
        assert_eq!(ip("-o -4 addr show dev left"), "");
    });
}

#[test]
fn the_loss_of_an_address_is_told_and_our_own_removal_is_not() {
    run(async || {
        let addresses = vec![address("10.9.0.1/32"), address("2001:db8::1/128")];
        let mut shell = Shell::start(config(instance(addresses)), &[]);
        for removed in ["10.9.0.1/32", "2001:db8::1/128"] {
            shell.hold(0);
            shell.release(0);
            shell.hold(0);
            let told = shell.settle();
            assert!(!told.iter().any(|told| matches!(told, Consequence::Lost { .. })), "{told:?}");
            ip(&format!("addr del {removed} dev left"));
            let told = shell.settle();
            assert!(told.contains(&Consequence::Lost { instance: 0 }), "{removed}: {told:?}");
            shell.release(0);
        }
        assert_eq!(shell.refused, [""; 0]);
    });
}

#[test]
fn static_items_are_restored_at_once_and_after_their_interface_was_down() {
    run(async || {
        let mut v6 = route("2001:db8:2::/64");
        v6.gateway = Some("2001:db8::9".parse().unwrap());
        let statics = Holdings {
            addresses: vec![
                Address { interface: Some(name("left")), ..address("10.9.0.1/24") },
                Address { interface: Some(name("left")), ..address("2001:db8::1/64") },
            ],
            routes: vec![route("10.10.0.0/16"), v6],
            rules: vec![rule(Family::Inet, 100)],
            ..Holdings::default()
        };
        let mut shell = Shell::start(Config { statics, ..Config::default() }, &[]);
        assert_eq!(shell.refused, [""; 0]);
        let stands = || {
            ip("-o addr show dev left").contains("10.9.0.1/24")
                && ip("-o -6 addr show dev left").contains("2001:db8::1/64")
                && ip("route show").contains("10.10.0.0/16")
                && ip("-6 route show").contains("2001:db8:2::/64 via 2001:db8::9")
                && ip("rule show").contains("100:")
        };
        assert!(stands());
        shell.settle();
        for removal in [
            "addr del 10.9.0.1/24 dev left",
            "route del 10.10.0.0/16",
            "rule del preference 100",
            "-6 route del 2001:db8:2::/64",
        ] {
            ip(removal);
            assert!(!stands(), "{removal}");
            let told = shell.settle();
            assert!(told.iter().any(|told| matches!(told, Consequence::StaticRestored { .. })), "{removal}: {told:?}");
            assert!(stands(), "{removal}");
        }
        ip("link set left down");
        shell.settle();
        assert!(!stands());
        ip("link set left up");
        shell.settle();
        assert!(stands(), "{} {}", ip("route show"), ip("-6 route show"));
        assert_eq!(shell.refused, [""; 0]);
    });
}

#[test]
fn an_interface_that_comes_late_or_anew_gets_what_is_held_on_it() {
    run(async || {
        let late = Address { interface: Some(name("late")), ..address("10.9.0.1/24") };
        let mut shell = Shell::start(config(instance(vec![late])), &[]);
        shell.hold(0);
        for _ in 0..2 {
            ip("link add late type veth peer name other");
            ip("link set late up");
            shell.settle_until(
                |told| matches!(told, Consequence::Link(link) if link.name == name("late") && link.enabled),
            );
            assert!(ip("-o addr show dev late").contains("10.9.0.1/24"));
            ip("link del late");
            let told = shell.settle_until(|told| matches!(told, Consequence::LinkGone(_)));
            assert!(!told.contains(&Consequence::Lost { instance: 0 }), "{told:?}");
        }
        assert_eq!(shell.refused, [""; 0]);
    });
}

#[test]
fn the_whole_grammar_of_routes_reaches_the_kernel_and_leaves_it() {
    run(async || {
        ip("addr add 10.9.0.1/24 dev left");
        ip("addr add 2001:db8::1/64 dev left nodad");
        let mut routes = Vec::new();
        let mut add = |destination: &str, change: &dyn Fn(&mut Route)| {
            let mut route = route(destination);
            change(&mut route);
            routes.push(route);
        };
        let v4 = |text: &str| Some(text.parse().unwrap());
        add("10.20.0.0/16", &|route| route.gateway = v4("10.9.0.2"));
        add("10.20.0.0/16", &|route| (route.gateway, route.metric) = (v4("10.9.0.3"), Some(50)));
        add("10.21.0.0/16", &|route| {
            (route.kind, route.interface) = (RouteKind::Blackhole, None);
        });
        add("10.22.0.0/16", &|route| {
            (route.kind, route.interface) = (RouteKind::Unreachable, None);
        });
        add("10.23.0.0/16", &|route| {
            (route.kind, route.interface) = (RouteKind::Prohibit, None);
        });
        add("10.24.0.0/16", &|route| {
            (route.kind, route.interface, route.table) = (RouteKind::Throw, None, 1000);
        });
        add("10.25.0.0/16", &|route| {
            route.kind = RouteKind::Local;
        });
        add("10.26.0.0/16", &|route| {
            (route.gateway, route.onlink, route.tos) = (v4("192.0.2.1"), true, 0x10);
        });
        add("10.27.0.0/16", &|route| route.gateway = v4("2001:db8::2"));
        add("10.28.0.0/16", &|route| {
            route.preferred_source = v4("10.9.0.1");
            route.scope = Some(253);
            route.realms = Some(0x0001_0002);
        });
        add("10.29.0.0/16", &|route| {
            let number = |kind, value, lock| RouteMetric { kind, value: RouteMetricValue::Number(value), lock };
            route.metrics = vec![
                number(RouteMetricKind::Mtu, 1400, true),
                number(RouteMetricKind::AdvertisedMss, 1360, false),
                number(RouteMetricKind::HopLimit, 33, false),
                number(RouteMetricKind::InitialCongestionWindow, 20, false),
                number(RouteMetricKind::QuickAck, 1, false),
                number(RouteMetricKind::Features, 1, false),
                number(RouteMetricKind::RtoMin, 300, false),
                number(RouteMetricKind::FastOpenNoCookie, 1, false),
                RouteMetric {
                    kind: RouteMetricKind::CongestionControl,
                    value: RouteMetricValue::Text("cubic".to_owned()),
                    lock: false,
                },
            ];
        });
        let hop = |gateway: &str, weight| Nexthop {
            gateway: v4(gateway),
            interface: Some(name("left")),
            weight,
            onlink: false,
            encap: None,
            realms: None,
        };
        add("10.30.0.0/16", &|route| {
            (route.interface, route.nexthops) = (None, vec![hop("10.9.0.2", 1), hop("10.9.0.3", 256)]);
        });
        add("2001:db8:30::/48", &|route| {
            (route.interface, route.nexthops) = (None, vec![hop("2001:db8::2", 1), hop("2001:db8::3", 2)]);
        });
        add("10.31.0.0/16", &|route| {
            route.encap = Some(Encap::Ip {
                id: Some(7),
                destination: Some("192.0.2.7".parse().unwrap()),
                source: None,
                tos: Some(4),
                ttl: Some(9),
                flags: None,
            });
        });
        add("2001:db8:31::/48", &|route| {
            route.encap = Some(Encap::Ip6 {
                id: Some(7),
                destination: Some("2001:db8:ffff::7".parse().unwrap()),
                source: None,
                traffic_class: None,
                hop_limit: Some(9),
                flags: None,
            });
        });
        add("2001:db8:32::/48", &|route| {
            route.gateway = v4("2001:db8::2");
            route.metric = Some(77);
            route.preference = Some(1);
        });
        add("2001:db8:33::/48", &|route| {
            route.source = Some(prefix("2001:db8:5::/64"));
            route.placement = Placement::Append;
        });
        add("0.0.0.0/0", &|route| (route.gateway, route.placement) = (v4("10.9.0.9"), Placement::Add));
        add("::/0", &|route| route.gateway = v4("2001:db8::9"));
        let count = routes.len();
        let mut shell = Shell::start(config(Holdings { routes, ..instance(Vec::new()) }), &[]);
        shell.hold(0);
        // Not every kernel has source routing (subtrees) or lightweight tunnels.
        let lacking = |text: &String| text.contains("not supported") || text.contains("2001:db8:33::");
        let unexpected: Vec<_> = shell.refused.iter().filter(|text| !lacking(text)).collect();
        assert!(unexpected.is_empty(), "{unexpected:?}");
        let lacking = shell.refused.len();
        let shown = ip("route show table all proto 18") + &ip("-6 route show table all proto 18");
        println!("{shown}{:?}", shell.refused);
        for expected in [
            "10.20.0.0/16 via 10.9.0.2 dev left",
            "10.20.0.0/16 via 10.9.0.3 dev left metric 50",
            "blackhole 10.21.0.0/16",
            "throw 10.24.0.0/16 table 1000",
            "local 10.25.0.0/16 dev left",
            "10.26.0.0/16 tos 0x10 via 192.0.2.1 dev left onlink",
            "10.27.0.0/16 via inet6 2001:db8::2 dev left",
            "10.28.0.0/16 dev left scope link src 10.9.0.1 realms 1/2",
            "mtu lock 1400 advmss 1360 hoplimit 33 initcwnd 20 features ecn rto_min lock 300ms quickack 1 congctl cubic",
            "weight 256",
            "2001:db8:32::/48 via 2001:db8::2 dev left metric 77 pref high",
            "default via 10.9.0.9 dev left",
            "default via 2001:db8::9 dev left",
        ] {
            let loose = expected.replace("rto_min lock", "rto_min");
            assert!(shown.contains(expected) || shown.contains(&loose), "{expected}\n{shown}");
        }
        let told = shell.settle();
        assert!(!told.contains(&Consequence::Lost { instance: 0 }), "{told:?}");
        let known = shell.keeper.actual().routes().count();
        assert!(known + lacking >= count, "{known} of {count} known");

        // A dump and what was told one by one agree on every route.
        let before: Vec<_> = shell.keeper.actual().routes().cloned().collect();
        let (mut operations, mut consequences) = (Vec::new(), Vec::new());
        let Shell { monitor, keeper, .. } = &mut shell;
        monitor.dump(|seen| keeper.observe(&seen, &mut operations, &mut consequences)).unwrap();
        let lost = consequences.contains(&Consequence::Lost { instance: 0 });
        assert_eq!(lost, lacking > 0, "{before:?}\n{:?}", shell.keeper.actual().routes().collect::<Vec<_>>());

        shell.refused.clear();
        shell.release(0);
        let shown = ip("route show table all proto 18") + &ip("-6 route show table all proto 18");
        assert_eq!(shown, "", "{:?}", shell.refused);
        let told = shell.settle();
        assert!(!told.contains(&Consequence::Lost { instance: 0 }), "{told:?}");
        assert_eq!(shell.refused, [""; 0]);
    });
}

#[test]
fn the_whole_grammar_of_rules_reaches_the_kernel_is_recognised_and_leaves_it() {
    run(async || {
        let mut rules = Vec::new();
        for family in [Family::Inet, Family::Inet6] {
            let network = |inet: &str, inet6: &str| Some(prefix(if family == Family::Inet { inet } else { inet6 }));
            let changes: [&dyn Fn(&mut Rule); 14] = [
                &|rule| rule.source = network("10.1.0.0/16", "2001:db8:1::/48"),
                &|rule| rule.destination = network("10.2.0.0/16", "2001:db8:2::/48"),
                &|rule| (rule.invert, rule.source) = (true, network("10.3.0.1/32", "2001:db8::3/128")),
                &|rule| (rule.mark, rule.tos) = (Some((7, 0xff)), 0x10),
                &|rule| (rule.input, rule.output) = (Some(name("left")), Some(name("right"))),
                &|rule| rule.action = RuleAction::Lookup(100_000),
                &|rule| rule.action = RuleAction::Goto(60_000),
                &|rule| rule.action = RuleAction::Nop,
                &|rule| rule.action = RuleAction::Blackhole,
                &|rule| rule.action = RuleAction::Unreachable,
                &|rule| (rule.action, rule.tunnel_id) = (RuleAction::Prohibit, Some(9)),
                &|rule| (rule.suppress_prefix_length, rule.suppress_group) = (Some(0), Some(3)),
                &|rule| (rule.uid_range, rule.ip_protocol) = (Some((10, 20)), Some(6)),
                &|rule| {
                    rule.ip_protocol = Some(17);
                    (rule.source_ports, rule.destination_ports) = (Some((1000, 2000)), Some((53, 53)));
                },
            ];
            for (place, change) in changes.iter().enumerate() {
                let mut rule = rule(family, 1000 + place as u32);
                change(&mut rule);
                rules.push(rule);
            }
        }
        let count = rules.len();
        let before = (ip("rule show"), ip("-6 rule show"));
        let mut shell = Shell::start(config(Holdings { rules, ..instance(Vec::new()) }), &[]);
        shell.hold(0);
        assert_eq!(shell.refused, [""; 0]);
        let shown = ip("rule show") + &ip("-6 rule show");
        println!("{shown}");
        assert!(
            shown.contains("from all sport 1000-2000 dport 53 ipproto udp") || shown.contains("dport 53"),
            "{shown}"
        );
        shell.settle();
        // A dump brings the very rules that were asked for: nothing is lost.
        let (mut operations, mut consequences) = (Vec::new(), Vec::new());
        let Shell { monitor, keeper, .. } = &mut shell;
        monitor.dump(|seen| keeper.observe(&seen, &mut operations, &mut consequences)).unwrap();
        assert_eq!(shell.keeper.actual().rules().len(), count);
        assert!(!consequences.contains(&Consequence::Lost { instance: 0 }), "{:#?}", shell.keeper.actual().rules());

        ip("rule del preference 1000");
        assert!(shell.settle().contains(&Consequence::Lost { instance: 0 }));
        shell.release(0);
        let told = shell.settle();
        assert!(!told.contains(&Consequence::Lost { instance: 0 }), "{told:?}");
        assert_eq!((ip("rule show"), ip("-6 rule show")), before);
        assert_eq!(shell.refused, [""; 0]);
    });
}

#[test]
fn the_kernels_own_words_come_with_a_refusal() {
    run(async || {
        let mut unreachable = route("10.20.0.0/16");
        unreachable.gateway = Some("192.0.2.1".parse().unwrap());
        let mut shell = Shell::start(config(Holdings { routes: vec![unreachable], ..instance(Vec::new()) }), &[]);
        shell.hold(0);
        assert_eq!(shell.refused.len(), 1);
        assert!(shell.refused[0].contains("Nexthop has invalid gateway"), "{:?}", shell.refused);
    });
}

#[test]
fn a_full_receive_buffer_is_made_good_by_a_dump() {
    run(async || {
        let mut shell = Shell::start(config(instance(vec![address("10.9.0.1/32")])), &[]);
        let options = net::MonitorOptions { receive_buffer: Some(4096), ..net::MonitorOptions::of(&Config::default()) };
        shell.monitor = net::Monitor::open(options).unwrap();
        shell.hold(0);
        for number in 1..=200 {
            ip(&format!("addr add 10.8.0.{number}/32 dev right"));
        }
        ip("addr del 10.9.0.1/32 dev left");
        let told = shell.settle();
        assert!(told.contains(&Consequence::Lost { instance: 0 }), "{told:?}");
        assert_eq!(shell.monitor.statistics().overruns, 1);
        assert_eq!(shell.keeper.actual().addresses().filter(|(key, _)| key.length == 32).count(), 200);
    });
}

#[test]
fn secondaries_are_promoted_while_held_and_the_setting_is_put_back() {
    run(async || {
        let setting = || std::fs::read_to_string("/proc/sys/net/ipv4/conf/left/promote_secondaries").unwrap();
        let before = setting();
        std::fs::write("/proc/sys/net/ipv4/conf/left/promote_secondaries", "0").unwrap();
        let holdings = Holdings { promote_secondaries: true, ..instance(vec![address("10.9.0.1/24")]) };
        let mut shell = Shell::start(config(holdings), &[]);
        shell.hold(0);
        assert_eq!(setting().trim(), "1");
        shell.release(0);
        assert_eq!(setting().trim(), "0", "was {before}");
    });
}
