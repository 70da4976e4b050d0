//! What the program does once and then ends.

pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod documents;
pub(crate) mod explain;
pub(crate) mod genhash;
pub(crate) mod ipvs;

use sys::Signal;

use crate::cli::{Cli, Command};

/// Runs a sub-command; the result is the exit status.
pub(crate) fn run(cli: &Cli, command: Command) -> i32 {
    match command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Check(arguments) => check::run(cli, &arguments),
        Command::Config(arguments) => config::run(cli, &arguments),
        Command::Ipvs(arguments) => ipvs::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Completion(arguments) => documents::completion(&arguments),
        Command::Man(arguments) => documents::man(&arguments),
    }
}

/// `--signum NAME`: names are case-sensitive.
pub(crate) fn signum(name: &str) -> i32 {
    let signal = match name {
        "STOP" => Signal::Terminate,
        "RELOAD" => Signal::Reload,
        "DATA" => Signal::DumpState,
        "STATS" => Signal::DumpStatistics,
        "STATS_CLEAR" => Signal::ClearStatistics,
        "JSON" => Signal::DumpJson,
        _ => {
            eprintln!("Unknown sigfunc {name}");
            return 1;
        }
    };
    println!("{}", signal.number());
    0
}
