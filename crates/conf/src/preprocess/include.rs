//! `include` and what must be there.

use super::LoadError;
use super::glob::alternatives;
use super::reader::Reader;
use crate::diagnostic::{Class, Diagnostic};
use crate::source::{Span, to_text};

/// What `include_check` demands. Scoped: restored when the file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checks {
    /// A match that cannot be read.
    read: bool,
    /// A name without wildcard that is absent.
    matching: bool,
    /// A wildcard that matches nothing.
    wildcard: bool,
    /// A brace's member that is absent.
    brace: bool,
}

impl Checks {
    pub(super) const NONE: Self = Self { read: false, matching: false, wildcard: false, brace: false };
    pub(super) const ALL: Self = Self { read: true, matching: true, wildcard: true, brace: true };

    fn or(self, other: Self) -> Self {
        Self {
            read: self.read || other.read,
            matching: self.matching || other.matching,
            wildcard: self.wildcard || other.wildcard,
            brace: self.brace || other.brace,
        }
    }

    /// A check by its name; the broader ones include that of readability (manual).
    fn named(name: &str) -> Option<Self> {
        let read = Self { read: true, ..Self::NONE };
        match name {
            // The manual says the first, 2.2.7 knows only the second.
            "readable" | "read" => Some(read),
            "match" => Some(Self { matching: true, ..read }),
            // Observed: includew demands names without wildcard too.
            "wildcard_match" => Some(Self { matching: true, wildcard: true, ..read }),
            "brace_match" => Some(Self { brace: true, ..read }),
            _ => None,
        }
    }

    fn without(self, name: &str) -> Option<Self> {
        match name {
            "readable" | "read" => Some(Self { read: false, ..self }),
            "match" => Some(Self { matching: false, ..self }),
            "wildcard_match" => Some(Self { wildcard: false, ..self }),
            "brace_match" => Some(Self { brace: false, ..self }),
            _ => None,
        }
    }
}

/// A pattern that matches nothing.
struct Missing {
    pattern: String,
    /// Whether its absence is that of a file with a name.
    named: bool,
}

/// The checks that an include keyword adds.
fn checks_of(word: &str) -> Option<Checks> {
    match word {
        "include" => Some(Checks::NONE),
        "includer" => Checks::named("read"),
        "includem" => Checks::named("match"),
        "includew" => Checks::named("wildcard_match"),
        "includeb" => Checks::named("brace_match"),
        "includea" => Some(Checks::ALL),
        _ => None,
    }
}

/// Whether the word includes files.
pub(crate) fn is_include(word: &str) -> bool {
    checks_of(word).is_some()
}

impl Reader<'_> {
    /// The files that are named at the start: one, or those of a pattern.
    pub(super) fn first_files(&mut self, path: &str) {
        let found: Vec<String> =
            alternatives(path).iter().flat_map(|alternative| self.loader.glob("", alternative)).collect();
        match found.as_slice() {
            // A loader that cannot list may still be able to read.
            [] => self.first_file(path, path),
            [only] => self.first_file(only, path),
            [first, ..] => {
                self.diagnostics.push(
                    Diagnostic::new(
                        Class::MultipleFiles,
                        "multiple-files",
                        format!("WARNING, multiple configuration file matches of {path}, starting with {first}"),
                    )
                    .note("all of them are read, in this order"),
                );
                for file in &found {
                    self.first_file(file, path);
                }
            }
        }
    }

    fn first_file(&mut self, path: &str, pattern: &str) {
        if let Err(error) = self.open_file(path, path, None) {
            let (message, help) = match error {
                LoadError::Absent => (
                    format!("Config files missing '{pattern}'."),
                    "name the file with -f; the default is /etc/keepalived/keepalived.conf",
                ),
                other => (
                    refusal(path, &other),
                    "the configuration must be a regular file without execute bit that the daemon may read",
                ),
            };
            self.diagnostics.push(
                Diagnostic::new(Class::Notice, "no-configuration", message)
                    .consequence("there is no configuration; a start ends with status 6")
                    .help(help),
            );
        }
    }

    /// `include PATTERN`: reads the files and gives what is left of the line; `None` if the line is something else.
    pub(super) fn include_line(&mut self, span: Span, context: u32) -> Option<Span> {
        let line = self.sources.text(span);
        let (word, argument) = line.split_once([' ', '\t', '\r', '\u{b}', '\u{c}'])?;
        let demanded = self.checks.or(checks_of(word)?);
        let argument = argument.trim_ascii();
        if argument.is_empty() {
            return None;
        }
        let pattern_start = span.start + (line.trim_ascii_end().len() - argument.len()) as u32;
        // keepalived takes all of the line, also the `}` of `{ include x }`; nobody means such a file.
        let length = closing_brace(argument).unwrap_or(argument.len());
        let rest = Span::new(pattern_start + length as u32, (argument.len() - length) as u32);
        let pattern = Span::new(pattern_start, argument[..length].trim_ascii_end().len() as u32);
        let (replaced, _) = self.replaced(pattern, context, false);
        let used = self.located(Span::new(span.start, pattern.end() - span.start), context);
        let pattern = self.sources.text(replaced).to_owned();
        self.include(&pattern, demanded, used);
        Some(rest)
    }

    fn include(&mut self, pattern: &str, demanded: Checks, used: Span) {
        let directory = self.open_files.last().map_or_else(String::new, |(_, directory)| directory.clone());
        let mut pattern = pattern.to_owned();
        let unquoted = pattern.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).map(str::to_owned);
        if let Some(unquoted) = unquoted {
            self.diagnostics.push(
                Diagnostic::new(Class::Advice, "quoted-include", format!("Quotes around the file name '{unquoted}'"))
                    .at(used)
                    .consequence("keepalived would look for a file with quotes in its name and read nothing; rkeepalived reads the file")
                    .help("take the quotes away; a name may have blanks in it without them"),
            );
            pattern = unquoted;
        }
        let parts = alternatives(&pattern);
        let mut files = Vec::new();
        let mut missing = Vec::new();
        for part in &parts {
            let found = self.loader.glob(&directory, part);
            if found.is_empty() {
                missing.push(Missing { pattern: part.clone(), named: self.names_a_file(part, &directory) });
            }
            files.extend(found);
        }
        if !missing.is_empty() {
            self.missing(&pattern, &missing, parts.len(), files.is_empty(), demanded, used, &directory);
        }
        let checks = self.checks;
        for name in files {
            if self.stopped {
                break;
            }
            let path = if name.starts_with('/') || directory.is_empty() {
                name.clone()
            } else {
                format!("{directory}/{name}")
            };
            if let Err(error) = self.open_file(&name, &path, Some(used)) {
                let class = if demanded.read { Class::DemandedFile } else { Class::Notice };
                let shown =
                    if error == LoadError::Absent { LoadError::Unreadable("it vanished".to_owned()) } else { error };
                self.diagnostics.push(
                    Diagnostic::new(class, "include-skipped", refusal(&name, &shown))
                        .at(used)
                        .consequence("nothing of it is read")
                        .help("an included file must be a regular file without execute bit that the daemon may read"),
                );
            }
            self.checks = checks;
        }
    }

    /// Whether a pattern that matched nothing is missed like a plain name: it has no wildcard, or its directory is not there
    /// (observed).
    fn names_a_file(&mut self, pattern: &str, from: &str) -> bool {
        let wildcard = |text: &str| text.contains(['*', '?', '[']);
        match pattern.rsplit_once('/') {
            _ if !wildcard(pattern) => true,
            Some((directory, _)) if !directory.is_empty() && !wildcard(directory) => {
                self.loader.glob(from, directory).is_empty()
            }
            _ => false,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one message with all that explains it")]
    fn missing(
        &mut self,
        pattern: &str,
        missing: &[Missing],
        parts: usize,
        nothing: bool,
        demanded: Checks,
        used: Span,
        directory: &str,
    ) {
        let braces = parts > 1;
        let (message, is_demanded) = match (nothing, braces, missing.iter().any(|part| part.named)) {
            // Observed: wildcards are missed only when nothing matches and someone cares.
            (true, _, false) if demanded.wildcard => (format!("No config files matched '{pattern}'."), true),
            (_, _, false) => return,
            (true, false, true) => (format!("Config files missing '{pattern}'."), demanded.matching),
            (true, true, true) => (format!("Config files missing '{pattern}'."), demanded.brace),
            (false, _, true) => (format!("Some config files missing: \"{pattern}\"."), demanded.brace),
        };
        let class = if is_demanded { Class::DemandedFile } else { Class::Notice };
        let from = if directory.is_empty() { "the directory where the daemon was started" } else { directory };
        let mut diagnostic = Diagnostic::new(class, "include-missing", message).at(used).consequence(if is_demanded {
            "include_check demands it: the daemon does not start"
        } else {
            "reading goes on without it"
        });
        if braces {
            let parts: Vec<&str> = missing.iter().map(|part| part.pattern.as_str()).collect();
            diagnostic = diagnostic.note(format!("without a match: {}", parts.join(", ")));
        }
        if !pattern.starts_with('/') {
            diagnostic = diagnostic.help(format!("relative names start at {from}"));
        }
        self.diagnostics.push(diagnostic);
    }

    /// Read a file and work on its lines.
    fn open_file(&mut self, name: &str, path: &str, included: Option<Span>) -> Result<(), LoadError> {
        let limits = self.options.limits;
        let again = self.open_files.iter().any(|(open, _)| open == path);
        if again || self.open_files.len() > limits.include_depth as usize {
            // keepalived goes on until it has no file descriptors left.
            let reason = if again { "it is being read already" } else { "includes within includes go too deep" };
            let class = Class::GeneralError;
            let mut diagnostic =
                Diagnostic::new(class, "endless-include", refusal(name, &LoadError::Unreadable(reason.to_owned())));
            if let Some(used) = included {
                diagnostic = diagnostic.at(used).label("this would never end").help("take this include away");
            }
            self.diagnostics.push(diagnostic);
            return Ok(());
        }
        let octets = self.loader.read(path)?;
        let too_big = self.sources.length() + octets.len() + octets.len() / 2 > limits.text as usize;
        if too_big || self.sources.files().len() >= limits.files as usize {
            let at = included.unwrap_or_default();
            self.stop(at);
            return Ok(());
        }
        self.builder.reserve(octets.len());
        let span = self.sources.add_file(name, path, to_text(octets), included);
        let file = self.sources.last_file();
        let directory = path.rsplit_once('/').map_or(String::new(), |(directory, _)| {
            if directory.is_empty() { "/".to_owned() } else { directory.to_owned() }
        });
        let checks = self.checks;
        let unfinished = self.unfinished.take();
        self.open_files.push((path.to_owned(), directory));
        self.file_lines(file, span);
        self.open_files.pop();
        self.unfinished = unfinished;
        self.checks = checks;
        Ok(())
    }

    /// `include_check [[+|-]NAME…]`, the last line of the tree.
    pub(super) fn set_checks(&mut self) {
        let words: Vec<Span> = self.builder.last_arguments().collect();
        if words.is_empty() {
            self.checks = Checks::ALL;
            return;
        }
        let (mut add, mut remove) = (false, false);
        for (index, span) in words.into_iter().enumerate() {
            let word = self.sources.text(span);
            let name = match word.split_at_checked(1) {
                Some(("+", name)) => {
                    (add, remove) = (true, false);
                    name
                }
                Some(("-", name)) => {
                    (add, remove) = (false, true);
                    name
                }
                _ => word,
            };
            if index == 0 && !add && !remove {
                self.checks = Checks::NONE;
            }
            let checks = match remove {
                true => self.checks.without(name),
                false => Checks::named(name).map(|named| self.checks.or(named)),
            };
            match checks {
                Some(checks) => self.checks = checks,
                None => {
                    let message = format!("Unknown include_check type '{name}' - ignoring");
                    self.diagnostics.push(
                        Diagnostic::new(Class::GeneralError, "include-check", message).at(span).help(
                            "known are readable, match, wildcard_match and brace_match, each with + or - before it",
                        ),
                    );
                }
            }
        }
    }
}

/// keepalived's words for a file that it does not read.
fn refusal(name: &str, error: &LoadError) -> String {
    match error {
        LoadError::Absent => format!("Config files missing '{name}'."),
        LoadError::Directory => {
            format!("Configuration file '{}/' is a directory - skipping", name.trim_end_matches('/'))
        }
        LoadError::NotPlain => format!("Configuration file '{name}' is not a regular non-executable file - skipping"),
        LoadError::Unreadable(reason) => format!("Configuration file '{name}' open problem ({reason}) - skipping"),
    }
}

/// The `}` that stands after a blank and belongs to no `{` of the pattern.
fn closing_brace(argument: &str) -> Option<usize> {
    let octets = argument.as_bytes();
    let mut depth = 0;
    for (at, octet) in octets.iter().enumerate() {
        match octet {
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            b'}' if at > 0 && octets[at - 1].is_ascii_whitespace() => return Some(at),
            _ => {}
        }
    }
    None
}
