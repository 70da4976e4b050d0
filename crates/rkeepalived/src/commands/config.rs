//! `rkeepalived config …`: what a configuration means, and what differs between two.

use clap::{Args, Subcommand};
use conf::diagnostic::without_secrets;
use conf::render::{Format, render, show};
use conf::{Outcome, Secrets};

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
    /// Print what the configuration means, with every default and inherited value written out
    Show {
        /// The file; that of -f where absent
        file: Option<String>,
        /// Print the lines as they were written, after includes, conditions, definitions and repetitions
        #[arg(long, conflicts_with = "json")]
        written: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Print passwords and keys too; without this they are stars
        #[arg(long)]
        secrets: bool,
    },
    /// Tell what a reload from one file to another would touch
    Diff {
        /// The file that runs
        old: String,
        /// The file that shall run
        new: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs it; the result is the exit status: 1 where a file has errors, which go to standard error.
pub(crate) fn run(cli: &Cli, arguments: &Arguments) -> i32 {
    match &arguments.command {
        Command::Show { file, written, json, secrets } => {
            let outcome = read(cli, file.as_ref());
            let shown = if *secrets { Secrets::Plain } else { Secrets::Masked };
            match (written, json) {
                (true, _) => print!("{}", as_written(&outcome, *secrets)),
                (false, true) => println!("{}", outcome.configuration.to_json(shown)),
                (false, false) => print!("{}", outcome.configuration.to_conf(shown)),
            }
            i32::from(outcome.exit_code() != 0)
        }
        Command::Diff { old, new, json } => {
            let (old, new) = (read(cli, Some(old)), read(cli, Some(new)));
            let changes = conf::diff(&old.configuration, &new.configuration);
            if *json {
                // A list of texts always has a text.
                println!("{}", serde_json::to_string_pretty(&changes).unwrap_or_default());
            } else {
                changes.iter().for_each(|change| println!("{change}"));
                if changes.is_empty() {
                    println!("nothing would change");
                }
            }
            i32::from(old.exit_code() != 0 || new.exit_code() != 0)
        }
    }
}

/// Reads a file as the daemon would on this machine, and tells its mistakes.
fn read(cli: &Cli, file: Option<&String>) -> Outcome {
    let cli = Cli { file: file.unwrap_or(&cli.file).clone(), ..cli.clone() };
    let outcome = configuration::parse(&cli);
    eprint!("{}", render(Format::Human, &outcome.diagnostics, outcome.sources()));
    outcome
}

fn as_written(outcome: &Outcome, secrets: bool) -> String {
    let text = show(&outcome.tree);
    if secrets {
        return text;
    }
    text.lines().flat_map(|line| [without_secrets(line), "\n".into()]).collect()
}
