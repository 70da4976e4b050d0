//! Diagnostics for the terminal, for programs and for code review tools; the tree as text again.

mod human;
mod json;
mod sarif;
mod show;

pub use human::{Human, first_line, human};
pub use json::json;
pub use sarif::sarif;
pub use show::show;

use crate::diagnostic::{Diagnostics, Level};
use crate::source::Sources;

/// How `check` and `-t` print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// keepalived's line, then the text with the place marked, the consequence and the remedy.
    #[default]
    Human,
    /// Only keepalived's lines, for tools that know those.
    Lines,
    /// One JSON document: see [`json`].
    Json,
    /// SARIF 2.1.0: see [`sarif`].
    Sarif,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "human" => Ok(Self::Human),
            "lines" => Ok(Self::Lines),
            "json" => Ok(Self::Json),
            "sarif" => Ok(Self::Sarif),
            other => Err(format!("format '{other}' is unknown: human, lines, json or sarif")),
        }
    }
}

/// Print in one of the formats; every format ends with a line feed unless it is empty.
pub fn render(format: Format, diagnostics: &Diagnostics, sources: &Sources) -> String {
    match format {
        Format::Human => human(diagnostics, sources, Human::default()),
        Format::Lines => {
            let lines = diagnostics.iter().map(|diagnostic| first_line(diagnostic, sources));
            lines.flat_map(|line| [line, "\n".to_owned()]).collect()
        }
        Format::Json => json(diagnostics, sources),
        Format::Sarif => sarif(diagnostics, sources),
    }
}

/// The exit status of `rkeepalived check`: 0 clean, 1 errors, and with `strict` also 1 for warnings and advice.
pub fn check_exit_code(diagnostics: &Diagnostics, strict: bool) -> u8 {
    let worst = diagnostics.iter().map(|diagnostic| diagnostic.class.level()).max();
    u8::from(worst == Some(Level::Error) || (strict && worst.is_some()))
}
