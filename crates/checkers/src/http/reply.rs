//! A reader of HTTP/1 replies that forgives what real servers do wrong and is bounded in all that they could do worse.
//!
//! It takes octets as they come and tells where the body is. It keeps the head (bounded) until that is complete, and
//! nothing of the body. What it forgives: lines that end with LF alone, a status line without a reason, `HTTP/2 200`,
//! unknown or broken header lines, a body that ends early. What it refuses: a reply that does not begin like HTTP, a
//! head beyond its bound, chunks that are none, a body beyond its bound.

use std::ops::Range;

/// Octets of a head, interim replies included.
pub const LONGEST_HEAD: usize = 64 * 1024;

/// Octets of a body, framing included.
pub const LONGEST_BODY: u64 = 64 * 1024 * 1024;

/// Digits of a chunk's length, and octets of the rest of its line and of each trailer line.
const LONGEST_CHUNK_LINE: usize = 4 * 1024;

/// Why a reply is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// It does not begin with `HTTP/`, a version and a three-digit status.
    StatusLine,
    /// More than [`LONGEST_HEAD`] octets without an empty line.
    HeadTooLong,
    /// A chunk without a hexadecimal length, without its line end, or with an endless line.
    Chunk,
    /// More than [`LONGEST_BODY`] octets.
    BodyTooLong,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::StatusLine => "no HTTP status line",
            Self::HeadTooLong => "header longer than 64 KiB",
            Self::Chunk => "malformed chunk",
            Self::BodyTooLong => "body longer than 64 MiB",
        })
    }
}

/// What a piece of the reply meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// Where the body's raw octets are in the piece, framing of chunks included: what keepalived's digest is of.
    pub raw: Range<usize>,
    /// Where octets of the content itself are, in order.
    pub content: Vec<Range<usize>>,
    /// The reply is complete; nothing that follows belongs to it.
    pub complete: bool,
}

/// How the end of the body is known (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// `Content-Length`.
    Length(u64),
    /// The end of the connection.
    UntilClose,
}

/// Reads one reply.
#[derive(Debug)]
pub struct ReplyReader {
    state: State,
    /// The head as far as it has come; kept when complete.
    head: Vec<u8>,
    /// Where the last status line begins in `head`.
    start: usize,
    status: Option<u16>,
    framing: Framing,
    body: u64,
}

#[derive(Debug)]
enum State {
    Head,
    Length { left: u64 },
    UntilClose,
    ChunkSize { size: u64, digits: u8, extension: bool, line: usize },
    ChunkData { left: u64 },
    ChunkEnd { carriage_return: bool },
    Trailer { line: usize },
    Complete,
}

impl Default for ReplyReader {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplyReader {
    /// A reader at the first octet.
    pub fn new() -> Self {
        Self { state: State::Head, head: Vec::new(), start: 0, status: None, framing: Framing::UntilClose, body: 0 }
    }

    /// Whether the head is complete.
    pub fn has_head(&self) -> bool {
        !matches!(self.state, State::Head)
    }

    /// The status, once its line is complete.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// How the body ends, once the head is complete.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// The head as it came, interim replies before it included, up to and including its empty line when complete.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Raw octets of the body so far.
    pub fn body_length(&self) -> u64 {
        self.body
    }

    /// Whether nothing more belongs to the reply.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::Complete)
    }

    /// Takes the next piece.
    pub fn take(&mut self, piece: &[u8]) -> Result<Taken, Malformed> {
        let mut at = 0;
        while matches!(self.state, State::Head) && at < piece.len() {
            at += self.take_head(&piece[at..])?;
        }
        if matches!(self.state, State::Head) {
            return Ok(Taken { raw: at..at, ..Taken::default() });
        }
        let begin = at;
        let mut content = Vec::new();
        while at < piece.len() && !self.is_complete() {
            at += self.take_body(&piece[at..], at, &mut content)?;
        }
        self.body += u64::try_from(at - begin).unwrap_or(u64::MAX);
        match self.body > LONGEST_BODY {
            true => Err(Malformed::BodyTooLong),
            false => Ok(Taken { raw: begin..at, content, complete: self.is_complete() }),
        }
    }

    /// Takes octets up to the end of a head; returns how many.
    fn take_head(&mut self, piece: &[u8]) -> Result<usize, Malformed> {
        let mut taken = 0;
        for octet in piece {
            taken += 1;
            self.head.push(*octet);
            if self.head.len() > LONGEST_HEAD {
                return Err(Malformed::HeadTooLong);
            }
            let head = &self.head[self.start..];
            if *octet != b'\n' {
                if head.len() <= 5 && !b"HTTP/".starts_with(head) {
                    return Err(Malformed::StatusLine);
                }
                continue;
            }
            if self.status.is_none() {
                self.status = Some(parse_status(head).ok_or(Malformed::StatusLine)?);
            }
            if head.ends_with(b"\n\n") || head.ends_with(b"\n\r\n") {
                self.finish_head();
                break;
            }
        }
        Ok(taken)
    }

    fn finish_head(&mut self) {
        let status = self.status.unwrap_or(0);
        // Interim replies (RFC 9110 §15.2) announce another one; 101 does not, but it changes the protocol.
        if (100..200).contains(&status) && status != 101 {
            self.start = self.head.len();
            self.status = None;
            return;
        }
        self.framing = match status {
            204 | 304 => Framing::Length(0),
            _ => framing(&self.head[self.start..]),
        };
        self.state = match self.framing {
            Framing::Chunked => State::ChunkSize { size: 0, digits: 0, extension: false, line: 0 },
            Framing::Length(0) => State::Complete,
            Framing::Length(left) => State::Length { left },
            Framing::UntilClose => State::UntilClose,
        };
    }

    /// Takes as many octets as one state has use for; `offset` is where `piece` stands in the caller's.
    fn take_body(&mut self, piece: &[u8], offset: usize, content: &mut Vec<Range<usize>>) -> Result<usize, Malformed> {
        match &mut self.state {
            State::Head | State::Complete => Ok(0),
            State::UntilClose => {
                content.push(offset..offset + piece.len());
                Ok(piece.len())
            }
            State::Length { left } => {
                let taken = shorter(piece.len(), *left);
                content.push(offset..offset + taken);
                *left -= u64::try_from(taken).unwrap_or(0);
                if *left == 0 {
                    self.state = State::Complete;
                }
                Ok(taken)
            }
            State::ChunkData { left } => {
                let taken = shorter(piece.len(), *left);
                content.push(offset..offset + taken);
                *left -= u64::try_from(taken).unwrap_or(0);
                if *left == 0 {
                    self.state = State::ChunkEnd { carriage_return: false };
                }
                Ok(taken)
            }
            _ => {
                self.take_framing(piece[0])?;
                Ok(1)
            }
        }
    }

    /// One octet between the chunks (RFC 9112 §7.1).
    fn take_framing(&mut self, octet: u8) -> Result<(), Malformed> {
        match &mut self.state {
            State::ChunkSize { size, digits, extension, line } => {
                *line += 1;
                match (octet, char::from(octet).to_digit(16)) {
                    (b'\n', _) if *digits > 0 => {
                        self.state = match *size {
                            0 => State::Trailer { line: 0 },
                            left => State::ChunkData { left },
                        }
                    }
                    (_, Some(digit)) if !*extension && *digits < 16 => {
                        *size = *size << 4 | u64::from(digit);
                        *digits += 1;
                    }
                    (b';' | b' ' | b'\t' | b'\r', _) if *digits > 0 => *extension = true,
                    (_, _) if *extension && *line < LONGEST_CHUNK_LINE && octet != b'\n' => {}
                    _ => return Err(Malformed::Chunk),
                }
            }
            State::ChunkEnd { carriage_return } => match octet {
                b'\r' if !*carriage_return => *carriage_return = true,
                b'\n' => self.state = State::ChunkSize { size: 0, digits: 0, extension: false, line: 0 },
                _ => return Err(Malformed::Chunk),
            },
            State::Trailer { line } => match octet {
                b'\n' if *line == 0 => self.state = State::Complete,
                b'\n' => *line = 0,
                b'\r' => {}
                _ if *line < LONGEST_CHUNK_LINE => *line += 1,
                _ => return Err(Malformed::Chunk),
            },
            State::Head | State::Length { .. } | State::UntilClose | State::ChunkData { .. } | State::Complete => {}
        }
        Ok(())
    }
}

fn shorter(piece: usize, left: u64) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(piece)
}

/// `HTTP/` version, blanks, three digits, then a blank or the end of the line.
fn parse_status(line: &[u8]) -> Option<u16> {
    let line = line.trim_ascii_end();
    let version_end = line.strip_prefix(b"HTTP/")?.iter().position(|octet| *octet == b' ')? + b"HTTP/".len();
    match line[version_end..].trim_ascii_start() {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..]
            if rest.first().is_none_or(|next| *next == b' ') =>
        {
            Some(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'))
        }
        _ => None,
    }
}

/// `chunked` wins over a length (RFC 9112 §6.3); a length that is no number does not count.
fn framing(head: &[u8]) -> Framing {
    let mut framing = Framing::UntilClose;
    for line in head.split(|octet| *octet == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|octet| *octet == b':') else { continue };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let last = value.rsplit(|octet| *octet == b',').next().unwrap_or_default().trim_ascii();
            if last.eq_ignore_ascii_case(b"chunked") {
                return Framing::Chunked;
            }
        } else if name.eq_ignore_ascii_case(b"content-length")
            && let Some(length) =
                std::str::from_utf8(value).ok().filter(|digits| digits.bytes().all(|d| d.is_ascii_digit()))
            && let Ok(length) = length.parse()
        {
            framing = Framing::Length(length);
        }
    }
    framing
}

#[cfg(test)]
mod tests;
