//! Daily bars: which are wanted, what of an answer is new, and whether the past has changed.

use std::collections::BTreeMap;

use market::{Calendars, Day, Mic, Timestamp};
use money::Price;
use tradernet::commands::candles::Candle;

use crate::limits::{
    BAR_AFTER_CLOSE_MS, BAR_AGAIN_MS, BAR_OVERLAP_DAYS, BAR_TRIES, CLOSES_KEPT, HALTED_SESSIONS,
    SECOND_AGREES,
};
use crate::overlap::{Overlap, compare};
use crate::sift::{Doubt, Explained, Sifted, rescaled, rescaled_price, sift};

/// Who delivers the daily bars of a security.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BarSource {
    /// The broker, as long as it can.
    #[default]
    Broker,
    /// Yahoo, see `second`.
    Yahoo,
}

impl BarSource {
    /// The word in the store.
    pub(crate) fn name(self) -> &'static str {
        match self {
            BarSource::Broker => "broker",
            BarSource::Yahoo => "yahoo",
        }
    }
}

/// How far the bars of one security reach.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// First day that is stored.
    pub(crate) first: Option<Day>,
    /// Last day that is complete.
    pub(crate) complete: Option<Day>,
    /// Bars stored.
    pub(crate) bars: u64,
    /// The newest closes, to notice a changed past.
    pub(crate) closes: BTreeMap<Day, Price>,
    /// Newest sessions in a row without a trade and with the close before them.
    pub(crate) still: usize,
    /// Everything is to be read again.
    pub(crate) again: bool,
    /// The last days are to be looked at again, because a price or another source contradicts them.
    pub(crate) look: bool,
    /// When they were last looked at for that reason.
    pub(crate) looked_at: Option<Timestamp>,
    /// Bars set apart at the last reading.
    pub(crate) doubtful: Vec<(Day, Doubt)>,
    /// Whose they are.
    pub(crate) source: BarSource,
    /// Another provider is being asked for all of them.
    pub(crate) second: bool,
    /// The day for whose sake that was tried last.
    pub(crate) second_tried: Option<Day>,
    /// The day for whose sake the broker was last asked whether it has them again.
    pub(crate) probed: Option<Day>,
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
    /// The days to ask for now, if any: everything at first, the missing days and some before them later. What is read
    /// again is read as far back as it reached: the answer takes the place of all of it.
    pub(crate) fn wanted(&self, until: Day, history_days: u32, now: Timestamp) -> Option<(Day, Day)> {
        if self.not_before.is_some_and(|then| then > now) {
            return None;
        }
        let first = until.plus_days(-i32::try_from(history_days).unwrap_or(i32::MAX));
        let whole = (self.first.map_or(first, |known| known.min(first)), until);
        match self.complete {
            // Whether the broker has them again is asked once for every day.
            _ if self.source != BarSource::Broker => (self.probed != Some(until)).then_some(whole),
            _ if self.again => Some(whole),
            None if self.given_up == Some(until) => None,
            None => Some((first, until)),
            Some(complete) if self.look => Some((complete.plus_days(-BAR_OVERLAP_DAYS).max(first), until)),
            Some(complete) if complete >= until || self.given_up == Some(until) => None,
            Some(complete) => Some((complete.plus_days(-BAR_OVERLAP_DAYS).max(first), until)),
        }
    }

    /// Takes an answer about some days and says what is to be stored.
    pub(crate) fn take(
        &mut self,
        candles: &[Candle],
        explained: &Explained,
        until: Day,
        now: Timestamp,
    ) -> Taken {
        self.failures = 0;
        self.look = false;
        let candles: Vec<Candle> = candles.iter().filter(|candle| candle.day <= until).copied().collect();
        if self.again || self.complete.is_none() {
            return self.replace(&candles, explained, until, now);
        }
        let mut candles = candles;
        let mut overlap = compare(&self.closes, &candles);
        if overlap != Overlap::Same
            && let Some(divided) = self.divided(&candles, explained)
        {
            (candles, overlap) = (divided, Overlap::Same);
        }
        match overlap {
            Overlap::Same => {}
            Overlap::Split { after, before } if explained.tells(after, before, until) => {
                self.again = true;
                self.not_before = None;
                return Taken::PastChanged(Some((after, before)));
            }
            _ if agrees(&candles, explained) => {
                self.again = true;
                self.not_before = None;
                return Taken::PastChanged(None);
            }
            Overlap::Split { .. } => {
                return self.reject("divided as by a split that nobody else tells of", until, now);
            }
            Overlap::Unit => return self.reject("a hundredfold of what it was", until, now),
            Overlap::Other => return self.reject("not what it was, and no split explains it", until, now),
            Overlap::Alone => {
                return self.reject(
                    "missing beside new days, which therefore may not continue it",
                    until,
                    now,
                );
            }
        }
        let new: Vec<_> = candles.into_iter().filter(|candle| Some(candle.day) > self.complete).collect();
        let sifted = sift(&self.closes, &new, explained);
        self.bars = self.bars.saturating_add(u64::try_from(sifted.believed.len()).unwrap_or(0));
        self.note(&sifted);
        self.reach(&sifted.believed, until, now);
        Taken::Added(sifted)
    }

    /// The candles with every told split worked in that the stored days have worked in, if they then say the same: a
    /// source that leaves its past as it was goes on delivering the undivided days.
    pub(crate) fn divided(&self, candles: &[Candle], explained: &Explained) -> Option<Vec<Candle>> {
        let (first, complete) = (candles.first()?.day, self.complete?);
        let splits = explained.splits.range(first..=complete).filter(|(day, _)| **day > first);
        let mut divided = candles.to_vec();
        for (day, (after, before)) in splits {
            for candle in divided.iter_mut().filter(|candle| candle.day < *day) {
                *candle = rescaled(candle, *after, *before);
            }
        }
        (divided != candles && compare(&self.closes, &divided) == Overlap::Same).then_some(divided)
    }

    /// Asks for the last days again, at most once an hour.
    pub(crate) fn look_again(&mut self, now: Timestamp) {
        if self.looked_at.is_none_or(|then| now.since(then) >= LOOK_EVERY_MS) {
            self.looked_at = Some(now);
            self.look = true;
        }
    }

    fn reject(&mut self, why: &'static str, until: Day, now: Timestamp) -> Taken {
        self.missed(until, now);
        Taken::Rejected(why)
    }

    fn note(&mut self, sifted: &Sifted) {
        self.doubtful = sifted.doubtful.iter().map(|(bar, doubt)| (bar.day, *doubt)).collect();
        for (_, after, before) in &sifted.unadjusted {
            for close in self.closes.values_mut() {
                *close = rescaled_price(*close, *after, *before);
            }
        }
    }

    /// Notes a failure and when to try again.
    pub(crate) fn failed(&mut self, again_at: Timestamp) {
        self.not_before = Some(again_at);
    }

    pub(crate) fn replace(
        &mut self,
        candles: &[Candle],
        explained: &Explained,
        until: Day,
        now: Timestamp,
    ) -> Taken {
        let sifted = sift(&BTreeMap::new(), candles, explained);
        let count = u64::try_from(sifted.believed.len()).unwrap_or(0);
        if count == 0 || count.saturating_mul(2) < self.bars {
            self.missed(until, now);
            return Taken::Added(Sifted::default());
        }
        self.again = false;
        self.bars = count;
        self.closes.clear();
        (self.first, self.complete, self.still) = (None, None, 0);
        self.note(&sifted);
        self.reach(&sifted.believed, until, now);
        Taken::Replaced(sifted)
    }

    /// Nothing was traded for so long that its price says nothing.
    pub(crate) fn is_halted(&self) -> bool {
        self.still >= HALTED_SESSIONS
    }

    fn reach(&mut self, candles: &[Candle], until: Day, now: Timestamp) {
        for candle in candles {
            let before = self.closes.range(..candle.day).next_back().map(|(_, close)| *close);
            self.still =
                still_after(self.still, before, candle.close, candle.volume.map(|volume| volume.is_zero()));
            self.closes.insert(candle.day, candle.close);
        }
        while self.closes.len() > CLOSES_KEPT {
            self.closes.pop_first();
        }
        self.first = self.first.or(candles.first().map(|candle| candle.day));
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

/// How many still sessions there are after one more; an unknown volume is no missing trade.
pub(crate) fn still_after(
    still: usize,
    before: Option<Price>,
    close: Price,
    without_trade: Option<bool>,
) -> usize {
    if without_trade == Some(true) && before == Some(close) { still + 1 } else { 0 }
}

/// What an answer brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// New days behind the known ones.
    Added(Sifted),
    /// All days at once, in place of what was there.
    Replaced(Sifted),
    /// Known days have other closes now, as after a split, which is named if it was one: everything is to be read
    /// again.
    PastChanged(Option<(u32, u32)>),
    /// Nothing of it is used; why.
    Rejected(&'static str),
}

/// The last days are looked at again at most this often without need.
const LOOK_EVERY_MS: i64 = 3_600_000;
/// Tells whether a second source says of every common day what was delivered now.
fn agrees(candles: &[Candle], explained: &Explained) -> bool {
    let part = |candle: &Candle| {
        let second = explained.second.get(&candle.day)?;
        Some(candle.close.e6() as f64 / second.e6().max(1) as f64 - 1.0)
    };
    let parts: Vec<f64> = candles.iter().filter_map(part).collect();
    parts.len() >= 3 && parts.iter().all(|part| part.abs() <= SECOND_AGREES)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn none() -> Explained {
        Explained::default()
    }

    fn believed(candles: &[Candle]) -> Sifted {
        Sifted { believed: candles.to_vec(), ..Sifted::default() }
    }

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
            ("2026-03-02T16:59:59.999Z", "2026-02-27", "2026-03-02T17:00:00Z"),
            ("2026-03-02T17:00:00Z", "2026-03-02", "2026-03-03T17:00:00Z"),
            ("2026-03-01T12:00:00Z", "2026-02-27", "2026-03-02T17:00:00Z"),
            // Summer time begins on the 29th: the close comes an hour earlier in UTC.
            ("2026-03-30T16:00:00Z", "2026-03-30", "2026-03-31T16:00:00Z"),
        ] {
            assert_eq!(final_day(&calendars, xetra, at(now)), Some(day(expected)), "{now}");
            assert_eq!(next_final(&calendars, xetra, at(now)), Some(at(next)), "{now}");
        }
        assert_eq!(final_day(&calendars, "XXXX".parse().unwrap(), at("2026-03-02T17:00:00Z")), None);
    }

    #[test]
    fn everything_first_then_only_what_is_missing_with_some_days_before() {
        let mut progress = Progress::default();
        let now = at("2026-03-02T18:00:00Z");
        let until = day("2026-03-02");
        assert_eq!(progress.wanted(until, 30, now), Some((day("2026-01-31"), until)));
        let all = vec![candle("2026-02-27", 10), candle("2026-03-02", 11)];
        assert_eq!(progress.take(&all, &none(), until, now), Taken::Replaced(believed(&all)));
        assert_eq!(progress.wanted(until, 30, now), None);
        assert_eq!(progress.wanted(day("2026-03-03"), 30, now), Some((day("2026-02-16"), day("2026-03-03"))));
        let more = [all[1], candle("2026-03-03", 12)];
        assert_eq!(progress.take(&more, &none(), day("2026-03-03"), now), Taken::Added(believed(&[more[1]])));
        assert_eq!(
            progress.take(&more, &none(), day("2026-03-03"), now),
            Taken::Added(Sifted::default()),
            "once is enough"
        );
        assert_eq!(progress.bars, 3);
    }

    #[test]
    fn a_changed_past_is_read_again_as_a_whole() {
        let mut progress = Progress::default();
        let (now, until) = (at("2026-03-02T18:00:00Z"), day("2026-03-02"));
        progress.take(&[candle("2026-03-02", 30)], &none(), until, now);
        let split = [candle("2026-03-02", 10), candle("2026-03-03", 11)];
        assert!(
            matches!(progress.take(&split, &none(), day("2026-03-03"), now), Taken::Rejected(_)),
            "untold"
        );
        progress.not_before = None;
        let told = Explained { splits: BTreeMap::from([(day("2026-03-03"), (3, 1))]), ..none() };
        assert_eq!(progress.take(&split, &told, day("2026-03-03"), now), Taken::PastChanged(Some((3, 1))));
        assert_eq!(progress.wanted(day("2026-03-03"), 30, now), Some((day("2026-02-01"), day("2026-03-03"))));
        assert_eq!(progress.take(&split, &none(), day("2026-03-03"), now), Taken::Replaced(believed(&split)));
        assert_eq!((progress.bars, progress.again), (2, false));
    }

    #[test]
    fn what_is_read_again_is_read_as_far_back_as_it_reached() {
        let (now, until) = (at("2026-03-02T18:00:00Z"), day("2026-03-02"));
        let mut progress = Progress::default();
        progress.take(&[candle("2016-03-02", 30), candle("2026-03-02", 31)], &none(), until, now);
        progress.again = true;
        assert_eq!(progress.wanted(until, 400, now), Some((day("2016-03-02"), until)));
        assert_eq!(progress.wanted(until, 5_479, now), Some((until.plus_days(-5_479), until)));
        progress.take(&[candle("2020-03-02", 30), candle("2026-03-02", 31)], &none(), until, now);
        assert_eq!(progress.first, Some(day("2020-03-02")), "what there is now");
    }

    #[test]
    fn a_source_that_never_divides_its_past_goes_on_after_a_split() {
        let now = at("2026-03-09T18:00:00Z");
        let raw =
            |texts: &[(&str, i64)]| -> Vec<Candle> { texts.iter().map(|(d, e6)| candle(d, *e6)).collect() };
        let all = raw(&[
            ("2026-02-25", 4_000),
            ("2026-02-26", 4_040),
            ("2026-02-27", 4_000),
            ("2026-03-02", 1_010),
            ("2026-03-03", 1_000),
            ("2026-03-04", 990),
        ]);
        let told = Explained { splits: BTreeMap::from([(day("2026-03-02"), (4, 1))]), ..none() };
        let mut progress = Progress::default();
        progress.take(&all[..3], &told, day("2026-02-27"), now);
        let Taken::Added(sifted) = progress.take(&all[..4], &told, day("2026-03-02"), now) else { panic!() };
        assert_eq!(sifted.unadjusted, [(day("2026-03-02"), 4, 1)]);
        for (number, until) in [(5, "2026-03-03"), (6, "2026-03-04")] {
            let taken = progress.take(&all[..number], &told, day(until), now);
            assert_eq!(taken, Taken::Added(believed(&all[number - 1..number])), "{until}");
        }
        let wrong = raw(&[("2026-02-27", 4_400), ("2026-03-04", 990), ("2026-03-05", 995)]);
        assert!(matches!(progress.take(&wrong, &told, day("2026-03-05"), now), Taken::Rejected(_)));
    }

    #[test]
    fn a_past_that_says_something_else_is_rejected_unless_a_second_source_says_it_too() {
        let now = at("2026-03-02T18:00:00Z");
        let known = [candle("2026-02-26", 1_000), candle("2026-02-27", 1_010), candle("2026-03-02", 1_020)];
        let later = day("2026-03-03");
        let wrong = [known[0], known[1], candle("2026-03-02", 1_100), candle("2026-03-03", 1_030)];
        let mut progress = Progress::default();
        progress.take(&known, &none(), day("2026-03-02"), now);
        assert!(matches!(progress.take(&wrong, &none(), later, now), Taken::Rejected(_)));
        assert_eq!((progress.bars, progress.complete), (3, Some(day("2026-03-02"))), "nothing changed");
        let second = wrong.iter().map(|bar| (bar.day, bar.close)).collect();
        let explained = Explained { second, ..none() };
        progress.not_before = None;
        assert_eq!(progress.take(&wrong, &explained, later, now), Taken::PastChanged(None));
    }

    #[test]
    fn a_doubtful_last_bar_is_not_complete_and_is_asked_for_again() {
        let now = at("2026-03-02T18:00:00Z");
        let mut progress = Progress::default();
        progress.take(&[candle("2026-02-27", 100)], &none(), day("2026-02-27"), now);
        let until = day("2026-03-02");
        let taken =
            progress.take(&[candle("2026-02-27", 100), candle("2026-03-02", 180)], &none(), until, now);
        let Taken::Added(sifted) = taken else { panic!("{taken:?}") };
        assert_eq!((sifted.believed.len(), sifted.doubtful.len()), (0, 1));
        assert_eq!(progress.complete, Some(day("2026-02-27")));
        assert!(progress.not_before.is_some());
        let next = [candle("2026-02-27", 100), candle("2026-03-02", 180), candle("2026-03-03", 178)];
        let taken = progress.take(&next, &none(), day("2026-03-03"), now);
        assert!(
            matches!(taken, Taken::Added(sifted) if sifted.believed.len() == 2),
            "the next session stays"
        );
    }

    #[test]
    fn five_sessions_without_a_trade_are_a_halt_and_one_trade_ends_it() {
        let mut progress = Progress::default();
        let now = at("2026-03-02T18:00:00Z");
        let quiet = |text: &str, close: i64, units: Option<i64>| Candle {
            volume: units.map(|units| money::Quantity::from_units(units).unwrap()),
            ..candle(text, close)
        };
        let mut all = vec![quiet("2026-02-20", 10, Some(7))];
        progress.take(&all, &none(), day("2026-02-20"), now);
        let mut add = |progress: &mut Progress, candle: Candle| {
            all.push(candle);
            progress.take(&all, &none(), candle.day, now);
        };
        for (number, text) in ["2026-02-23", "2026-02-24", "2026-02-25", "2026-02-26"].iter().enumerate() {
            add(&mut progress, quiet(text, 10, Some(0)));
            assert_eq!((progress.still, progress.is_halted()), (number + 1, false), "{text}");
        }
        add(&mut progress, quiet("2026-02-27", 10, Some(0)));
        assert!(progress.is_halted());
        add(&mut progress, quiet("2026-03-02", 10, None));
        assert!(!progress.is_halted(), "an unknown volume is no missing trade");
        for (close, units, still) in [(10, Some(0), 1), (11, Some(0), 0), (11, Some(3), 0)] {
            let text = ["2026-03-03", "2026-03-04", "2026-03-05"]
                [usize::from(close == 11) + usize::from(units == Some(3))];
            add(&mut progress, quiet(text, close, units));
            assert_eq!(progress.still, still, "{text}");
        }
    }

    #[test]
    fn the_last_days_are_looked_at_again_once_an_hour() {
        let mut progress = Progress::default();
        let (now, until) = (at("2026-03-02T18:00:00Z"), day("2026-03-02"));
        progress.take(&[candle("2026-03-02", 30)], &none(), until, now);
        assert_eq!(progress.wanted(until, 30, now), None);
        progress.look_again(now);
        assert_eq!(progress.wanted(until, 30, now), Some((day("2026-02-16"), until)));
        progress.take(&[candle("2026-03-02", 30)], &none(), until, now);
        progress.look_again(at("2026-03-02T18:59:59Z"));
        assert_eq!(progress.wanted(until, 30, now), None);
    }

    #[test]
    fn a_bar_that_does_not_come_is_given_up_until_the_next_close() {
        let mut progress = Progress::default();
        let now = at("2026-03-02T18:00:00Z");
        progress.take(&[candle("2026-02-27", 30)], &none(), day("2026-02-27"), now);
        let until = day("2026-03-02");
        for _ in 0..BAR_TRIES {
            progress.not_before = None;
            assert!(progress.wanted(until, 30, now).is_some());
            progress.take(&[], &none(), until, now);
        }
        assert_eq!(progress.wanted(until, 30, now), None);
        assert!(progress.wanted(day("2026-03-03"), 30, now).is_some());
        assert_eq!(progress.complete, Some(day("2026-02-27")), "nothing is invented");
    }

    #[test]
    fn an_empty_answer_never_replaces_what_is_known() {
        let mut progress = Progress::default();
        let (now, until) = (at("2026-03-02T18:00:00Z"), day("2026-03-02"));
        progress.take(&[candle("2026-03-02", 30)], &none(), until, now);
        progress.again = true;
        assert_eq!(progress.take(&[], &none(), until, now), Taken::Added(Sifted::default()));
        assert_eq!((progress.bars, progress.complete), (1, Some(until)));
        assert_eq!(progress.wanted(until, 30, now), None, "it is not asked for again at once");
    }
}
