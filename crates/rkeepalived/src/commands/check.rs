//! `-t` and `check`: is this configuration right, and if not, where?

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use clap::{Args, ValueEnum};
use conf::render::{Format, render};

use crate::cli::Cli;
use crate::configuration::{self, Files};

/// How `check` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people: the place marked, the consequence, the remedy
    Human,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code review tools
    Sarif,
}

/// Words of `rkeepalived check`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// Files to check; several are compared with each other too, as the nodes of a cluster
    #[arg(value_name = "FILE", default_value = crate::cli::DEFAULT_FILE)]
    files: Vec<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Output::Human)]
    format: Output,
    /// Advice counts as an error
    #[arg(long)]
    strict: bool,
    /// Check against this machine too: interfaces, users, scripts
    #[arg(long)]
    here: bool,
}

/// `-t`: keepalived's exit codes, messages on standard error or in a file.
pub(crate) fn config_test(cli: &Cli, log: &str) -> i32 {
    let mut output: Box<dyn Write> = if log.is_empty() {
        Box::new(std::io::stderr())
    } else {
        let file =
            std::fs::File::options().append(true).create(true).mode(0o644).custom_flags(libc::O_NOFOLLOW).open(log);
        match file {
            Ok(file) => Box::new(file),
            Err(refused) => {
                eprintln!("cannot write the result of the test to {log}: {refused}");
                return 1;
            }
        }
    };
    let outcome = configuration::parse(cli);
    let mut text = render(Format::Human, &outcome.diagnostics, outcome.sources());
    for (keyword, reason) in &outcome.not_yet {
        text.push_str(&format!("'{keyword}' is not honoured by this version of rkeepalived: {reason}\n"));
    }
    if output.write_all(text.as_bytes()).is_err() {
        return 1;
    }
    match outcome.exit_code() {
        0 if !outcome.not_yet.is_empty() => 5,
        code => i32::from(code),
    }
}

/// `rkeepalived check`: 0 when every file is right, 1 when one is not.
pub(crate) fn run(cli: &Cli, arguments: &Arguments) -> i32 {
    let mut wrong = false;
    let mut outcomes = Vec::new();
    let format = match arguments.format {
        Output::Human => Format::Human,
        Output::Json => Format::Json,
        Output::Sarif => Format::Sarif,
    };
    for file in &arguments.files {
        let options = conf::Options {
            read: conf::preprocess::Options {
                config_id: cli.config_id.clone().unwrap_or_default(),
                all_checks: cli.all_config,
                ..conf::preprocess::Options::default()
            },
        };
        let outcome = if arguments.here {
            conf::parse(file, &options, &mut Files, &configuration::Machine)
        } else {
            conf::parse(file, &options, &mut Files, &conf::lower::Offline)
        };
        print!("{}", render(format, &outcome.diagnostics, outcome.sources()));
        if arguments.format == Output::Human {
            for (keyword, reason) in &outcome.not_yet {
                println!("'{keyword}' is not honoured by this version of rkeepalived: {reason}");
            }
            if outcome.diagnostics.is_empty() && outcome.not_yet.is_empty() {
                println!("{file}: nothing found");
            }
        }
        wrong |= outcome.exit_code() != 0
            || !outcome.not_yet.is_empty()
            || (arguments.strict && !outcome.diagnostics.is_empty());
        outcomes.push(outcome);
    }
    wrong |= compare(arguments, format, &outcomes);
    i32::from(wrong)
}

/// What the files say of each other; whether that is wrong.
fn compare(arguments: &Arguments, format: Format, outcomes: &[conf::Outcome]) -> bool {
    let [first, _, ..] = outcomes else { return false };
    let nodes: Vec<conf::cluster::Node<'_>> = arguments
        .files
        .iter()
        .zip(outcomes)
        .map(|(name, outcome)| conf::cluster::Node { name, configuration: &outcome.configuration })
        .collect();
    let found = conf::cluster::compare(&nodes);
    print!("{}", render(format, &found, first.sources()));
    if arguments.format == Output::Human && found.is_empty() {
        println!("the {} files agree with each other", nodes.len());
    }
    found.exit_code() != 0 || (arguments.strict && !found.is_empty())
}
