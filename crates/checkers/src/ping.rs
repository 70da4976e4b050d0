//! PING_CHECK: an echo request is answered.
//!
//! Datagram ICMP sockets are used where `net.ipv4.ping_group_range` lets our group have them, raw ones otherwise.
//! keepalived widens that setting of the whole host for as long as it runs; with raw sockets, for which a director has
//! the capability anyway, nothing needs to be changed. [`Access`] tells the program what was found.

use std::net::SocketAddr;

use lvs::Endpoint;
use nix::sys::socket::{SockProtocol, SockType};
use tokio::time::{Instant, timeout_at};

use crate::connection::{NoConnection, begin, open, plain_words, receive, register, send};
use crate::outcome::Failure;

/// How ICMP may be spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Datagram sockets: our group is within `net.ipv4.ping_group_range`.
    Datagram,
    /// Raw sockets: the range does not hold our group, but we have CAP_NET_RAW.
    Raw,
}

/// Octets of payload, as `ping` sends them.
const PAYLOAD: &[u8; 56] = b"rkeepalived echo check: 0123456789abcdefghijklmnopqrstuv";

/// The identity of one echo request. A datagram socket puts in an id of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Echo {
    /// Identifier.
    pub id: u16,
    /// Sequence number.
    pub sequence: u16,
}

/// An echo request (RFC 792; RFC 4443 §4.1). The checksum is filled in for ICMP; for ICMPv6 the kernel does it.
pub fn request(echo: Echo, version_6: bool) -> Vec<u8> {
    let [id_high, id_low] = echo.id.to_be_bytes();
    let [sequence_high, sequence_low] = echo.sequence.to_be_bytes();
    let kind = if version_6 { 128 } else { 8 };
    let mut message = vec![kind, 0, 0, 0, id_high, id_low, sequence_high, sequence_low];
    message.extend_from_slice(PAYLOAD);
    if !version_6 {
        let [high, low] = checksum(&message).to_be_bytes();
        message[2] = high;
        message[3] = low;
    }
    message
}

/// The echo reply in a received message; `None` for everything else. Raw IPv4 sockets give the IP header too.
pub fn reply(message: &[u8], version_6: bool, with_header: bool) -> Option<Echo> {
    let message = match with_header {
        true => message.get(usize::from(message.first()? & 0x0f) * 4..)?,
        false => message,
    };
    let wanted = if version_6 { 129 } else { 0 };
    match message {
        [kind, 0, _, _, a, b, c, d, ..] if *kind == wanted => {
            Some(Echo { id: u16::from_be_bytes([*a, *b]), sequence: u16::from_be_bytes([*c, *d]) })
        }
        _ => None,
    }
}

/// The Internet checksum (RFC 1071) of a message whose checksum field is zero.
fn checksum(message: &[u8]) -> u16 {
    let words = message.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

/// `access` is what earlier probes found; it is set when this one had to find out.
pub(crate) async fn check(endpoint: &Endpoint, echo: Echo, access: &mut Option<Access>) -> Result<(), Failure> {
    // An echo has no port, and the kernel would take one for a protocol.
    let endpoint =
        &Endpoint { destination: SocketAddr::new(endpoint.destination.ip(), 0), bind_port: None, ..endpoint.clone() };
    let version_6 = endpoint.destination.is_ipv6();
    let protocol = if version_6 { SockProtocol::IcmpV6 } else { SockProtocol::Icmp };
    let socket = match *access {
        Some(Access::Raw) => open(endpoint, SockType::Raw, protocol)?,
        Some(Access::Datagram) => open(endpoint, SockType::Datagram, protocol)?,
        None => match open(endpoint, SockType::Datagram, protocol) {
            Ok(socket) => {
                *access = Some(Access::Datagram);
                socket
            }
            Err(_) => {
                let socket = open(endpoint, SockType::Raw, protocol)?;
                *access = Some(Access::Raw);
                socket
            }
        },
    };
    let raw = *access == Some(Access::Raw);
    begin(&socket, endpoint).map_err(NoConnection::in_plain_words)?;
    let socket = register(socket).map_err(NoConnection::in_plain_words)?;
    send(&socket, &request(echo, version_6)).map_err(|error| plain_words(&error))?;

    let deadline = Instant::now() + endpoint.timeout;
    let mut buffer = [0; 256];
    loop {
        match timeout_at(deadline, socket.read_with(|socket| receive(socket, &mut buffer))).await {
            Ok(Ok(length)) => {
                let answer = reply(&buffer[..length], version_6, raw && !version_6);
                // A raw socket hears the replies to everybody on this host; another's is not an answer.
                if answer.is_some_and(|answer| answer.sequence == echo.sequence && (!raw || answer.id == echo.id)) {
                    return Ok(());
                }
            }
            Ok(Err(error)) => return Err(plain_words(&error)),
            Err(_) => return Err(Failure::new("no echo reply within connect_timeout", "")),
        }
    }
}

#[cfg(test)]
mod tests;
