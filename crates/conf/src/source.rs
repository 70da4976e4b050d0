//! Where text came from: files, the lines that expansion made, and the way back from a word to what the user wrote.
//!
//! Everything that was read or made stands in one text, so a place is one `u32` offset into it and a [`Span`] is eight octets.
//! A span in made text (a `$NAME` replaced, a line of a multi-line definition replayed, a word whose escapes were taken out)
//! leads back to the written text and to the chain of uses through which it came.

use serde::{Deserialize, Serialize};

/// A stretch of text in [`Sources`]: offset and length in octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// Offset into the text of [`Sources`].
    pub start: u32,
    /// Length in octets.
    pub length: u32,
}

impl Span {
    /// From offset and length.
    pub const fn new(start: u32, length: u32) -> Self {
        Self { start, length }
    }

    /// Offset just after the last octet.
    pub const fn end(self) -> u32 {
        self.start + self.length
    }

    /// From the start of `self` to the end of `last`; both must come from the same line.
    pub const fn to(self, last: Span) -> Self {
        Self { start: self.start, length: last.end().saturating_sub(self.start) }
    }
}

/// A file among [`Sources`], in the order of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// A place in a file as a person counts: line and column from 1, column in octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'t> {
    /// The file.
    pub file: FileId,
    /// Its path as it was opened.
    pub path: &'t str,
    /// Line, from 1.
    pub line: u32,
    /// Column in octets, from 1.
    pub column: u32,
    /// How many octets of that line are meant.
    pub length: u32,
    /// The whole line, without its end.
    pub text: &'t str,
}

/// One step of the way by which text arrived, innermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The text is the value of a definition: where it was used and, unless built in, where it was made.
    Definition {
        /// `$NAME` at its use.
        used: Span,
        /// The line of `$NAME=`.
        defined: Option<Span>,
    },
    /// The text was repeated: `~SEQ` or `~LST`.
    Repetition {
        /// `~SEQ(…)` as written.
        used: Span,
    },
    /// The file was included from here.
    Include {
        /// The include line.
        used: Span,
    },
}

#[derive(Debug, Clone)]
struct File {
    path: String,
    start: u32,
    end: u32,
    included: Option<Span>,
    /// The file holds octets that are no UTF-8; they stand in the text as `escape_octet` tells.
    escaped: bool,
    line_starts: Vec<u32>,
}

/// A stretch of made text: all of it, or the piece of it that a definition's value fills.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    /// Where it stands in the text.
    pub(crate) made: Span,
    /// What it was made from: as long as `made` if it was copied, else `$NAME` or the escape.
    pub(crate) written: Span,
    /// Index into `links`, plus one; zero for plain copies.
    pub(crate) link: u32,
}

/// All text that was read or made. Give it to the renderers together with the diagnostics.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    text: String,
    files: Vec<File>,
    pieces: Vec<Piece>,
    links: Vec<(Link, u32)>,
}

impl Sources {
    /// The text of a span, as it was read or made; empty if the span is not of these sources.
    pub fn text(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end() as usize).unwrap_or("")
    }

    /// Paths of the files in the order of reading.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &str)> {
        self.files.iter().enumerate().map(|(index, file)| (FileId(index as u32), file.path.as_str()))
    }
}
