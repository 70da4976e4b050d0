//! Interfaces, addresses, virtual links, announcements and repairs.

use std::time::Duration;

use types::{IfIndex, MacAddr, Vrid};
use vrrp::config::{
    AnnounceConfig, AnnounceLimit, Announced, Config, InstanceConfig, LinkDelay, VirtualLinkConfig, VirtualLinkKind,
};
use vrrp::{Action, Event, InstanceId, Link, State};

use crate::scene::*;

#[test]
fn the_source_is_the_first_address_and_stays_while_it_lasts() {
    let mut scene = Scene::in_state(instance("V1"), State::Master);
    scene.address(1, "10.0.0.7");
    let source = |scene: &Scene| scene.routers.instance(InstanceId(0)).unwrap().source;
    assert_eq!(source(&scene), Some(ip("10.0.0.1")));
    scene.event(Event::SourceRemoved { interface: IfIndex(1), address: ip("10.0.0.1") });
    assert_eq!((source(&scene), scene.state(0)), (Some(ip("10.0.0.7")), State::Master));
    scene.event(Event::SourceRemoved { interface: IfIndex(1), address: ip("10.0.0.7") });
    assert_eq!(scene.state(0), State::Fault);
    scene.address(1, "10.0.0.8");
    assert_eq!((source(&scene), scene.state(0)), (Some(ip("10.0.0.8")), State::Backup));
}

#[test]
fn ipv6_needs_a_link_local_address_that_is_not_tentative() {
    let six = InstanceConfig {
        family: types::Family::Inet6,
        cast: vrrp::config::Cast::Multicast { group: ip("ff02::12") },
        ..instance("V6")
    };
    let mut scene = Scene::bare(config(vec![six]), &[]);
    scene.event(Event::Link(link(1, "eth0", true)));
    scene.address(1, "2001:db8::1");
    scene.event(Event::Started);
    assert_eq!(scene.state(0), State::Fault);
    let address = |tentative| Event::SourceAdded { interface: IfIndex(1), address: ip("fe80::1"), tentative };
    scene.event(address(true));
    assert_eq!(scene.state(0), State::Fault);
    scene.event(address(false));
    assert_eq!(scene.state(0), State::Backup);
}

#[test]
fn a_leftover_virtual_address_is_no_source_unless_we_own_it() {
    let mut scene = Scene::bare(config(vec![instance("V1")]), &[]);
    scene.event(Event::Link(link(1, "eth0", true)));
    scene.address(1, "10.0.0.99");
    scene.address(1, "10.0.0.1");
    scene.event(Event::Started);
    assert_eq!(scene.routers.instance(InstanceId(0)).unwrap().source, Some(ip("10.0.0.1")));
}

#[test]
fn track_source_is_a_fault_while_the_configured_address_is_nowhere() {
    let tracked = InstanceConfig { source: Some(ip("10.0.0.5")), track_source: true, ..instance("V1") };
    let mut scene = Scene::started(config(vec![tracked]));
    assert_eq!(scene.state(0), State::Fault);
    scene.address(1, "10.0.0.5");
    assert_eq!(scene.state(0), State::Backup);
    scene.event(Event::SourceRemoved { interface: IfIndex(1), address: ip("10.0.0.5") });
    assert_eq!(scene.lines().last().unwrap(), "(V1) Entering FAULT STATE");
    // without track_src_ip it is used, there or not
    let free = InstanceConfig { source: Some(ip("10.0.0.5")), ..instance("V1") };
    assert_eq!(Scene::started(config(vec![free])).state(0), State::Backup);
}

#[test]
fn dont_track_primary_ignores_the_carrier_but_not_the_absence_of_the_interface() {
    let mut scene = Scene::in_state(InstanceConfig { track_primary: false, ..instance("V1") }, State::Master);
    scene.event(Event::Link(link(1, "eth0", false)));
    assert_eq!(scene.state(0), State::Master);
    scene.event(Event::LinkGone(IfIndex(1)));
    assert_eq!(scene.state(0), State::Fault);
}

#[test]
fn an_interface_created_again_or_renamed_brings_its_instance_back_on_a_new_socket() {
    let mut scene = Scene::in_state(instance("V1"), State::Backup);
    scene.event(Event::LinkGone(IfIndex(1)));
    assert_eq!(scene.routers.sockets(), []);
    scene.event(Event::Link(link(9, "other", true)));
    scene.address(9, "10.0.0.9");
    assert_eq!(scene.state(0), State::Fault);
    scene.told();
    scene.event(Event::Link(link(9, "eth0", true)));
    assert_eq!(scene.told(), ["sockets", "log (V1) Entering BACKUP STATE", "notify V1 Backup 100"]);
    assert_eq!(scene.routers.sockets()[0].interface, Some(IfIndex(9)));
    scene.event(Event::Link(link(9, "away", true)));
    assert_eq!(scene.state(0), State::Fault);
}

#[test]
fn interface_delays_hide_a_flap() {
    let delay = LinkDelay { interface: name("eth0"), down: seconds(1), up: seconds(2) };
    let mut scene = Scene::started(Config { link_delays: vec![delay], ..config(vec![instance("V1")]) });
    scene.event(Event::Link(link(1, "eth0", false)));
    scene.pass(micros(900_000));
    scene.event(Event::Link(link(1, "eth0", true)));
    scene.pass(micros(100_000));
    assert_eq!(scene.state(0), State::Backup);
    scene.event(Event::Link(link(1, "eth0", false)));
    scene.pass(seconds(1));
    assert_eq!(scene.state(0), State::Fault);
    scene.event(Event::Link(link(1, "eth0", true)));
    scene.pass(micros(1_999_999));
    assert_eq!(scene.state(0), State::Fault);
    scene.pass(micros(1));
    assert_eq!(scene.state(0), State::Backup);
}

fn vmac(transmit_base: bool) -> InstanceConfig {
    let mac = MacAddr::virtual_router(types::Family::Inet, Vrid::new(51).unwrap());
    let kind = VirtualLinkKind::Macvlan { mac };
    let link = VirtualLinkConfig { name: name("vrrp.51"), kind, transmit_base, group: None, notify_message: false };
    InstanceConfig { virtual_link: Some(link), ..instance("V1") }
}

fn with_vmac(config: Config) -> Scene {
    let mut scene = Scene::furnished(config, &[]);
    let mac = Some("00:00:5e:00:01:33".parse().unwrap());
    scene.event(Event::Link(Link { mac, base: Some(IfIndex(1)), ..link(5, "vrrp.51", true) }));
    scene.event(Event::Started);
    scene.told();
    scene
}

#[test]
fn a_vmac_carries_adverts_and_addresses_with_the_source_of_its_base() {
    for (transmit_base, socket) in [(false, 5), (true, 1)] {
        let mut scene = with_vmac(config(vec![vmac(transmit_base)]));
        assert_eq!(scene.routers.sockets()[0].interface, Some(IfIndex(socket)));
        assert_eq!(scene.routers.instance(InstanceId(0)).unwrap().source, Some(ip("10.0.0.1")));
        scene.pass(seconds(4));
        let announced = scene.out.iter().find_map(|action| match action {
            Action::Announce(list) => Some(list[0]),
            _ => None,
        });
        let announced = announced.unwrap();
        assert_eq!((announced.interface, announced.mac.to_string().as_str()), (IfIndex(5), "00:00:5e:00:01:33"));
        scene.told();
        scene.event(Event::Link(link(1, "eth0", false)));
        assert_eq!(scene.state(0), State::Fault);
    }
}

#[test]
fn switches_hear_the_vmac_again_and_again_with_garp_extra_if() {
    let announce = AnnounceConfig { extra_interface_refresh: seconds(30), ..instance("V1").announce };
    let mut scene = with_vmac(config(vec![InstanceConfig { announce, ..vmac(true) }]));
    scene.pass(seconds(5));
    scene.told();
    scene.pass(seconds(61));
    let announced = scene.done().iter().filter(|word| word.starts_with("announce")).count();
    assert_eq!(announced, 2);
}

fn with_addresses(announce: AnnounceConfig) -> InstanceConfig {
    let announced = |text| Announced { address: ip(text), interface: None };
    InstanceConfig {
        announce,
        announced: vec![announced("10.0.0.99"), announced("10.0.0.98"), announced("2001:db8::99")],
        ..instance("V1")
    }
}

#[test]
fn sets_rounds_and_refreshes_of_announcements() {
    let announce = AnnounceConfig {
        master_delay: seconds(5),
        master_repeat: 2,
        master_refresh: seconds(60),
        master_refresh_repeat: 1,
        lower_priority_delay: seconds(3),
        lower_priority_repeat: 1,
        extra_interface_refresh: Duration::ZERO,
    };
    let mut scene = Scene::started(config(vec![with_addresses(announce)]));
    let set = "announce 10.0.0.99 10.0.0.98 2001:db8::99".to_owned();
    let announced = |scene: &mut Scene| {
        let mut told = scene.done();
        told.retain(|word| word.starts_with("announce"));
        told
    };
    scene.pass(micros(3_609_375));
    assert_eq!(announced(&mut scene), [set.clone(), set.clone()]);
    scene.pass(micros(4_999_999));
    assert_eq!(announced(&mut scene), Vec::<String>::new());
    scene.pass(micros(1));
    assert_eq!(announced(&mut scene), [set.clone(), set.clone()]);
    scene.pass(seconds(55));
    assert_eq!(announced(&mut scene), std::slice::from_ref(&set));
    scene.advert(0, "10.0.0.2", 50);
    assert_eq!(announced(&mut scene), std::slice::from_ref(&set));
    scene.pass(seconds(3));
    assert_eq!(announced(&mut scene), std::slice::from_ref(&set));
    // nothing leaves once the addresses are gone
    scene.advert(0, "10.0.0.2", 50);
    scene.advert(0, "10.0.0.2", 200);
    announced(&mut scene);
    scene.pass(seconds(3));
    assert_eq!(announced(&mut scene), Vec::<String>::new());
}

#[test]
fn a_least_gap_spreads_announcements_of_its_kind_and_interface() {
    let announce = AnnounceConfig { master_repeat: 2, ..instance("V1").announce };
    let limit =
        AnnounceLimit { interfaces: Vec::new(), arp_interval: micros(100_000), neighbour_interval: Duration::ZERO };
    let mut scene = Scene::started(Config { announce_limits: vec![limit], ..config(vec![with_addresses(announce)]) });
    scene.pass(micros(3_609_375));
    let told = scene.done();
    assert_eq!(
        told,
        ["send V1 100", "hold V1", "announce 2001:db8::99 10.0.0.99", "announce 2001:db8::99", "notify V1 Master 100"]
    );
    for next in ["10.0.0.98", "10.0.0.99", "10.0.0.98"] {
        scene.pass(micros(99_999));
        assert_eq!(scene.done(), Vec::<String>::new());
        scene.pass(micros(1));
        assert_eq!(scene.done(), [format!("announce {next}")]);
    }
}

#[test]
fn a_new_hardware_address_or_a_link_that_came_back_is_announced() {
    let mut scene = Scene::in_state(InstanceConfig { track_primary: false, ..instance("V1") }, State::Master);
    scene.event(Event::Link(Link { mac: Some(MacAddr([2, 0, 0, 0, 0, 77])), ..link(1, "eth0", true) }));
    let Some(Action::Announce(list)) = scene.out.last() else { panic!("{:?}", scene.out) };
    assert_eq!(list[0].mac, MacAddr([2, 0, 0, 0, 0, 77]));
    scene.told();
    scene.event(Event::Link(link(1, "eth0", false)));
    scene.told();
    scene.event(Event::Link(link(1, "eth0", true)));
    assert_eq!(scene.done(), ["announce 10.0.0.99"]);
}

#[test]
fn removed_addresses_come_back_at_once_a_few_times_then_with_ever_longer_waits() {
    let mut scene = Scene::in_state(instance("V1"), State::Master);
    let mut repairs = Vec::new();
    let begin = scene.now;
    // somebody removes the address every millisecond for two minutes
    for _ in 0..120_000 {
        scene.event(Event::HoldingLost { instance: InstanceId(0) });
        scene.pass(micros(1000));
        if scene.done().contains(&"hold V1".to_owned()) {
            repairs.push(scene.now.since(begin).as_millis());
        }
    }
    assert!(repairs.len() < 16, "{repairs:?}");
    assert!(repairs[4] < 100, "{repairs:?}");
    assert_eq!(scene.state(0), State::Master);
    // and at once again when it lasted
    scene.pass(seconds(120));
    scene.told();
    scene.event(Event::HoldingLost { instance: InstanceId(0) });
    assert_eq!(scene.done(), ["hold V1", "announce 10.0.0.99"]);
}

#[test]
fn one_socket_serves_all_instances_that_need_the_same() {
    let buffered = InstanceConfig { receive_buffer: Some(9000), ..numbered("V3", 53) };
    let scene = Scene::started(config(vec![instance("V1"), numbered("V2", 52), buffered]));
    let sockets = scene.routers.sockets();
    assert_eq!((sockets.len(), sockets[0].receive_buffer), (1, Some(9000)));
}

#[test]
fn a_vrid_used_twice_on_one_socket_is_a_fault_of_the_second() {
    let mut scene = Scene::furnished(config(vec![instance("V1"), instance("V2")]), &[]);
    scene.event(Event::Started);
    assert_eq!((scene.state(0), scene.state(1)), (State::Backup, State::Fault));
    assert_eq!(scene.lines()[0], "(V2) entering FAULT state (VRID is already used by V1 on the same interface)");
}

#[test]
fn detailed_lines_say_what_is_set_removed_and_announced() {
    let mut scene = Scene::started(config(vec![with_addresses(instance("V1").announce)]));
    scene.routers.set_detail(true);
    scene.pass(micros(3_609_375));
    assert_eq!(
        scene.lines(),
        [
            "(V1) Receive advertisement timeout",
            "(V1) Entering MASTER STATE",
            "(V1) setting VIPs.",
            "(V1) setting E-VIPs.",
            "(V1) Sending/queueing gratuitous ARPs on eth0 for 10.0.0.99",
            "(V1) Sending/queueing gratuitous ARPs on eth0 for 10.0.0.98",
            "(V1) Sending/queueing Unsolicited Neighbour Adverts on eth0 for 2001:db8::99",
            "Sending gratuitous ARP on eth0 for 10.0.0.99",
            "Sending gratuitous ARP on eth0 for 10.0.0.98",
            "Sending unsolicited Neighbour Advert on eth0 for 2001:db8::99",
        ]
    );
    scene.event(Event::Shutdown);
    assert_eq!(scene.lines(), ["(V1) sent 0 priority", "(V1) removing VIPs.", "(V1) removing E-VIPs."]);
}
