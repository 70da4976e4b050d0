//! Moments and intervals.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{OutOfRange, Priority};

/// A moment on the monotonic clock, in nanoseconds since an arbitrary origin.
///
/// Pure crates are handed these; only the program reads a clock. The supervisor and its children share the origin
/// (CLOCK_MONOTONIC), so a moment may cross a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Instant(u64);

impl Instant {
    /// The origin; for tests and simulations.
    pub const ZERO: Self = Self(0);

    /// `nanoseconds` after the origin.
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Advertisement interval as VRRPv3 carries it: 1 to 4095 hundredths of a second (RFC 9568 §5.2.7).
///
/// VRRPv2 carries whole seconds, 1 to 255, so a value here may reach 25,500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CentiSeconds(u16);

impl CentiSeconds {
    /// Largest that a v3 advert carries.
    pub const MAX_V3: Self = Self(4095);
    /// One second, the default.
    pub const SECOND: Self = Self(100);

    /// 1 to 25,500 hundredths of a second.
    pub fn new(centiseconds: u16) -> Result<Self, OutOfRange> {
        if (1..=25_500).contains(&centiseconds) {
            return Ok(Self(centiseconds));
        }
        Err(OutOfRange::new("advertisement interval", centiseconds.to_string(), "1 to 25500 hundredths of a second"))
    }

    /// `seconds` as a v2 advert carries them; refuses 0.
    pub fn from_seconds(seconds: u8) -> Result<Self, OutOfRange> {
        Self::new(u16::from(seconds) * 100)
    }

    /// Hundredths of a second.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whole seconds, rounded up, at most 255: what a v2 advert carries.
    pub fn as_v2_seconds(self) -> u8 {
        self.0.div_ceil(100).min(255) as u8
    }

    /// As a duration.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0 as u64 * 10)
    }

    /// Skew time of VRRPv3: (256 − priority) × interval / 256 (RFC 9568 §6.1), kept to the microsecond.
    pub fn skew_v3(self, priority: Priority) -> Duration {
        Duration::from_micros((256 - u64::from(priority.get())) * u64::from(self.0) * 10_000 / 256)
    }

    /// Skew time of VRRPv2: (256 − priority) / 256 seconds whatever the interval (RFC 3768 §6.1).
    pub fn skew_v2(priority: Priority) -> Duration {
        Duration::from_micros((256 - u64::from(priority.get())) * 1_000_000 / 256)
    }
}

/// Seconds with as many decimals as needed: `1`, `0.01`.
impl fmt::Display for CentiSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(f, "{whole}"),
            rest if rest % 10 == 0 => write!(f, "{whole}.{}", rest / 10),
            rest => write!(f, "{whole}.{rest:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (priority, interval in cs, v3 skew µs, v2 skew µs): RFC 9568 §6.1 and RFC 3768 §6.1, exact integer form.
    #[test]
    fn skew_times_are_exact_to_the_microsecond() {
        for (priority, interval, v3, v2) in [
            (255, 100, 3_906, 3_906),
            (254, 100, 7_812, 7_812),
            (200, 100, 218_750, 218_750),
            (100, 100, 609_375, 609_375),
            (1, 100, 996_093, 996_093),
            (100, 500, 3_046_875, 609_375),
            (100, 10, 60_937, 609_375),
            (100, 1, 6_093, 609_375),
            (1, 4095, 40_790_039, 996_093),
        ] {
            let (priority, interval) = (Priority::new(priority), CentiSeconds::new(interval).unwrap());
            assert_eq!(interval.skew_v3(priority).as_micros(), v3);
            assert_eq!(CentiSeconds::skew_v2(priority).as_micros(), v2);
        }
    }

    #[test]
    fn intervals_print_as_seconds() {
        for (centiseconds, text) in [(100, "1"), (150, "1.5"), (1, "0.01"), (4095, "40.95")] {
            assert_eq!(CentiSeconds::new(centiseconds).unwrap().to_string(), text);
        }
    }
}
