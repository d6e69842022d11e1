//! When another provider's bars take the place of the broker's, and when the broker's come back.
//!
//! A series is of one source. It changes hands only as a whole, and only to a source whose closes of the days that are
//! known are the known ones: that shows the right security, the right unit and the same treatment of splits at once.

use market::{Day, Isin, Timestamp};
use money::Quantity;
use providers::yahoo;
use tradernet::commands::candles::Candle;

use bus_client::Out;

use crate::history::{BarSource, Progress, Taken, final_day};
use crate::limits::{BEHIND_FAILING, BEHIND_MAX, COMMON_DAYS_MIN, FAILING};
use crate::outside::Task;
use crate::overlap::{Overlap, common, compare};
use crate::sift::Explained;
use crate::{Ingest, Save};

impl Progress {
    /// Whether the broker has left this security without new days for so long that another provider is asked for all
    /// of them: one try for each day that is missing.
    fn needs_second(&self, behind: usize, until: Day) -> bool {
        let failing = behind >= BEHIND_FAILING && self.failures >= FAILING;
        // One answer without a day may be an accident; so may be the first one after a long sleep.
        let without = behind >= BEHIND_MAX && self.given_up == Some(until);
        let idle = self.source == BarSource::Broker && !self.second && self.second_tried != Some(until);
        idle && self.complete.is_some() && (failing || without)
    }

    /// Takes all days of another source in place of what is there.
    ///
    /// # Errors
    /// Why it may not take over; nothing is changed then.
    pub(crate) fn change_source(
        &mut self,
        to: BarSource,
        candles: &[Candle],
        explained: &Explained,
        until: Day,
        now: Timestamp,
    ) -> Result<Taken, &'static str> {
        let mut candles: Vec<Candle> = candles.iter().filter(|candle| candle.day <= until).copied().collect();
        let last = candles.last().map(|candle| candle.day);
        // Whoever comes back has to know as much; whoever takes over, more.
        if last < self.complete || to != BarSource::Broker && last == self.complete {
            return Err("it knows no newer day");
        }
        if common(&self.closes, &candles) < COMMON_DAYS_MIN {
            return Err("it has too few of the known days");
        }
        match compare(&self.closes, &candles) {
            Overlap::Same => {}
            Overlap::Split { after, before } if explained.tells(after, before, until) => {}
            // What is compared divided is kept divided: a small split would pass for a move.
            _ => match self.divided(&candles, explained) {
                Some(divided) => candles = divided,
                None => return Err("its closes are not the known ones"),
            },
        }
        let before = self.clone();
        match self.replace(&candles, explained, until, now) {
            taken @ Taken::Replaced(_) => {
                (self.source, self.second, self.failures) = (to, false, 0);
                Ok(taken)
            }
            _ => {
                *self = before;
                Err("its past is too short")
            }
        }
    }
}

impl Ingest {
    /// After an answer of the broker, or none: asks another provider for all bars where that is due.
    pub(crate) fn consider_second(&mut self, isin: Isin, until: Day, now: Timestamp) {
        let behind = self.sessions_behind(&isin, until);
        let is_asked = self.outside.is_expected(&Task::Chart(isin));
        let Some(progress) = self.bars.get_mut(&isin) else { return };
        if behind == 0 {
            progress.second = false;
            self.troubles.remove(&trouble(&isin));
            return;
        }
        if is_asked && progress.needs_second(behind, until) {
            progress.second = true;
            self.outside.renew(&Task::Chart(isin), now);
        }
    }

    /// How many sessions are missing behind the last day that is known; it is counted no further than matters.
    fn sessions_behind(&self, isin: &Isin, until: Day) -> usize {
        let Some(mut day) = self.bars.get(isin).and_then(|bars| bars.complete) else { return 0 };
        let Some(mic) = self.universe.get(isin).map(|listed| listed.security.mic) else { return 0 };
        let mut behind = 0;
        while day < until && behind < BEHIND_MAX {
            let Some(next) = self.calendars.next_session(mic, day) else { break };
            (day, behind) = (next, behind + 1);
        }
        behind
    }

    /// Takes the bars of a chart where they are the series, or shall become it; true while a day is still to come.
    pub(crate) fn take_series(
        &mut self,
        isin: Isin,
        chart: &yahoo::Chart,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> bool {
        let Some(mic) = self.universe.get(&isin).map(|listed| listed.security.mic) else { return false };
        let Some(until) = final_day(&self.calendars, mic, now) else { return false };
        let mut explained = self.explained(&isin);
        explained.splits.extend(chart.splits.iter().map(|split| (split.day, (split.after, split.before))));
        let candles = candles_of(chart);
        let Some(progress) = self.bars.get_mut(&isin) else { return false };
        let taken = match progress.source {
            BarSource::Yahoo => progress.take(&candles, &explained, until, now),
            BarSource::Broker if progress.second => {
                (progress.second, progress.second_tried) = (false, Some(until));
                match progress.change_source(BarSource::Yahoo, &candles, &explained, until, now) {
                    Ok(taken) => {
                        self.say_source(isin, BarSource::Yahoo, now, out);
                        taken
                    }
                    Err(why) => {
                        let ticker = self.ticker_of(&isin);
                        let text = format!(
                            "the broker has no new bars of {ticker}, and Yahoo's do not stand in: {why}"
                        );
                        self.troubled(&trouble(&isin), &text);
                        return false;
                    }
                }
            }
            BarSource::Broker => return false,
        };
        let again = matches!(taken, Taken::PastChanged(_));
        self.keep_bars(isin, taken, now, out);
        self.say_history(out);
        if again {
            self.outside.renew(&Task::Chart(isin), now);
        }
        let progress = self.bars.get(&isin);
        again || progress.is_some_and(|bars| bars.complete < Some(until) && bars.given_up != Some(until))
    }

    /// Takes the broker's bars of a security whose series is another provider's: all of them or nothing.
    pub(crate) fn take_back(
        &mut self,
        isin: Isin,
        candles: &[Candle],
        until: Day,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let explained = self.explained(&isin);
        let Some(progress) = self.bars.get_mut(&isin) else { return };
        progress.probed = Some(until);
        if let Ok(taken) = progress.change_source(BarSource::Broker, candles, &explained, until, now) {
            self.say_source(isin, BarSource::Broker, now, out);
            self.keep_bars(isin, taken, now, out);
        }
    }

    fn say_source(&mut self, isin: Isin, source: BarSource, now: Timestamp, out: &mut Out<Self>) {
        let ticker = self.ticker_of(&isin);
        self.troubles.remove(&trouble(&isin));
        let text = match source {
            BarSource::Yahoo => {
                format!("The broker has no new bars of {ticker}: all of them are Yahoo's now.")
            }
            BarSource::Broker => {
                format!("The broker has bars of {ticker} again: all of them are the broker's now.")
            }
        };
        out.decided(text);
        out.save(Save::Series { isin, source, at: now });
    }
}

/// Under which is told that no source has new bars.
fn trouble(isin: &Isin) -> String {
    format!("second source of {isin}")
}

/// A chart as candles; what a day lacks is its close, so that nothing is made up beyond it.
fn candles_of(chart: &yahoo::Chart) -> Vec<Candle> {
    let candle = |bar: &providers::Bar| {
        let open = bar.open.unwrap_or(bar.close);
        let (low, high) = (open.min(bar.close), open.max(bar.close));
        Candle {
            day: bar.day,
            open,
            high: bar.high.unwrap_or(high).max(high),
            low: bar.low.unwrap_or(low).min(low),
            close: bar.close,
            volume: bar.volume.and_then(|units| Quantity::from_units(i64::try_from(units).ok()?).ok()),
        }
    };
    chart.bars.iter().map(candle).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use money::Price;

    use super::*;

    const UNTIL: i32 = 20_009;

    fn day(number: i32) -> Day {
        Day::from_epoch_days(number).unwrap()
    }

    fn days(closes: &[i64]) -> Vec<Candle> {
        let candle = |(number, e6): (i32, &i64)| {
            let price = Price::from_e6(*e6).unwrap();
            Candle { day: day(number), open: price, high: price, low: price, close: price, volume: None }
        };
        (20_000..).zip(closes).map(candle).collect()
    }

    fn broker(closes: &[i64]) -> Progress {
        let mut progress = Progress::default();
        let last = day(20_000 + i32::try_from(closes.len()).unwrap() - 1);
        progress.take(&days(closes), &Explained::default(), last, Timestamp::ZERO);
        progress
    }

    fn change(progress: &mut Progress, to: BarSource, closes: &[i64]) -> Result<Taken, &'static str> {
        progress.change_source(to, &days(closes), &Explained::default(), day(UNTIL), Timestamp::ZERO)
    }

    #[test]
    fn another_source_takes_over_with_five_known_days_and_a_newer_one() {
        let known = [1_000, 1_010, 1_020, 1_030, 1_040];
        let mut all = known.to_vec();
        all.push(1_050);
        let mut progress = broker(&known);
        assert!(matches!(change(&mut progress, BarSource::Yahoo, &all), Ok(Taken::Replaced(_))));
        assert_eq!((progress.source, progress.complete), (BarSource::Yahoo, Some(day(20_005))));
        for (closes, why) in [
            (known.to_vec(), "no newer day"),
            (known[..4].to_vec(), "no newer day"),
            (vec![1_000, 1_010, 1_020, 1_030, 1_140, 1_050], "closes"),
            (all.iter().map(|e6| e6 * 100).collect(), "closes"),
        ] {
            let mut progress = broker(&known);
            let said = change(&mut progress, BarSource::Yahoo, &closes).unwrap_err();
            assert!(said.contains(why), "{closes:?}: {said}");
            assert_eq!((progress.source, progress.complete), (BarSource::Broker, Some(day(20_004))));
        }
        let mut few = broker(&known[..4]);
        assert_eq!(change(&mut few, BarSource::Yahoo, &all), Err("it has too few of the known days"));
    }

    #[test]
    fn the_broker_comes_back_only_with_everything_that_is_known() {
        let known = [1_000, 1_010, 1_020, 1_030, 1_040, 1_050];
        let mut progress = broker(&known);
        progress.source = BarSource::Yahoo;
        assert_eq!(change(&mut progress, BarSource::Broker, &known[..5]), Err("it knows no newer day"));
        assert!(matches!(change(&mut progress, BarSource::Broker, &known), Ok(Taken::Replaced(_))));
        assert_eq!(progress.source, BarSource::Broker);
    }

    #[test]
    fn a_past_from_before_a_small_split_is_kept_as_it_was_compared() {
        // Five for four on the last day but one; the broker leaves the days before it as they were.
        let known = [1_000, 1_012, 1_020, 1_032, 1_040, 1_052];
        let mut progress = broker(&known);
        progress.source = BarSource::Yahoo;
        let raw: Vec<i64> =
            known.iter().enumerate().map(|(at, e6)| if at < 4 { e6 * 5 / 4 } else { *e6 }).collect();
        let explained = Explained { splits: [(day(20_004), (5, 4))].into(), ..Explained::default() };
        let taken =
            progress.change_source(BarSource::Broker, &days(&raw), &explained, day(UNTIL), Timestamp::ZERO);
        let Ok(Taken::Replaced(sifted)) = taken else { panic!("{taken:?}") };
        let closes: Vec<i64> = sifted.believed.iter().map(|bar| bar.close.e6()).collect();
        assert_eq!(closes, known, "no day fell by a fifth");
    }

    #[test]
    fn a_second_source_is_wanted_after_many_failures_over_two_sessions_or_after_five_without_a_day() {
        let progress = broker(&[1_000]);
        for (behind, failures, given_up, wanted) in [
            (1, 99, true, false),
            (2, 11, true, false),
            (2, 12, false, true),
            (4, 0, true, false),
            (5, 0, true, true),
            (5, 11, false, false),
        ] {
            let given_up = given_up.then(|| day(UNTIL));
            let progress = Progress { failures, given_up, ..progress.clone() };
            assert_eq!(progress.needs_second(behind, day(UNTIL)), wanted, "{behind} {failures} {given_up:?}");
        }
        let progress = Progress { failures: 12, ..progress };
        let tried = Progress { second_tried: Some(day(UNTIL)), ..progress.clone() };
        assert!(!tried.needs_second(5, day(UNTIL)), "once for each day");
        assert!(tried.needs_second(5, day(UNTIL + 1)));
        assert!(!Progress::default().needs_second(5, day(UNTIL)), "nothing is known to compare with");
    }
}
