//! RFC 2402's authentication header as VRRPv2 uses it (RFC 2338 authentication type 2).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------+---------------+-------------------------------+
//! | next header   | length 4      |           reserved 0          |
//! |     112       | (words − 2)   |                               |
//! +---------------+---------------+-------------------------------+
//! |          security parameters index = source address           |
//! |                        sequence number                        |
//! |              HMAC-MD5 cut to 96 bits (RFC 2403)               |
//! |                                                               |
//! |                                                               |
//! +---------------------------------------------------------------+
//! ```
//!
//! What the digest covers follows keepalived, not RFC 2402, which would zero every mutable field: TOS, fragment word
//! and header checksum count as zero, the TTL only with unicast (a multicast advert has 255 or is refused anyway).

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use types::Secret;

use super::message::password_octets;
use super::{PROTOCOL_VRRP, Refusal};

/// Octets of the header.
pub(super) const LEN: usize = 24;
/// Octets of the check value.
const CHECK_VALUE_LEN: usize = 12;
/// Length field: 32-bit words minus 2.
const LENGTH_FIELD: u8 = (LEN / 4 - 2) as u8;

/// The header with its check value still zero.
pub(super) fn unsigned(spi: [u8; 4], sequence: u32) -> [u8; LEN] {
    let mut header = [0; LEN];
    header[0] = PROTOCOL_VRRP;
    header[1] = LENGTH_FIELD;
    header[4..8].copy_from_slice(&spi);
    header[8..12].copy_from_slice(&sequence.to_be_bytes());
    header
}

/// A received header.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// Security parameters index.
    pub(super) spi: u32,
    /// Sequence number.
    pub(super) sequence: u32,
    /// The header up to the check value.
    head: &'a [u8],
    /// The check value.
    check_value: &'a [u8; CHECK_VALUE_LEN],
    /// What follows.
    pub(super) message: &'a [u8],
}

/// Splits `payload`, which starts with an authentication header.
pub(super) fn view(payload: &[u8]) -> Result<View<'_>, Refusal> {
    let too_short = Refusal::TooShort { found: payload.len(), needed: LEN };
    let (header, message) = payload.split_first_chunk::<LEN>().ok_or(too_short)?;
    if header[0] != PROTOCOL_VRRP || header[1] != LENGTH_FIELD {
        return Err(Refusal::HeaderMalformed);
    }
    let (head, check_value) = header.split_last_chunk::<CHECK_VALUE_LEN>().ok_or(Refusal::HeaderMalformed)?;
    Ok(View {
        spi: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
        sequence: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
        head,
        check_value,
        message,
    })
}

impl View<'_> {
    /// Whether the check value is right for a packet with this IP header; takes the same time for every wrong one.
    pub(super) fn verifies(&self, key: &Secret, ip_header: &[u8], unicast: bool) -> bool {
        digest(key, ip_header, unicast, self.head, self.message).verify_truncated_left(self.check_value).is_ok()
    }
}

/// Puts the check value into `packet`: IP header of 20 octets, [`unsigned`] header, message.
pub(super) fn sign(key: &Secret, unicast: bool, packet: &mut [u8]) {
    let Some((ip_header, rest)) = packet.split_first_chunk_mut::<{ super::ip::HEADER_LEN }>() else { return };
    let Some((header, message)) = rest.split_first_chunk_mut::<LEN>() else { return };
    let Some((head, check_value)) = header.split_last_chunk_mut::<CHECK_VALUE_LEN>() else { return };
    let digest = digest(key, ip_header, unicast, head, message).finalize().into_bytes();
    for (octet, from) in check_value.iter_mut().zip(digest) {
        *octet = from;
    }
}

/// HMAC-MD5 over IP header, authentication header with a zero check value, and message.
fn digest(key: &Secret, ip_header: &[u8], unicast: bool, head: &[u8], message: &[u8]) -> Hmac<Md5> {
    let mut immutable = ip_header.to_vec();
    for (at, octet) in immutable.iter_mut().enumerate() {
        match at {
            1 | 6 | 7 | 10 | 11 => *octet = 0,
            8 if unicast => *octet = 0,
            _ => {}
        }
    }
    let mut mac = keyed(&password_octets(key.expose()));
    mac.update(&immutable);
    mac.update(head);
    mac.update(&[0; CHECK_VALUE_LEN]);
    mac.update(message);
    mac
}

/// HMAC-MD5 with a key of any length.
fn keyed(key: &[u8]) -> Hmac<Md5> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2202 §2, cases 1 to 7.
    #[test]
    fn hmac_md5_is_that_of_rfc_2202() {
        let counting: Vec<u8> = (1..=25).collect();
        let cases: [(&[u8], &[u8], &str); 7] = [
            (&[0x0b; 16], b"Hi There", "9294727a3638bb1c13f48ef8158bfc9d"),
            (b"Jefe", b"what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"),
            (&[0xaa; 16], &[0xdd; 50], "56be34521d144c88dbb8c733f0e8b3f6"),
            (&counting, &[0xcd; 50], "697eaf0aca3a3aea3a75164746ffaa79"),
            (&[0x0c; 16], b"Test With Truncation", "56461ef2342edc00f9bab995690efd4c"),
            (
                &[0xaa; 80],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd",
            ),
            (
                &[0xaa; 80],
                b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
                "6f630fad67cda0ee1fb1f562db3aa53e",
            ),
        ];
        for (key, data, expected) in cases {
            let mut mac = keyed(key);
            mac.update(data);
            let digest: String = mac.finalize().into_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
            assert_eq!(digest, expected);
        }
    }
}
