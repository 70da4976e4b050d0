//! SARIF 2.1.0 (OASIS, March 2020), which code hosts show beside the lines of a change.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Level};
use crate::source::{Link, Sources, Span};

/// A log of one run. Columns count octets, as everywhere here; `columnKind` cannot say so, and for ASCII there is no difference.
pub fn sarif(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let codes: BTreeSet<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    let rules: Vec<Value> = codes.iter().map(|code| json!({ "id": code, "name": name(code) })).collect();
    let results: Vec<Value> = diagnostics.iter().map(|diagnostic| result(diagnostic, sources)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "rkeepalived",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "results": results,
        }],
    });
    let mut text = format!("{log:#}");
    text.push('\n');
    text
}

fn result(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let parts = [
        Some(&diagnostic.message),
        diagnostic.label.as_ref(),
        diagnostic.consequence.as_ref(),
        diagnostic.help.as_ref(),
    ];
    let text: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    let mut result = json!({
        "ruleId": diagnostic.code,
        "level": match diagnostic.class.level() {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        },
        "message": { "text": text.join(". ") },
    });
    let location = |span: Span, message: Option<String>| {
        let place = sources.place(span)?;
        let mut location = json!({
            "physicalLocation": {
                "artifactLocation": { "uri": uri(place.path) },
                "region": {
                    "startLine": place.line,
                    "startColumn": place.column,
                    "endColumn": place.column + place.length.max(1),
                },
            },
        });
        if let Some(message) = message {
            location["message"] = json!({ "text": message });
        }
        Some(location)
    };
    if let Some(found) = diagnostic.span.and_then(|span| location(span, None)) {
        result["locations"] = json!([found]);
    }
    let notes = diagnostic.notes.iter().filter_map(|note| location(note.span?, Some(note.text.clone())));
    let links = diagnostic.span.map(|span| sources.chain(span)).unwrap_or_default();
    let through = links.into_iter().filter_map(|link| match link {
        Link::Value { defined, .. } => location(defined?, Some("defined here".to_owned())),
        Link::Body { used } => location(used, Some("used here".to_owned())),
        Link::Include { used } => location(used, Some("included here".to_owned())),
    });
    let related: Vec<Value> = notes.chain(through).collect();
    if !related.is_empty() {
        result["relatedLocations"] = json!(related);
    }
    result
}

/// `unknown-keyword` as `UnknownKeyword`.
fn name(code: &str) -> String {
    code.split('-')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

/// A path as a URI reference (RFC 3986 §4.1).
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for octet in path.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(octet)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
