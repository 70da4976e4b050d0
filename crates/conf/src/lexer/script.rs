//! Words of script lines, which have quotes of both kinds and escapes.

use crate::diagnostic::Diagnostics;
use crate::source::Span;
use crate::tree::Line;

/// A word of a script line: owned, because quotes and escapes were taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptWord {
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// Whether any of it was quoted.
    pub quoted: bool,
}

/// The words of a line whose keyword takes a script: `'…'`, `"…"` and backslash escapes are understood. The keyword comes first.
pub fn script_words(line: Line<'_>, diagnostics: &mut Diagnostics) -> Vec<ScriptWord> {
    let _ = diagnostics;
    line.words().map(|word| ScriptWord { text: word.text.to_owned(), span: word.span, quoted: word.quoted }).collect()
}
