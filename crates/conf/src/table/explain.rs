//! Texts made from the table.

use std::fmt::Write;

use super::{Row, Status, blocks};

/// What `rkeepalived explain KEYWORD` prints; `None` where no block knows the word.
pub fn explain(keyword: &str) -> Option<String> {
    let mut text = String::new();
    let mut told: Vec<(&Row, Vec<&str>)> = Vec::new();
    for block in blocks() {
        for row in block.rows().filter(|row| row.keyword == keyword) {
            match told.iter_mut().find(|(same, _)| *same == row) {
                Some((_, paths)) => paths.push(block.path),
                None => told.push((row, vec![block.path])),
            }
        }
    }
    for (row, paths) in &told {
        let arguments = if row.arguments == "none" { "" } else { row.arguments };
        let _ = writeln!(text, "{} {arguments}", row.keyword);
        let _ = writeln!(text, "    in {}", paths.join(", "));
        let _ = writeln!(text, "    {}.", row.meaning.trim_end_matches('.'));
        if row.default != "-" {
            let _ = writeln!(text, "    default: {}", row.default);
        }
        let _ = match row.since {
            "-" => writeln!(text, "    an extension; keepalived skips the line"),
            since => writeln!(text, "    since keepalived {since}"),
        };
        if let Some(means) = row.means {
            let _ = writeln!(text, "    another spelling of: {means}");
        }
        let _ = writeln!(text, "    {}", honoured(row));
        text.push('\n');
    }
    (!told.is_empty()).then_some(text)
}

fn honoured(row: &Row) -> String {
    match row.status {
        Status::Honoured => "honoured".into(),
        Status::NoEffect => "accepted, without effect (as in keepalived)".into(),
        Status::NotYet(reason) => format!("not honoured yet: {reason}"),
    }
}

/// The part of keepalived.conf(5) that lists the keywords, in roff.
pub fn man_section() -> String {
    let mut text = String::from(".SH KEYWORDS\n");
    for block in blocks() {
        let _ = writeln!(text, ".SS {}", roff(block.path));
        for row in block.rows() {
            let _ = writeln!(text, ".TP");
            let arguments = if row.arguments == "none" { "" } else { row.arguments };
            let _ = writeln!(text, "\\fB{}\\fR {}", roff(row.keyword), roff(arguments));
            let _ = write!(text, "{}.", roff(row.meaning.trim_end_matches('.')));
            if row.default != "-" {
                let _ = write!(text, " Default: {}.", roff(row.default));
            }
            if let Status::NotYet(reason) = row.status {
                let _ = write!(text, " \\fINot honoured yet\\fR: {}.", roff(reason));
            }
            text.push('\n');
        }
    }
    text
}

fn roff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

/// The table of compatibility, in Markdown: block, keyword, since when, whether honoured, note.
pub fn compatibility_table() -> String {
    let mut text = String::from("| block | keyword | since | honoured | note |\n|---|---|---|---|---|\n");
    for block in blocks() {
        for row in block.rows() {
            let (honoured, note) = match row.status {
                Status::Honoured => ("yes", row.means.map(|means| format!("spelling of {means}")).unwrap_or_default()),
                Status::NoEffect => ("accepted", "no effect in keepalived either".into()),
                Status::NotYet(reason) => ("not yet", reason.into()),
            };
            let _ = writeln!(
                text,
                "| {} | `{}` | {} | {honoured} | {note} |",
                block.path.replace('|', "\\|"),
                row.keyword.replace('|', "\\|"),
                row.since
            );
        }
    }
    text
}
