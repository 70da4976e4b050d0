//! What the sessions are told and what they answer.

use std::net::{IpAddr, SocketAddr};

use types::Ttl;

use crate::{Line, PACKET_LEN};

/// A session; never used again for another one while the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u32);

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A packet arrived on a listening socket.
    Packet(ReceivedPacket<'a>),
    /// Answers [`Action::OpenOutput`]: packets can be sent.
    OutputOpened(SessionId),
    /// Answers [`Action::OpenOutput`]: they cannot (for instance `source_ip` is on no interface). Also when an open
    /// socket broke.
    OutputFailed(SessionId),
}

/// A packet as a listening socket gave it.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedPacket<'a> {
    /// Sender, with its port.
    pub source: SocketAddr,
    /// Our address in the IP header.
    pub destination: IpAddr,
    /// TTL or hop limit in the IP header.
    pub ttl: Ttl,
    /// Arrived on port 4784 rather than 3784.
    pub multihop: bool,
    /// UDP payload.
    pub octets: &'a [u8],
}

/// What must be done now, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Open the socket that this session sends from; answer with [`Event::OutputOpened`] or [`Event::OutputFailed`].
    OpenOutput(SessionId),
    /// The session is gone: close its socket.
    CloseOutput(SessionId),
    /// Send a packet.
    Send(Outgoing),
    /// Tell the VRRP and checker processes.
    Report(Report),
    /// A line for the log.
    Log(Line),
}

/// A packet to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Whose: through its output socket.
    pub session: SessionId,
    /// The neighbour, with the port of single or multiple hops.
    pub destination: SocketAddr,
    /// TTL or hop limit.
    pub ttl: Ttl,
    /// UDP payload.
    pub octets: [u8; PACKET_LEN],
}

/// State of a session, for those who track it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which.
    pub session: SessionId,
    /// `bfd_instance NAME`.
    pub name: String,
    /// Up, or not.
    pub up: bool,
    /// The VRRP process listens.
    pub vrrp: bool,
    /// The checker process listens.
    pub checker: bool,
}
