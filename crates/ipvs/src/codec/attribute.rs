//! Attributes: a writer that patches lengths, and a reader that refuses what does not fit.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{NLA_F_NESTED, NlaBuffer, NlasIterator};
use types::Family;

/// Why a message of the kernel could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// It ends in the middle of a header or an attribute.
    Truncated {
        /// What was being read.
        reading: &'static str,
    },
    /// An attribute that must be there is not.
    Missing {
        /// Its name in `linux/ip_vs.h`.
        attribute: &'static str,
    },
    /// An attribute holds what cannot be.
    Value {
        /// Its name in `linux/ip_vs.h`.
        attribute: &'static str,
        /// What it holds.
        found: String,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { reading } => write!(f, "{reading} is cut short"),
            Self::Missing { attribute } => write!(f, "{attribute} is missing"),
            Self::Value { attribute, found } => write!(f, "{attribute} cannot be {found}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Writes attributes at the end of a buffer, each padded to four octets.
pub(super) struct Writer<'a> {
    buffer: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(buffer: &'a mut Vec<u8>) -> Self {
        Self { buffer }
    }

    pub(super) fn octets(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(4 + value.len()).expect("attributes hold names and addresses, far below 64 KiB");
        self.buffer.extend_from_slice(&length.to_ne_bytes());
        self.buffer.extend_from_slice(&kind.to_ne_bytes());
        self.buffer.extend_from_slice(value);
        self.buffer.resize(self.buffer.len().next_multiple_of(4), 0);
    }

    pub(super) fn u8(&mut self, kind: u16, value: u8) {
        self.octets(kind, &[value]);
    }

    pub(super) fn u16(&mut self, kind: u16, value: u16) {
        self.octets(kind, &value.to_ne_bytes());
    }

    pub(super) fn u16_network(&mut self, kind: u16, value: u16) {
        self.octets(kind, &value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, kind: u16, value: u32) {
        self.octets(kind, &value.to_ne_bytes());
    }

    pub(super) fn u32_network(&mut self, kind: u16, value: u32) {
        self.octets(kind, &value.to_be_bytes());
    }

    /// Text with its closing NUL.
    pub(super) fn text(&mut self, kind: u16, value: &str) {
        let mut octets = Vec::with_capacity(value.len() + 1);
        octets.extend_from_slice(value.as_bytes());
        octets.push(0);
        self.octets(kind, &octets);
    }

    /// An address in the 16 octets of `union nf_inet_addr`.
    pub(super) fn address(&mut self, kind: u16, address: IpAddr) {
        let mut octets = [0u8; 16];
        match address {
            IpAddr::V4(address) => octets[..4].copy_from_slice(&address.octets()),
            IpAddr::V6(address) => octets = address.octets(),
        }
        self.octets(kind, &octets);
    }

    pub(super) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Writer<'_>)) {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&[0; 2]);
        self.buffer.extend_from_slice(&(kind | NLA_F_NESTED).to_ne_bytes());
        fill(&mut Writer::new(self.buffer));
        let length = u16::try_from(self.buffer.len() - start).expect("a service or destination is far below 64 KiB");
        self.buffer[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    }
}

/// One attribute as received.
#[derive(Clone, Copy)]
pub(super) struct Attribute<'a> {
    pub(super) kind: u16,
    pub(super) value: &'a [u8],
    name: &'static str,
}

impl<'a> Attribute<'a> {
    /// The same attribute, with its name for messages.
    pub(super) fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(super) fn fixed<const N: usize>(self) -> Result<[u8; N], DecodeError> {
        self.value.get(..N).and_then(|octets| octets.try_into().ok()).ok_or_else(|| self.refuse())
    }

    pub(super) fn u8(self) -> Result<u8, DecodeError> {
        self.fixed::<1>().map(|[octet]| octet)
    }

    pub(super) fn u16(self) -> Result<u16, DecodeError> {
        self.fixed().map(u16::from_ne_bytes)
    }

    pub(super) fn u16_network(self) -> Result<u16, DecodeError> {
        self.fixed().map(u16::from_be_bytes)
    }

    pub(super) fn u32(self) -> Result<u32, DecodeError> {
        self.fixed().map(u32::from_ne_bytes)
    }

    pub(super) fn u32_network(self) -> Result<u32, DecodeError> {
        self.fixed().map(u32::from_be_bytes)
    }

    /// 64 bits, or 32 as the older counters have them.
    pub(super) fn counter(self) -> Result<u64, DecodeError> {
        match self.value.len() {
            4 => self.u32().map(u64::from),
            _ => self.fixed().map(u64::from_ne_bytes),
        }
    }

    pub(super) fn text(self) -> Result<String, DecodeError> {
        let octets = self.value.split(|&octet| octet == 0).next().unwrap_or_default();
        std::str::from_utf8(octets).map(str::to_owned).map_err(|_| self.refuse())
    }

    pub(super) fn family(self) -> Result<Family, DecodeError> {
        match self.u16()? {
            2 => Ok(Family::Inet),
            10 => Ok(Family::Inet6),
            _ => Err(self.refuse()),
        }
    }

    /// An address of `family` in up to 16 octets.
    pub(super) fn address(self, family: Family) -> Result<IpAddr, DecodeError> {
        match family {
            Family::Inet => self.fixed::<4>().map(|octets| IpAddr::V4(Ipv4Addr::from(octets))),
            Family::Inet6 => self.fixed::<16>().map(|octets| IpAddr::V6(Ipv6Addr::from(octets))),
        }
    }

    pub(super) fn refuse(self) -> DecodeError {
        DecodeError::Value { attribute: self.name, found: format!("{:02x?}", self.value) }
    }
}

/// The attributes in `octets`, in their order; an attribute that does not fit is an error.
pub(super) fn attributes<'a>(
    octets: &'a [u8],
    reading: &'static str,
) -> impl Iterator<Item = Result<Attribute<'a>, DecodeError>> {
    NlasIterator::new(octets).map(move |attribute: Result<NlaBuffer<&'a [u8]>, _>| {
        let attribute = attribute.map_err(|_| DecodeError::Truncated { reading })?;
        let (kind, end) = (attribute.kind(), usize::from(attribute.length()));
        // the iterator has proven 4 <= end <= length
        let value = attribute.into_inner().get(4..end).ok_or(DecodeError::Truncated { reading })?;
        Ok(Attribute { kind, value, name: reading })
    })
}
