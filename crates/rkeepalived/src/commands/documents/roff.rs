//! The command line as a manual page: what clap knows, in man(7)'s macros.

use std::fmt::Write;

use clap::{Arg, Command};

/// When the pages last changed in substance: a page is the same on every machine.
const DATE: &str = "2026-11-20";

/// The heading of a page.
pub(super) fn title(name: &str, section: u8) -> String {
    let (upper, version) = (name.to_uppercase(), env!("CARGO_PKG_VERSION"));
    format!(".TH {} {section} {DATE} \"rkeepalived {version}\" \"System administration\"\n", escape(&upper))
}

/// Name, synopsis, description, options and commands of the program itself.
pub(super) fn program(command: &Command) -> String {
    let mut text = String::from(".SH NAME\n");
    let about = about(command);
    let _ = writeln!(text, "rkeepalived \\- {}", escape(&about));
    text.push_str(".SH SYNOPSIS\n.B rkeepalived\n.RI [ OPTION ]...\n.br\n.B rkeepalived\n.IR COMMAND \" ...\"\n");
    text.push_str(".SH DESCRIPTION\n");
    text.push_str(DESCRIPTION);
    text.push_str(".SH OPTIONS\n");
    options(&mut text, command);
    text.push_str(".SH COMMANDS\nThese are not keepalived's; each ends when it has done its work.\n");
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        let _ = writeln!(text, ".TP\n.B {}\n{}: see", escape(command.get_name()), escape(&self::about(command)));
        let _ = writeln!(text, ".BR rkeepalived\\-{} (8).", escape(command.get_name()));
    }
    text
}

/// The page of a command; commands of its own stand in it, each with its options.
pub(super) fn command(command: &Command) -> String {
    let name = command.get_name();
    let mut text = format!(".SH NAME\nrkeepalived\\-{} \\- {}\n", escape(name), escape(&about(command)));
    text.push_str(".SH SYNOPSIS\n");
    let inner: Vec<&Command> = command.get_subcommands().filter(|inner| inner.get_name() != "help").collect();
    if inner.is_empty() {
        synopsis(&mut text, name, command);
    }
    for (number, inner) in inner.iter().enumerate() {
        if number > 0 {
            text.push_str(".br\n");
        }
        synopsis(&mut text, &format!("{name} {}", inner.get_name()), inner);
    }
    if inner.is_empty() {
        let _ = writeln!(text, ".SH DESCRIPTION\n{}.", escape(&about(command)));
        if command.get_arguments().any(|argument| !is_hidden(argument)) {
            text.push_str(".SH OPTIONS\n");
            options(&mut text, command);
        }
    } else {
        text.push_str(".SH COMMANDS\n");
        for inner in inner {
            let _ = writeln!(text, ".SS {}\n{}.", escape(inner.get_name()), escape(&about(inner)));
            options(&mut text, inner);
        }
    }
    text.push_str(
        ".SH EXIT STATUS\n0 when all is well, 1 when something is wrong; what it is goes to standard error.\n",
    );
    text.push_str(".SH SEE ALSO\n.BR rkeepalived (8),\n.BR keepalived.conf (5)\n");
    text
}

const DESCRIPTION: &str = "\
rkeepalived takes the place of keepalived.
It reads the same configuration file and has the same options, signals, scripts and dumps.
With VRRP it keeps virtual addresses up on one of several machines, and with the kernel's IPVS it forwards services to real servers whose health
it checks.
.PP
Without a command it runs as a daemon, or in the foreground with
.BR \\-n .
";

fn synopsis(text: &mut String, name: &str, command: &Command) {
    let _ = writeln!(text, ".B rkeepalived {}", escape(name));
    if command.get_arguments().any(|argument| !is_hidden(argument) && !argument.is_positional()) {
        text.push_str(".RI [ OPTION ]...\n");
    }
    for argument in command.get_positionals() {
        let names = value_names(argument).join(" ");
        let more = if takes_many(argument) { "..." } else { "" };
        let _ = match argument.is_required_set() {
            true => writeln!(text, ".I {}{more}", escape(&names)),
            false => writeln!(text, ".RI [ \"{}\" ]{more}", escape(&names)),
        };
    }
}

fn options(text: &mut String, command: &Command) {
    for argument in command.get_arguments().filter(|argument| !is_hidden(argument)) {
        let _ = writeln!(text, ".TP\n{}", heading(argument));
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = write!(text, "{}.", escape(help.trim_end_matches('.')));
        let values = argument.get_possible_values();
        if argument.get_action().takes_values() && !values.is_empty() {
            text.push_str("\nOne of:");
            for (number, value) in values.iter().enumerate() {
                let between = if number == 0 { " " } else { ", " };
                let _ = write!(text, "{between}\\fB{}\\fR", escape(value.get_name()));
                if let Some(help) = value.get_help() {
                    let _ = write!(text, " ({})", escape(&help.to_string()));
                }
            }
            text.push('.');
        }
        let defaults: Vec<String> =
            argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
        if argument.get_action().takes_values() && !defaults.is_empty() {
            let _ = write!(text, "\nDefault: {}.", escape(&defaults.join(" ")));
        }
        text.push('\n');
    }
}

/// `-f, --use-file=FILE`
fn heading(argument: &Arg) -> String {
    let names = value_names(argument).join(" ");
    if argument.is_positional() {
        return format!("\\fI{}\\fR", escape(&names));
    }
    let short = argument.get_short().map(|short| format!("\\fB\\-{short}\\fR"));
    let long = argument.get_long().map(|long| format!("\\fB\\-\\-{}\\fR", escape(long)));
    let mut text = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    if argument.get_action().takes_values() {
        let value = format!("=\\fI{}\\fR", escape(&names));
        let optional = argument.get_num_args().is_some_and(|count| count.min_values() == 0);
        text += &if optional { format!("[{value}]") } else { value };
    }
    text
}

fn value_names(argument: &Arg) -> Vec<String> {
    match argument.get_value_names() {
        Some(names) => names.iter().map(ToString::to_string).collect(),
        None => vec![argument.get_id().as_str().to_uppercase()],
    }
}

fn takes_many(argument: &Arg) -> bool {
    argument.get_num_args().is_some_and(|count| count.max_values() > value_names(argument).len())
}

fn is_hidden(argument: &Arg) -> bool {
    // A command's own help option is no news to anybody.
    argument.is_hide_set()
        || (argument.get_id() == "help" && argument.get_short() == Some('h') && argument.get_help().is_none())
}

/// The first paragraph of what a command is for, without the full stop.
fn about(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    about.lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// Lines of at most 80 columns, as roff's checkers like them; what is set line by line, and the tag of a paragraph, stays.
pub(super) fn fold(page: &str) -> String {
    let (mut text, mut line_by_line, mut tag) = (String::new(), false, false);
    for line in page.lines().map(str::trim_end) {
        let request = line.starts_with('.');
        line_by_line = (line_by_line || line == ".nf") && line != ".fi";
        if request || line_by_line || tag {
            text.push_str(line);
        } else {
            fold_line(&mut text, line);
        }
        text.push('\n');
        tag = line == ".TP";
    }
    text
}

fn fold_line(text: &mut String, line: &str) {
    let mut column = 0;
    for (number, word) in line.split(' ').enumerate() {
        let breaks = number > 0 && column + word.len() >= 80;
        if number > 0 {
            text.push(if breaks { '\n' } else { ' ' });
            column = if breaks { 0 } else { column + 1 };
        }
        if breaks && word.starts_with(['.', '\'']) {
            // It would be a request at the beginning of a line.
            text.push_str("\\&");
        }
        text.push_str(word);
        column += word.len();
    }
}

/// A text that roff prints as it is.
fn escape(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-").replace('…', "...");
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}
