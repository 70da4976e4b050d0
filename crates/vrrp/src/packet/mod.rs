//! Adverts on the wire: VRRPv2 (RFC 3768, with RFC 2338's authentication) and VRRPv3 (RFC 9568), IPv4 and IPv6.
//!
//! ```text
//!   ReceivedPacket ── peek_vrid ──▶ which instance?
//!        │
//!        └─ receive(packet, Expected, &mut Memory, now, utc) ──▶ ReceivedAdvert | Refusal (reason + counter)
//!
//!   Outgoing ── build(outgoing, &mut Memory, utc) ──▶ one Destination for the group or for each peer
//! ```
//!
//! Whatever peers disagree on is a value handed in: the checksum's coverage ([`ChecksumV3`]), the authentication
//! ([`Authentication`]), unicast or multicast ([`Cast`]). What a router must remember from packet to packet (sequence
//! numbers, replay marks, an old peer's checksum) is a [`Memory`], owned by the instance.
//!
//! This module refuses to decide anything about states: a valid advert is a value, and what follows from it is the
//! instance's business. No octets make it panic.
//!
//! [`ChecksumV3`]: crate::config::ChecksumV3
//! [`Authentication`]: crate::config::Authentication
//! [`Cast`]: crate::config::Cast

mod authentication_header;
mod build;
mod checksum;
mod ip;
mod memory;
mod message;
mod receive;
mod refusal;
mod replay;
mod trailer;

pub use build::{Outgoing, build};
pub(crate) use checksum::Sum;
pub use memory::Memory;
pub use receive::{Expected, ReceivedAdvert, Remark, peek_vrid, receive};
pub use refusal::{Counter, Refusal};

/// IP protocol number of VRRP.
pub const PROTOCOL_VRRP: u8 = 112;
/// IP protocol number of the authentication header (RFC 2402).
pub const PROTOCOL_AH: u8 = 51;
/// Octets of an IPv4 header without options: what an advert costs beside its message.
pub const IPV4_HEADER_LEN: usize = ip::HEADER_LEN;
/// Octets of the authentication header with its 96-bit check value.
pub const AUTHENTICATION_HEADER_LEN: usize = authentication_header::LEN;
/// Octets of the `auth_hmac` trailer.
pub const TRAILER_LEN: usize = trailer::LEN;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod signing;
