//! When the next question may go out to one service: spacing, pauses after refusals, and giving up for a while.
//!
//! Pure: time is an argument. Identity is never changed to get around a refusal.

use market::Timestamp;

/// Pause after the first refusal; doubles up to the last.
const REFUSED_MS: i64 = 15 * 60_000;
const REFUSED_MS_MAX: i64 = 12 * 3_600_000;
/// Pause after an outage; doubles up to the last.
const OUTAGE_MS: i64 = 4_000;
const OUTAGE_MS_MAX: i64 = 3_600_000;

/// The pace of one service.
#[derive(Debug, Clone)]
pub struct Pace {
    spacing_ms: i64,
    next: Timestamp,
    refusals: u32,
    outages: u32,
}

/// Whether a question may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Now; it has been counted.
    Go,
    /// Not before.
    Wait(Timestamp),
}

impl Pace {
    /// A pace with at least so many milliseconds between two questions.
    #[must_use]
    pub fn new(spacing_ms: i64) -> Self {
        Pace { spacing_ms, next: Timestamp::ZERO, refusals: 0, outages: 0 }
    }

    /// Asks for a turn. `jitter_ms` spreads the questions and is the caller's.
    pub fn take(&mut self, now: Timestamp, jitter_ms: i64) -> Turn {
        if now < self.next {
            return Turn::Wait(self.next);
        }
        self.next = now.saturating_plus_ms(self.spacing_ms.saturating_add(jitter_ms.max(0)));
        Turn::Go
    }

    /// An answer came, even an empty one.
    pub fn answered(&mut self) {
        (self.refusals, self.outages) = (0, 0);
    }

    /// The service wants fewer questions, or none of this client.
    pub fn refused(&mut self, now: Timestamp, asked_s: Option<u64>) {
        let pause = doubled(REFUSED_MS, self.refusals, REFUSED_MS_MAX);
        let asked = asked_s.and_then(|s| i64::try_from(s).ok()).unwrap_or(0).saturating_mul(1_000);
        self.refusals = self.refusals.saturating_add(1);
        self.next = now.saturating_plus_ms(pause.max(asked).min(REFUSED_MS_MAX));
    }

    /// The service is out of order.
    pub fn failed(&mut self, now: Timestamp) {
        let pause = doubled(OUTAGE_MS, self.outages, OUTAGE_MS_MAX);
        self.outages = self.outages.saturating_add(1);
        self.next = now.saturating_plus_ms(pause.max(self.spacing_ms));
    }

    /// When the next question may go out.
    #[must_use]
    pub fn next(&self) -> Timestamp {
        self.next
    }

    /// How often in a row it was out of order or refused.
    #[must_use]
    pub fn troubles(&self) -> u32 {
        self.refusals.saturating_add(self.outages)
    }
}

fn doubled(first: i64, times: u32, most: i64) -> i64 {
    first.saturating_mul(1_i64.checked_shl(times.min(40)).unwrap_or(i64::MAX)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn questions_keep_their_distance() {
        let mut pace = Pace::new(2_000);
        assert_eq!(pace.take(at(0), 500), Turn::Go);
        assert_eq!(pace.take(at(2_499), 0), Turn::Wait(at(2_500)));
        assert_eq!(pace.take(at(2_500), 0), Turn::Go);
    }

    #[test]
    fn refusals_pause_longer_and_longer_up_to_half_a_day() {
        let mut pace = Pace::new(2_000);
        for minutes in [15, 30, 60, 120, 240, 480, 720, 720] {
            pace.refused(at(0), None);
            assert_eq!(pace.next(), at(minutes * 60_000));
        }
        pace.answered();
        pace.refused(at(0), Some(3_600));
        assert_eq!(pace.next(), at(3_600_000), "the service's own wish counts when it is longer");
    }

    #[test]
    fn outages_pause_and_an_answer_ends_them() {
        let mut pace = Pace::new(2_000);
        for seconds in [4, 8, 16] {
            pace.failed(at(0));
            assert_eq!(pace.next(), at(seconds * 1_000));
        }
        assert_eq!(pace.troubles(), 3);
        pace.answered();
        assert_eq!(pace.troubles(), 0);
        for _ in 0..100 {
            pace.failed(at(0));
        }
        assert_eq!(pace.next(), at(OUTAGE_MS_MAX));
    }
}
