//! A small generator of its own, so that a seed means the same run for ever, whatever the libraries do.

/// Draws, one after the other.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Near seeds must not give near draws.
    pub fn new(seed: u64) -> Dice {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03);
        dice.roll(2);
        dice
    }

    /// Other dice that depend on the same seed: what they draw does not change what these draw later.
    pub fn apart(&self) -> Dice {
        Dice::new(self.0.rotate_left(17))
    }

    /// A number from 0 to one less than `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed >> 32) % sides.max(1)
    }

    /// True with this chance.
    pub fn chance(&mut self, of_1000: u64) -> bool {
        of_1000 > 0 && self.roll(1_000) < of_1000
    }

    /// From `least` to `most`, both possible.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        least + i64::try_from(self.roll(u64::try_from(most - least + 1).unwrap_or(1))).unwrap_or(0)
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let place = usize::try_from(self.roll(from.len() as u64)).unwrap_or(0);
        from.get(place).copied()
    }
}
