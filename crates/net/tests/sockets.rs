//! VRRP and packet sockets between the two ends of a veth, in network namespaces of their own. Needs root; skips otherwise.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers too")]

#[allow(dead_code, reason = "the other file of tests uses the rest")]
mod namespace;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use namespace::{ip, run};
use rkeepalived_net::{AnnounceSocket, VrrpSockets};
use types::{Family, IfIndex, MacAddr, Ttl};
use vrrp::{Advert, Announcement, Destination, InstanceId, SocketSpec};

fn index(name: &str) -> IfIndex {
    let text = std::fs::read_to_string(format!("/sys/class/net/{name}/ifindex"));
    // /sys shows the namespace in which it was mounted; ask iproute2 instead where that differs.
    let own = ip(&format!("-o link show dev {name}"));
    let number = own.split(':').next().map(str::trim).and_then(|number| number.parse().ok());
    IfIndex(number.or_else(|| text.ok()?.trim().parse().ok()).unwrap())
}

fn mac(name: &str) -> MacAddr {
    let shown = ip(&format!("-o link show dev {name}"));
    shown.split_whitespace().skip_while(|word| *word != "link/ether").nth(1).unwrap().parse().unwrap()
}

fn spec(interface: &str, group: Option<&str>, family: Family) -> SocketSpec {
    SocketSpec {
        interface: Some(index(interface)),
        vrf: None,
        family,
        protocol: 112,
        group: group.map(|group| group.parse().unwrap()),
        source: None,
        receive_buffer: Some(1 << 20),
    }
}

/// Both ends are in one namespace, so a packet from one to the other looks like a forged one of our own.
fn accept_own() {
    for name in ["left", "right", "all"] {
        std::fs::write(format!("/proc/sys/net/ipv4/conf/{name}/accept_local"), "1").unwrap();
        std::fs::write(format!("/proc/sys/net/ipv4/conf/{name}/rp_filter"), "0").unwrap();
    }
    ip("addr add 10.9.0.1/24 dev left");
    ip("addr add 10.9.0.2/24 dev right");
}

/// An IPv4 header with TTL 255 and no checksum (the kernel fills it in), then `payload`.
fn packet(source: Ipv4Addr, destination: Ipv4Addr, payload: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x45, 0xc0, 0, (20 + payload.len()) as u8, 0, 0, 0, 0, 255, 112, 0, 0];
    octets.extend(source.octets());
    octets.extend(destination.octets());
    octets.extend(payload);
    octets
}

fn advert(socket: &SocketSpec, source: IpAddr, destinations: Vec<Destination>) -> Arc<Advert> {
    Arc::new(Advert { instance: InstanceId(0), socket: socket.clone(), source, destinations })
}

type Seen = Vec<(IfIndex, IpAddr, IpAddr, u8, Vec<u8>)>;

/// Receives until `count` packets have come.
async fn receive(sockets: &mut VrrpSockets, count: usize) -> Seen {
    let mut seen = Seen::new();
    while seen.len() < count {
        sockets.readable().await.unwrap();
        let now = sys::clock::now();
        let take = |packet: vrrp::ReceivedPacket<'_>, arrived: types::Instant| {
            assert!(arrived <= now + std::time::Duration::from_secs(1));
            seen.push((packet.interface, packet.source, packet.destination, packet.ttl.0, packet.octets.to_vec()));
        };
        sockets.receive(take).unwrap();
    }
    seen
}

#[test]
fn a_multicast_advert_reaches_the_other_end_once_with_all_that_the_brain_asks_for() {
    run(async || {
        accept_own();
        let (left, right) =
            (spec("left", Some("224.0.0.18"), Family::Inet), spec("right", Some("224.0.0.18"), Family::Inet));
        let mut sockets = VrrpSockets::new().unwrap();
        let errors = sockets.reconcile(&[left.clone(), right.clone()]);
        assert!(errors.is_empty(), "{errors:?}");
        let (source, group) = (Ipv4Addr::new(10, 9, 0, 1), Ipv4Addr::new(224, 0, 0, 18));
        let adverts: Vec<Arc<Advert>> = (0..40)
            .map(|number| {
                let octets = packet(source, group, &[0x21, number, 100, 0]);
                advert(&left, source.into(), vec![Destination { address: group.into(), ttl: Ttl::MAX, octets }])
            })
            .collect();
        let errors = sockets.send(&adverts);
        assert!(errors.is_empty(), "{errors:?}");
        let seen = receive(&mut sockets, 40).await;
        assert_eq!(seen.len(), 40);
        for (number, (interface, from, to, ttl, octets)) in seen.iter().enumerate() {
            assert_eq!((*interface, *from, *to, *ttl), (index("right"), source.into(), group.into(), 255));
            assert_eq!((octets[1], &octets[20..24]), (0xc0, &[0x21, number as u8, 100, 0][..]));
        }
        // What is not wanted any more is closed, and then nothing can be sent through it.
        assert!(sockets.reconcile(std::slice::from_ref(&right)).is_empty());
        assert_eq!(sockets.open_sockets().collect::<Vec<_>>(), [&right]);
        assert_eq!(sockets.send(&adverts[..1])[0].source.kind(), std::io::ErrorKind::NotConnected);
    });
}

#[test]
fn a_unicast_advert_is_handed_over_once_though_the_multicast_socket_sees_it_too() {
    run(async || {
        accept_own();
        let (sender, receiver): (IpAddr, IpAddr) = ([10, 9, 0, 1].into(), [10, 9, 0, 2].into());
        let mut from = spec("left", None, Family::Inet);
        from.source = Some(sender);
        let mut to = spec("right", None, Family::Inet);
        to.source = Some(receiver);
        let multicast = spec("right", Some("224.0.0.18"), Family::Inet);
        let mut sockets = VrrpSockets::new().unwrap();
        let errors = sockets.reconcile(&[from.clone(), to, multicast.clone()]);
        assert!(errors.is_empty(), "{errors:?}");
        // Bound to `left`, the packet leaves there although its destination is ours; a neighbour entry spares the ARP that nobody would answer.
        ip(&format!("neigh add 10.9.0.2 lladdr {} dev left", mac("right")));
        ip("route add 10.9.0.2/32 dev left table 99");
        ip("rule add preference 0 oif left lookup 99");
        ip("rule add preference 10 lookup local");
        ip("rule del preference 0 lookup local");
        let octets = packet([10, 9, 0, 1].into(), [10, 9, 0, 2].into(), &[0x21, 51, 100, 0]);
        let copy = Destination { address: receiver, ttl: Ttl(9), octets };
        let group: IpAddr = [224, 0, 0, 18].into();
        let last = packet([10, 9, 0, 1].into(), [224, 0, 0, 18].into(), &[0x21, 52, 100, 0]);
        let last = Destination { address: group, ttl: Ttl::MAX, octets: last };
        let mut through = spec("left", Some("224.0.0.18"), Family::Inet);
        through.receive_buffer = None;
        assert!(sockets.reconcile(&[from.clone(), specs_to(receiver), multicast, through.clone()]).is_empty());
        let errors = sockets.send(&[advert(&from, sender, vec![copy]), advert(&through, sender, vec![last])]);
        assert!(errors.is_empty(), "{errors:?}");
        let mut seen = receive(&mut sockets, 2).await;
        seen.sort_by_key(|(.., octets)| octets[21]);
        let vrids: Vec<u8> = seen.iter().map(|(.., octets)| octets[21]).collect();
        assert_eq!(vrids, [51, 52], "{seen:?}");
        assert_eq!(seen[0].2, receiver);
    });
}

fn specs_to(receiver: IpAddr) -> SocketSpec {
    let mut to = spec("right", None, Family::Inet);
    to.source = Some(receiver);
    to
}

#[test]
fn an_ipv6_advert_has_its_source_and_hop_limit() {
    run(async || {
        for name in ["left", "right"] {
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{name}/accept_dad"), "0").unwrap();
        }
        ip("addr add fe80::1/64 dev left nodad");
        ip("addr add fe80::2/64 dev right nodad");
        let (left, right) =
            (spec("left", Some("ff02::12"), Family::Inet6), spec("right", Some("ff02::12"), Family::Inet6));
        let mut sockets = VrrpSockets::new().unwrap();
        let errors = sockets.reconcile(&[left.clone(), right]);
        assert!(errors.is_empty(), "{errors:?}");
        let (source, group): (IpAddr, IpAddr) = ("fe80::1".parse().unwrap(), "ff02::12".parse().unwrap());
        let octets = vec![0x31, 51, 100, 0, 0, 100, 0xab, 0xcd];
        let copy = Destination { address: group, ttl: Ttl::MAX, octets: octets.clone() };
        let errors = sockets.send(&[advert(&left, source, vec![copy])]);
        assert!(errors.is_empty(), "{errors:?}");
        let seen = receive(&mut sockets, 1).await;
        assert_eq!(seen, [(index("right"), source, group, 255, octets)]);
    });
}

#[test]
fn a_socket_that_cannot_be_opened_is_told_and_the_others_are_open() {
    run(async || {
        let mut missing = spec("left", Some("224.0.0.18"), Family::Inet);
        missing.interface = Some(IfIndex(4711));
        let good = spec("right", Some("224.0.0.18"), Family::Inet);
        let mut sockets = VrrpSockets::new().unwrap();
        let errors = sockets.reconcile(&[missing, good.clone()]);
        assert_eq!(errors.len(), 1);
        assert!(errors[0].to_string().contains("#4711"), "{}", errors[0]);
        assert_eq!(sockets.open_sockets().collect::<Vec<_>>(), [&good]);
    });
}

#[test]
fn a_thousand_announcements_leave_in_one_burst_and_teach_the_neighbour() {
    run(async || {
        for setting in ["arp_accept", "drop_gratuitous_arp"] {
            let value = if setting == "arp_accept" { "1" } else { "0" };
            std::fs::write(format!("/proc/sys/net/ipv4/conf/right/{setting}"), value).unwrap();
        }
        ip("addr add 10.0.0.1/8 dev right");
        let (left, mac) = (index("left"), mac("left"));
        let announcement = |address| Announcement { instance: InstanceId(0), interface: left, mac, address };
        let mut announcements: Vec<_> =
            (0..500u16).map(|n| announcement(IpAddr::from([10, 9, (n / 250) as u8, (n % 250) as u8 + 1]))).collect();
        announcements.push(announcement("2001:db8::1".parse().unwrap()));
        let mut socket = AnnounceSocket::new().unwrap();
        let start = std::time::Instant::now();
        let errors = socket.announce(&announcements, |_| true);
        println!("{} announcements in {:?}", announcements.len(), start.elapsed());
        assert!(errors.is_empty() && !socket.is_waiting(), "{errors:?}");
        for _ in 0..400 {
            if ip("neigh show dev right").matches("lladdr").count() >= 500 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let learnt = ip("neigh show dev right");
        assert!(learnt.contains(&format!("10.9.1.250 lladdr {mac}")), "{learnt}");
        assert_eq!(learnt.matches(&mac.to_string()).count(), 500);

        // An interface that is gone is an error of its own announcements alone.
        let gone = Announcement { interface: IfIndex(4711), ..announcements[0] };
        let errors = socket.announce(&[announcements[0], gone, announcements[1]], |_| false);
        assert_eq!(errors.iter().map(|error| error.announcement).collect::<Vec<_>>(), [gone]);
    });
}
