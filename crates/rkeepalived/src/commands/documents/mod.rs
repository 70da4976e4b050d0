//! Help, manual pages and shell completion, all from the one definition of the command line and the one table of keywords.

mod roff;

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;

/// Words of `rkeepalived completion`.
#[derive(Debug, Clone, Args)]
pub(crate) struct CompletionArguments {
    /// For which shell
    shell: Shell,
}

/// Words of `rkeepalived man`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ManArguments {
    /// Which page: rkeepalived.8, keepalived.conf.5, compatibility.md or rkeepalived-COMMAND.8
    #[arg(default_value = "rkeepalived.8")]
    page: String,
    /// Write all pages into this directory instead
    #[arg(long, value_name = "DIRECTORY")]
    write: Option<PathBuf>,
}

/// What `-h` prints.
pub(crate) fn help() -> String {
    Cli::command().render_help().to_string()
}

/// Prints a completion script.
pub(crate) fn completion(arguments: &CompletionArguments) -> i32 {
    clap_complete::generate(arguments.shell, &mut Cli::command(), "rkeepalived", &mut std::io::stdout());
    0
}

/// Prints a manual page in roff (or the compatibility table in Markdown).
pub(crate) fn man(arguments: &ManArguments) -> i32 {
    if let Some(directory) = &arguments.write {
        return write(directory);
    }
    let pages = pages();
    // The table went without its suffix before.
    let found =
        pages.iter().find(|(name, _)| *name == arguments.page || name.strip_suffix(".md") == Some(&arguments.page));
    match found {
        Some((_, text)) => {
            print!("{text}");
            0
        }
        None => {
            let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
            eprintln!("there is no page '{}'; there are {}", arguments.page, names.join(", "));
            1
        }
    }
}

fn write(directory: &Path) -> i32 {
    for (name, text) in pages() {
        let path = directory.join(name);
        if let Err(refused) = std::fs::write(&path, text) {
            eprintln!("cannot write {}: {refused}", path.display());
            return 1;
        }
    }
    0
}

/// Every page: the name of its file, and its text.
fn pages() -> Vec<(String, String)> {
    let mut command = Cli::command();
    command.build();
    let mut program = roff::title("rkeepalived", 8);
    program += &roff::program(&command);
    program += include_str!("rkeepalived.8.roff");
    let mut file = roff::title("keepalived.conf", 5);
    file += include_str!("keepalived.conf.5.roff");
    file += &conf::table::man_section();
    file += ".SH SEE ALSO\n.BR rkeepalived (8),\n.BR rkeepalived-check (8),\n.BR ipvsadm (8)\n";
    let mut table = String::from("# What of keepalived.conf is honoured\n\n");
    table += "Made from the table of keywords by `rkeepalived man compatibility.md`; do not edit.\n\n";
    table += &conf::table::compatibility_table();
    let mut pages = vec![
        ("rkeepalived.8".to_owned(), roff::fold(&program)),
        ("keepalived.conf.5".to_owned(), roff::fold(&file)),
        ("compatibility.md".to_owned(), table),
    ];
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = format!("rkeepalived-{}", command.get_name());
        let page = roff::title(&name, 8) + &roff::command(command);
        pages.push((format!("{name}.8"), roff::fold(&page)));
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_in_man_are_those_that_the_program_prints() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../man");
        for (name, text) in pages() {
            let kept = std::fs::read_to_string(directory.join(&name)).unwrap_or_default();
            assert!(
                kept == text,
                "man/{name} is not what the program prints: `cargo run -p rkeepalived -- man --write man` brings it up to date"
            );
        }
    }

    #[test]
    fn completions_know_the_options_and_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "rkeepalived", &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains("config-test") && script.contains("ipvs"), "{shell}");
        }
    }
}
