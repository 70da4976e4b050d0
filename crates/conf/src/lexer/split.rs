//! Where comments, words and braces are in a line.

/// What separates words: what C's `isspace` takes for a blank, less the line feed that ends lines.
pub(crate) fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | 0x0b | 0x0c | b'\n')
}

/// Offset of the first blank at or after `from`, or the end.
pub(crate) fn word_end(line: &[u8], from: usize) -> usize {
    line[from..].iter().position(|octet| is_blank(*octet)).map_or(line.len(), |length| from + length)
}

/// Where the comment starts, if there is one.
///
/// Observed: `"a # b"` has none, nor has an unfinished `"a # b`; `x#y` and `x!y` have; `x\#y` has not, `x\\#y` has.
pub(crate) fn comment_start(line: &[u8]) -> Option<usize> {
    if !line.iter().any(|octet| matches!(octet, b'#' | b'!')) {
        return None;
    }
    comment_marks(line).find(|mark| !mark.escaped).map(|mark| mark.at)
}

/// A `#` or `!` outside of quotes.
pub(crate) struct CommentMark {
    pub(crate) at: usize,
    /// Whether a backslash takes it literally.
    pub(crate) escaped: bool,
}

/// All marks that start a comment, or would without a backslash.
pub(crate) fn comment_marks(line: &[u8]) -> impl Iterator<Item = CommentMark> {
    let mut quotes = Quotes::default();
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(octet) = line.get(at) {
            match octet {
                b'#' | b'!' => {
                    at += 1;
                    return Some(CommentMark { at: at - 1, escaped: false });
                }
                b'\\' => {
                    at += 2;
                    if matches!(line.get(at - 1), Some(b'#' | b'!')) {
                        return Some(CommentMark { at: at - 1, escaped: true });
                    }
                }
                b'"' => at = quotes.double(line, at)? + 1,
                b'\'' => at = quotes.single(line, at).unwrap_or(at) + 1,
                _ => at += 1,
            }
        }
        None
    })
}

/// Finds closing quotes, and remembers when there is none left, so that a line of nothing but quotes takes linear time.
#[derive(Default)]
struct Quotes {
    /// Whether `\"` is text on this line; found out at its first quote.
    escapes: Option<bool>,
    no_single: bool,
}

impl Quotes {
    /// The double quote that closes the one at `open`.
    fn double(&mut self, line: &[u8], open: usize) -> Option<usize> {
        if *self.escapes.get_or_insert_with(|| escapes_hold(line, open)) {
            return unescaped_quote(line, open + 1);
        }
        line[open + 1..].iter().position(|octet| *octet == b'"').map(|length| open + 1 + length)
    }

    /// The single quote that closes the one at `open`, if these two quote: the first starts a word and the second ends one.
    fn single(&mut self, line: &[u8], open: usize) -> Option<usize> {
        if self.no_single || (open > 0 && !is_blank(line[open - 1])) {
            return None;
        }
        let mut at = open + 1;
        while let Some(octet) = line.get(at) {
            match octet {
                b'\'' if line.get(at + 1).is_none_or(|next| is_blank(*next)) => return Some(at),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        self.no_single = true;
        None
    }
}

/// The next double quote without a backslash before it.
fn unescaped_quote(line: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(octet) = line.get(at) {
        match octet {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// Whether all quotes find their partner when `\"` is text. If not, as in `"C:\" x`, the backslash is text itself.
fn escapes_hold(line: &[u8], open: usize) -> bool {
    let mut at = open;
    while let Some(octet) = line.get(at) {
        match octet {
            b'"' => match unescaped_quote(line, at + 1) {
                Some(close) => at = close + 1,
                None => return false,
            },
            b'#' | b'!' => return true,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    true
}

/// Length of `${NAME}` or `${_NAME ARGUMENTS}` at the start of the text.
fn reference_length(text: &[u8]) -> Option<usize> {
    let name = text.strip_prefix(b"${")?;
    let length = name.iter().position(|octet| !(octet.is_ascii_alphanumeric() || *octet == b'_'))?;
    match name[length] {
        b'}' if length > 0 => Some(length + 3),
        b' ' | b'\t' if name[0] == b'_' => {
            let close = name.iter().position(|octet| matches!(octet, b'{' | b'}' | b'"'))?;
            (name[close] == b'}').then_some(close + 3)
        }
        _ => None,
    }
}

/// A part of a line; offsets into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word: from, to, and whether double quotes stand around it.
    Word { start: usize, end: usize, quoted: bool },
    /// `{`
    Open(usize),
    /// `}`
    Close(usize),
    /// A double quote that nothing closes; what follows it is lost.
    Unterminated(usize),
}

/// The words and braces of a line without its comment.
pub(crate) struct Tokens<'l> {
    line: &'l [u8],
    at: usize,
    /// Braces before this offset are text: they stand in single quotes.
    text_until: usize,
    quotes: Quotes,
}

impl<'l> Tokens<'l> {
    pub(crate) fn new(line: &'l [u8], from: usize) -> Self {
        Self { line, at: from, text_until: 0, quotes: Quotes::default() }
    }

    fn is_brace(&self, at: usize) -> bool {
        matches!(self.line[at], b'{' | b'}') && at >= self.text_until
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let line = self.line;
        while self.at < line.len() && is_blank(line[self.at]) {
            self.at += 1;
        }
        let start = self.at;
        match *line.get(start)? {
            b'"' => {
                return Some(match self.quotes.double(line, start) {
                    Some(close) => {
                        self.at = close + 1;
                        Token::Word { start: start + 1, end: close, quoted: true }
                    }
                    None => {
                        self.at = line.len();
                        Token::Unterminated(start)
                    }
                });
            }
            b'{' if self.is_brace(start) => {
                self.at += 1;
                return Some(Token::Open(start));
            }
            b'}' if self.is_brace(start) => {
                self.at += 1;
                return Some(Token::Close(start));
            }
            b'\'' if start >= self.text_until => {
                self.text_until = self.quotes.single(line, start).unwrap_or(0);
            }
            _ => {}
        }
        while let Some(octet) = line.get(self.at) {
            match octet {
                // The braces of `${NAME}` are no blocks', whether a definition replaces it or not.
                b'$' => self.at += reference_length(&line[self.at..]).unwrap_or(1),
                b'{' | b'}' if self.is_brace(self.at) => break,
                b'"' => break,
                octet if is_blank(*octet) => break,
                _ => self.at += 1,
            }
        }
        Some(Token::Word { start, end: self.at, quoted: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Vec<String> {
        Tokens::new(line.as_bytes(), 0)
            .map(|token| match token {
                Token::Word { start, end, quoted: false } => line[start..end].to_owned(),
                Token::Word { start, end, quoted: true } => format!("<{}>", &line[start..end]),
                Token::Open(_) => "OPEN".to_owned(),
                Token::Close(_) => "CLOSE".to_owned(),
                Token::Unterminated(_) => "LOST".to_owned(),
            })
            .collect()
    }

    /// Observed on 2.2.7 with a keyword that names each word it does not know.
    #[test]
    fn words_are_what_keepalived_takes_for_words() {
        let table: &[(&str, &[&str])] = &[
            ("x\"y z\"w", &["x", "<y z>", "w"]),
            ("\"y z\"w", &["<y z>", "w"]),
            ("w\"y z\" \"x\" y", &["w", "<y z>", "<x>", "y"]),
            ("a\"\" \"\"b \"\"", &["a", "<>", "<>", "b", "<>"]),
            ("\"a b", &["LOST"]),
            ("a\"b c\" d\"e", &["a", "<b c>", "d", "LOST"]),
            ("'a b' c", &["'a", "b'", "c"]),
            ("a{b", &["a", "OPEN", "b"]),
            ("a}b", &["a", "CLOSE", "b"]),
            ("{}", &["OPEN", "CLOSE"]),
            ("a\"{\"b", &["a", "<{>", "b"]),
            ("\"x {y} z\"", &["<x {y} z>"]),
            ("\"a}b ", &["LOST"]),
            ("a\tb\u{b}c\u{c}d\r", &["a", "b", "c", "d"]),
            ("", &[]),
            ("  \t", &[]),
        ];
        for (line, words) in table {
            assert_eq!(shown(line), *words, "{line}");
        }
    }

    /// keepalived splits these and then crashes or complains (2.2.7).
    #[test]
    fn what_only_one_thing_could_mean_is_understood() {
        let table: &[(&str, &[&str])] = &[
            ("'x {y} z' {", &["'x", "{y}", "z'", "OPEN"]),
            ("it's {", &["it's", "OPEN"]),
            ("'tis {", &["'tis", "OPEN"]),
            ("a${UNDEFINED}b {", &["a${UNDEFINED}b", "OPEN"]),
            ("a${_RANDOM 1 5}b {", &["a${_RANDOM 1 5}b", "OPEN"]),
            ("${", &["$", "OPEN"]),
            ("${} x", &["$", "OPEN", "CLOSE", "x"]),
            (r#""say \"hi\" to" x"#, &[r#"<say \"hi\" to>"#, "x"]),
            (r#""C:\" x"#, &[r"<C:\>", "x"]),
            (r#""C:\" "x y""#, &[r"<C:\>", "<x y>"]),
        ];
        for (line, words) in table {
            assert_eq!(shown(line), *words, "{line}");
        }
    }

    #[test]
    fn comments_start_where_keepalived_sees_them() {
        let table = [
            ("a # b", Some(2)),
            ("a#b", Some(1)),
            ("a!b", Some(1)),
            ("! x", Some(0)),
            (r"a\#b", None),
            (r"a\#b#", Some(4)),
            (r"a\\#b", Some(3)),
            ("\"a # b\" # c", Some(8)),
            ("\"a # b", None),
            ("'a # b' # c", Some(8)),
            ("it's # don't", Some(5)),
            ("'tis # don't", Some(5)),
            (r#""a\"b # c""#, None),
            ("a\\", None),
            ("", None),
        ];
        for (line, start) in table {
            assert_eq!(comment_start(line.as_bytes()), start, "{line}");
        }
    }
}
