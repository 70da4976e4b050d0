//! When the next check is due, for tens of thousands of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use types::Instant;

use crate::ProbeId;

/// Deadlines of probes. An entry counts only while its probe still says the same moment; others are dropped as they surface.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    heap: BinaryHeap<Reverse<(Instant, ProbeId)>>,
}

impl Schedule {
    pub(crate) fn add(&mut self, at: Instant, probe: ProbeId) {
        self.heap.push(Reverse((at, probe)));
    }

    /// The first entry that `valid` accepts.
    pub(crate) fn peek(&self) -> Option<(Instant, ProbeId)> {
        self.heap.peek().map(|Reverse(entry)| *entry)
    }

    pub(crate) fn pop(&mut self) {
        self.heap.pop();
    }

    /// Forgets what `valid` refuses; for after a reload that replaced many probes.
    pub(crate) fn retain(&mut self, mut valid: impl FnMut(Instant, ProbeId) -> bool) {
        self.heap.retain(|Reverse((at, probe))| valid(*at, *probe));
    }
}

/// Spreads first checks over their warmup: SplitMix64, seeded by the program.
#[derive(Debug)]
pub(crate) struct Spread(u64);

impl Spread {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A random part of `whole`, to the microsecond.
    pub(crate) fn part_of(&mut self, whole: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let micros = whole.as_micros();
        match micros {
            0 => Duration::ZERO,
            micros => Duration::from_micros((u128::from(mixed) % micros) as u64),
        }
    }
}
