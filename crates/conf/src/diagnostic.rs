//! What is wrong with a configuration, told so that someone at three in the morning can mend it.
//!
//! The first line of each diagnostic has keepalived's own words, because people and tools look for them; below it stand the place,
//! the consequence and the remedy. Secrets never go in: name the keyword, not its value.

mod secrets;
mod similar;

pub(crate) use secrets::repeated;
pub use secrets::without_secrets;
pub use similar::did_you_mean;

use serde::{Deserialize, Serialize};

use crate::source::Span;

/// How grave, in keepalived's order: of all that was found the greatest decides the exit status of `-t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Ours, not keepalived's: it parses, but surely was not meant. Never changes an exit status except under `check --strict`.
    Advice,
    /// keepalived says it and thinks no worse of the file (an include without match).
    Notice,
    /// A file that is not there.
    FileNotFound,
    /// An interface that does not exist.
    BadInterface,
    /// The configuration cannot be used.
    Fatal,
    /// Several files where one was expected.
    MultipleFiles,
    /// A keyword that its block does not have.
    UnknownKeyword,
    /// `{` after something that opens no block, or `}` too many.
    UnexpectedBrace,
    /// A block that nobody opened or closed.
    MissingBrace,
    /// A quote without its partner.
    UnmatchedQuote,
    /// Too few or too many words after a keyword.
    MissingParameter,
    /// Not a number, or out of range.
    InvalidNumber,
    /// Everything else that is ignored or changed for being wrong.
    GeneralError,
    /// Accepted, but look at it.
    Warning,
    /// Accepted, but has a newer spelling.
    Deprecated,
    /// Scripts that others could replace.
    Security,
    /// A file that an include check demands is absent: keepalived reads the file to its end and starts nothing, with status 6.
    DemandedFile,
    /// A mandatory argument is absent. keepalived stops reading at once with status 2; we read on and end with the same status.
    MissingArgument,
}

impl Class {
    /// The exit status of `-t` when this is the worst.
    ///
    /// Observed on 2.2.7: 0 nothing, 4 absent file or interface and fatal errors, 6 security and demanded files,
    /// 2 a missing mandatory argument, 5 the rest.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Advice | Self::Notice => 0,
            Self::FileNotFound | Self::BadInterface | Self::Fatal => 4,
            Self::Security | Self::DemandedFile => 6,
            Self::MissingArgument => 2,
            _ => 5,
        }
    }

    /// Three levels, as SARIF and the terminal show them.
    pub fn level(self) -> Level {
        match self {
            Self::Advice | Self::Notice => Level::Note,
            Self::Warning | Self::Deprecated => Level::Warning,
            _ => Level::Error,
        }
    }
}

/// What a reader makes of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For information.
    Note,
    /// It runs, but look.
    Warning,
    /// Something that was written does not hold.
    Error,
}

/// A second place, or a sentence, that explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The sentence.
    pub text: String,
    /// The place it speaks of.
    pub span: Option<Span>,
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave.
    pub class: Class,
    /// Short stable name for tools: `unknown-keyword`.
    pub code: &'static str,
    /// The place.
    pub span: Option<Span>,
    /// Whether the first line starts with `(FILE: Line N) `. keepalived leaves it out once the file is read.
    pub numbered: bool,
    /// First line, in keepalived's words, without `(Line N) `.
    pub message: String,
    /// What stands beside the mark under the text.
    pub label: Option<String>,
    /// What happens because of it.
    pub consequence: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// What else explains it.
    pub notes: Vec<Note>,
}

impl Diagnostic {
    /// Something found, not yet placed.
    pub fn new(class: Class, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            class,
            code,
            span: None,
            numbered: false,
            message: message.into(),
            label: None,
            consequence: None,
            help: None,
            notes: Vec::new(),
        }
    }

    /// Place it; the first line then starts with `(Line N) `.
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self.numbered = true;
        self
    }

    /// Place it, but print the first line without number, as keepalived does for what it finds after reading.
    pub fn about(mut self, span: Span) -> Self {
        self.span = Some(span);
        self.numbered = false;
        self
    }

    /// What stands beside the mark.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = Some(text.into());
        self
    }

    /// What happens because of it.
    pub fn consequence(mut self, text: impl Into<String>) -> Self {
        self.consequence = Some(text.into());
        self
    }

    /// What to do.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// A sentence more.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(Note { text: text.into(), span: None });
        self
    }

    /// A sentence about another place.
    pub fn note_at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.notes.push(Note { text: text.into(), span: Some(span) });
        self
    }
}

/// Most diagnostics kept; more are counted. A file of a million wrong lines must not fill the memory.
const KEPT: usize = 2_000;

/// All that was found in one run.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    suppressed: usize,
    worst: Option<Class>,
}

impl Diagnostics {
    /// Nothing found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.worst = self.worst.max(Some(diagnostic.class));
        if self.found.len() < KEPT {
            self.found.push(diagnostic);
        } else {
            self.suppressed += 1;
        }
    }

    /// In the order of finding.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.found.iter()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many were found beyond those kept.
    pub fn suppressed(&self) -> usize {
        self.suppressed
    }

    /// The gravest class.
    pub fn worst(&self) -> Option<Class> {
        self.worst
    }

    /// Whether something of this code was found.
    pub fn has(&self, code: &str) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.code == code)
    }

    /// The exit status of `-t`. The highest class in keepalived's order wins, so that a warning hides a fatal error.
    pub fn exit_code(&self) -> u8 {
        self.worst.map_or(0, Class::exit_code)
    }

    /// Add all of another run's.
    pub fn append(&mut self, other: Diagnostics) {
        self.suppressed += other.suppressed;
        self.worst = self.worst.max(other.worst);
        for diagnostic in other.found {
            self.push(diagnostic);
        }
    }
}

impl<'d> IntoIterator for &'d Diagnostics {
    type Item = &'d Diagnostic;
    type IntoIter = std::slice::Iter<'d, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Severity order as observed: the highest wins, so that a warning hides a fatal error.
    #[test]
    fn the_highest_class_decides_the_exit_status() {
        for (classes, status) in [
            (&[][..], 0),
            (&[Class::Advice, Class::Notice], 0),
            (&[Class::Fatal], 4),
            (&[Class::Fatal, Class::Warning], 5),
            (&[Class::UnknownKeyword, Class::Fatal], 5),
            (&[Class::Security, Class::GeneralError], 6),
            (&[Class::BadInterface, Class::Notice], 4),
            (&[Class::DemandedFile, Class::UnknownKeyword], 6),
            (&[Class::MissingArgument, Class::Security], 2),
        ] {
            let mut found = Diagnostics::new();
            classes.iter().for_each(|class| found.push(Diagnostic::new(*class, "test", "text")));
            assert_eq!(found.exit_code(), status, "{classes:?}");
        }
    }

    #[test]
    fn a_flood_is_counted_and_not_kept() {
        let mut found = Diagnostics::new();
        for _ in 0..KEPT + 5 {
            found.push(Diagnostic::new(Class::Advice, "test", "text"));
        }
        found.push(Diagnostic::new(Class::Security, "test", "text"));
        assert_eq!((found.len(), found.suppressed(), found.exit_code()), (KEPT, 6, 6));
    }
}
