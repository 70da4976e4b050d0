//! The tree of lines and braces that the text is, after includes, conditions, definitions and repetitions.
//!
//! It knows no keywords: whether `{` may follow is for the keyword table to say. keepalived reads the contents of a block that it
//! does not know as if its braces were not there, so whoever walks the tree reports the brace and goes on with [`Block::lines`]
//! at the same level, then reports the closing brace.
//!
//! Stored flat (lines in order of reading, words beside them), so 110,000 lines cost about 6 MiB; [`Line`] and [`Block`] are
//! handles that are copied freely.

mod builder;

pub(crate) use builder::Builder;

use crate::source::{Sources, Span};

/// What a file says, word by word.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    sources: Sources,
    words: Vec<StoredWord>,
    lines: Vec<StoredLine>,
    blocks: Vec<StoredBlock>,
}

#[derive(Debug, Clone, Copy)]
struct StoredWord {
    start: u32,
    /// Length; the top bit says that it was quoted.
    length: u32,
}

#[derive(Debug, Clone, Copy)]
struct StoredLine {
    first_word: u32,
    raw: Span,
    /// Index into `blocks` plus one; zero if no block follows.
    block: u32,
}

#[derive(Debug, Clone, Copy)]
struct StoredBlock {
    opening: u32,
    /// [`UNCLOSED`] if the text ended first.
    closing: u32,
    /// Index of the first line after the block.
    end: u32,
}

const QUOTED: u32 = 1 << 31;

/// The place of a closing brace that never came.
const UNCLOSED: u32 = u32::MAX;

/// A word of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'t> {
    /// Its text, without quotes and escapes.
    pub text: &'t str,
    /// Where it stands, for diagnostics; see [`Sources`].
    pub span: Span,
    /// Whether it stood in double quotes.
    pub quoted: bool,
}

/// A line: its words, and the block that its `{` (on the same line or the next) opens.
///
/// A line without words is a brace of its own: `{` that follows no line, or `}` that closes nothing ([`Line::stray_brace`]).
#[derive(Debug, Clone, Copy)]
pub struct Line<'t> {
    tree: &'t Tree,
    index: u32,
}

/// The lines between `{` and `}`.
#[derive(Debug, Clone, Copy)]
pub struct Block<'t> {
    tree: &'t Tree,
    owner: u32,
    stored: StoredBlock,
}

/// A brace that belongs to no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrayBrace {
    /// `{` where no line precedes that could own it; the line has a block.
    Opening,
    /// `}` that closes nothing.
    Closing,
}

impl Tree {
    /// The text and files that the words came from.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The lines of the outermost level.
    pub fn lines(&self) -> Lines<'_> {
        Lines { tree: self, next: 0, end: self.lines.len() as u32 }
    }

    /// How many lines there are, on all levels.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    fn word(&self, index: usize) -> Option<Word<'_>> {
        let stored = self.words.get(index)?;
        let span = Span::new(stored.start, stored.length & !QUOTED);
        Some(Word { text: self.sources.text(span), span, quoted: stored.length & QUOTED != 0 })
    }
}

impl<'t> Line<'t> {
    fn stored(self) -> StoredLine {
        self.tree.lines[self.index as usize]
    }

    fn word_range(self) -> std::ops::Range<usize> {
        let end = match self.tree.lines.get(self.index as usize + 1) {
            Some(next) => next.first_word as usize,
            None => self.tree.words.len(),
        };
        self.stored().first_word as usize..end
    }

    /// The number of words, the keyword among them.
    pub fn len(self) -> usize {
        self.word_range().len()
    }

    /// Whether the line has no words, which only a stray brace has not.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The word at `index`; 0 is the keyword.
    pub fn word(self, index: usize) -> Option<Word<'t>> {
        let range = self.word_range();
        if index < range.len() { self.tree.word(range.start + index) } else { None }
    }

    /// All words, the keyword first.
    pub fn words(self) -> impl ExactSizeIterator<Item = Word<'t>> + Clone {
        let range = self.word_range();
        let tree = self.tree;
        range.map(move |index| {
            let stored = tree.words[index];
            let span = Span::new(stored.start, stored.length & !QUOTED);
            Word { text: tree.sources.text(span), span, quoted: stored.length & QUOTED != 0 }
        })
    }

    /// The words after the keyword.
    pub fn arguments(self) -> impl ExactSizeIterator<Item = Word<'t>> + Clone {
        self.words().skip(1)
    }

    /// The first word; empty for a stray brace.
    pub fn keyword(self) -> Word<'t> {
        self.word(0).unwrap_or(Word { text: "", span: self.span(), quoted: false })
    }

    /// From the first word to the end of the last, quotes included, brace and comment excluded.
    pub fn span(self) -> Span {
        self.stored().raw
    }

    /// The line's text as [`Line::span`] has it: with quotes and escapes.
    pub fn raw(self) -> &'t str {
        self.tree.sources.text(self.span())
    }

    /// The block that follows.
    pub fn block(self) -> Option<Block<'t>> {
        let index = self.stored().block.checked_sub(1)?;
        Some(Block { tree: self.tree, owner: self.index, stored: self.tree.blocks[index as usize] })
    }

    /// Whether this is no line but a brace without one.
    pub fn stray_brace(self) -> Option<StrayBrace> {
        match (self.is_empty(), self.block()) {
            (false, _) => None,
            (true, Some(_)) => Some(StrayBrace::Opening),
            (true, None) => Some(StrayBrace::Closing),
        }
    }
}

impl<'t> Block<'t> {
    /// Place of `{`.
    pub fn opening(self) -> Span {
        Span::new(self.stored.opening, 1)
    }

    /// Place of `}`; `None` if the text ended first.
    pub fn closing(self) -> Option<Span> {
        (self.stored.closing != UNCLOSED).then(|| Span::new(self.stored.closing, 1))
    }

    /// Its lines.
    pub fn lines(self) -> Lines<'t> {
        Lines { tree: self.tree, next: self.owner + 1, end: self.stored.end }
    }
}

/// The lines of one level, in order. Blocks inside are reached through their line.
#[derive(Debug, Clone)]
pub struct Lines<'t> {
    tree: &'t Tree,
    next: u32,
    end: u32,
}

impl<'t> Iterator for Lines<'t> {
    type Item = Line<'t>;

    fn next(&mut self) -> Option<Line<'t>> {
        if self.next >= self.end {
            return None;
        }
        let line = Line { tree: self.tree, index: self.next };
        self.next = match line.block() {
            Some(block) => block.stored.end,
            None => self.next + 1,
        };
        Some(line)
    }
}
