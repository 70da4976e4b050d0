//! Addresses: family, prefix, hardware address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::OutOfRange;

/// Address family of a virtual router, service or address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// IPv4.
    Inet,
    /// IPv6.
    Inet6,
}

impl Family {
    /// The family that `address` belongs to.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Inet,
            IpAddr::V6(_) => Self::Inet6,
        }
    }

    /// Octets of one address: 4 or 16.
    pub fn address_len(self) -> usize {
        match self {
            Self::Inet => 4,
            Self::Inet6 => 16,
        }
    }

    /// Longest prefix: 32 or 128 bits.
    pub fn max_prefix_len(self) -> u8 {
        match self {
            Self::Inet => 32,
            Self::Inet6 => 128,
        }
    }
}

/// `IPv4` or `IPv6`, as log lines spell it.
impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inet => "IPv4",
            Self::Inet6 => "IPv6",
        })
    }
}

/// An address with a prefix length in bits; host bits are kept as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// `length` is at most 32 for IPv4 and 128 for IPv6.
    pub fn new(address: IpAddr, length: u8) -> Result<Self, OutOfRange> {
        if length > Family::of(address).max_prefix_len() {
            return Err(OutOfRange::new(
                "prefix length",
                length.to_string(),
                match address {
                    IpAddr::V4(_) => "0 to 32 bits",
                    IpAddr::V6(_) => "0 to 128 bits",
                },
            ));
        }
        Ok(Self { address, length })
    }

    /// One address: /32 or /128.
    pub fn host(address: IpAddr) -> Self {
        Self { address, length: Family::of(address).max_prefix_len() }
    }

    /// The address, host bits included.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// Prefix length in bits.
    pub fn length(self) -> u8 {
        self.length
    }

    /// Family of the address.
    pub fn family(self) -> Family {
        Family::of(self.address)
    }

    /// Whether this is a single address.
    pub fn is_host(self) -> bool {
        self.length == self.family().max_prefix_len()
    }

    /// The prefix with its host bits cleared.
    pub fn network(self) -> Self {
        let address = match self.address {
            IpAddr::V4(a) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(a) & mask))
            }
            IpAddr::V6(a) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(a) & mask))
            }
        };
        Self { address, length: self.length }
    }

    /// Whether `address` lies in this prefix.
    pub fn contains(self, address: IpAddr) -> bool {
        Family::of(address) == self.family() && Self { address, length: self.length }.network() == self.network()
    }
}

/// `10.0.0.1/24`.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// `10.0.0.1` (a host) or `10.0.0.1/24`.
impl FromStr for Prefix {
    type Err = OutOfRange;

    fn from_str(text: &str) -> Result<Self, OutOfRange> {
        let refuse = || OutOfRange::new("address", text, "an IPv4 or IPv6 address, with /LENGTH if wanted");
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| refuse())?;
        match length {
            None => Ok(Self::host(address)),
            Some(length) => Self::new(address, length.parse().map_err(|_| refuse())?),
        }
    }
}

/// A 48-bit hardware address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// ff:ff:ff:ff:ff:ff.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// The virtual router MAC: 00:00:5e:00:01:VRID for IPv4, 00:00:5e:00:02:VRID for IPv6 (RFC 9568 §7.3).
    pub fn virtual_router(family: Family, vrid: crate::Vrid) -> Self {
        let kind = match family {
            Family::Inet => 1,
            Family::Inet6 => 2,
        };
        Self([0x00, 0x00, 0x5e, 0x00, kind, vrid.get()])
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for MacAddr {
    type Err = OutOfRange;

    fn from_str(text: &str) -> Result<Self, OutOfRange> {
        let refuse =
            || OutOfRange::new("hardware address", text, "six octets in hexadecimal, such as 00:00:5e:00:01:33");
        let mut octets = [0u8; 6];
        let mut words = text.split(':');
        for octet in &mut octets {
            let word = words.next().ok_or_else(refuse)?;
            *octet = u8::from_str_radix(word, 16).map_err(|_| refuse())?;
        }
        match words.next() {
            None => Ok(Self(octets)),
            Some(_) => Err(refuse()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_keeps_host_bits_and_knows_its_network() {
        let prefix: Prefix = "192.168.160.100/24".parse().unwrap();
        assert_eq!(prefix.to_string(), "192.168.160.100/24");
        assert_eq!(prefix.network().to_string(), "192.168.160.0/24");
        assert!(prefix.contains("192.168.160.7".parse().unwrap()));
        assert!(!prefix.contains("192.168.161.7".parse().unwrap()));
        assert!(!prefix.contains("::1".parse().unwrap()));
    }

    #[test]
    fn zero_length_prefixes_contain_their_whole_family() {
        let everything: Prefix = "10.0.0.1/0".parse().unwrap();
        assert!(everything.contains("203.0.113.9".parse().unwrap()));
        let everything: Prefix = "::/0".parse().unwrap();
        assert!(everything.contains("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn prefix_refuses_what_cannot_be() {
        for text in ["10.0.0.1/33", "::1/129", "10.0.0/8", "10.0.0.1/", "10.0.0.1/x", ""] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }

    #[test]
    fn virtual_router_mac_is_rfc_9568_7_3() {
        let vrid = crate::Vrid::new(51).unwrap();
        assert_eq!(MacAddr::virtual_router(Family::Inet, vrid).to_string(), "00:00:5e:00:01:33");
        assert_eq!(MacAddr::virtual_router(Family::Inet6, vrid).to_string(), "00:00:5e:00:02:33");
    }
}
