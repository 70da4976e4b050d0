//! Network interfaces.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::OutOfRange;

/// Name of a network interface: 1 to 15 bytes, no blank, no slash, neither `.` nor `..` (as the kernel checks it).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IfName(Box<str>);

impl IfName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for IfName {
    type Err = OutOfRange;

    fn from_str(text: &str) -> Result<Self, OutOfRange> {
        let fits = (1..=15).contains(&text.len());
        let clean = !text.contains(|c: char| c == '/' || c == ':' || c.is_ascii_whitespace() || c == '\0');
        if fits && clean && text != "." && text != ".." {
            return Ok(Self(text.into()));
        }
        Err(OutOfRange::new("interface name", text, "1 to 15 bytes without blank, slash or colon"))
    }
}

/// Kernel's number of an interface; it changes when an interface is deleted and created again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IfIndex(pub u32);

impl fmt::Display for IfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_kernel_accepts() {
        assert_eq!("ens33".parse::<IfName>().unwrap().as_str(), "ens33");
        for bad in ["", "a-name-too-long-for-it", "a/b", "eth0:1", "e th", "."] {
            assert!(bad.parse::<IfName>().is_err(), "{bad}");
        }
    }
}
