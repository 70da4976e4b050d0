//! Where text came from: files, the lines that expansion made, and the way back from a word to what the user wrote.
//!
//! Everything that was read or made stands in one text, so a place is one `u32` offset into it and a [`Span`] is eight octets.
//! A span in made text (a `$NAME` replaced, a line of a multi-line definition replayed, a word whose `\#` was taken out)
//! leads back to the written text and to the chain of uses through which it came.

use std::borrow::Cow;

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
        self.start.saturating_add(self.length)
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'t> {
    /// The file.
    pub file: FileId,
    /// Where it was opened: the name joined to the directory of the including file.
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
    /// The text is the value of a definition that was used at the place itself.
    Value {
        /// `$NAME` at its use.
        used: Span,
        /// `$NAME=`, or the `~SEQ` that counts; nothing for the built-in ones.
        defined: Option<Span>,
    },
    /// The text is a line of a multi-line definition that was used elsewhere.
    Body {
        /// `$NAME` at its use.
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
    name: String,
    path: String,
    start: u32,
    end: u32,
    included: Option<Span>,
    line_starts: Vec<u32>,
}

/// A use of a multi-line definition.
#[derive(Debug, Clone, Copy)]
struct Use {
    used: Span,
    /// The use around this one, plus one; zero for none.
    outer: u32,
}

/// A stretch of made text. It ends where the next begins.
#[derive(Debug, Clone, Copy)]
struct Piece {
    made: u32,
    written: u32,
    /// Length of what it replaces (`$NAME`, `\#`); zero if it is a copy.
    replaced: u32,
    /// Where the value was defined: index into `definitions`, plus one.
    definition: u32,
    /// The use through which the line came: index into `uses`, plus one.
    context: u32,
}

/// What the pieces of one made line are: see [`Sources::make`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// Offset in the new text.
    pub(crate) at: u32,
    /// What it was made from.
    pub(crate) written: u32,
    /// Length of what it replaces; zero for a copy.
    pub(crate) replaced: u32,
    /// From [`Sources::definition`], or [`BUILT_IN`]; zero for none.
    pub(crate) definition: u32,
}

/// The definition of names that need none.
pub(crate) const BUILT_IN: u32 = u32::MAX;

/// All text that was read or made. Give it to the renderers together with the diagnostics.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    text: String,
    files: Vec<File>,
    pieces: Vec<Piece>,
    definitions: Vec<Span>,
    uses: Vec<Use>,
}

impl Sources {
    /// The text of a span, as it was read or made; empty if the span is not of these sources.
    pub fn text(&self, span: Span) -> &str {
        self.text.get(span.start as usize..(span.start as usize).saturating_add(span.length as usize)).unwrap_or("")
    }

    /// The files in the order of reading: as keepalived names them in its messages, and where they were opened.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (FileId, &str, &str)> {
        self.files
            .iter()
            .enumerate()
            .map(|(index, file)| (FileId(index as u32), file.name.as_str(), file.path.as_str()))
    }

    /// Where the text of a span was written. Text that replaced a `$NAME` is placed at the `$NAME`.
    ///
    /// `None` only for spans that are not of these sources.
    pub fn place(&self, span: Span) -> Option<Place<'_>> {
        let mut start = span.start;
        let mut length = span.length;
        while let Some((piece, end)) = self.piece(start) {
            let written = if piece.replaced == 0 { piece.written + (start - piece.made) } else { piece.written };
            length = if piece.replaced == 0 { length.min(end - start) } else { piece.replaced };
            start = written;
        }
        let (id, file) = self.file_at(start)?;
        let index = file.line_starts.partition_point(|line| *line <= start).checked_sub(1)?;
        let line_start = *file.line_starts.get(index)?;
        let rest = self.text.get(line_start as usize..file.end as usize)?;
        let text = rest.split('\n').next().unwrap_or(rest).trim_end_matches('\r');
        let column = start - line_start;
        Some(Place {
            file: id,
            path: &file.path,
            line: index as u32 + 1,
            column: column + 1,
            length: length.min((text.len() as u32).saturating_sub(column)),
            text,
        })
    }

    /// The file's name and line number that keepalived prints: of the outermost use, where text came through definitions.
    pub fn reported(&self, span: Span) -> Option<(&str, u32)> {
        let mut start = span.start;
        while let Some((piece, _)) = self.piece(start) {
            start = match self.outermost(piece.context) {
                Some(used) => used.start,
                None if piece.replaced == 0 => piece.written + (start - piece.made),
                None => piece.written,
            };
        }
        let (_, file) = self.file_at(start)?;
        Some((&file.name, file.line_starts.partition_point(|line| *line <= start) as u32))
    }

    /// How the text of a span arrived, innermost step first; empty for what stands in the first file itself.
    pub fn chain(&self, span: Span) -> Vec<Link> {
        let mut links = Vec::new();
        let mut start = span.start;
        loop {
            while let Some((piece, _)) = self.piece(start) {
                // What was replaced without a definition is a `\#`, and needs no explanation.
                if piece.definition != 0 {
                    let defined = self.definitions.get(piece.definition as usize - 1).copied();
                    links.push(Link::Value { used: Span::new(piece.written, piece.replaced), defined });
                }
                let mut context = piece.context;
                while let Some(step) = self.uses.get((context as usize).wrapping_sub(1)) {
                    links.push(Link::Body { used: step.used });
                    context = step.outer;
                }
                start = match self.outermost(piece.context) {
                    Some(used) => used.start,
                    None if piece.replaced == 0 => piece.written + (start - piece.made),
                    None => piece.written,
                };
            }
            let Some(used) = self.file_at(start).and_then(|(_, file)| file.included) else { return links };
            links.push(Link::Include { used });
            start = used.start;
        }
    }

    fn outermost(&self, context: u32) -> Option<Span> {
        let mut step = self.uses.get((context as usize).wrapping_sub(1))?;
        while let Some(outer) = self.uses.get((step.outer as usize).wrapping_sub(1)) {
            step = outer;
        }
        Some(step.used)
    }

    fn file_at(&self, at: u32) -> Option<(FileId, &File)> {
        let index = self.files.partition_point(|file| file.start <= at).checked_sub(1)?;
        let file = &self.files[index];
        // The end belongs to the file too: an unfinished block is reported there.
        (at <= file.end).then_some((FileId(index as u32), file))
    }

    /// The piece of made text at an offset and where it ends.
    fn piece(&self, at: u32) -> Option<(Piece, u32)> {
        let index = self.pieces.partition_point(|piece| piece.made <= at).checked_sub(1)?;
        let piece = self.pieces[index];
        // A file read after the piece was made stands between it and the next piece.
        if self.files.last().is_some_and(|file| file.start > piece.made) {
            let before = self.files.partition_point(|file| file.start <= at);
            if self.files[..before].last().is_some_and(|file| file.start > piece.made && at <= file.end) {
                return None;
            }
        }
        let end = self.pieces.get(index + 1).map_or(self.text.len() as u32, |next| next.made);
        (at < end).then_some((piece, end))
    }

    /// Octets of all text so far.
    pub(crate) fn length(&self) -> usize {
        self.text.len()
    }

    /// Append a file's text; the offset where it starts. A new line always follows it, so that no two files share one.
    pub(crate) fn add_file(&mut self, name: &str, path: &str, text: String, included: Option<Span>) -> Span {
        let start = self.text.len() as u32;
        let length = text.len() as u32;
        if self.text.is_empty() {
            self.text = text
        } else {
            self.text.push_str(&text)
        }
        self.text.push('\n');
        let file = File {
            name: name.to_owned(),
            path: path.to_owned(),
            start,
            end: start + length,
            included,
            line_starts: Vec::with_capacity(length as usize / 24),
        };
        self.files.push(file);
        Span::new(start, length)
    }

    /// Note that a line of the file starts here; told in order.
    pub(crate) fn line_starts(&mut self, file: FileId, start: u32) {
        if let Some(file) = self.files.get_mut(file.0 as usize) {
            file.line_starts.push(start);
        }
    }

    /// Number of the file that was added last.
    pub(crate) fn last_file(&self) -> FileId {
        FileId(self.files.len().saturating_sub(1) as u32)
    }

    /// Append made text: parts in order, the first at 0.
    pub(crate) fn make(&mut self, text: &str, parts: &[Part], context: u32) -> Span {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        self.text.push('\n');
        self.pieces.extend(parts.iter().map(|part| Piece {
            made: start + part.at,
            written: part.written,
            replaced: part.replaced,
            definition: part.definition,
            context,
        }));
        Span::new(start, text.len() as u32)
    }

    /// Append a copy of a span, made through a use.
    pub(crate) fn copy(&mut self, span: Span, context: u32) -> Span {
        let text = self.text(span).to_owned();
        self.make(&text, &[Part { at: 0, written: span.start, replaced: 0, definition: 0 }], context)
    }

    /// Remember where something was defined.
    pub(crate) fn definition(&mut self, span: Span) -> u32 {
        self.definitions.push(span);
        self.definitions.len() as u32
    }

    /// Remember a use of a multi-line definition.
    pub(crate) fn use_body(&mut self, used: Span, outer: u32) -> u32 {
        self.uses.push(Use { used, outer });
        self.uses.len() as u32
    }
}

/// First of the 256 private characters that stand for octets which are no UTF-8.
const ESCAPED: u32 = 0xF700;

/// A file's octets as text. Octets that are no UTF-8 (comments and passwords in Latin-1) become private characters;
/// [`octets`] turns them back.
pub fn to_text(octets: Vec<u8>) -> String {
    match String::from_utf8(octets) {
        Ok(text) => text,
        Err(error) => {
            let octets = error.into_bytes();
            let mut text = String::with_capacity(octets.len() + octets.len() / 8);
            for chunk in octets.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(chunk.invalid().iter().filter_map(|octet| char::from_u32(ESCAPED + u32::from(*octet))));
            }
            text
        }
    }
}

/// The octets that a text had in its file; the inverse of [`to_text`].
pub fn octets(text: &str) -> Cow<'_, [u8]> {
    let escaped = |letter: char| (letter as u32).checked_sub(ESCAPED).and_then(|octet| u8::try_from(octet).ok());
    if text.is_ascii() || !text.chars().any(|letter| escaped(letter).is_some()) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut octets = Vec::with_capacity(text.len());
    for letter in text.chars() {
        match escaped(letter) {
            Some(octet) => octets.push(octet),
            None => octets.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_latin_1_comes_back_as_it_was() {
        for octets_in in [&b"caf\xe9 \xff\x00"[..], b"plain", "é ü".as_bytes(), b"\xc3"] {
            assert_eq!(octets(&to_text(octets_in.to_vec())).as_ref(), octets_in);
        }
    }

    #[test]
    fn a_value_is_placed_at_its_use_and_a_copy_at_its_text() {
        let mut sources = Sources::default();
        let file = sources.add_file("a.conf", "/x/a.conf", "one\ntwo $X end\n".to_owned(), None);
        for start in [0, 4] {
            sources.line_starts(FileId(0), start);
        }
        let defined = sources.definition(Span::new(0, 3));
        let parts = [
            Part { at: 0, written: 4, replaced: 0, definition: 0 },
            Part { at: 4, written: 8, replaced: 2, definition: defined },
            Part { at: 9, written: 10, replaced: 0, definition: 0 },
        ];
        let made = sources.make("two value end", &parts, 0);
        let value = Span::new(made.start + 4, 5);
        assert_eq!(sources.text(value), "value");
        let place = sources.place(value).unwrap();
        assert_eq!((place.line, place.column, place.length, place.text), (2, 5, 2, "two $X end"));
        let end = sources.place(Span::new(made.start + 10, 3)).unwrap();
        assert_eq!((end.line, end.column, end.length), (2, 8, 3));
        assert_eq!(sources.chain(value), [Link::Value { used: Span::new(8, 2), defined: Some(Span::new(0, 3)) }]);
        assert_eq!(sources.reported(value), Some(("a.conf", 2)));
        assert_eq!(file, Span::new(0, 15));
    }

    #[test]
    fn a_span_from_elsewhere_has_no_place_and_no_text() {
        let sources = Sources::default();
        let span = Span::new(u32::MAX, u32::MAX);
        assert_eq!((sources.place(span), sources.text(span), sources.reported(span)), (None, "", None));
        assert!(sources.chain(span).is_empty());
    }
}
