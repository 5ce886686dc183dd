//! Chance that can be repeated: the same seed throws the same numbers.

/// A generator of numbers (SplitMix64: small, and good enough to choose what to do next).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice for somebody else, who then disturbs nobody's throws by throwing more or less often.
    pub fn for_actor(seed: u64, actor: u64) -> Self {
        let mut dice = Self(seed ^ actor.wrapping_mul(0xA076_1D64_78BD_642F));
        dice.throw();
        dice
    }

    /// The next 64 bits.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `sides`, which is not 0.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.throw() % sides
    }

    /// A number from `least` up to and with `most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// True this often in a hundred.
    pub fn percent(&mut self, often: u64) -> bool {
        self.below(100) < often
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let index = usize::try_from(self.throw() % of.len() as u64).unwrap_or_default();
        &of[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_and_actors_throw_differently() {
        let throw = |mut dice: Dice| (0..20).map(|_| dice.below(6)).collect::<Vec<_>>();
        assert_eq!(throw(Dice::for_actor(7, 1)), throw(Dice::for_actor(7, 1)));
        assert_ne!(throw(Dice::for_actor(7, 1)), throw(Dice::for_actor(7, 2)));
        assert_ne!(throw(Dice::for_actor(7, 1)), throw(Dice::for_actor(8, 1)));
    }
}
