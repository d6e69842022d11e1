//! Daily bars: which are wanted, what of an answer is new, and whether the past has changed.

use std::collections::BTreeMap;

use market::{Calendars, Day, Mic, Timestamp};
use money::Price;
use tradernet::commands::candles::Candle;

use crate::limits::{BAR_AFTER_CLOSE_MS, BAR_AGAIN_MS, BAR_OVERLAP_DAYS, BAR_TRIES, CLOSES_KEPT};

/// How far the bars of one security reach.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// Last day that is complete.
    pub(crate) complete: Option<Day>,
    /// Bars stored.
    pub(crate) bars: u64,
    /// The newest closes, to notice a changed past.
    pub(crate) closes: BTreeMap<Day, Price>,
    /// Everything is to be read again.
    pub(crate) again: bool,
    pub(crate) tries: usize,
    pub(crate) given_up: Option<Day>,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) failures: usize,
}

/// The last day whose bar is final: its session ended long enough ago.
pub(crate) fn final_day(calendars: &Calendars, mic: Mic, now: Timestamp) -> Option<Day> {
    let until = now.saturating_minus_ms(BAR_AFTER_CLOSE_MS);
    let today = calendars.session_day(mic, now)?;
    let ended = calendars.sessions(mic, today)?.last().is_some_and(|last| last.close <= until);
    if ended { Some(today) } else { calendars.previous_session(mic, today) }
}

/// When the next day becomes final.
pub(crate) fn next_final(calendars: &Calendars, mic: Mic, now: Timestamp) -> Option<Timestamp> {
    let today = calendars.session_day(mic, now)?;
    let due = |day: Day| {
        let close = calendars.sessions(mic, day)?.last()?.close;
        Some(close.saturating_plus_ms(BAR_AFTER_CLOSE_MS)).filter(|then| *then > now)
    };
    due(today).or_else(|| due(calendars.next_session(mic, today)?))
}

impl Progress {
    /// The days to ask for now, if any: everything at first, the missing days and some before them later.
    pub(crate) fn wanted(&self, until: Day, history_days: u32, now: Timestamp) -> Option<(Day, Day)> {
        if self.not_before.is_some_and(|then| then > now) {
            return None;
        }
        let first = until.plus_days(-i32::try_from(history_days).unwrap_or(i32::MAX));
        match self.complete {
            _ if self.again => Some((first, until)),
            None if self.given_up == Some(until) => None,
            None => Some((first, until)),
            Some(complete) if complete >= until || self.given_up == Some(until) => None,
            Some(complete) => Some((complete.plus_days(-BAR_OVERLAP_DAYS).max(first), until)),
        }
    }

    /// Takes an answer about some days and says what is to be stored.
    pub(crate) fn take(&mut self, candles: &[Candle], until: Day, now: Timestamp) -> Taken {
        self.failures = 0;
        let candles: Vec<Candle> = candles.iter().filter(|candle| candle.day <= until).copied().collect();
        if self.again || self.complete.is_none() {
            return self.replace(candles, until, now);
        }
        let changed = candles
            .iter()
            .any(|candle| self.closes.get(&candle.day).is_some_and(|close| *close != candle.close));
        if changed {
            self.again = true;
            self.not_before = None;
            return Taken::PastChanged;
        }
        let new: Vec<_> = candles.into_iter().filter(|candle| Some(candle.day) > self.complete).collect();
        self.bars = self.bars.saturating_add(u64::try_from(new.len()).unwrap_or(0));
        self.reach(&new, until, now);
        Taken::Added(new)
    }

    /// Notes a failure and when to try again.
    pub(crate) fn failed(&mut self, again_at: Timestamp) {
        self.not_before = Some(again_at);
    }

    fn replace(&mut self, candles: Vec<Candle>, until: Day, now: Timestamp) -> Taken {
        let count = u64::try_from(candles.len()).unwrap_or(0);
        if count == 0 || count.saturating_mul(2) < self.bars {
            self.missed(until, now);
            return Taken::Added(Vec::new());
        }
        self.again = false;
        self.bars = count;
        self.closes.clear();
        self.complete = None;
        self.reach(&candles, until, now);
        Taken::Replaced(candles)
    }

    fn reach(&mut self, candles: &[Candle], until: Day, now: Timestamp) {
        self.closes.extend(candles.iter().map(|candle| (candle.day, candle.close)));
        while self.closes.len() > CLOSES_KEPT {
            self.closes.pop_first();
        }
        self.complete = self.complete.max(candles.last().map(|candle| candle.day));
        if self.complete.is_some_and(|complete| complete >= until) {
            (self.tries, self.not_before, self.given_up) = (0, None, None);
        } else {
            self.missed(until, now);
        }
    }

    fn missed(&mut self, until: Day, now: Timestamp) {
        self.tries += 1;
        if self.tries >= BAR_TRIES {
            // A day without trade has no bar; it is asked for no longer.
            (self.tries, self.not_before, self.given_up, self.again) = (0, None, Some(until), false);
        } else {
            self.not_before = Some(now.saturating_plus_ms(BAR_AGAIN_MS));
        }
    }
}

/// What an answer brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// New days behind the known ones.
    Added(Vec<Candle>),
    /// All days at once, in place of what was there.
    Replaced(Vec<Candle>),
    /// Known days have other closes now, as after a split: everything is to be read again.
    PastChanged,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn candle(text: &str, close: i64) -> Candle {
        let price = Price::from_e6(close).unwrap();
        Candle { day: day(text), open: price, high: price, low: price, close: price, volume: None }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_final_some_time_after_its_close() {
        let calendars = Calendars::embedded();
        let xetra = "XETR".parse().unwrap();
        for (now, expected, next) in [
            ("2026-03-02T16:44:59.999Z", "2026-02-27", "2026-03-02T16:45:00Z"),
            ("2026-03-02T16:45:00Z", "2026-03-02", "2026-03-03T16:45:00Z"),
            ("2026-03-01T12:00:00Z", "2026-02-27", "2026-03-02T16:45:00Z"),
            // Summer time begins on the 29th: the close comes an hour earlier in UTC.
            ("2026-03-30T15:45:00Z", "2026-03-30", "2026-03-31T15:45:00Z"),
        ] {
            assert_eq!(final_day(&calendars, xetra, at(now)), Some(day(expected)), "{now}");
            assert_eq!(next_final(&calendars, xetra, at(now)), Some(at(next)), "{now}");
        }
        assert_eq!(final_day(&calendars, "XXXX".parse().unwrap(), at("2026-03-02T16:45:00Z")), None);
    }

    #[test]
    fn everything_first_then_only_what_is_missing_with_some_days_before() {
        let mut progress = Progress::default();
        let now = at("2026-03-02T18:00:00Z");
        let until = day("2026-03-02");
        assert_eq!(progress.wanted(until, 30, now), Some((day("2026-01-31"), until)));
        let all = vec![candle("2026-02-27", 10), candle("2026-03-02", 11)];
        assert_eq!(progress.take(&all, until, now), Taken::Replaced(all.clone()));
        assert_eq!(progress.wanted(until, 30, now), None);
        assert_eq!(progress.wanted(day("2026-03-03"), 30, now), Some((day("2026-02-23"), day("2026-03-03"))));
        let more = [all[1], candle("2026-03-03", 12)];
        assert_eq!(progress.take(&more, day("2026-03-03"), now), Taken::Added(vec![more[1]]));
        assert_eq!(progress.take(&more, day("2026-03-03"), now), Taken::Added(vec![]), "once is enough");
        assert_eq!(progress.bars, 3);
    }

    #[test]
    fn a_changed_past_is_read_again_as_a_whole() {
        let mut progress = Progress::default();
        let (now, until) = (at("2026-03-02T18:00:00Z"), day("2026-03-02"));
        progress.take(&[candle("2026-03-02", 30)], until, now);
        let split = [candle("2026-03-02", 10), candle("2026-03-03", 11)];
        assert_eq!(progress.take(&split, day("2026-03-03"), now), Taken::PastChanged);
        assert_eq!(progress.wanted(day("2026-03-03"), 30, now), Some((day("2026-02-01"), day("2026-03-03"))));
        assert_eq!(progress.take(&split, day("2026-03-03"), now), Taken::Replaced(split.to_vec()));
        assert_eq!((progress.bars, progress.again), (2, false));
    }

    #[test]
    fn a_bar_that_does_not_come_is_given_up_until_the_next_close() {
        let mut progress = Progress::default();
        let now = at("2026-03-02T18:00:00Z");
        progress.take(&[candle("2026-02-27", 30)], day("2026-02-27"), now);
        let until = day("2026-03-02");
        for _ in 0..BAR_TRIES {
            progress.not_before = None;
            assert!(progress.wanted(until, 30, now).is_some());
            progress.take(&[], until, now);
        }
        assert_eq!(progress.wanted(until, 30, now), None);
        assert!(progress.wanted(day("2026-03-03"), 30, now).is_some());
        assert_eq!(progress.complete, Some(day("2026-02-27")), "nothing is invented");
    }

    #[test]
    fn an_empty_answer_never_replaces_what_is_known() {
        let mut progress = Progress::default();
        let (now, until) = (at("2026-03-02T18:00:00Z"), day("2026-03-02"));
        progress.take(&[candle("2026-03-02", 30)], until, now);
        progress.again = true;
        assert_eq!(progress.take(&[], until, now), Taken::Added(vec![]));
        assert_eq!((progress.bars, progress.complete), (1, Some(until)));
        assert_eq!(progress.wanted(until, 30, now), None, "it is not asked for again at once");
    }
}
