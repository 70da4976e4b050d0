//! Bidirectional forwarding detection (RFC 5880, 5881, 5883): sessions without clock or socket.
//!
//! ```text
//!   packet, output opened/failed ── Event ──▶ Sessions ── Action ──▶ socket, VRRP and checker processes, log
//!                                   now ────▶          ◀── next_deadline
//! ```
//!
//! Asynchronous mode, version 1, without authentication and without echo, as keepalived has it. Randomness (jitter,
//! discriminators) grows from a seed that is handed in, so a test sees the same run every time.
//!
//! Nothing is said when the daemon stops: the neighbour notices after its detection time. AdminDown would be quicker,
//! but keepalived does not report it to its trackers, so they would stay up.

pub mod config;
mod discriminator;
mod event;
mod log;
mod packet;
mod refusal;
mod session;
mod sessions;
mod state;

pub use config::*;
pub use event::{Action, Event, Outgoing, ReceivedPacket, Report, SessionId};
pub use log::{Level, Line};
pub use packet::{ControlPacket, LEN as PACKET_LEN, parse};
pub use refusal::Refusal;
pub use session::View;
pub use sessions::{Sessions, Statistics};
pub use state::{Diagnostic, Input, State};

/// UDP port of single-hop sessions (RFC 5881 §4).
pub const PORT_SINGLE_HOP: u16 = 3784;
/// UDP port of multihop sessions (RFC 5883 §5).
pub const PORT_MULTIHOP: u16 = 4784;
/// Lowest source port; the highest is 65535 (RFC 5881 §4).
pub const LOWEST_SOURCE_PORT: u16 = 49_152;

#[cfg(test)]
mod pair;
