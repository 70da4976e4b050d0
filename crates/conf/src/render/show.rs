//! The tree as text again.

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
            words(out, line.raw());
            out.push_str(if line.block().is_some() { " {\n" } else { "\n" });
        }
    }
}

/// The words with their quotes; `#` and `!` outside of quotes are no comments, so they must not become some.
fn words(out: &mut String, raw: &str) {
    let mut rest = raw;
    let comment = |text: &str| crate::lexer::comment_start(text.as_bytes());
    let start = out.len();
    while let Some(at) = comment(&format!("{}{rest}", &out[start..])).map(|at| at - (out.len() - start)) {
        out.push_str(&rest[..at]);
        out.push('\\');
        out.push_str(&rest[at..=at]);
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}
