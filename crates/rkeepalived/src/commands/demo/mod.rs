//! `demo`: a pair that takes over, on this machine, in a minute.
//!
//! Two nodes, a switch and a client live in network namespaces inside a sandbox of our own (mount, process and network
//! namespaces, and a user namespace where we are not root). When the sandbox's first process ends, the kernel removes all
//! of it, whatever happened.

mod network;
mod node;
mod pinger;
mod sandbox;
mod screen;
mod story;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::Args;

/// The address that moves.
const VIRTUAL_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);

/// Words of `rkeepalived demo`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// Seconds between adverts, 0.01 to 10
    #[arg(long, default_value_t = 0.1, value_parser = interval)]
    interval: f64,
    /// How often the master is killed
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Program that the nodes run, instead of this one (a keepalived, for comparison)
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
    /// Play the same with Debian's keepalived afterwards, where it is installed, and print both
    #[arg(long)]
    compare: bool,
    /// Show what the nodes log
    #[arg(long)]
    log: bool,
    /// We are inside the sandbox already
    #[arg(long, hide = true)]
    inside: bool,
    /// Be the client
    #[arg(long, hide = true)]
    pinger: bool,
}

fn interval(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=10.0).contains(&seconds) => Ok(seconds),
        _ => Err("0.01 to 10 seconds".into()),
    }
}

/// Runs the demonstration.
pub(crate) fn run(arguments: &Arguments) -> i32 {
    if arguments.pinger {
        return pinger::run(VIRTUAL_ADDRESS);
    }
    let done = if arguments.inside { story::tell(arguments) } else { sandbox::enter(arguments) };
    match done {
        Ok(code) => code,
        Err(refused) => {
            eprintln!("{refused}");
            if arguments.inside { sandbox::FAILED } else { 1 }
        }
    }
}
