//! The brain itself: adverts, links, addresses and time in any order.

use std::net::IpAddr;
use std::time::Duration;

use types::{CentiSeconds, Family, IfIndex, Instant, MacAddr, Priority, Ttl, Vrid, VrrpVersion};
use vrrp::config::{AnnounceConfig, Announced, Authentication, Cast, ChecksumV3, Config, InitialState, InstanceConfig};
use vrrp::packet::{Memory, Outgoing, build};
use vrrp::{Action, Event, Link, ReceivedPacket, Routers};

const INTERFACE: IfIndex = IfIndex(2);
const OWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const GROUP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(224, 0, 0, 18));

/// Each four octets are one event: what, and three values for it.
pub fn vrrp_routers(octets: &[u8]) {
    let mut now = Instant::ZERO;
    let mut utc = Duration::from_secs(1_700_000_000);
    let mut out = Vec::new();
    let config = Config { instances: vec![instance("one", 51), instance("two", 52)], ..Config::default() };
    let mut routers = Routers::new(config, now, utc, &[], &mut out);
    for event in [link(true), Event::SourceAdded { interface: INTERFACE, address: OWN, tentative: false }] {
        routers.handle(now, utc, event, &mut out);
    }
    routers.handle(now, utc, Event::Started, &mut out);

    let mut held = [false; 2];
    for step in octets.as_chunks::<4>().0 {
        let [what, a, b, c] = *step;
        match what % 8 {
            0..=2 => {
                let octets = advert(if a & 1 == 0 { 51 } else { 52 }, b, 100 + u16::from(c & 1));
                let source = IpAddr::from([192, 0, 2, c]);
                let packet =
                    ReceivedPacket { interface: INTERFACE, source, destination: GROUP, ttl: Ttl::MAX, octets: &octets };
                routers.handle(now, utc, Event::Packet(packet), &mut out);
            }
            3 | 4 => {
                let pause = Duration::from_millis(u64::from(u16::from_be_bytes([a, b]) % 5000));
                (now, utc) = (now + pause, utc + pause);
                // Late on purpose: everything that was due meanwhile is due now.
                routers.handle_timeout(now, utc, &mut out);
                assert!(routers.next_deadline().is_none_or(|at| at > now), "what is due was done");
            }
            5 => {
                for _ in 0..20 {
                    let Some(at) = routers.next_deadline() else { break };
                    utc += at.since(now);
                    now = now.max(at);
                    routers.handle_timeout(now, utc, &mut out);
                }
            }
            6 => routers.handle(now, utc, link(a & 1 == 0), &mut out),
            _ => {
                let packet =
                    ReceivedPacket { interface: INTERFACE, source: OWN, destination: GROUP, ttl: Ttl(a), octets: step };
                routers.handle(now, utc, Event::Packet(packet), &mut out);
            }
        }
        for action in out.drain(..) {
            match action {
                Action::Hold(id) => held[id.0 as usize] = true,
                Action::Release(id) => held[id.0 as usize] = false,
                _ => {}
            }
        }
    }
    routers.handle(now, utc, Event::Shutdown, &mut out);
    for action in out {
        if let Action::Release(id) = action {
            held[id.0 as usize] = false;
        }
    }
    assert_eq!(held, [false; 2], "nothing is held after the end");
}

fn advert(vrid: u8, priority: u8, centiseconds: u16) -> Vec<u8> {
    let outgoing = Outgoing {
        version: VrrpVersion::V3,
        vrid: Vrid::new(vrid).expect("not 0"),
        priority: Priority::new(priority),
        interval: CentiSeconds::new(centiseconds).expect("in range"),
        source: IpAddr::from([192, 0, 2, 2]),
        addresses: &[IpAddr::from([192, 0, 2, 254])],
        cast: &Cast::Multicast { group: GROUP },
        authentication: &Authentication::None,
        checksum: ChecksumV3::MessageOnly,
    };
    build(&outgoing, &mut Memory::default(), Duration::ZERO).remove(0).octets
}

fn link(up: bool) -> Event<'static> {
    let name = "eth0".parse().expect("an interface name");
    Event::Link(Link { index: INTERFACE, name, up, mac: Some(MacAddr([2, 0, 0, 0, 0, 1])), mtu: 1500, base: None })
}

fn instance(name: &str, vrid: u8) -> InstanceConfig {
    let address = IpAddr::from([192, 0, 2, 254]);
    InstanceConfig {
        name: name.to_owned(),
        family: Family::Inet,
        version: VrrpVersion::V3,
        vrid: Vrid::new(vrid).expect("not 0"),
        interface: Some("eth0".parse().expect("an interface name")),
        vrf: None,
        virtual_link: None,
        initial_state: InitialState::Backup,
        priority: Priority::new(if vrid == 51 { 100 } else { 200 }),
        interval: CentiSeconds::SECOND,
        down_timer_adverts: 3,
        cast: Cast::Multicast { group: GROUP },
        source: None,
        track_source: false,
        track_primary: true,
        advertised: vec![address],
        announced: vec![Announced { address, interface: None }],
        address_interfaces: Vec::new(),
        preempt: vrid == 51,
        preempt_delay: Duration::ZERO,
        strict: false,
        skip_check_advert_addresses: false,
        lower_priority_no_advert: false,
        higher_priority_send_advert: true,
        owner_ignore_adverts: false,
        timer_expired_backup: None,
        checksum: ChecksumV3::PseudoHeader,
        authentication: Authentication::None,
        announce: AnnounceConfig::default(),
        trackers: Vec::new(),
        notify_priority_changes: true,
        notify_deleted: false,
        configuration_fault: None,
        receive_buffer: None,
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    vec![
        [5, 0, 0, 0, 0, 0, 200, 9, 3, 4, 0, 0].to_vec(),
        [3, 19, 0, 0, 0, 0, 0, 9, 6, 1, 0, 0, 6, 0, 0, 0, 5, 0, 0, 0].to_vec(),
        [0, 1, 100, 9, 5, 0, 0, 0, 0, 1, 200, 9, 0, 1, 255, 9, 4, 2, 0, 0].to_vec(),
    ]
}
