//! Newtypes of the VRRP and IPVS world.
//!
//! A value of one of these types is proven: constructors refuse what cannot be, so nobody re-checks later.
//! Units live in the type ([`CentiSeconds`], [`Instant`]); parsing and `Display` use the field's own spelling.
//! This crate knows nothing of clocks, sockets or files.

mod address;
mod identity;
mod interface;
mod secret;
mod time;
mod weight;

pub use address::{Family, MacAddr, Prefix};
pub use identity::{Facility, Port, Priority, Protocol, Ttl, Vrid, VrrpVersion};
pub use interface::{IfIndex, IfName};
pub use secret::Secret;
pub use time::{CentiSeconds, Instant};
pub use weight::{FwMark, TrackWeight, Weight};

/// Why a value was refused: what was found and what would have been accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfRange {
    /// What kind of value it should have been, in the field's own words ("virtual router id").
    pub what: &'static str,
    /// What was found.
    pub found: String,
    /// What is accepted, with its unit ("1 to 255").
    pub accepted: &'static str,
}

impl OutOfRange {
    /// A refusal of `found` as a `what`.
    pub fn new(what: &'static str, found: impl Into<String>, accepted: &'static str) -> Self {
        Self { what, found: found.into(), accepted }
    }
}

impl std::fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} '{}' is out of range: {}", self.what, self.found, self.accepted)
    }
}

impl std::error::Error for OutOfRange {}
