//! SMTP_CHECK: greeting 220, HELO answered 250, QUIT.
//!
//! keepalived refuses multi-line (`220-…`) and text-less (`220`) greetings, which RFC 5321 §4.2.1 allows; here they
//! are understood.

use std::io;

use lvs::Endpoint;
use sys::polled::Polled;
use tokio::time::{Instant, timeout_at};

use crate::connection::{NoConnection, connect_stream, receive, send_all};
use crate::outcome::Failure;

/// Octets of one reply, all its lines together. RFC 5321 §4.5.3.1.5 allows 512 a line.
const LONGEST_REPLY: usize = 16 * 1024;

/// What the octets of a reply, as far as they have come, mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The last line has not come yet.
    Incomplete,
    /// Its code, and how many octets it took.
    Complete {
        /// 100 to 599.
        code: u16,
        /// Octets up to and including the last line end.
        length: usize,
    },
    /// No SMTP reply: a line without three digits and a blank, hyphen or end; two codes in one; too long.
    Malformed(&'static str),
}

/// Reads a reply (RFC 5321 §4.2): `ddd-text` lines, then `ddd text` or `ddd`. Lines may end with LF alone.
pub fn parse_reply(octets: &[u8]) -> Reply {
    let (mut code, mut length) = (None, 0);
    while let Some(end) = octets[length..].iter().position(|octet| *octet == b'\n') {
        let line = &octets[length..length + end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        length += end + 1;
        let [a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = line else {
            return Reply::Malformed("no code of three digits");
        };
        let this = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
        if code.is_some_and(|code| code != this) {
            return Reply::Malformed("two codes in one reply");
        }
        match rest.first() {
            None | Some(b' ') => return Reply::Complete { code: this, length },
            Some(b'-') => code = Some(this),
            Some(_) => return Reply::Malformed("no blank after the code"),
        }
    }
    match octets.len() {
        LONGEST_REPLY.. => Reply::Malformed("too long"),
        _ => Reply::Incomplete,
    }
}

pub(crate) async fn check(endpoint: &Endpoint, helo: &str) -> Result<(), Failure> {
    let socket = connect_stream(endpoint).await.map_err(|refusal| match refusal {
        NoConnection::Own(failure) => failure,
        NoConnection::Unreachable(error) => Failure::system("Network unreachable for", &error),
        NoConnection::Failed(error) => Failure::system("Error connecting to", &error),
        // keepalived 2.2.7 says so of a refused connection (observed)
        NoConnection::Refused(error) => Failure::system("Could not connect to", &error),
        NoConnection::TimedOut => Failure::new("Connection timeout to", ""),
    })?;
    let mut dialogue = Dialogue { socket, endpoint, pending: Vec::new() };
    dialogue.expect(220, "Bad greeting banner from").await?;
    dialogue.say(&format!("HELO {helo}\r\n")).await?;
    dialogue.expect(250, "Bad HELO response from").await?;
    dialogue.say("QUIT\r\n").await
}

struct Dialogue<'a> {
    socket: Polled,
    endpoint: &'a Endpoint,
    /// Received and not yet understood.
    pending: Vec<u8>,
}

impl Dialogue<'_> {
    async fn say(&mut self, line: &str) -> Result<(), Failure> {
        match tokio::time::timeout(self.endpoint.timeout, send_all(&self.socket, line.as_bytes())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::system("Write failure to", &error)),
            Err(_) => Err(Failure::new("Write timeout to", "")),
        }
    }

    /// The deadline is the reply's, not each octet's.
    async fn expect(&mut self, wanted: u16, refusal: &'static str) -> Result<(), Failure> {
        let deadline = Instant::now() + self.endpoint.timeout;
        loop {
            match parse_reply(&self.pending) {
                Reply::Complete { code, length } if code == wanted => {
                    self.pending.drain(..length);
                    return Ok(());
                }
                Reply::Complete { code, .. } => return Err(Failure::new(refusal, format!("{code}, wanted {wanted}"))),
                Reply::Malformed(why) => {
                    let seen = String::from_utf8_lossy(&self.pending);
                    return Err(Failure::new(refusal, format!("{why}: {seen}")));
                }
                Reply::Incomplete => {}
            }
            let mut buffer = [0; 1024];
            match timeout_at(deadline, self.socket.read_with(|socket| receive(socket, &mut buffer))).await {
                Ok(Ok(0)) => return Err(closed()),
                Ok(Ok(length)) => self.pending.extend_from_slice(&buffer[..length]),
                Ok(Err(error)) => return Err(Failure::system("Read failure from", &error)),
                Err(_) => return Err(Failure::new("Read timeout from", "")),
            }
        }
    }
}

fn closed() -> Failure {
    Failure::system(
        "Read failure from",
        &io::Error::new(io::ErrorKind::UnexpectedEof, "connection closed by the server"),
    )
}

#[cfg(test)]
mod tests;
