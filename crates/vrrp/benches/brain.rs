//! What the brain itself costs: adverts heard and sent with 2,000 instances, and the takeover of 1,000 addresses.

#![allow(clippy::unwrap_used, missing_docs)]

extern crate rkeepalived_vrrp as vrrp;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use types::{CentiSeconds, Family, IfIndex, Instant, MacAddr, Priority, Ttl, Vrid, VrrpVersion};
use vrrp::config::{AnnounceConfig, Announced, Authentication, Cast, ChecksumV3, Config, InitialState, InstanceConfig};
use vrrp::packet::{Memory, Outgoing, build};
use vrrp::{Action, Event, Link, ReceivedPacket, Routers};

const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));
const PER_LINK: usize = 250;

/// 250 instances on each interface, which is named after its number.
fn instance(number: usize, addresses: usize) -> InstanceConfig {
    let address = |n: usize| IpAddr::V4(Ipv4Addr::from(0x0b00_0000 + (number * 10_000 + n) as u32));
    let all: Vec<_> = (0..addresses).map(address).collect();
    InstanceConfig {
        name: format!("V{number}"),
        family: Family::Inet,
        version: VrrpVersion::V3,
        vrid: Vrid::new((number % PER_LINK) as u8 + 1).unwrap(),
        interface: Some(format!("eth{}", number / PER_LINK).parse().unwrap()),
        vrf: None,
        virtual_link: None,
        initial_state: InitialState::Backup,
        priority: Priority::DEFAULT,
        interval: CentiSeconds::SECOND,
        down_timer_adverts: 3,
        cast: Cast::Multicast { group: GROUP },
        source: None,
        track_source: false,
        track_primary: true,
        advertised: all.iter().copied().take(200).collect(),
        announced: all.into_iter().map(|address| Announced { address, interface: None }).collect(),
        address_interfaces: Vec::new(),
        preempt: true,
        preempt_delay: Duration::ZERO,
        strict: false,
        skip_check_advert_addresses: false,
        lower_priority_no_advert: false,
        higher_priority_send_advert: false,
        owner_ignore_adverts: false,
        timer_expired_backup: None,
        checksum: ChecksumV3::PseudoHeader,
        authentication: Authentication::None,
        announce: AnnounceConfig { master_delay: Duration::ZERO, ..AnnounceConfig::default() },
        trackers: Vec::new(),
        notify_priority_changes: false,
        notify_deleted: false,
        configuration_fault: None,
        receive_buffer: None,
    }
}

fn started(instances: usize, addresses: usize) -> Routers {
    let config =
        Config { instances: (0..instances).map(|number| instance(number, addresses)).collect(), ..Config::default() };
    let mut out = Vec::new();
    let mut routers = Routers::new(config, Instant::ZERO, Duration::ZERO, &[], &mut out);
    routers.set_detail(false);
    let mut tell = |event| routers.handle(Instant::ZERO, Duration::ZERO, event, &mut out);
    for link in 0..=(instances / PER_LINK) as u32 {
        let index = IfIndex(link + 1);
        let name = format!("eth{link}").parse().unwrap();
        tell(Event::Link(Link { index, name, up: true, mac: Some(MacAddr([2; 6])), mtu: 1500, base: None }));
        tell(Event::SourceAdded { interface: index, address: IpAddr::from([10, 0, 0, 1]), tentative: false });
    }
    tell(Event::Started);
    routers
}

/// All deadlines up to `end`.
fn pass(routers: &mut Routers, end: Instant, out: &mut Vec<Action>) {
    while let Some(at) = routers.next_deadline().filter(|at| *at <= end) {
        routers.handle_timeout(at, Duration::ZERO, out);
    }
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("2000 instances");
    group.throughput(Throughput::Elements(2000));

    let mut backups = started(2000, 1);
    let packets: Vec<_> = (0..2000)
        .map(|number| {
            let config = instance(number, 1);
            let outgoing = Outgoing::of(&config, IpAddr::from([10, 0, 0, 2]), Priority::new(200));
            build(&outgoing, &mut Memory::default(), Duration::ZERO).remove(0).octets
        })
        .collect();
    let (mut now, mut out) = (Instant::ZERO, Vec::new());
    group.bench_function("an advert heard by each", |bencher| {
        bencher.iter(|| {
            now = now + Duration::from_millis(100);
            for (number, octets) in packets.iter().enumerate() {
                let packet = ReceivedPacket {
                    interface: IfIndex((number / PER_LINK) as u32 + 1),
                    source: IpAddr::from([10, 0, 0, 2]),
                    destination: GROUP,
                    ttl: Ttl(255),
                    octets,
                };
                backups.handle(now, Duration::ZERO, Event::Packet(packet), &mut out);
                out.clear();
            }
        });
    });

    let (mut masters, mut end) = (started(2000, 1), Instant::ZERO + Duration::from_secs(10));
    pass(&mut masters, end, &mut out);
    out.clear();
    group.bench_function("an advert sent by each", |bencher| {
        bencher.iter(|| {
            end = end + Duration::from_secs(1);
            pass(&mut masters, end, &mut out);
            out.clear();
        });
    });
    group.finish();

    criterion.bench_function("takeover of 1000 addresses", |bencher| {
        let ready = || started(5, 200);
        let take_over = |mut routers: Routers| {
            let mut out = Vec::with_capacity(64);
            pass(&mut routers, Instant::ZERO + Duration::from_secs(4), &mut out);
            (routers, out)
        };
        bencher.iter_batched(ready, take_over, BatchSize::SmallInput);
    });
}

criterion_group!(brain, benches);
criterion_main!(brain);
