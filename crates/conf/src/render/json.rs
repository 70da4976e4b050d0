//! For programs.

use serde::Serialize;

use super::human::first_line;
use crate::diagnostic::{Class, Diagnostics, Level};
use crate::source::{Link, Sources, Span};

#[derive(Serialize)]
struct Document<'d> {
    version: u8,
    exit_code: u8,
    suppressed: usize,
    diagnostics: Vec<Entry<'d>>,
}

#[derive(Serialize)]
struct Entry<'d> {
    code: &'d str,
    level: Level,
    class: Class,
    /// keepalived's line.
    text: String,
    message: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consequence: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'d str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<NoteEntry<'d>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    through: Vec<Step>,
}

#[derive(Serialize)]
struct At {
    file: String,
    line: u32,
    column: u32,
    length: u32,
}

#[derive(Serialize)]
struct NoteEntry<'d> {
    text: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<At>,
}

#[derive(Serialize)]
struct Step {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    defined: Option<At>,
}

/// One document: `{"version":1,"exit_code":N,"suppressed":N,"diagnostics":[…]}`.
///
/// Each diagnostic has `code`, `level` (`note`, `warning`, `error`), `class`, `text` (keepalived's line), `message`, and where there
/// are such `place` (`file`, `line`, `column`, `length`; columns and lengths in octets), `label`, `consequence`, `help`, `notes` and
/// `through`: the definitions (`value`, `body`) and `include`s by which the text came, innermost first.
pub fn json(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let at = |span: Span| {
        let place = sources.place(span)?;
        Some(At { file: place.path.to_owned(), line: place.line, column: place.column, length: place.length })
    };
    let entries = diagnostics.iter().map(|diagnostic| Entry {
        code: diagnostic.code,
        level: diagnostic.class.level(),
        class: diagnostic.class,
        text: first_line(diagnostic, sources),
        message: &diagnostic.message,
        place: diagnostic.span.and_then(at),
        label: diagnostic.label.as_deref(),
        consequence: diagnostic.consequence.as_deref(),
        help: diagnostic.help.as_deref(),
        notes: diagnostic
            .notes
            .iter()
            .map(|note| NoteEntry { text: &note.text, place: note.span.and_then(at) })
            .collect(),
        through: diagnostic
            .span
            .map(|span| sources.chain(span))
            .unwrap_or_default()
            .into_iter()
            .map(|link| match link {
                Link::Value { used, defined } => Step { kind: "value", place: at(used), defined: defined.and_then(at) },
                Link::Body { used } => Step { kind: "body", place: at(used), defined: None },
                Link::Include { used } => Step { kind: "include", place: at(used), defined: None },
            })
            .collect(),
    });
    let document = Document {
        version: 1,
        exit_code: diagnostics.exit_code(),
        suppressed: diagnostics.suppressed(),
        diagnostics: entries.collect(),
    };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"));
    text.push('\n');
    text
}
