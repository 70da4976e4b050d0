//! Reading text into the tree: the size that the memory and time budgets speak of, and ten times that, to see that it is linear.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rkeepalived_conf::preprocess::{Memory, Options, read};

/// Virtual servers with four real servers each: 22 lines per virtual server.
fn virtual_servers(count: usize) -> String {
    let mut text = String::new();
    for server in 0..count {
        let (a, b) = (server / 250, server % 250);
        let _ = write!(
            text,
            "virtual_server 10.{a}.{b}.1 80 {{\n    delay_loop 6\n    lb_algo rr\n    lb_kind DR\n    protocol TCP\n"
        );
        for real in 1..=4 {
            let _ = write!(
                text,
                "    real_server 192.168.{b}.{real} 80 {{\n        weight 1\n        TCP_CHECK {{ connect_timeout 3 }}\n    }}\n"
            );
        }
        text.push_str("}\n");
    }
    text
}

fn benchmark(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.sample_size(20);
    for servers in [5_000, 50_000] {
        let text = virtual_servers(servers);
        let lines = text.lines().count();
        let mut files = Memory::new().file("k", &text);
        group.throughput(Throughput::Elements(lines as u64));
        group.bench_function(format!("{lines} lines"), |bencher| {
            bencher.iter(|| black_box(read("k", &Options::default(), &mut files)));
        });
    }
    let repeated = "$V= \\\nvirtual_server 10.0.${A}.${B} 80 { \\\n real_server 192.168.${A}.${B} 80 { \\\n weight 1 \\\n } \\\n}\n~SEQ(A,1,50) ~SEQ(B,1,100) $V\n";
    let mut files = Memory::new().file("k", repeated);
    group.throughput(Throughput::Elements(5_000 * 5));
    group.bench_function("25000 lines made by repetition", |bencher| {
        bencher.iter(|| black_box(read("k", &Options::default(), &mut files)));
    });
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
