//! Which stamps of `auth_hmac` trailers were seen.

use std::net::IpAddr;
use std::time::Duration;

use types::Instant;

use super::trailer::Stamp;

/// Senders remembered with multicast, where nobody says beforehand who there is.
const MULTICAST_SLOTS: usize = 4;

/// Who sent an advert, and among how many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender {
    /// Its address.
    pub(super) address: IpAddr,
    /// Configured unicast peers; 0 with multicast.
    pub(super) peers: usize,
}

/// The newest stamp of one sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    sender: IpAddr,
    stamp: Stamp,
    heard: Instant,
}

/// The newest stamp of each sender, the one heard last at the end.
///
/// Bounded: one for each unicast peer, else four, and the sender unheard for longest makes room. Only a valid digest
/// leaves a mark, so a stranger cannot push marks out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks(Vec<Mark>);

impl Marks {
    /// Takes `stamp` unless this sender showed it, or a newer one, within the last `window`.
    ///
    /// A mark older than the window counts no more: else a sender whose clock was set back would never be heard again.
    pub(super) fn accept(&mut self, sender: Sender, stamp: Stamp, now: Instant, window: Duration) -> bool {
        let known = self.0.iter().position(|mark| mark.sender == sender.address);
        if let Some(at) = known {
            let mark = self.0[at];
            if now.since(mark.heard) <= window && !stamp.is_newer_than(mark.stamp) {
                return false;
            }
            self.0.remove(at);
        }
        while self.0.len() >= sender.peers.max(MULTICAST_SLOTS) {
            self.0.remove(0);
        }
        self.0.push(Mark { sender: sender.address, stamp, heard: now });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(5);

    fn sender(last_octet: u8, peers: usize) -> Sender {
        Sender { address: IpAddr::from([192, 0, 2, last_octet]), peers }
    }

    fn second(seconds: u64) -> (Stamp, Instant) {
        (Stamp::at(Duration::from_secs(1_700_000_000 + seconds)), Instant::from_nanos(seconds * 1_000_000_000))
    }

    #[test]
    fn the_same_or_an_older_stamp_is_a_replay() {
        let mut marks = Marks::default();
        let (old, _) = second(9);
        let (stamp, now) = second(10);
        assert!(marks.accept(sender(1, 0), stamp, now, WINDOW));
        assert!(!marks.accept(sender(1, 0), stamp, now, WINDOW));
        assert!(!marks.accept(sender(1, 0), old, now, WINDOW));
        assert!(marks.accept(sender(1, 0), stamp.successor(), now, WINDOW));
        assert!(marks.accept(sender(2, 0), old, now, WINDOW));
    }

    #[test]
    fn a_mark_older_than_the_window_counts_no_more() {
        let mut marks = Marks::default();
        let (stamp, now) = second(10);
        assert!(marks.accept(sender(1, 0), stamp, now, WINDOW));
        assert!(!marks.accept(sender(1, 0), stamp, now + WINDOW, WINDOW));
        assert!(marks.accept(sender(1, 0), stamp, now + WINDOW + Duration::from_millis(1), WINDOW));
    }

    #[test]
    fn with_multicast_the_sender_unheard_for_longest_makes_room() {
        let mut marks = Marks::default();
        let (stamp, now) = second(10);
        for last_octet in 1..=5 {
            assert!(marks.accept(sender(last_octet, 0), stamp, now, WINDOW));
        }
        assert!(!marks.accept(sender(2, 0), stamp, now, WINDOW));
        assert!(marks.accept(sender(1, 0), stamp, now, WINDOW), "the first of five is forgotten");
    }

    #[test]
    fn every_unicast_peer_has_a_mark_of_its_own() {
        let mut marks = Marks::default();
        let (stamp, now) = second(10);
        for last_octet in 1..=9 {
            assert!(marks.accept(sender(last_octet, 9), stamp, now, WINDOW));
        }
        for last_octet in 1..=9 {
            assert!(!marks.accept(sender(last_octet, 9), stamp, now, WINDOW));
        }
    }
}
