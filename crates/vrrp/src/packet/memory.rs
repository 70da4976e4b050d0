//! What a virtual router remembers from packet to packet.

use std::time::Duration;

use super::replay::Marks;
use super::trailer::Stamp;

/// Sequence numbers, replay marks and the checksum that an old peer taught us. One for each instance, for its life.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// Newest sequence number of the authentication header, ours or a peer's: one counter for each virtual router.
    pub(super) sequence: u32,
    /// Identification in the IPv4 header of the last advert that we sent.
    pub(super) identification: u16,
    /// Newest stamp of an `auth_hmac` trailer that we sent.
    pub(super) stamp: Option<Stamp>,
    /// Newest stamps that we accepted, by sender.
    pub(super) marks: Marks,
    /// A unicast peer computes the version 3 checksum in the old way, and so do we from then on.
    pub(super) old_unicast_checksum: bool,
}

impl Memory {
    /// Sequence numbers from here up are treated as the end of the circle: whatever comes next starts again at 1.
    pub(super) const SEQUENCE_END: u32 = 0xFFFF_FFFD;

    /// A router that goes on where its former process was: `sequence` is what [`Memory::sequence`] said there.
    pub fn with_sequence(sequence: u32) -> Self {
        Self { sequence, ..Self::default() }
    }

    /// Newest sequence number of the authentication header, sent or received; 0 before the first.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Whether a peer taught us the old unicast checksum.
    pub fn uses_old_unicast_checksum(&self) -> bool {
        self.old_unicast_checksum
    }

    /// The next number for the authentication header: one for each advert, the same to all peers.
    pub(super) fn next_sequence(&mut self) -> u32 {
        self.sequence = if self.sequence >= Self::SEQUENCE_END { 1 } else { self.sequence + 1 };
        self.sequence
    }

    /// The identification for the IPv4 header of the next advert: counts from 1 and leaves 0 out.
    ///
    /// Linux replaces 0 by a number of its own when a raw socket sends without "don't fragment", and an
    /// authentication header over a replaced number is wrong. keepalived 2.2.7 counts likewise.
    pub(super) fn next_identification(&mut self) -> u16 {
        self.identification = self.identification.checked_add(1).unwrap_or(1);
        self.identification
    }

    /// Takes a received sequence number unless it was used before.
    pub(super) fn accept_sequence(&mut self, number: u32) -> bool {
        if number <= self.sequence && self.sequence < Self::SEQUENCE_END {
            return false;
        }
        self.sequence = number;
        true
    }

    /// The stamp of the next trailer: the time, or just after the last stamp when the clock did not move on.
    ///
    /// A clock set back by more than `recover` starts afresh: peers would call the old stamps stale, and by then
    /// they have forgotten the marks (keepalived 2.4.3 recovers likewise).
    pub(super) fn next_stamp(&mut self, utc: Duration, recover: Duration) -> Stamp {
        let now = Stamp::at(utc);
        let stamp = match self.stamp {
            Some(last) if !now.is_newer_than(last) && now.seconds_until(last) <= recover.as_secs() => last.successor(),
            _ => now,
        };
        self.stamp = Some(stamp);
        stamp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_grow_and_begin_again_at_one() {
        let mut memory = Memory::with_sequence(Memory::SEQUENCE_END - 1);
        assert_eq!(memory.next_sequence(), Memory::SEQUENCE_END);
        assert_eq!(memory.next_sequence(), 1);
        assert_eq!(memory.next_sequence(), 2);
    }

    #[test]
    fn identifications_count_from_one_and_leave_zero_out() {
        let mut memory = Memory::default();
        assert_eq!(memory.next_identification(), 1);
        memory.identification = u16::MAX;
        assert_eq!(memory.next_identification(), 1);
    }

    #[test]
    fn a_used_sequence_number_is_refused_except_after_the_end_of_the_circle() {
        let mut memory = Memory::with_sequence(7);
        assert!(!memory.accept_sequence(7));
        assert!(!memory.accept_sequence(6));
        assert!(memory.accept_sequence(8));
        let mut memory = Memory::with_sequence(Memory::SEQUENCE_END);
        assert!(memory.accept_sequence(1));
        assert!(!memory.accept_sequence(1));
    }

    #[test]
    fn stamps_never_stand_still_and_recover_from_a_clock_set_back() {
        let window = Duration::from_secs(5);
        let mut memory = Memory::default();
        let noon = Duration::from_secs(1_700_000_000);
        let first = memory.next_stamp(noon, window);
        let second = memory.next_stamp(noon, window);
        assert!(second.is_newer_than(first));
        let third = memory.next_stamp(noon - Duration::from_secs(3), window);
        assert!(third.is_newer_than(second));
        let hour_before = noon - Duration::from_secs(3600);
        assert_eq!(memory.next_stamp(hour_before, window), Stamp::at(hour_before));
    }
}
