//! The network between the nodes and its weather.

use std::time::Duration;

use crate::random::Random;

/// What happens to packets.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    /// Packets lost of 100.
    pub(crate) loss: usize,
    /// Packets doubled of 100.
    pub(crate) duplication: usize,
    /// Longest delay.
    pub(crate) delay: Duration,
    /// Delays differ, so packets overtake each other. VRRP has no defence when an advert overtakes the priority 0
    /// that was sent before it.
    pub(crate) reordering: bool,
    /// Which part of the network each node is in.
    pub(crate) part: Vec<usize>,
    /// Whether each node's cable is in.
    pub(crate) link: Vec<bool>,
}

impl Network {
    /// All together, hardly any delay.
    pub(crate) fn healthy(nodes: usize, delay: Duration) -> Self {
        Self { loss: 0, duplication: 0, delay, reordering: true, part: vec![0; nodes], link: vec![true; nodes] }
    }

    /// Whether a packet can get from one node to another at all.
    pub(crate) fn connects(&self, from: usize, to: usize) -> bool {
        from != to && self.part[from] == self.part[to] && self.link[from] && self.link[to]
    }

    /// Delays of the copies of a packet that arrive: none, one or two.
    pub(crate) fn carry(&self, random: &mut Random) -> Vec<Duration> {
        if random.chance(self.loss) {
            return Vec::new();
        }
        let copies = if random.chance(self.duplication) { 2 } else { 1 };
        let delay =
            |_| Duration::from_micros(10) + if self.reordering { random.duration(self.delay) } else { self.delay };
        (0..copies).map(delay).collect()
    }
}
