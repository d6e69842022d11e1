//! Whether our clock may be trusted with an order: expiries, ages and venues are judged by it.
//!
//! It is compared with the broker's own, which is in every answer, and it must not have gone backwards lately. Without a
//! word of the broker on the time nothing is sent in the real world; a simulated one runs on a time of its own, and there
//! only a comparison that fails counts.

use market::Timestamp;

use crate::limits::{CLOCK_APART_MAX_S, CLOCK_BACK_MS, CLOCK_RESTS_MS};

/// What the clock has done.
#[derive(Debug, Default)]
pub(crate) struct ClockTrust {
    latest: Option<Timestamp>,
    stepped_back: Option<Timestamp>,
}

impl ClockTrust {
    /// Every instant that the stage is told.
    pub(crate) fn note(&mut self, now: Timestamp) {
        if self.latest.is_some_and(|latest| latest.since(now) > CLOCK_BACK_MS) {
            self.stepped_back = Some(now);
            self.latest = Some(now);
        }
        self.latest = self.latest.max(Some(now));
    }

    /// Why nothing is sent by this clock; `None` when it is trusted.
    pub(crate) fn doubt(
        &self,
        ahead_s: Option<i64>,
        simulated: bool,
        now: Timestamp,
    ) -> Option<&'static str> {
        let stepped = self.stepped_back.is_some_and(|then| now.since(then) < CLOCK_RESTS_MS);
        match ahead_s {
            Some(ahead) if ahead.unsigned_abs() > CLOCK_APART_MAX_S => {
                Some("our clock and the broker's are more than five seconds apart")
            }
            None if !simulated => {
                Some("the broker does not say what time it is, so our clock is not trusted")
            }
            _ if stepped && !simulated => Some("our clock went backwards less than ten minutes ago"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_772_461_867_250);

    #[test]
    fn clocks_that_are_apart_by_more_than_five_seconds_send_nothing() {
        let trust = ClockTrust::default();
        for (ahead, trusted) in [(0, true), (5, true), (-5, true), (6, false), (-6, false), (i64::MIN, false)]
        {
            for simulated in [false, true] {
                assert_eq!(trust.doubt(Some(ahead), simulated, NOW).is_none(), trusted, "{ahead}");
            }
        }
        assert!(trust.doubt(None, false, NOW).is_some(), "unknown is not trusted");
        assert!(trust.doubt(None, true, NOW).is_none());
    }

    #[test]
    fn a_step_backwards_rests_for_ten_minutes() {
        let mut trust = ClockTrust::default();
        trust.note(NOW);
        trust.note(NOW.saturating_minus_ms(CLOCK_BACK_MS));
        assert_eq!(trust.doubt(Some(0), false, NOW), None, "a second is no step");
        let then = NOW.saturating_minus_ms(CLOCK_BACK_MS + 1);
        trust.note(then);
        assert!(trust.doubt(Some(0), false, then).is_some());
        let later = |ms| then.saturating_plus_ms(ms);
        assert!(trust.doubt(Some(0), false, later(CLOCK_RESTS_MS - 1)).is_some());
        assert_eq!(trust.doubt(Some(0), false, later(CLOCK_RESTS_MS)), None);
        assert_eq!(trust.doubt(Some(0), true, then), None, "simulated time may be begun anew");
    }
}
