//! Why a packet was refused.

use std::fmt;

use types::Ttl;

use crate::State;

/// The rule that a packet broke, in the order of RFC 5880 §6.8.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Fewer octets than the fixed part has.
    TooShort {
        /// Octets there.
        found: usize,
    },
    /// Not version 1.
    Version {
        /// As received.
        found: u8,
    },
    /// The length field is less than the fixed part needs, or more than there is.
    Length {
        /// As received.
        field: u8,
        /// Octets there.
        found: usize,
    },
    /// Detection multiplier is 0.
    Multiplier,
    /// The multipoint bit is set.
    Multipoint,
    /// The sender's discriminator is 0.
    MyDiscriminator,
    /// Ours is 0 though the sender is in Init or Up.
    YourDiscriminator {
        /// State of the sender.
        state: State,
    },
    /// The authentication bit is set; we use none.
    Authentication,
    /// No session has this discriminator.
    UnknownDiscriminator {
        /// As received.
        found: u32,
    },
    /// No session has this neighbour (and, where it is configured, this local address).
    UnknownNeighbour,
    /// It travelled too many hops.
    Ttl {
        /// As received.
        found: Ttl,
        /// Lowest accepted.
        lowest: Ttl,
    },
    /// The session has no socket to answer from; one is being opened.
    NoOutput,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { found } => write!(f, "packet has {found} octets, at least 24 needed"),
            Self::Version { found } => write!(f, "version is {found}, 1 expected"),
            Self::Length { field, found } => write!(f, "length field is {field}, packet has {found} octets"),
            Self::Multiplier => f.write_str("detection multiplier is 0"),
            Self::Multipoint => f.write_str("multipoint bit is set"),
            Self::MyDiscriminator => f.write_str("my discriminator field is 0"),
            Self::YourDiscriminator { state } => {
                write!(f, "your discriminator field is 0 although the sender is in state {state}")
            }
            Self::Authentication => f.write_str("authentication bit is set, but authentication is not in use"),
            Self::UnknownDiscriminator { found } => {
                write!(f, "session is not found - your discriminator field is 0x{found:08x}")
            }
            Self::UnknownNeighbour => f.write_str("session is not found - no bfd_instance has this neighbor_ip"),
            Self::Ttl { found, lowest } => write!(f, "TTL/hop limit is {}, at least {} needed", found.0, lowest.0),
            Self::NoOutput => f.write_str("session has no output socket yet"),
        }
    }
}

impl std::error::Error for Refusal {}
