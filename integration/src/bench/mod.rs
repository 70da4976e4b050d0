//! Benchmarks beside keepalived: `cargo run -p integration --release -- bench [NAME…]`. They print, they never judge.
//!
//! Figures from user-mode Linux compare programs with each other (a system call costs a hundred times more there), never with the outside.

mod failover;
mod idle;
mod many_addresses;
mod processor_time;
mod reading;
mod real_servers;
mod silence;

use std::process::ExitCode;

use crate::daemon::Daemon;

/// One line of the table: what was measured, and a figure with its unit.
pub(crate) type Figures = Vec<(&'static str, String)>;

/// A benchmark runs one daemon and tells its figures.
type Benchmark = fn(Daemon) -> Figures;

const BENCHMARKS: [(&str, Benchmark); 6] = [
    ("addresses", many_addresses::run),
    ("idle", idle::run),
    ("failover", failover::run),
    ("silence", silence::run),
    ("reading", reading::run),
    ("servers", real_servers::run),
];

/// Runs the named benchmarks, or all, and prints a table of theirs and ours.
pub fn run(names: &[&str]) -> ExitCode {
    if let ["inside", daemon] = names {
        return real_servers::run_inside(if *daemon == "theirs" { Daemon::Theirs } else { Daemon::Ours });
    }
    if let ["measure", program, arguments @ ..] = names {
        return processor_time::measure_here(program, arguments);
    }
    if let Some(unknown) = names.iter().find(|name| !BENCHMARKS.iter().any(|(known, _)| known == *name)) {
        let known: Vec<&str> = BENCHMARKS.iter().map(|(name, _)| *name).collect();
        eprintln!("no benchmark `{unknown}`; there are: {}", known.join(" "));
        return ExitCode::from(2);
    }
    println!("| benchmark | figure | theirs | ours |\n|---|---|---|---|");
    for (name, benchmark) in BENCHMARKS.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
        let (theirs, ours) = (benchmark(Daemon::Theirs), benchmark(Daemon::Ours));
        for ((what, theirs), (_, ours)) in theirs.iter().zip(&ours) {
            println!("| {name} | {what} | {theirs} | {ours} |");
        }
    }
    ExitCode::SUCCESS
}

/// A figure in milliseconds.
pub(crate) fn milliseconds(time: std::time::Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// A VRRPv3 instance on `eth0` with the given interval in seconds.
pub(crate) fn instance(priority: u8, interval: &str, more: &str, addresses: &str) -> String {
    format!(
        "global_defs {{\n vrrp_version 3\n}}\nvrrp_instance VI_1 {{\n state BACKUP\n interface eth0\n virtual_router_id 51\n \
         priority {priority}\n advert_int {interval}\n{more}\n virtual_ipaddress {{\n {addresses}\n }}\n}}\n"
    )
}
