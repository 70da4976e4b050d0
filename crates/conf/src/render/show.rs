//! The tree as text again.

use crate::lexer::comment_marks;
use crate::preprocess::is_include;
use crate::tree::{Line, Lines, StrayBrace, Tree};

/// What is left after includes, conditions, definitions and repetitions, one line each, four blanks for each block.
///
/// Reading it gives the same words in the same blocks.
pub fn show(tree: &Tree) -> String {
    let mut out = String::new();
    let mut levels: Vec<(Lines<'_>, bool)> = vec![(tree.lines(), false)];
    while let Some((lines, closed)) = levels.last_mut() {
        let closed = *closed;
        match lines.next() {
            Some(line) => {
                let depth = levels.len() - 1;
                indent(&mut out, depth);
                head(&mut out, line);
                if let Some(block) = line.block() {
                    levels.push((block.lines(), block.closing().is_some()));
                }
            }
            None => {
                levels.pop();
                if closed {
                    indent(&mut out, levels.len().saturating_sub(1));
                    out.push_str("}\n");
                }
            }
        }
    }
    out
}

fn indent(out: &mut String, depth: usize) {
    // Beyond that nobody sees a difference, and the text would grow with the square of the depth.
    out.extend(std::iter::repeat_n("    ", depth.min(16)));
}

fn head(out: &mut String, line: Line<'_>) {
    match line.stray_brace() {
        Some(StrayBrace::Opening) => out.push_str("{\n"),
        Some(StrayBrace::Closing) => out.push_str("}\n"),
        None => {
            words(out, line);
            out.push_str(if line.block().is_some() { " {\n" } else { "\n" });
        }
    }
}

/// The words with their quotes; `#` and `!` outside of quotes are no comments, so they must not become some, nor may a first word
/// that definitions made act as if it had been written.
fn words(out: &mut String, line: Line<'_>) {
    let raw = line.raw();
    let first = line.keyword();
    let mut rest = raw;
    if !first.quoted && acts(first.text) && raw.starts_with(first.text) {
        out.push('"');
        out.push_str(first.text);
        out.push('"');
        rest = &raw[first.text.len()..];
    }
    let mut shown = 0;
    for mark in comment_marks(rest.as_bytes()) {
        out.push_str(&rest[shown..mark.at]);
        shown = mark.at + 1;
        match (mark.escaped, rest.as_bytes()[mark.at]) {
            (false, octet) => out.extend(['\\', char::from(octet)]),
            // A backslash that the text really has before it.
            (true, b'#') => out.push_str("${_HASH}"),
            (true, _) => out.push_str("${_BANG}"),
        }
    }
    out.push_str(&rest[shown..]);
}

/// Whether a first word is more than a word to the reader.
fn acts(word: &str) -> bool {
    let defines = |name: &str| name.contains('=') && !name.starts_with(|first: char| first.is_ascii_digit());
    word.starts_with(['@', '~']) || is_include(word) || word.strip_prefix('$').is_some_and(defines)
}
