//! Help, manual page and shell completion, all from the one definition of the command line.

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
    /// rkeepalived.8, keepalived.conf.5 or compatibility
    #[arg(default_value = "rkeepalived.8")]
    page: String,
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
    let mut page = Vec::new();
    match arguments.page.as_str() {
        "rkeepalived.8" => {
            let roff = clap_mangen::Man::new(Cli::command()).section("8").manual("System administration");
            if roff.render(&mut page).is_err() {
                return 1;
            }
        }
        "keepalived.conf.5" => page.extend_from_slice(conf::table::man_section().as_bytes()),
        "compatibility" => page.extend_from_slice(conf::table::compatibility_table().as_bytes()),
        other => {
            eprintln!("there is no page '{other}': rkeepalived.8, keepalived.conf.5 or compatibility");
            return 1;
        }
    }
    print!("{}", String::from_utf8_lossy(&page));
    0
}
