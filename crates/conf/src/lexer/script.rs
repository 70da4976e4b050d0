//! Words of script lines, which have quotes of both kinds and escapes.

use crate::diagnostic::{Class, Diagnostic, Diagnostics, repeated};
use crate::lexer::is_blank;
use crate::source::Span;
use crate::tree::Line;

/// A word of a script line: owned, because quotes and escapes were taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptWord {
    /// Its text.
    pub text: String,
    /// Where it stands, quotes included.
    pub span: Span,
    /// Whether any of it was quoted.
    pub quoted: bool,
}

/// The words of a line whose keyword takes a script: `'…'`, `"…"` and backslash escapes are understood. The keyword comes first.
///
/// Unlike in other lines, what is quoted joins what stands beside it, as in a shell. Escapes hold inside both kinds of quotes and
/// outside: `\a \b \E \f \n \r \t \v`, `\xHH`, `\OOO`, `\cX`; before anything else the backslash vanishes.
/// keepalived splits the first argument a second time to get the command and its arguments: [`split_command`].
pub fn script_words(line: Line<'_>, diagnostics: &mut Diagnostics) -> Vec<ScriptWord> {
    let raw = line.raw();
    let start = line.span().start;
    let mut words = Vec::new();
    let unmatched = split(raw, |text, from, to, quoted| {
        let span = Span::new(start + from as u32, (to - from) as u32);
        words.push(ScriptWord { text, span, quoted });
    });
    if let Some((at, quote)) = unmatched {
        diagnostics.push(missing_terminator(raw, quote).at(Span::new(start + at as u32, 1)));
    }
    words
}

/// A command: the program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments.
    pub words: Vec<String>,
    /// The quote that nothing closes, if there is one.
    pub unmatched: Option<char>,
}

/// Split the text of a script argument (`"/bin/x 'a b' c"` without its outer quotes) as [`script_words`] splits a line.
pub fn split_command(text: &str) -> Command {
    let mut words = Vec::new();
    let unmatched = split(text, |text, _, _, _| words.push(text)).map(|(_, quote)| quote);
    Command { words, unmatched }
}

fn missing_terminator(raw: &str, quote: char) -> Diagnostic {
    Diagnostic::new(
        Class::UnmatchedQuote,
        "unmatched-quote",
        format!("String '{}': missing terminating {quote}", repeated(raw)),
    )
    .label("opened here, closed nowhere")
    .help(format!("add the closing {quote}, or write \\{quote} if it belongs to the text"))
}

/// Calls `word` with text, start, end and whether quoted; returns place and kind of a quote that nothing closes.
fn split(raw: &str, mut word: impl FnMut(String, usize, usize, bool)) -> Option<(usize, char)> {
    let octets = raw.as_bytes();
    let mut at = 0;
    loop {
        while at < octets.len() && is_blank(octets[at]) {
            at += 1;
        }
        if at >= octets.len() {
            return None;
        }
        let start = at;
        let mut text = String::new();
        let mut quote: Option<(usize, u8)> = None;
        let mut quoted = false;
        while at < octets.len() {
            let octet = octets[at];
            match (octet, quote) {
                (b'\\', _) => at = escape(raw, at, &mut text),
                (b'"' | b'\'', None) => {
                    quote = Some((at, octet));
                    quoted = true;
                    at += 1;
                }
                (_, Some((_, open))) if octet == open => {
                    quote = None;
                    at += 1;
                }
                (_, None) if is_blank(octet) => break,
                _ => {
                    let letter = raw[at..].chars().next()?;
                    text.push(letter);
                    at += letter.len_utf8();
                }
            }
        }
        word(text, start, at, quoted);
        if let Some((open, octet)) = quote {
            return Some((open, char::from(octet)));
        }
    }
}

/// Take the escape at `at`, append what it stands for, return where to go on.
fn escape(raw: &str, at: usize, text: &mut String) -> usize {
    let Some(letter) = raw[at + 1..].chars().next() else {
        text.push('\\');
        return at + 1;
    };
    let after = at + 1 + letter.len_utf8();
    let value = match letter {
        'a' => 0x07,
        'b' => 0x08,
        'E' => 0x1b,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        'x' => {
            let digits = raw[after..].bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
            match u8::from_str_radix(&raw[after..after + digits], 16) {
                Ok(value) => {
                    push_octet(value, text);
                    return after + digits;
                }
                Err(_) => b'x',
            }
        }
        '0'..='7' => {
            let digits = raw[at + 1..].bytes().take(3).take_while(|octet| matches!(octet, b'0'..=b'7')).count();
            let value =
                raw[at + 1..].bytes().take(digits).fold(0u32, |value, octet| value * 8 + u32::from(octet - b'0'));
            push_octet(value as u8, text);
            return at + 1 + digits;
        }
        'c' => match raw[after..].chars().next() {
            Some(control) if control.is_ascii() => {
                push_octet(control as u8 & 0x1f, text);
                return after + 1;
            }
            _ => b'c',
        },
        other => {
            text.push(other);
            return after;
        }
    };
    push_octet(value, text);
    after
}

/// An octet that is no character by itself is kept as the files' are.
fn push_octet(octet: u8, text: &mut String) {
    if octet.is_ascii() { text.push(char::from(octet)) } else { text.push_str(&crate::source::to_text(vec![octet])) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Observed on 2.2.7: the configuration dump quotes each argument of a notify script.
    #[test]
    fn commands_are_split_as_keepalived_splits_them() {
        let table: &[(&str, &[&str])] = &[
            ("/bin/true 'a b' c", &["/bin/true", "a b", "c"]),
            (r"/bin/true a\ b", &["/bin/true", "a b"]),
            ("/bin/\"true a\"", &["/bin/true a"]),
            ("/bin/true a\"b\"'c'd", &["/bin/true", "abcd"]),
            (r"/bin/true \x41\101 \E \cA \q \$x \`", &["/bin/true", "AA", "\x1b", "\x01", "q", "$x", "`"]),
            (r"/bin/true a\nb '\x41'", &["/bin/true", "a\nb", "A"]),
            (r"/bin/true a#b \# \!", &["/bin/true", "a#b", "#", "!"]),
            ("/bin/true { a } b", &["/bin/true", "{", "a", "}", "b"]),
            ("/bin/true ''", &["/bin/true", ""]),
            ("", &[]),
            ("a\\", &["a\\"]),
            (r"\xzz \x4", &["xzz", "\x04"]),
            ("ä\\ö 'ü'", &["äö", "ü"]),
        ];
        for (text, words) in table {
            assert_eq!(
                split_command(text),
                Command { words: words.iter().map(|w| (*w).to_owned()).collect(), unmatched: None },
                "{text}"
            );
        }
    }

    #[test]
    fn a_quote_that_nothing_closes_is_named() {
        assert_eq!(split_command("/bin/true 'a b").unmatched, Some('\''));
        assert_eq!(split_command("/bin/true \"a b").unmatched, Some('"'));
        assert_eq!(split_command(r"/bin/true \'a b").unmatched, None);
    }

    #[test]
    fn octets_beyond_ascii_survive_an_escape() {
        let command = split_command(r"\xe9");
        assert_eq!(crate::source::octets(&command.words[0]).as_ref(), b"\xe9");
    }
}
