//! When a program that died is started again, and when it is given up. Pure.

use std::time::Duration;

/// First pause before a restart.
pub const PAUSE_MIN: Duration = Duration::from_millis(200);
/// Longest pause before a restart.
pub const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A life this long makes the next pause the first one again.
pub const LIFE_CALM: Duration = Duration::from_secs(10);
/// A life shorter than this counts towards giving up.
pub const LIFE_SHORT: Duration = Duration::from_secs(30);
/// Short lives in a row after which a program is given up.
pub const SHORT_LIVES_MAX: u32 = 5;

/// What to do with a program that died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Start it again after this pause.
    Again(Duration),
    /// Do not.
    GiveUp,
}

/// The deaths of one program so far.
#[derive(Debug, Clone)]
pub struct Restarts {
    short_lives: u32,
    pause: Duration,
}

impl Default for Restarts {
    fn default() -> Self {
        Restarts { short_lives: 0, pause: PAUSE_MIN }
    }
}

impl Restarts {
    /// Judges a death after a life of this length.
    pub fn died(&mut self, life: Duration) -> Verdict {
        if life >= LIFE_CALM {
            self.pause = PAUSE_MIN;
        }
        self.short_lives = if life < LIFE_SHORT { self.short_lives + 1 } else { 0 };
        if self.short_lives >= SHORT_LIVES_MAX {
            return Verdict::GiveUp;
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE_MAX);
        Verdict::Again(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(lives_ms: &[u64]) -> Vec<Option<u64>> {
        let mut restarts = Restarts::default();
        lives_ms
            .iter()
            .map(|life| match restarts.died(Duration::from_millis(*life)) {
                Verdict::Again(pause) => u64::try_from(pause.as_millis()).ok(),
                Verdict::GiveUp => None,
            })
            .collect()
    }

    #[test]
    fn pauses_double_and_the_fifth_short_life_ends_it() {
        assert_eq!(verdicts(&[0, 0, 0, 0, 0]), [Some(200), Some(400), Some(800), Some(1_600), None]);
    }

    #[test]
    fn pauses_stop_growing_at_their_limit() {
        let lives = [0, 0, 0, 0, 30_000];
        // Long lives break the row of short ones, so that the pause can be seen to reach its limit.
        let mut restarts = Restarts { pause: Duration::from_secs(4), ..Restarts::default() };
        assert_eq!(restarts.died(Duration::ZERO), Verdict::Again(Duration::from_secs(4)));
        assert_eq!(restarts.died(Duration::ZERO), Verdict::Again(PAUSE_MAX));
        assert_eq!(restarts.died(Duration::ZERO), Verdict::Again(PAUSE_MAX));
        assert_eq!(verdicts(&lives).last(), Some(&Some(200)));
    }

    #[test]
    fn ten_seconds_of_life_make_the_pause_short_again() {
        assert_eq!(verdicts(&[0, 0, 9_999]), [Some(200), Some(400), Some(800)]);
        assert_eq!(verdicts(&[0, 0, 10_000]), [Some(200), Some(400), Some(200)]);
    }

    #[test]
    fn only_lives_below_thirty_seconds_count_towards_giving_up() {
        assert_eq!(verdicts(&[29_999; 5]).last(), Some(&None));
        assert_eq!(verdicts(&[30_000; 9]), vec![Some(200); 9]);
        assert_eq!(verdicts(&[0, 0, 0, 0, 30_000, 0, 0, 0, 0]).last(), Some(&Some(3_200)));
    }
}
