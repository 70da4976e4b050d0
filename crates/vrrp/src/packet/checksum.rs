//! The internet checksum (RFC 1071) and the pseudo headers put before it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::PROTOCOL_VRRP;

/// A running one's-complement sum of 16-bit words.
///
/// Every part but the last must have an even number of octets.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum(u32);

impl Sum {
    /// Adds `octets` as big-endian words; a last odd octet counts as the high half of a word.
    pub(crate) fn add(mut self, octets: &[u8]) -> Self {
        let (words, rest) = octets.as_chunks::<2>();
        for word in words {
            self = self.word(u16::from_be_bytes(*word));
        }
        if let [last] = rest {
            self = self.word(u16::from(*last) << 8);
        }
        self
    }

    /// Adds one word, end-around carry included.
    fn word(self, word: u16) -> Self {
        let sum = self.0 + u32::from(word);
        Self((sum & 0xFFFF) + (sum >> 16))
    }

    /// The checksum: the complement of the sum.
    pub(crate) fn finish(self) -> u16 {
        !(self.0 as u16)
    }

    /// IPv4 pseudo header of VRRP as deployed: source, destination, zero, protocol 112, length in 16 bits.
    pub(crate) fn pseudo_v4(source: Ipv4Addr, destination: Ipv4Addr, length: usize) -> Self {
        Self::default()
            .add(&source.octets())
            .add(&destination.octets())
            .word(u16::from(PROTOCOL_VRRP))
            .word(length as u16)
    }

    /// IPv6 pseudo header (RFC 8200 §8.1): source, destination, length in 32 bits, next header.
    pub(crate) fn pseudo_v6(source: Ipv6Addr, destination: Ipv6Addr, length: usize, next_header: u8) -> Self {
        Self::default()
            .add(&source.octets())
            .add(&destination.octets())
            .add(&(length as u32).to_be_bytes())
            .word(u16::from(next_header))
    }

    /// The pseudo header between two addresses; families that differ have none.
    pub(crate) fn pseudo(source: IpAddr, destination: IpAddr, length: usize) -> Self {
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Self::pseudo_v4(source, destination, length),
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                Self::pseudo_v6(source, destination, length, PROTOCOL_VRRP)
            }
            _ => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071_adds_up() {
        let sum = Sum::default().add(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(sum.finish(), !0xddf2);
    }

    #[test]
    fn an_odd_octet_is_padded_with_zero() {
        assert_eq!(Sum::default().add(&[0x12]).finish(), !0x1200);
    }

    #[test]
    fn carries_go_round_the_end() {
        assert_eq!(Sum::default().add(&[0xff, 0xff, 0x00, 0x02]).finish(), !0x0002);
    }
}
