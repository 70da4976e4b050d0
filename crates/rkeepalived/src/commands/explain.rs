//! `explain KEYWORD`: its documentation, from the table that the parser uses.

use clap::Args;

/// Words of `rkeepalived explain`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// A keyword of keepalived.conf
    keyword: String,
}

/// Prints what is known of the keyword.
pub(crate) fn run(arguments: &Arguments) -> i32 {
    match conf::table::explain(&arguments.keyword) {
        Some(text) => {
            println!("{text}");
            0
        }
        None => {
            eprintln!("keepalived.conf has no keyword '{}'", arguments.keyword);
            1
        }
    }
}
