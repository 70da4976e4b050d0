//! The trailer of `auth_hmac`: a truncated HMAC-SHA-256 behind the VRRP message, both versions, both families.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------+---------------+-------------------------------+
//! |    type 1     |    key id     |           reserved 0          |
//! |                          UTC seconds                          |
//! |   fraction, 1/65536 second    |            counter            |
//! |        HMAC-SHA-256 cut to 128 bits (16 octets)               |
//! +---------------------------------------------------------------+
//! ```
//!
//! The digest covers a pseudo header (family 4 or 6, VRRP version, VRID, 0, source address in 16 octets), the message
//! with its checksum as zero, the first 12 octets of the trailer, and 16 zero octets in place of the digest: the wire
//! format of keepalived 2.4.2.

use std::net::IpAddr;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use types::{Instant, Secret};

use super::Refusal;
use super::memory::Memory;
use super::message::CHECKSUM_AT;
use super::replay::Sender;
use crate::config::{AntiReplay, HmacConfig, HmacMode};

/// Octets of the trailer.
pub(super) const LEN: usize = 28;
/// Octets before the digest.
const HEAD_LEN: usize = 12;
/// Octets of the digest.
const DIGEST_LEN: usize = 16;
/// HMAC-SHA-256 cut to 128 bits.
const TYPE_HMAC_SHA256_128: u8 = 1;

/// When a trailer was made: UTC as 32 bits of seconds, 16 bits of fraction, 16 bits of counter.
///
/// Compared as serial numbers (RFC 1982), so 2106 is no special year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(u64);

impl Stamp {
    /// The stamp of a moment since the epoch, counter 0.
    pub(super) fn at(utc: Duration) -> Self {
        let fraction = u64::from(utc.subsec_nanos()) * 65_536 / 1_000_000_000;
        Self((utc.as_secs() & 0xFFFF_FFFF) << 32 | fraction << 16)
    }

    /// The stamp just after this one.
    pub(super) fn successor(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// Whether this comes after `other` on the circle.
    pub(super) fn is_newer_than(self, other: Self) -> bool {
        self.behind(other) > 0
    }

    /// Whole seconds from this one to a later one.
    pub(super) fn seconds_until(self, later: Self) -> u64 {
        later.0.wrapping_sub(self.0) >> 32
    }

    /// This minus `other`, in 2^-32 seconds.
    fn behind(self, other: Self) -> i64 {
        self.0.wrapping_sub(other.0) as i64
    }
}

/// The trailer for `message`, signed with the active key; `None` where this mode does not sign.
pub(super) fn sign(
    config: &HmacConfig,
    source: IpAddr,
    message: &[u8],
    memory: &mut Memory,
    utc: Duration,
) -> Option<[u8; LEN]> {
    match config.mode {
        HmacMode::Enforce | HmacMode::Permissive => {}
        HmacMode::ReceiveOnly => return None,
    }
    let (id, key) = config.keys.iter().find(|(id, _)| *id == config.active_key)?;
    let stamp = memory.next_stamp(utc, config.time_window);
    let mut trailer = [0; LEN];
    trailer[0] = TYPE_HMAC_SHA256_128;
    trailer[1] = *id;
    trailer[4..HEAD_LEN].copy_from_slice(&stamp.0.to_be_bytes());
    let digest = digest(key, source, message, &trailer[..HEAD_LEN]).finalize().into_bytes();
    for (octet, from) in trailer[HEAD_LEN..].iter_mut().zip(digest) {
        *octet = from;
    }
    Some(trailer)
}

/// Verifies `trailer`; the order is keepalived's: malformed, unknown key, freshness, digest, replay.
///
/// A valid one is remembered. Returns how far the sender's clock is ahead of ours, in seconds, where that is more
/// than half the window (only with [`AntiReplay::Time`]).
pub(super) fn verify(
    config: &HmacConfig,
    sender: Sender,
    message: &[u8],
    trailer: &[u8; LEN],
    memory: &mut Memory,
    now: Instant,
    utc: Duration,
) -> Result<Option<i64>, Refusal> {
    let [kind, id, reserved @ ..] = *trailer.first_chunk::<4>().ok_or(Refusal::TrailerMalformed)?;
    if kind != TYPE_HMAC_SHA256_128 || reserved != [0, 0] {
        return Err(Refusal::TrailerMalformed);
    }
    let (_, key) = config.keys.iter().find(|(known, _)| *known == id).ok_or(Refusal::TrailerUnknownKey { key: id })?;
    let (head, digest_received) = trailer.split_last_chunk::<DIGEST_LEN>().ok_or(Refusal::TrailerMalformed)?;
    let (_, stamp) = head.split_last_chunk::<8>().ok_or(Refusal::TrailerMalformed)?;
    let stamp = Stamp(u64::from_be_bytes(*stamp));
    let approaching = match config.anti_replay {
        AntiReplay::Monotonic => None,
        AntiReplay::Time => {
            let behind = stamp.behind(Stamp::at(utc));
            let skew = behind / (1 << 32);
            let window = config.time_window.as_secs();
            if behind.unsigned_abs() > window << 32 {
                return Err(Refusal::TrailerStale { skew, window });
            }
            (behind.unsigned_abs() > window << 31).then_some(skew)
        }
    };
    digest(key, sender.address, message, head)
        .verify_truncated_left(digest_received)
        .map_err(|_| Refusal::TrailerInvalidHmac)?;
    if !memory.marks.accept(sender, stamp, now, config.time_window) {
        return Err(Refusal::TrailerReplay);
    }
    Ok(approaching)
}

/// The digest before it is cut.
fn digest(key: &Secret, source: IpAddr, message: &[u8], head: &[u8]) -> Hmac<Sha256> {
    let mut pseudo = [0; 20];
    match source {
        IpAddr::V4(address) => {
            pseudo[0] = 4;
            pseudo[4..8].copy_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            pseudo[0] = 6;
            pseudo[4..20].copy_from_slice(&address.octets());
        }
    }
    pseudo[1] = message.first().map_or(0, |first| first >> 4);
    pseudo[2] = message.get(1).copied().unwrap_or(0);
    let (before_checksum, rest) = message.split_at(CHECKSUM_AT.min(message.len()));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
    mac.update(&pseudo);
    mac.update(before_checksum);
    mac.update(&[0, 0]);
    mac.update(rest.get(2..).unwrap_or(&[]));
    mac.update(head);
    mac.update(&[0; DIGEST_LEN]);
    mac
}
