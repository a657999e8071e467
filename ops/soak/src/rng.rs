//! Choices that a seed repeats. SplitMix64: small, quick, and its streams may be split.

use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// A stream of its own, for one writer or one fault.
    pub fn fork(&self, n: u64) -> Rng {
        Rng(Rng(self.0 ^ n.wrapping_mul(0xd605_1e6f_91f8_a2c5)).next())
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `n` - 1; 0 for 0.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap_or_default()
    }

    pub fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }

    pub fn millis(&mut self, from: usize, to: usize) -> Duration {
        Duration::from_millis((from + self.below(to - from + 1)) as u64)
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            items.swap(place, self.below(place + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_its_streams_differ() {
        let draw = |rng: &Rng| {
            let mut rng = rng.clone();
            (0..8).map(|_| rng.next()).collect::<Vec<_>>()
        };
        let rng = Rng::new(7);
        assert_eq!(draw(&rng), draw(&Rng::new(7)));
        assert_ne!(draw(&rng), draw(&Rng::new(8)));
        assert_ne!(draw(&rng.fork(1)), draw(&rng.fork(2)));
        let mut items: Vec<usize> = (0..100).collect();
        rng.clone().shuffle(&mut items);
        let mut sorted = items.clone();
        sorted.sort_unstable();
        assert_ne!(items, sorted);
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }
}
