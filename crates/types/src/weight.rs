//! Weights and marks.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::OutOfRange;

/// Weight of a real server, 0 to 2147483647; 0 takes no new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Weight(u32);

impl Weight {
    /// Keeps its connections, takes no new ones.
    pub const ZERO: Self = Self(0);
    /// Default.
    pub const ONE: Self = Self(1);

    /// At most 2147483647, as the kernel takes it.
    pub fn new(weight: u32) -> Result<Self, OutOfRange> {
        if weight <= i32::MAX as u32 {
            return Ok(Self(weight));
        }
        Err(OutOfRange::new("weight", weight.to_string(), "0 to 2147483647"))
    }

    /// `weight` forced into 0 to 2147483647.
    pub fn saturating(weight: i64) -> Self {
        Self(weight.clamp(0, i64::from(i32::MAX)) as u32)
    }

    /// As the kernel takes it.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a tracker adds to a priority, −254 to 254; 0 means that its failure is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrackWeight(i16);

impl TrackWeight {
    /// Failure is a fault.
    pub const FAULT: Self = Self(0);

    /// −254 to 254.
    pub fn new(weight: i16) -> Result<Self, OutOfRange> {
        if (-254..=254).contains(&weight) {
            return Ok(Self(weight));
        }
        Err(OutOfRange::new("track weight", weight.to_string(), "-254 to 254"))
    }

    /// The number added or subtracted.
    pub const fn get(self) -> i16 {
        self.0
    }
}

impl fmt::Display for TrackWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Firewall mark of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FwMark(pub u32);

impl fmt::Display for FwMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
