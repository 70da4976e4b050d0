//! Names and numbers that identify a virtual router or a service.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::OutOfRange;

/// Virtual router identifier, 1 to 255 (RFC 9568 §5.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Vrid(std::num::NonZeroU8);

impl Vrid {
    /// Refuses 0.
    pub fn new(vrid: u8) -> Result<Self, OutOfRange> {
        std::num::NonZeroU8::new(vrid).map(Self).ok_or_else(|| OutOfRange::new("virtual router id", "0", "1 to 255"))
    }

    /// The octet on the wire.
    pub fn get(self) -> u8 {
        self.0.get()
    }
}

impl fmt::Display for Vrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Priority as an advert carries it (RFC 9568 §5.2.4): 0 releases, 1 to 254 backs up, 255 owns the addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Priority(u8);

impl Priority {
    /// The master is leaving.
    pub const RELEASE: Self = Self(0);
    /// Default of a router that does not own the addresses.
    pub const DEFAULT: Self = Self(100);
    /// The owner of the addresses.
    pub const OWNER: Self = Self(255);

    /// Every octet is a priority.
    pub const fn new(priority: u8) -> Self {
        Self(priority)
    }

    /// The octet on the wire.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether this is the owner's 255.
    pub const fn is_owner(self) -> bool {
        self.0 == 255
    }

    /// Base priority with the sum of tracker weights, kept in 1 to 254; the owner stays the owner.
    pub fn with_weights(self, sum: i64) -> Self {
        if self.is_owner() {
            return self;
        }
        Self((i64::from(self.0).saturating_add(sum)).clamp(1, 254) as u8)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// VRRP protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum VrrpVersion {
    /// RFC 3768, IPv4 only.
    V2,
    /// RFC 9568, IPv4 and IPv6.
    V3,
}

impl VrrpVersion {
    /// 2 or 3.
    pub fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

impl fmt::Display for VrrpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// Time to live (IPv4) or hop limit (IPv6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ttl(pub u8);

impl Ttl {
    /// What VRRP adverts and single-hop BFD packets carry.
    pub const MAX: Self = Self(255);
}

/// Transport protocol of a virtual server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// IP protocol number: 6, 17 or 132.
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }

    /// The protocol with this IP protocol number, if IPVS balances it.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            6 => Some(Self::Tcp),
            17 => Some(Self::Udp),
            132 => Some(Self::Sctp),
            _ => None,
        }
    }
}

/// Lower case, as log lines and FIFO lines spell it.
impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

/// Any case, as keepalived.conf takes it.
impl FromStr for Protocol {
    type Err = OutOfRange;

    fn from_str(text: &str) -> Result<Self, OutOfRange> {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "sctp" => Ok(Self::Sctp),
            _ => Err(OutOfRange::new("protocol", text, "TCP, UDP or SCTP")),
        }
    }
}

/// Transport port; 0 means "every port" where IPVS allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Port(pub u16);

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Syslog facility as `-S` takes it: 0 to 7, `local0` to `local7`, `user` or `daemon`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Facility {
    /// LOG_USER.
    User,
    /// LOG_DAEMON, the default.
    Daemon,
    /// LOG_LOCAL0 to LOG_LOCAL7.
    Local(u8),
}

impl Facility {
    /// The facility number of RFC 5424 §6.2.1.
    pub fn number(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Daemon => 3,
            Self::Local(n) => 16 + n,
        }
    }
}

impl FromStr for Facility {
    type Err = OutOfRange;

    fn from_str(text: &str) -> Result<Self, OutOfRange> {
        match text {
            "user" => return Ok(Self::User),
            "daemon" => return Ok(Self::Daemon),
            _ => {}
        }
        match text.strip_prefix("local").unwrap_or(text).parse::<u8>() {
            Ok(n) if n <= 7 => Ok(Self::Local(n)),
            _ => Err(OutOfRange::new("syslog facility", text, "0 to 7, local0 to local7, user or daemon")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_keep_a_backup_between_1_and_254_and_never_move_the_owner() {
        assert_eq!(Priority::new(100).with_weights(-20).get(), 80);
        assert_eq!(Priority::new(100).with_weights(-200).get(), 1);
        assert_eq!(Priority::new(100).with_weights(1000).get(), 254);
        assert_eq!(Priority::OWNER.with_weights(-100), Priority::OWNER);
    }

    #[test]
    fn facilities_are_those_of_the_command_line() {
        assert_eq!("3".parse::<Facility>().unwrap().number(), 19);
        assert_eq!("local7".parse::<Facility>().unwrap().number(), 23);
        assert_eq!("daemon".parse::<Facility>().unwrap().number(), 3);
        assert!("8".parse::<Facility>().is_err());
        assert!("mail".parse::<Facility>().is_err());
    }
}
