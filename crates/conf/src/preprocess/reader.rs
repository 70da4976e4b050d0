//! The loop over files and lines.

use std::collections::{BTreeMap, HashSet};

use super::definitions::Definition;
use super::include::Checks;
use super::random::Random;
use super::{Loader, Options};
use crate::diagnostic::{Class, Diagnostic, Diagnostics, repeated};
use crate::lexer::{Token, Tokens, comment_start, is_blank, word_end};
use crate::source::{FileId, Sources, Span};
use crate::tree::{Builder, Tree};

/// `@rkeepalived` always matches: keepalived skips such lines, so extensions can stand in a file that both read.
const OURS: &str = "rkeepalived";

/// Longest line that keepalived reads.
const KEEPALIVED_LINE: usize = 1024;

/// Everything that is known while files are read.
pub(super) struct Reader<'a> {
    pub(super) options: &'a Options,
    pub(super) loader: &'a mut dyn Loader,
    pub(super) sources: Sources,
    pub(super) builder: Builder,
    pub(super) diagnostics: Diagnostics,
    pub(super) definitions: BTreeMap<String, Definition>,
    pub(super) random: Random,
    /// The definition whose next line is awaited.
    pub(super) unfinished: Option<String>,
    /// Multi-line definitions that are being replayed, innermost last.
    pub(super) replaying: Vec<String>,
    /// Paths of the files that are open, innermost last, each with its directory.
    pub(super) open_files: Vec<(String, String)>,
    pub(super) checks: Checks,
    /// Replays and repetitions within each other.
    pub(super) depth: u32,
    made_lines: u32,
    /// Blocks open beyond the limit; their lines are dropped.
    too_deep: u32,
    pub(super) stopped: bool,
    told: HashSet<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(options: &'a Options, loader: &'a mut dyn Loader) -> Self {
        Self {
            options,
            loader,
            sources: Sources::default(),
            builder: Builder::default(),
            diagnostics: Diagnostics::new(),
            definitions: BTreeMap::new(),
            random: Random::new(options.random_seed),
            unfinished: None,
            replaying: Vec::new(),
            open_files: Vec::new(),
            checks: if options.all_checks { Checks::ALL } else { Checks::NONE },
            depth: 0,
            made_lines: 0,
            too_deep: 0,
            stopped: false,
            told: HashSet::new(),
        }
    }

    pub(super) fn read(mut self, path: &str) -> (Tree, Diagnostics) {
        self.first_files(path);
        let unclosed = self.builder.unclosed();
        let missing = unclosed.len() + self.too_deep as usize;
        if let Some(innermost) = unclosed.last() {
            let mut diagnostic = Diagnostic::new(
                Class::MissingBrace,
                "missing-brace",
                format!("There are {missing} missing '}}'s or extra '{{'s"),
            )
            .about(*innermost)
            .label("opened here, never closed")
            .help("add the `}`, or take this `{` away; a block that swallows the ones after it shows by their indentation");
            for outer in unclosed.iter().rev().skip(1).take(4) {
                diagnostic = diagnostic.note_at(*outer, "this one is not closed either");
            }
            self.diagnostics.push(diagnostic);
        }
        (self.builder.finish(self.sources), self.diagnostics)
    }

    /// The lines of a file whose text was added.
    pub(super) fn file_lines(&mut self, file: FileId, span: Span) {
        let end = span.end();
        let mut start = span.start;
        if self.sources.text(span).starts_with('\u{feff}') {
            self.byte_order_mark(file, start);
            start += 3;
        } else {
            self.sources.line_starts(file, start);
        }
        loop {
            let rest = self.sources.text(Span::new(start, end - start));
            let length = rest.find('\n').unwrap_or(rest.len()) as u32;
            self.written_line(Span::new(start, length));
            start += length + 1;
            if self.stopped || start > end {
                break;
            }
            self.sources.line_starts(file, start);
        }
        self.unfinished = None;
    }

    fn byte_order_mark(&mut self, file: FileId, start: u32) {
        self.sources.line_starts(file, start);
        self.diagnostics.push(
            Diagnostic::new(Class::Advice, "byte-order-mark", "The file starts with a byte order mark")
                .at(Span::new(start, 3))
                .consequence("keepalived takes it for part of the first word and does not know that")
                .help("save the file as UTF-8 without byte order mark"),
        );
    }

    /// A line as it stands in a file.
    fn written_line(&mut self, span: Span) {
        let line = self.sources.text(span).as_bytes();
        let leading = line.iter().position(|octet| !is_blank(*octet)).unwrap_or(line.len());
        let trailing = line.iter().rev().position(|octet| !is_blank(*octet)).unwrap_or(0);
        let line = &line[leading..line.len().max(trailing + leading) - trailing];
        let span = Span::new(span.start + leading as u32, line.len() as u32);
        if line.is_empty() {
            // Observed: an empty line ends a definition, a comment does not.
            self.unfinished = None;
            return;
        }
        if line.len() > KEEPALIVED_LINE && self.is_too_long(span) {
            return;
        }
        let line = self.sources.text(span).as_bytes();
        if line.contains(&0) {
            self.diagnostics.push(
                Diagnostic::new(Class::GeneralError, "nul", "Line contains a NUL octet - ignoring")
                    .at(span)
                    .consequence("the line is not read")
                    .help("the file may be damaged, or saved as UTF-16: save it as UTF-8"),
            );
            return;
        }
        let continues = line.ends_with(b"\\");
        let mut length = line.len() - usize::from(continues && self.unfinished.is_some());
        if let Some(comment) = comment_start(&line[..length]) {
            length = comment;
        }
        let span = Span::new(span.start, length as u32);
        if let Some(name) = self.unfinished.take() {
            self.continue_definition(name, span, continues, length == 0);
        } else if length > 0 {
            self.line(span, 0, continues);
        }
    }

    fn is_too_long(&mut self, span: Span) -> bool {
        if span.length <= self.options.limits.line {
            // A comment may be as long as it likes.
            let line = self.sources.text(span).as_bytes();
            if comment_start(line).unwrap_or(line.len()) > KEEPALIVED_LINE {
                self.diagnostics.push(
                    Diagnostic::new(Class::Advice, "long-line", format!("Line of {} octets", span.length))
                        .at(Span::new(span.start, 1))
                        .consequence(format!(
                            "keepalived ignores lines of more than {KEEPALIVED_LINE} octets; rkeepalived reads it"
                        )),
                );
            }
            return false;
        }
        self.diagnostics.push(
            Diagnostic::new(
                Class::GeneralError,
                "line-too-long",
                format!("Line of {} octets is too long - ignoring", span.length),
            )
            .at(Span::new(span.start, 1))
            .consequence("the line is not read")
            .help(format!("split it: a line has at most {} octets", self.options.limits.line)),
        );
        true
    }

    /// A line without comment, or what follows a brace, a condition or a repetition. `context` is the use of a definition
    /// through which it comes ([`Sources::use_body`]), `continues` whether the written line ends with a backslash.
    pub(super) fn line(&mut self, span: Span, context: u32, continues: bool) {
        let mut span = span;
        let mut context = context;
        let mut replaced = 0;
        while !self.stopped {
            span = self.trimmed(span);
            match self.sources.text(span).as_bytes().first().copied() {
                None => return,
                Some(b'$') => {
                    if self.define(span, context, continues) {
                        return;
                    }
                    if replaced < self.options.limits.expansion_depth {
                        match self.replace_leading(span, context) {
                            Leading::Nothing => {}
                            Leading::Replayed => return,
                            Leading::Line(made) => {
                                replaced += 1;
                                span = made;
                                context = 0;
                                continue;
                            }
                        }
                    } else {
                        self.endless_definition(span, context);
                        return;
                    }
                }
                Some(b'@') => {
                    let end = word_end(self.sources.text(span).as_bytes(), 0);
                    if !self.condition(&self.sources.text(span)[1..end]) {
                        return;
                    }
                    span = Span::new(span.start + end as u32, span.length - end as u32);
                    continue;
                }
                Some(b'~') if self.repeat(span, context) => return,
                Some(b'i') => {
                    if let Some(after) = self.include_line(span, context) {
                        span = after;
                        continue;
                    }
                }
                Some(_) => {}
            }
            match self.words(span, context, continues) {
                Some(rest) => span = rest,
                None => return,
            }
        }
    }

    fn trimmed(&self, span: Span) -> Span {
        let line = self.sources.text(span).as_bytes();
        let leading = line.iter().position(|octet| !is_blank(*octet)).unwrap_or(line.len());
        let trailing = line[leading..].iter().rev().position(|octet| !is_blank(*octet)).unwrap_or(0);
        Span::new(span.start + leading as u32, (line.len() - leading - trailing) as u32)
    }

    /// `@ID` or `@^ID`, without the `@`.
    fn condition(&self, id: &str) -> bool {
        let (negative, id) = match id.strip_prefix('^') {
            Some(id) => (true, id),
            None => (false, id),
        };
        (id == self.options.config_id || id == OURS) != negative
    }

    /// Words up to the first brace, and the brace; what follows it is the result.
    fn words(&mut self, span: Span, context: u32, continues: bool) -> Option<Span> {
        let line = self.sources.text(span).as_bytes();
        if !line.contains(&b'$') && !line.contains(&b'\\') && context == 0 {
            return self.tokens(span);
        }
        let brace = Tokens::new(line, 0).find_map(|token| match token {
            Token::Open(at) | Token::Close(at) => Some(at as u32),
            _ => None,
        });
        let head = Span::new(span.start, brace.unwrap_or(span.length));
        if brace.is_none() && continues && line.ends_with(b"\\") {
            self.stray_continuation(span);
        }
        if head.length > 0 {
            let (made, tail) = self.replaced(head, context, brace.is_none());
            let mut rest = Some(made);
            while let Some(part) = rest {
                rest = self.tokens(part);
            }
            self.undefined_braces(made);
            if let Some(tail) = tail {
                self.replay(&tail.name, tail.used, context, 1);
            }
        }
        let brace = brace?;
        // The brace itself is made too where it comes through a definition, so that its place tells the way.
        let at = Span::new(span.start + brace, 1);
        let made = if context == 0 { at } else { self.sources.copy(at, context) };
        self.tokens(made);
        Some(Span::new(at.end(), span.length - brace - 1))
    }

    /// Words as they stand, up to the first brace, and the brace.
    fn tokens(&mut self, span: Span) -> Option<Span> {
        let line = self.sources.text(span);
        let mut first = None;
        let mut end = 0;
        let mut stop = None;
        for token in Tokens::new(line.as_bytes(), 0) {
            let (from, to) = match token {
                Token::Word { start, end, quoted } => {
                    if self.too_deep == 0 {
                        self.builder.word(span.start + start as u32, (end - start) as u32, quoted);
                    }
                    (start - usize::from(quoted), end + usize::from(quoted))
                }
                Token::Open(at) | Token::Close(at) | Token::Unterminated(at) => {
                    stop = Some((token, at));
                    break;
                }
            };
            first.get_or_insert(from);
            end = to;
        }
        if let Some(from) = first {
            let ended = self.builder.end_line(Span::new(span.start + from as u32, (end - from) as u32));
            if ended && self.builder.depth() == 1 {
                self.settings_of_reading();
            }
        }
        let (token, at) = stop?;
        let place = span.start + at as u32;
        match token {
            Token::Open(_) => self.open(place),
            Token::Close(_) => self.close(place),
            _ => {
                self.unmatched_quote(span, place);
                return None;
            }
        }
        Some(Span::new(place + 1, span.end() - place - 1))
    }

    fn open(&mut self, at: u32) {
        if self.too_deep > 0 || self.builder.depth() >= self.options.limits.block_depth as usize {
            self.too_deep += 1;
            let limit = self.options.limits.block_depth;
            self.tell_once("too-deep", || {
                Diagnostic::new(Class::UnexpectedBrace, "too-deep", "Unexpected '{' - ignoring")
                    .at(Span::new(at, 1))
                    .label(format!("more than {limit} blocks within each other"))
                    .consequence("nothing in this block is read")
            });
        } else {
            self.builder.open(at);
        }
    }

    fn close(&mut self, at: u32) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else if !self.builder.close(at) {
            self.diagnostics.push(
                Diagnostic::new(Class::MissingBrace, "extra-brace", "Extra '}' found")
                    .at(Span::new(at, 1))
                    .label("closes nothing")
                    .help("take it away, or look for the block above that was closed too early"),
            );
        }
    }

    fn unmatched_quote(&mut self, line: Span, at: u32) {
        let text = repeated(self.sources.text(self.trimmed(line)));
        self.diagnostics.push(
            Diagnostic::new(Class::UnmatchedQuote, "unmatched-quote", format!("Unmatched quote: '{text}'"))
                .at(Span::new(at, 1))
                .label("opened here, closed nowhere on this line")
                .consequence("the rest of the line is lost")
                .help("add the closing \", or take this one away"),
        );
    }

    fn stray_continuation(&mut self, line: Span) {
        self.diagnostics.push(
            Diagnostic::new(Class::Advice, "continuation", "A backslash does not continue this line")
                .at(Span::new(line.end() - 1, 1))
                .consequence("the backslash is one more word, and the next line stands for itself")
                .help("write everything on one line; only `$NAME=` definitions go on over several"),
        );
    }

    /// `include_check` and `random_seed` act while the file is read.
    fn settings_of_reading(&mut self) {
        let Some((keyword, Some("global_defs"))) = self.builder.last_line_in(&self.sources) else { return };
        match keyword {
            "include_check" => self.set_checks(),
            "random_seed" => {
                let seed = self.builder.last_arguments().next().and_then(|word| self.sources.text(word).parse().ok());
                if let Some(seed) = seed {
                    self.random = Random::new(seed);
                }
            }
            _ => {}
        }
    }

    /// Count a line that a definition or a repetition makes; false when there were too many.
    pub(super) fn count_made_line(&mut self, at: Span) -> bool {
        self.made_lines += 1;
        let limits = self.options.limits;
        if self.made_lines > limits.made_lines || self.sources.length() > limits.text as usize {
            self.stop(at);
        }
        !self.stopped
    }

    /// Lines that definitions and repetitions may still make.
    pub(super) fn made_lines_left(&self) -> u32 {
        self.options.limits.made_lines.saturating_sub(self.made_lines)
    }

    /// The configuration grows beyond all bounds.
    pub(super) fn stop(&mut self, at: Span) {
        self.stopped = true;
        let limits = self.options.limits;
        self.tell_once("too-big", || {
            Diagnostic::new(Class::GeneralError, "too-big", "Configuration too big - the rest is ignored")
                .at(at)
                .label("here it had grown too big")
                .consequence("nothing after this is read")
                .help(format!(
                    "definitions and repetitions may make {} lines, all text together {} MiB, and {} files may be read",
                    limits.made_lines,
                    limits.text >> 20,
                    limits.files
                ))
        });
    }

    /// Tell something only the first time.
    pub(super) fn tell_once(&mut self, code: &'static str, diagnostic: impl FnOnce() -> Diagnostic) {
        if self.told.insert(code) {
            self.diagnostics.push(diagnostic());
        }
    }

    /// A span for a diagnostic: through its context, so that it leads to the use.
    pub(super) fn located(&mut self, span: Span, context: u32) -> Span {
        if context == 0 { span } else { self.sources.copy(span, context) }
    }
}

/// What became of a `$NAME` at the start of a line.
pub(super) enum Leading {
    /// No definition has that name, or a multi-line one is followed by something.
    Nothing,
    /// The lines of a multi-line definition were worked on.
    Replayed,
    /// The line with its start replaced.
    Line(Span),
}
