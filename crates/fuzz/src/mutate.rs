//! Deterministic mutations of octets.

/// Octets and words at which lengths and counters go wrong.
const INTERESTING: [u32; 16] =
    [0, 1, 2, 3, 4, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF];

/// Longest input that mutations grow to.
const LONGEST: usize = 4096;

/// A stream of mutations that is the same for the same seed.
#[derive(Debug, Clone)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// Starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below `bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        match bound {
            0 => 0,
            bound => (self.next() % bound as u64) as usize,
        }
    }

    /// An input: one of `corpus` with one to eight mutations, or, seldom, octets at random.
    pub fn input(&mut self, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
        if corpus.is_empty() || self.below(50) == 0 {
            let length = self.below(200);
            return (0..length).map(|_| self.next() as u8).collect();
        }
        let mut octets = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(8) {
            self.mutate(&mut octets, corpus, words);
        }
        octets.truncate(LONGEST);
        octets
    }

    fn mutate(&mut self, octets: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str]) {
        let length = octets.len();
        let at = self.below(length);
        match self.below(if words.is_empty() { 10 } else { 14 }) {
            0 if length > 0 => octets[at] ^= 1 << self.below(8),
            1 if length > 0 => octets[at] = self.next() as u8,
            2 if length > 0 => octets[at] = INTERESTING[self.below(INTERESTING.len())] as u8,
            3 => self.overwrite_word(octets, at),
            4 => octets.truncate(at),
            5 => {
                let end = (at + 1 + self.below(16)).min(length);
                octets.drain(at..end);
            }
            6 => {
                let end = (at + 1 + self.below(32)).min(length);
                let piece = octets[at..end].to_vec();
                octets.splice(at..at, piece);
            }
            7 => {
                let piece: Vec<u8> = (0..self.below(9)).map(|_| self.next() as u8).collect();
                octets.splice(at..at, piece);
            }
            8 => {
                let other = &corpus[self.below(corpus.len())];
                let from = self.below(other.len());
                let to = (from + 1 + self.below(64)).min(other.len());
                octets.splice(at..at, other[from..to].iter().copied());
            }
            9 => {
                let other = &corpus[self.below(corpus.len())];
                octets.truncate(at);
                octets.extend_from_slice(&other[self.below(other.len())..]);
            }
            10..=13 => {
                let word = words[self.below(words.len())].as_bytes();
                let separator: &[u8] = if self.below(2) == 0 { b" " } else { b"\n" };
                octets.splice(at..at, [separator, word, separator].concat());
            }
            _ => {}
        }
    }

    /// Puts an interesting word of two or four octets in either order over what stands at `at`.
    fn overwrite_word(&mut self, octets: &mut [u8], at: usize) {
        let value = INTERESTING[self.below(INTERESTING.len())];
        let word: Vec<u8> = match self.below(4) {
            0 => (value as u16).to_be_bytes().to_vec(),
            1 => (value as u16).to_le_bytes().to_vec(),
            2 => value.to_be_bytes().to_vec(),
            _ => value.to_le_bytes().to_vec(),
        };
        for (octet, from) in octets.iter_mut().skip(at).zip(word) {
            *octet = from;
        }
    }

    /// The next number (splitmix64).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_inputs() {
        let corpus = [b"one input".to_vec(), b"and another".to_vec()];
        let inputs = |seed| {
            let mut mutator = Mutator::new(seed);
            (0..100).map(|_| mutator.input(&corpus, &["word"])).collect::<Vec<_>>()
        };
        assert_eq!(inputs(7), inputs(7));
        assert_ne!(inputs(7), inputs(8));
    }
}
