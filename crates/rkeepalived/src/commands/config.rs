//! `rkeepalived config …`: what a configuration says, once everything that only arranges text is gone.

use clap::{Args, Subcommand};
use conf::diagnostic::without_secrets;
use conf::render::{Format, render, show};

use crate::cli::Cli;
use crate::configuration;

/// Words of `rkeepalived config`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Print the configuration after includes, conditions, definitions and repetitions, with passwords masked
    Show {
        /// The file; that of -f where absent
        file: Option<String>,
        /// Print passwords and keys too
        #[arg(long)]
        secrets: bool,
    },
}

/// Runs it; the result is the exit status: 1 where the file has errors, which go to standard error.
pub(crate) fn run(cli: &Cli, arguments: &Arguments) -> i32 {
    let Command::Show { file, secrets } = &arguments.command;
    let cli = Cli { file: file.clone().unwrap_or_else(|| cli.file.clone()), ..cli.clone() };
    let outcome = configuration::parse(&cli);
    eprint!("{}", render(Format::Human, &outcome.diagnostics, outcome.sources()));
    let text = show(&outcome.tree);
    if *secrets {
        print!("{text}");
    } else {
        for line in text.lines() {
            println!("{}", without_secrets(line));
        }
    }
    i32::from(outcome.exit_code() != 0)
}
