//! Making the tree, one line or brace after the other.

use super::{QUOTED, StoredBlock, StoredLine, StoredWord, Tree, UNCLOSED};
use crate::source::{Sources, Span};

/// A tree that grows.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    words: Vec<StoredWord>,
    lines: Vec<StoredLine>,
    blocks: Vec<StoredBlock>,
    /// Lines whose blocks are open, innermost last.
    open: Vec<u32>,
    /// The last line, as long as a `{` would be its own.
    owner: Option<u32>,
    /// Words of the line that is being told.
    first_word: u32,
}

impl Builder {
    /// Room for what so many octets usually hold.
    pub(crate) fn reserve(&mut self, octets: usize) {
        self.words.reserve(octets / 12);
        self.lines.reserve(octets / 24);
    }

    /// Open blocks.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The next word of the line.
    pub(crate) fn word(&mut self, start: u32, length: u32, quoted: bool) {
        self.words.push(StoredWord { start, length: if quoted { length | QUOTED } else { length } });
    }

    /// The line ends; without words nothing happens.
    pub(crate) fn end_line(&mut self, raw: Span) -> bool {
        if self.words.len() as u32 == self.first_word {
            return false;
        }
        self.owner = Some(self.lines.len() as u32);
        self.push_line(raw, 0);
        true
    }

    fn push_line(&mut self, raw: Span, block: u32) {
        self.lines.push(StoredLine { first_word: self.first_word, raw, block });
        self.first_word = self.words.len() as u32;
    }

    /// `{`
    pub(crate) fn open(&mut self, at: u32) {
        let block = StoredBlock { opening: at, closing: UNCLOSED, end: 0 };
        self.blocks.push(block);
        let index = self.blocks.len() as u32;
        match self.owner.take() {
            Some(owner) => self.lines[owner as usize].block = index,
            None => self.push_line(Span::new(at, 1), index),
        }
        self.open.push(self.lines.len() as u32 - 1);
    }

    /// `}`; whether it closed a block.
    pub(crate) fn close(&mut self, at: u32) -> bool {
        self.owner = None;
        match self.open.pop() {
            Some(owner) => {
                self.end_block(owner, at);
                true
            }
            None => {
                self.push_line(Span::new(at, 1), 0);
                false
            }
        }
    }

    fn end_block(&mut self, owner: u32, closing: u32) {
        let block = self.lines[owner as usize].block - 1;
        let end = self.lines.len() as u32;
        let block = &mut self.blocks[block as usize];
        block.closing = closing;
        block.end = end;
    }

    /// First words of the last line and of the line whose block it stands in, or of the latter's kind above.
    pub(crate) fn last_line_in<'s>(&self, sources: &'s Sources) -> Option<(&'s str, Option<&'s str>)> {
        let first = |line: u32| {
            let line = self.lines.get(line as usize)?;
            let word = self.words.get(line.first_word as usize)?;
            Some(sources.text(Span::new(word.start, word.length & !QUOTED)))
        };
        let keyword = first((self.lines.len() as u32).checked_sub(1)?)?;
        Some((keyword, self.open.last().and_then(|owner| first(*owner))))
    }

    /// Words of the last line after the first.
    pub(crate) fn last_arguments(&self) -> impl Iterator<Item = Span> + '_ {
        let from = self.lines.last().map_or(self.words.len(), |line| line.first_word as usize + 1);
        self.words.iter().skip(from).map(|word| Span::new(word.start, word.length & !QUOTED))
    }

    /// Places of the `{` that nothing closed, outermost first.
    pub(crate) fn unclosed(&self) -> Vec<Span> {
        self.open
            .iter()
            .map(|line| Span::new(self.blocks[self.lines[*line as usize].block as usize - 1].opening, 1))
            .collect()
    }

    /// The tree. Open blocks end here.
    pub(crate) fn finish(mut self, sources: Sources) -> Tree {
        while let Some(owner) = self.open.pop() {
            self.end_block(owner, UNCLOSED);
        }
        Tree { sources, words: self.words, lines: self.lines, blocks: self.blocks }
    }
}
