//! Long runs: `cargo run -p rkeepalived-sim -- --seeds N --from S`.

use std::process::ExitCode;

/// Seeds between two lines of progress.
const PROGRESS: u64 = 10_000;

#[allow(clippy::disallowed_methods, reason = "this is the program around the pure crate; it reads its command line")]
fn arguments() -> Vec<String> {
    std::env::args().skip(1).collect()
}

fn main() -> ExitCode {
    let (mut seeds, mut from) = (10_000u64, 0u64);
    let arguments = arguments();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let number = words.next().and_then(|number| number.parse().ok());
        match (word.as_str(), number) {
            ("--seeds", Some(number)) => seeds = number,
            ("--from", Some(number)) => from = number,
            _ => {
                eprintln!("usage: rkeepalived-sim [--seeds N] [--from S]");
                return ExitCode::from(2);
            }
        }
    }
    let mut total = rkeepalived_sim::Report::default();
    let mut failures = 0u32;
    for seed in from..from.saturating_add(seeds) {
        match rkeepalived_sim::live(seed) {
            Ok(report) => total += report,
            Err(failure) => {
                println!("{failure}");
                failures += 1;
                if failures >= 5 {
                    break;
                }
            }
        }
        let done = seed - from + 1;
        if done % PROGRESS == 0 || done == seeds {
            println!(
                "{done} seeds, {failures} failures: {} events, {} takeovers, {:.1} days of cluster time",
                total.events,
                total.takeovers,
                total.simulated.as_secs_f64() / 86_400.0
            );
        }
    }
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
