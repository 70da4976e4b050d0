//! `$NAME=` and its uses.
//!
//! Values are replaced when they are used, not when they are defined, and replaced again within themselves. `${NAME}` stands anywhere;
//! `$NAME` needs a blank, a comma, `)` or the end of the line after it. What is not defined stays as it is.

use std::rc::Rc;

use super::reader::{Leading, Reader};
use crate::diagnostic::{Class, Diagnostic, did_you_mean};
use crate::lexer::{Token, Tokens, comment_marks, is_blank};
use crate::source::{BUILT_IN, Part, Span};

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub(super) value: Value,
    /// Where it was defined: [`crate::source::Sources::definition`].
    pub(super) place: u32,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Lines as written, their comments taken off.
    Lines(Rc<Vec<Span>>),
    /// What `~SEQ` or `~LST` counted to.
    Counted(Rc<str>),
}

/// `$NAME` or `${NAME ARGUMENTS}` in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reference<'t> {
    name: &'t str,
    arguments: &'t str,
    /// Offset after it.
    end: usize,
    /// Whether what follows lets it be replaced.
    delimited: bool,
}

/// The rest of a multi-line definition that ended a line.
pub(super) struct Tail {
    pub(super) name: String,
    pub(super) used: Span,
}

/// What is replaced in one line.
#[derive(Default)]
struct Replacing {
    made: String,
    parts: Vec<Part>,
    tail: Option<String>,
    /// Names that are being replaced, outermost first.
    within: Vec<String>,
    count: u32,
    failed: bool,
}

/// Length of a definition's name at the start of the text.
pub(super) fn name_length(text: &[u8]) -> usize {
    match text.first() {
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => {
            text.iter().position(|octet| !(octet.is_ascii_alphanumeric() || *octet == b'_')).unwrap_or(text.len())
        }
        _ => 0,
    }
}

/// The reference that starts with the `$` at `at`.
fn reference(text: &str, at: usize) -> Option<Reference<'_>> {
    let octets = text.as_bytes();
    let braced = octets.get(at + 1) == Some(&b'{');
    let start = at + 1 + usize::from(braced);
    let length = name_length(octets.get(start..)?);
    if length == 0 {
        return None;
    }
    let after = start + length;
    let name = &text[start..after];
    if !braced {
        let delimited = octets.get(after).is_none_or(|next| is_blank(*next) || matches!(next, b',' | b')'));
        return Some(Reference { name, arguments: "", end: after, delimited });
    }
    match octets.get(after) {
        Some(b'}') => Some(Reference { name, arguments: "", end: after + 1, delimited: true }),
        Some(b' ' | b'\t') if name.starts_with('_') => {
            let close = after + text[after..].find('}')?;
            Some(Reference { name, arguments: text[after..close].trim_start(), end: close + 1, delimited: true })
        }
        _ => None,
    }
}

impl Reader<'_> {
    /// `$NAME=VALUE`; false if the line is none.
    pub(super) fn define(&mut self, span: Span, context: u32, continues: bool) -> bool {
        let line = self.sources.text(span).as_bytes();
        let length = name_length(&line[1..]);
        if length == 0 || line.get(length + 1) != Some(&b'=') {
            return false;
        }
        let name = self.sources.text(span)[1..=length].to_owned();
        let head = length as u32 + 2;
        let mut value = Span::new(span.start + head, span.length - head);
        let continues = continues && self.sources.text(value).ends_with('\\');
        if continues {
            value.length -= 1;
        }
        let value = self.trim(value);
        let lines = Rc::new(if value.length == 0 { Vec::new() } else { vec![value] });
        let defined = self.located(Span::new(span.start, head), context);
        let place = self.sources.definition(defined);
        self.definitions.insert(name.clone(), Definition { value: Value::Lines(lines), place });
        if continues {
            self.unfinished = Some(name);
        }
        true
    }

    /// The next line of a definition that ended with a backslash.
    pub(super) fn continue_definition(&mut self, name: String, span: Span, continues: bool, only_comment: bool) {
        let span = self.trim(span);
        if span.length > 0
            && let Some(Definition { value: Value::Lines(lines), .. }) = self.definitions.get_mut(&name)
        {
            Rc::make_mut(lines).push(span);
        }
        // Observed: a line of nothing but a comment does not end it.
        if continues || only_comment {
            self.unfinished = Some(name);
        }
    }

    fn trim(&self, span: Span) -> Span {
        let text = self.sources.text(span);
        let leading = text.len() - text.trim_ascii_start().len();
        Span::new(span.start + leading as u32, text.trim_ascii().len() as u32)
    }

    /// A `$NAME` that starts a line may become a condition, a repetition, a definition or several lines.
    pub(super) fn replace_leading(&mut self, span: Span, context: u32) -> Leading {
        let text = self.sources.text(span);
        let Some(reference) = reference(text, 0).filter(|reference| reference.delimited) else {
            return Leading::Nothing;
        };
        let end = reference.end;
        let last = end == text.len();
        let Some(definition) = self.definitions.get(reference.name) else { return Leading::Nothing };
        let used = Span::new(span.start, end as u32);
        let place = definition.place;
        let value = match &definition.value {
            Value::Counted(value) => value.to_string(),
            Value::Lines(lines) => match lines.as_slice() {
                [] => String::new(),
                [line] => self.sources.text(*line).to_owned(),
                _ if last => {
                    let name = reference.name.to_owned();
                    self.replay(&name, used, context, 0);
                    return Leading::Replayed;
                }
                _ => return Leading::Nothing,
            },
        };
        if !self.count_made_line(span) {
            return Leading::Replayed;
        }
        let rest = self.sources.text(span)[end..].to_owned();
        if value.len() + rest.len() > self.options.limits.line as usize {
            self.too_long_when_replaced(span, context);
            return Leading::Replayed;
        }
        let parts = [
            Part { at: 0, written: used.start, replaced: used.length, definition: place },
            Part { at: value.len() as u32, written: used.end(), replaced: 0, definition: 0 },
        ];
        Leading::Line(self.sources.make(&(value + &rest), &parts, context))
    }

    /// Work on the lines of a multi-line definition, from the given one.
    pub(super) fn replay(&mut self, name: &str, used: Span, context: u32, from: usize) {
        let Some(Definition { value: Value::Lines(lines), .. }) = self.definitions.get(name) else { return };
        let lines = Rc::clone(lines);
        if self.replaying.iter().any(|other| other == name) || self.depth >= self.options.limits.expansion_depth {
            self.endless_definition(used, context);
            return;
        }
        self.replaying.push(name.to_owned());
        self.depth += 1;
        let inner = self.sources.use_body(used, context);
        for line in lines.iter().skip(from) {
            if !self.count_made_line(used) {
                break;
            }
            self.line(*line, inner, false);
        }
        self.depth -= 1;
        self.replaying.pop();
    }

    pub(super) fn endless_definition(&mut self, used: Span, context: u32) {
        let at = self.located(used, context);
        let name =
            reference(self.sources.text(used), 0).map_or_else(String::new, |reference| reference.name.to_owned());
        self.diagnostics.push(
            Diagnostic::new(
                Class::GeneralError,
                "endless-definition",
                format!("Definition of '{name}' refers to itself"),
            )
            .at(at)
            .label("replacing this would never end")
            .consequence("it is left out (keepalived would hang here)")
            .help("a definition is replaced when it is used, not when it is made: give the new value another name"),
        );
    }

    fn too_long_when_replaced(&mut self, span: Span, context: u32) {
        let at = self.located(span, context);
        let limit = self.options.limits.line;
        self.diagnostics.push(
            Diagnostic::new(
                Class::GeneralError,
                "line-too-long",
                "Line is too long once its definitions are replaced - ignoring",
            )
            .at(at)
            .consequence("the line is not read")
            .help(format!("a line has at most {limit} octets; do definitions double each other?")),
        );
    }

    /// A line with all its definitions replaced and `\#` made `#`. At the end of a line a multi-line definition puts its first line;
    /// the others are the tail.
    pub(super) fn replaced(&mut self, span: Span, context: u32, line_ends: bool) -> (Span, Option<Tail>) {
        let text = self.sources.text(span).to_owned();
        let octets = text.as_bytes();
        let mut work = Replacing::default();
        let mut copied = 0;
        let mut at = 0;
        // The same places that were no comments for their backslash.
        let escapes: Vec<usize> = comment_marks(octets).filter(|mark| mark.escaped).map(|mark| mark.at).collect();
        let mut escapes = escapes.into_iter().peekable();
        let mut tail_used = None;
        let flush = |work: &mut Replacing, from: usize, to: usize| {
            if from < to {
                let part =
                    Part { at: work.made.len() as u32, written: span.start + from as u32, replaced: 0, definition: 0 };
                work.parts.push(part);
                work.made.push_str(&text[from..to]);
            }
        };
        while at < octets.len() {
            match octets[at] {
                b'\\' if escapes.next_if_eq(&(at + 1)).is_some() => {
                    flush(&mut work, copied, at);
                    let part = Part {
                        at: work.made.len() as u32,
                        written: span.start + at as u32,
                        replaced: 2,
                        definition: 0,
                    };
                    work.parts.push(part);
                    work.made.push(char::from(octets[at + 1]));
                    at += 2;
                    copied = at;
                    continue;
                }
                b'\\' if octets.get(at + 1).is_some_and(|next| next.is_ascii() && *next != b'$') => {
                    at += 2;
                    continue;
                }
                b'$' => {
                    if let Some(reference) = reference(&text, at) {
                        let last = line_ends && reference.end == text.len();
                        let before = work.made.len();
                        let mark = work.parts.len();
                        flush(&mut work, copied, at);
                        let start = work.made.len();
                        let used = Span::new(span.start + at as u32, (reference.end - at) as u32);
                        match self.append_value(&mut work, reference, used, context, last) {
                            Some(definition) => {
                                let part =
                                    Part { at: start as u32, written: used.start, replaced: used.length, definition };
                                work.parts.push(part);
                                if work.tail.is_some() {
                                    tail_used.get_or_insert(used);
                                }
                                at = reference.end;
                                copied = at;
                                continue;
                            }
                            None => {
                                work.made.truncate(before);
                                work.parts.truncate(mark);
                            }
                        }
                    }
                }
                _ => {}
            }
            at += 1;
        }
        flush(&mut work, copied, octets.len());
        if work.failed {
            if work.made.len() > self.options.limits.line as usize || work.count > self.options.limits.line {
                self.too_long_when_replaced(span, context);
            }
            return (Span::new(span.start, 0), None);
        }
        let made =
            if context == 0 && work.made == text { span } else { self.sources.make(&work.made, &work.parts, context) };
        (made, work.tail.zip(tail_used).map(|(name, used)| Tail { name, used }))
    }

    /// Append what a reference stands for; where it was defined (0 for built-in), or `None` if it is not to be replaced.
    fn append_value(
        &mut self,
        work: &mut Replacing,
        reference: Reference<'_>,
        used: Span,
        context: u32,
        last: bool,
    ) -> Option<u32> {
        work.count += 1;
        if work.failed || work.count > self.options.limits.line || work.made.len() > self.options.limits.line as usize {
            work.failed = true;
            return Some(0);
        }
        let Some(definition) = self.definitions.get(reference.name) else {
            if !reference.delimited {
                return None;
            }
            let value = self.built_in(reference, used, context)?;
            work.made.push_str(&value);
            return Some(BUILT_IN);
        };
        if !reference.delimited {
            if work.within.is_empty() {
                self.not_delimited(reference.name, used, context);
            }
            return None;
        }
        let place = definition.place;
        let value = match &definition.value {
            Value::Counted(value) => {
                work.made.push_str(value);
                return Some(place);
            }
            Value::Lines(lines) => match lines.as_slice() {
                [] => return Some(place),
                [line] => self.sources.text(*line).to_owned(),
                [line, ..] if last => {
                    work.tail = Some(reference.name.to_owned());
                    self.sources.text(*line).to_owned()
                }
                _ => {
                    self.multi_line_within(reference.name, used, context);
                    return None;
                }
            },
        };
        if work.within.iter().any(|name| name == reference.name)
            || work.within.len() >= self.options.limits.expansion_depth as usize
        {
            self.endless_definition(used, context);
            work.failed = true;
            return Some(place);
        }
        work.within.push(reference.name.to_owned());
        let mut rest = value.as_str();
        while let Some(at) = rest.find('$') {
            work.made.push_str(&rest[..at]);
            rest = &rest[at..];
            let inner = self::reference(rest, 0);
            let end = inner.and_then(|inner| {
                self.append_value(work, inner, used, context, last && inner.end == rest.len()).map(|_| inner.end)
            });
            match end {
                Some(end) => rest = &rest[end..],
                None => {
                    work.made.push('$');
                    rest = &rest[1..];
                }
            }
        }
        work.made.push_str(rest);
        work.within.pop();
        Some(place)
    }

    fn built_in(&mut self, reference: Reference<'_>, used: Span, context: u32) -> Option<String> {
        match (reference.name, reference.arguments) {
            ("_HASH", "") => Some("#".to_owned()),
            ("_BANG", "") => Some("!".to_owned()),
            ("_INSTANCE", "") => Some(self.options.config_id.clone()),
            ("_PWD", "") => {
                let directory = self.open_files.last().map_or("", |(_, directory)| directory.as_str());
                Some(self.loader.absolute(directory))
            }
            ("_RANDOM", arguments) => {
                let numbers: Option<Vec<u64>> =
                    arguments.split_ascii_whitespace().map(|word| word.parse().ok()).collect();
                match numbers?.as_slice() {
                    [] => Some((0, 32_767)),
                    [low] => Some((*low, 32_767)),
                    [low, high] => Some((*low, *high)),
                    _ => None,
                }
                .map(|(low, high)| self.random.between(low, high).to_string())
            }
            ("_ENV", name) if !name.is_empty() => {
                let name = name.trim_end();
                let value = self.loader.environment(name);
                if value.is_none() {
                    let at = self.located(used, context);
                    self.diagnostics.push(
                        Diagnostic::new(Class::Warning, "environment", format!("Environment variable '{name}' is not set"))
                            .at(at)
                            .consequence("nothing is put in its place")
                            .help("set it where the daemon is started (in the unit file: Environment=), or define a `$NAME` instead"),
                    );
                }
                // A value of several lines would be several lines of configuration that nobody wrote.
                Some(value.unwrap_or_default().replace(['\n', '\r', '\0'], " "))
            }
            _ => None,
        }
    }

    fn not_delimited(&mut self, name: &str, used: Span, context: u32) {
        let at = self.located(used, context);
        self.diagnostics.push(
            Diagnostic::new(Class::Advice, "not-replaced", format!("'${name}' is not replaced here"))
                .at(at)
                .label("needs a blank, `,`, `)` or the end of the line after it")
                .help(format!("write `${{{name}}}`")),
        );
    }

    fn multi_line_within(&mut self, name: &str, used: Span, context: u32) {
        let at = self.located(used, context);
        self.diagnostics.push(
            Diagnostic::new(
                Class::GeneralError,
                "multi-line-within",
                format!("Multi-line definition '{name}' must end the line"),
            )
            .at(at)
            .label("something follows it")
            .consequence("it is not replaced")
            .help("put what follows on a line of its own"),
        );
    }

    /// `${NAME}` that nothing defines: keepalived sees the brace.
    pub(super) fn undefined_braces(&mut self, line: Span) {
        let text = self.sources.text(line);
        if !text.contains("${") {
            return;
        }
        let found: Vec<(u32, String)> = Tokens::new(text.as_bytes(), 0)
            .filter_map(|token| match token {
                Token::Word { start, end, quoted: false } => {
                    let at = start + text[start..end].find("${")?;
                    Some((at as u32, reference(text, at)?.name.to_owned()))
                }
                _ => None,
            })
            .collect();
        for (at, name) in found {
            let names = self.definitions.keys().map(String::as_str);
            let guess = did_you_mean(&name, names).map(|guess| format!("did you mean `${{{guess}}}`?"));
            let mut diagnostic = Diagnostic::new(Class::UnexpectedBrace, "undefined", "Unexpected '{' - ignoring")
                .at(Span::new(line.start + at, name.len() as u32 + 3))
                .label(guess.unwrap_or_else(|| format!("nothing defines `{name}` before this line")))
                .consequence("it stays as it is written");
            if let Some("_ENV" | "_RANDOM") = Some(name.as_str()) {
                diagnostic = diagnostic.help("it is written `${_ENV NAME}` and `${_RANDOM MIN MAX}`");
            }
            self.diagnostics.push(diagnostic);
        }
    }
}
