//! Randomness that follows from a seed.

/// `SplitMix64` (Steele, Lea and Flood 2014): the same everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice whose throws follow from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; zero if `end` is zero.
    pub const fn below(&mut self, end: u64) -> u64 {
        match self.throw().checked_rem(end) {
            Some(number) => number,
            None => 0,
        }
    }

    /// True once in `times` throws.
    pub const fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of `choices`; the default if there is none.
    pub fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let end = choices.len() as u64;
        usize::try_from(self.below(end)).ok().and_then(|index| choices.get(index)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn the_published_numbers() {
        // The reference implementation's first outputs for the seed 1234567.
        let mut dice = Dice::new(1_234_567);
        let thrown = [dice.throw(), dice.throw(), dice.throw()];
        assert_eq!(thrown, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
        assert_eq!((dice.below(0), dice.pick::<u8>(&[])), (0, 0));
    }
}
