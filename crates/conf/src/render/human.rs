//! For people, in rustc's manner.

use std::fmt::Write;

use crate::diagnostic::{Diagnostic, Diagnostics, Level, without_secrets};
use crate::source::{Link, Place, Sources, Span};

/// How the human form looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Human {
    /// With the terminal's colours.
    pub colour: bool,
}

/// Longest piece of a line that is shown.
const WIDTH: usize = 160;

/// Most steps of a chain that are shown.
const STEPS: usize = 8;

/// keepalived's line: `(FILE: Line N) text`, `(Line N) text` when there is only one file, or the text alone.
pub fn first_line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let reported = diagnostic.span.filter(|_| diagnostic.numbered).and_then(|span| sources.reported(span));
    let line = match reported {
        Some((file, line)) if sources.files().len() > 1 => format!("({file}: Line {line}) {}", diagnostic.message),
        Some((_, line)) => format!("(Line {line}) {}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    printable(&line)
}

/// All diagnostics, each with what stands at its place.
///
/// ```text
/// (Line 14) Unknown keyword 'prioritty'
///    14 |     prioritty 150
///       |     ^~~~~~~~~ did you mean `priority`?
///       = the line is ignored
///       = help: it takes 1 to 255
/// ```
pub fn human(diagnostics: &Diagnostics, sources: &Sources, look: Human) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        one(&mut out, diagnostic, sources, look);
    }
    if diagnostics.suppressed() > 0 {
        let _ = writeln!(out, "… and {} more", diagnostics.suppressed());
    }
    out
}

fn one(out: &mut String, diagnostic: &Diagnostic, sources: &Sources, look: Human) {
    let colour = match diagnostic.class.level() {
        Level::Error => "\x1b[1;31m",
        Level::Warning => "\x1b[1;33m",
        Level::Note => "\x1b[1;36m",
    };
    let (on, off) = if look.colour { (colour, "\x1b[0m") } else { ("", "") };
    let _ = writeln!(out, "{on}{}{off}", first_line(diagnostic, sources));
    let place = diagnostic.span.and_then(|span| sources.place(span));
    match place {
        Some(place) => excerpt(out, place, diagnostic.label.as_deref(), (on, off), sources),
        None => {
            if let Some(label) = &diagnostic.label {
                detail(out, "", label);
            }
        }
    }
    if let Some(text) = &diagnostic.consequence {
        detail(out, "", text);
    }
    if let Some(text) = &diagnostic.help {
        detail(out, "help: ", text);
    }
    for note in &diagnostic.notes {
        match note.span.and_then(|span| sources.place(span)) {
            Some(place) => {
                detail(out, "note: ", &format!("{} ({}:{}:{})", note.text, place.path, place.line, place.column));
            }
            None => detail(out, "note: ", &note.text),
        }
    }
    if let Some(span) = diagnostic.span {
        chain(out, span, sources);
    }
}

fn excerpt(out: &mut String, place: Place<'_>, label: Option<&str>, (on, off): (&str, &str), sources: &Sources) {
    if sources.files().len() > 1 {
        let _ = writeln!(out, "     --> {}:{}:{}", place.path, place.line, place.column);
    }
    let hidden = without_secrets(place.text);
    let text = hidden.as_ref();
    let column = floor(text, (place.column as usize - 1).min(text.len()));
    let end = floor(text, (place.column as usize - 1 + place.length as usize).clamp(column, text.len()));
    // A long line is shown around the place.
    let from = if column > WIDTH / 2 && text.len() > WIDTH { floor(text, column - WIDTH / 2) } else { 0 };
    let to = floor(text, (from + WIDTH).min(text.len()));
    let dots = |cut: bool| if cut { "…" } else { "" };
    let _ = writeln!(
        out,
        "{:>5} | {}{}{}",
        place.line,
        dots(from > 0),
        printable(text[from..to].trim_end()),
        dots(to < text.len())
    );
    let before = printable(&text[from..column]);
    let blank: String = before.chars().map(|letter| if letter == '\t' { '\t' } else { ' ' }).collect();
    let width = printable(&text[column..end.min(to).max(column)]).chars().count().max(1);
    let mark = format!("^{}", "~".repeat(width - 1));
    let label = label.map(|label| format!(" {}", printable(label))).unwrap_or_default();
    let _ = writeln!(out, "      | {}{blank}{on}{mark}{off}{label}", dots(from > 0).replace('…', " "));
}

/// The nearest start of a character at or before an offset.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

fn detail(out: &mut String, kind: &str, text: &str) {
    let _ = writeln!(out, "      = {kind}{}", printable(text));
}

/// Where the text came from.
fn chain(out: &mut String, span: Span, sources: &Sources) {
    let links = sources.chain(span);
    for link in links.iter().take(STEPS) {
        let at =
            |span: Span| sources.place(span).map(|place| format!("{}:{}", place.path, place.line)).unwrap_or_default();
        // Of a use that is itself a value only the name is of interest, never the value: it may be a password.
        let name = |span: Span| {
            let text = sources.text(span);
            printable(text.split('=').next().unwrap_or(text).trim_start())
        };
        match *link {
            Link::Value { used, defined: Some(defined) } => {
                detail(out, "note: ", &format!("`{}` was defined at {}", name(used), at(defined)));
            }
            Link::Value { used, defined: None } => detail(out, "note: ", &format!("from `{}`", name(used))),
            Link::Body { used } => detail(out, "note: ", &format!("through `{}` at {}", name(used), at(used))),
            Link::Include { used } => detail(out, "note: ", &format!("included at {}", at(used))),
        }
    }
    if links.len() > STEPS {
        detail(out, "note: ", &format!("and {} steps more", links.len() - STEPS));
    }
}

/// Without control characters: a file must not speak to the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\t' => '\t',
            letter if letter.is_control() || ('\u{f700}'..='\u{f7ff}').contains(&letter) => '\u{fffd}',
            letter => letter,
        })
        .collect()
}
