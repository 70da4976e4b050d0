//! Random numbers from a seed: discriminators that nobody else has, and jitter.

use std::collections::HashMap;
use std::time::Duration;

use crate::SessionId;

/// Local discriminators in use, and the source of randomness that makes them.
#[derive(Debug, Clone)]
pub(crate) struct Discriminators {
    seed: u64,
    owners: HashMap<u32, SessionId>,
}

impl Discriminators {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, owners: HashMap::new() }
    }

    /// A discriminator for `owner`, not 0 and not in use.
    pub(crate) fn take(&mut self, owner: SessionId) -> u32 {
        loop {
            let candidate = (self.random() >> 32) as u32;
            if candidate != 0 && !self.owners.contains_key(&candidate) {
                self.owners.insert(candidate, owner);
                return candidate;
            }
        }
    }

    /// Nobody has `discriminator` any more.
    pub(crate) fn release(&mut self, discriminator: u32) {
        self.owners.remove(&discriminator);
    }

    /// Who has `discriminator`.
    pub(crate) fn owner(&self, discriminator: u32) -> Option<SessionId> {
        self.owners.get(&discriminator).copied()
    }

    /// `interval` less 10 to 25 %: inside RFC 5880 §6.8.7 for every multiplier (75 to 90 % with 1, else 75 to 100 %).
    pub(crate) fn jittered(&mut self, interval: Duration) -> Duration {
        let part = self.random() % 150_001;
        let microseconds = interval.as_micros() as u64;
        Duration::from_micros(microseconds.saturating_mul(750_000 + part) / 1_000_000)
    }

    /// The next number of the sequence (splitmix64).
    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_takes_10_to_25_percent() {
        let mut numbers = Discriminators::new(7);
        let samples: Vec<_> = (0..10_000).map(|_| numbers.jittered(Duration::from_millis(1000)).as_millis()).collect();
        assert!(samples.iter().all(|sample| (750..=900).contains(sample)));
        assert!(samples.iter().any(|sample| *sample < 760) && samples.iter().any(|sample| *sample > 890));
    }

    #[test]
    fn discriminators_differ_and_are_found_until_released() {
        let mut numbers = Discriminators::new(7);
        let (one, two) = (numbers.take(SessionId(1)), numbers.take(SessionId(2)));
        assert_ne!(one, two);
        assert_eq!(numbers.owner(one), Some(SessionId(1)));
        numbers.release(one);
        assert_eq!(numbers.owner(one), None);
    }
}
