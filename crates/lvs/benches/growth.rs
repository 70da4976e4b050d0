//! Cost by number of real servers: it has to grow in proportion, and one service with all servers has to cost what many services with ten cost.

extern crate rkeepalived_lvs as lvs;

use std::net::SocketAddr;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ipvs::{Forwarding, ServiceFlags};
use lvs::{
    Action, CheckerConfig, Config, Director, Endpoint, Event, Outcome, ProbeConfig, ProbeId, RealServerConfig,
    Remembered, Target, VirtualServerConfig,
};
use types::{FwMark, Instant, Protocol, Weight};

fn real_server(number: u32) -> RealServerConfig {
    let address = SocketAddr::from(((0x0a00_0000 + number).to_be_bytes(), 80));
    let endpoint = Endpoint {
        destination: address,
        bind_address: None,
        bind_port: None,
        bind_interface: None,
        mark: FwMark(0),
        timeout: Duration::from_secs(5),
    };
    let checker = CheckerConfig {
        probe: ProbeConfig::Tcp(endpoint),
        delay_loop: Duration::from_secs(5),
        retry: 0,
        delay_before_retry: Duration::from_secs(1),
        warmup: Duration::from_secs(5),
        alpha: false,
        log_all_failures: false,
    };
    RealServerConfig {
        address,
        weight: Weight::ONE,
        forwarding: Forwarding::Masquerade,
        upper_threshold: 0,
        lower_threshold: 0,
        inhibit_on_failure: false,
        alpha: false,
        notify_up: None,
        notify_down: None,
        smtp_alert: false,
        virtual_host: None,
        snmp_name: None,
        checkers: vec![checker],
    }
}

/// `servers` real servers in services of `each`.
fn config(servers: u32, each: u32) -> Config {
    let virtual_servers = (0..servers / each).map(|number| VirtualServerConfig {
        target: Target::Address {
            address: SocketAddr::from(((0xac10_0000 + number).to_be_bytes(), 80)),
            protocol: Protocol::Tcp,
        },
        scheduler: "wlc".into(),
        flags: ServiceFlags::default(),
        forwarding: Forwarding::Masquerade,
        persistence: None,
        ha_suspend: false,
        alpha: false,
        omega: false,
        quorum: 1,
        hysteresis: 0,
        quorum_up: None,
        quorum_down: None,
        smtp_alert: false,
        virtual_host: None,
        snmp_name: None,
        sorry_server: None,
        real_servers: (number * each..(number + 1) * each).map(real_server).collect(),
    });
    Config { virtual_servers: virtual_servers.collect(), ..Config::default() }
}

fn started(config: Config) -> (Director, Instant) {
    let now = Instant::ZERO + Duration::from_secs(100);
    let mut out = Vec::new();
    let mut director = Director::new(config, now, &Remembered::default(), 1, &mut out);
    director.handle(now, Event::KernelTable(Box::default()), &mut out);
    (director, now)
}

/// Every check runs once and ends so.
fn round(director: &mut Director, now: Instant, good: bool) -> usize {
    let mut out = Vec::new();
    director.handle_timeout(now + Duration::from_secs(10), &mut out);
    let probes: Vec<ProbeId> = out
        .drain(..)
        .filter_map(|action| match action {
            Action::StartProbe { probe, .. } => Some(probe),
            _ => None,
        })
        .collect();
    for probe in probes {
        let outcome = if good { Outcome::Success } else { Outcome::Failed("Connection refused".into()) };
        director.handle(now + Duration::from_secs(10), Event::Probe { probe, outcome }, &mut out);
    }
    out.len()
}

fn growth(criterion: &mut Criterion) {
    for (name, each) in [("services of ten", 10), ("one service", u32::MAX)] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        for servers in [1_000u32, 5_000, 20_000] {
            let config = config(servers, each.min(servers));
            group.throughput(Throughput::Elements(u64::from(servers)));
            group.bench_with_input(BenchmarkId::new("start", servers), &config, |bencher, config| {
                bencher.iter_batched(|| config.clone(), started, BatchSize::LargeInput);
            });
            for (what, good) in [("all checks succeed", true), ("all checks fail", false)] {
                group.bench_with_input(BenchmarkId::new(what, servers), &config, |bencher, config| {
                    bencher.iter_batched(
                        || started(config.clone()),
                        |(mut director, now)| {
                            let count = round(&mut director, now, good);
                            (director, count)
                        },
                        BatchSize::LargeInput,
                    );
                });
            }
            let mut changed = config.clone();
            changed.virtual_servers[0].real_servers[3].weight = Weight::ZERO;
            group.bench_with_input(BenchmarkId::new("reload with one change", servers), &config, |bencher, config| {
                bencher.iter_batched(
                    || (started(config.clone()), changed.clone()),
                    |((mut director, now), changed)| {
                        let mut out = Vec::new();
                        director.reconfigure(now, changed, &mut out);
                        (director, out)
                    },
                    BatchSize::LargeInput,
                );
            });
        }
        group.finish();
    }
}

criterion_group!(benches, growth);
criterion_main!(benches);
