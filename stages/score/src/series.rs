//! A price series that may be believed: in order, adjusted for splits, without impossible bars; or the reason why not.
//!
//! Rule. Bars are dropped that have no positive finite close, a high below the close, or a day that is not later than
//! the one before. Splits that the bars do not contain yet are divided out. Then the series is suspect, and has no
//! score, if a close rises by more than 1 000 % or falls by more than 90 % in a day, is above ten times or below a tenth
//! of the mean of the 30 before it, or has a one-day ratio within 3 % of 2 to 10 or their inverse (a split that nobody
//! recorded). Interpolating instead was rejected: an invented price is worse than none.

use market::Day;

use crate::{
    facts::{Bar, Facts},
    limits::MONTHS_KEPT,
    rolling::Rolling,
};

const RISE_MAX: f64 = 11.0;
const FALL_MAX: f64 = 0.1;
const MEAN_BARS: usize = 30;
const MEAN_RATIO: f64 = 10.0;
const SPLIT_TOLERANCE: f64 = 0.03;
const SPLIT_MAX: f64 = 10.0;
/// A close that moved by less than this factor neither jumped nor split: 1.9 lies below 2 less the tolerance.
const CALM_RATIO: f64 = 1.9;
/// The same against the mean: a tenth short of what is doubted.
const CALM_MEAN_RATIO: f64 = 9.0;

/// What is kept of a series.
#[derive(Debug, Clone)]
pub struct Series {
    /// The last closes, and indicators of all of them.
    pub rolling: Rolling,
    /// The last close of each complete month, oldest first.
    pub month_ends: Vec<f64>,
    /// Bars used.
    pub bars: usize,
    /// Bars that were no bars.
    pub dropped: usize,
    /// First day.
    pub first: Option<Day>,
    /// Last day.
    pub last: Option<Day>,
    /// Why it may not be believed.
    pub doubt: Option<&'static str>,
    /// First day after the month of the last bar: a date is taken apart once a month, not at each bar.
    next_month: Option<Day>,
}

impl Default for Series {
    fn default() -> Self {
        Series::new(&Facts::default())
    }
}

impl Series {
    /// Cleans and reads the bars.
    #[must_use]
    pub fn new(facts: &Facts) -> Series {
        let mut series = Series {
            rolling: Rolling::new(),
            month_ends: Vec::new(),
            bars: 0,
            dropped: 0,
            first: None,
            last: None,
            doubt: None,
            next_month: None,
        };
        let mut recent = Recent::default();
        for bar in &facts.bars {
            if !is_bar(bar) || series.last.is_some_and(|last| last >= bar.day) {
                series.dropped += 1;
                continue;
            }
            let (mut close, mut high) = (bar.close, bar.high);
            // Most securities never split, and a division for each of their bars would be felt.
            if !facts.splits.is_empty() {
                let ahead = facts.splits.iter().filter(|split| split.ex_day > bar.day);
                let ratio: f64 = ahead.map(|split| split.ratio).product();
                if !(ratio > 0.0 && ratio.is_finite()) {
                    series.doubt = Some("split_without_ratio");
                }
                (close, high) = (close / ratio, high / ratio);
            }
            series.doubt = series.doubt.or_else(|| recent.doubt(close));
            series.date(bar.day);
            series.rolling.carry(close, high);
        }
        series.rolling.take_returns();
        series
    }

    /// Notes the day of the next bar, before it is taken: the first of a month ends the one before.
    fn date(&mut self, day: Day) {
        if self.last.is_none() || self.next_month.is_some_and(|next| next <= day) {
            if let Some(end) = self.rolling.last() {
                if self.month_ends.len() == MONTHS_KEPT {
                    self.month_ends.remove(0);
                }
                self.month_ends.push(end);
            }
            self.next_month = first_of_next_month(day);
        }
        self.first = self.first.or(Some(day));
        self.last = Some(day);
        self.bars += 1;
    }

    /// The same with the present price as the close of its day; a price of a day that has a bar already changes nothing.
    #[must_use]
    pub fn with_price(&self, day: Day, price: f64) -> Option<Series> {
        let is_new = price > 0.0 && price.is_finite() && self.last.is_none_or(|last| last < day);
        is_new.then(|| {
            let mut series = self.clone();
            series.date(day);
            series.rolling.push(price, price);
            series
        })
    }

    /// Length in years.
    #[must_use]
    pub fn years(&self) -> f64 {
        self.first.zip(self.last).map_or(0.0, |(first, last)| f64::from(first.days_until(last)) / 365.25)
    }
}

/// None after the last month there is.
fn first_of_next_month(day: Day) -> Option<Day> {
    let (year, month) = (day.year(), day.month());
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    Day::from_ymd(year, month, 1).ok()
}

fn is_bar(bar: &Bar) -> bool {
    bar.close > 0.0 && bar.close.is_finite() && bar.high.is_finite() && bar.high >= bar.close
}

/// The closes before the present one.
#[derive(Debug, Default)]
struct Recent {
    closes: [f64; MEAN_BARS],
    sum: f64,
    /// How many are held.
    known: usize,
    /// Where the next one goes.
    next: usize,
    last: Option<f64>,
}

impl Recent {
    /// Takes a close; says why it may not be believed.
    fn doubt(&mut self, close: f64) -> Option<&'static str> {
        let (before, sum, known) = (self.last.replace(close), self.sum, self.known);
        self.take(close);
        let before = before?;
        let full = known == MEAN_BARS;
        if full && is_calm(close, before, sum) {
            return None;
        }
        // The count is at most 30.
        #[allow(clippy::cast_precision_loss)]
        let mean = sum / known as f64;
        doubt(close / before, full.then_some(close / mean))
    }

    fn take(&mut self, close: f64) {
        self.sum += close - self.closes[self.next];
        self.closes[self.next] = close;
        self.known = (self.known + 1).min(MEAN_BARS);
        self.next += 1;
        if self.next == MEAN_BARS {
            self.next = 0;
            // What a leap left behind by rounding does not stay in the sum.
            self.sum = self.closes.iter().sum();
        }
    }
}

/// What speaks against a close, by what it is to the one before and to the mean of the 30 before it.
fn doubt(ratio: f64, against_mean: Option<f64>) -> Option<&'static str> {
    let near = |against_mean: f64| (1.0 / MEAN_RATIO..=MEAN_RATIO).contains(&against_mean);
    if !(FALL_MAX..=RISE_MAX).contains(&ratio) {
        Some("price_jump")
    } else if !against_mean.is_none_or(near) {
        Some("price_far_from_mean")
    } else if looks_like_a_split(ratio) {
        Some("unrecorded_split")
    } else {
        None
    }
}

/// Whether a close is so near the one before and the sum of the 30 before it that no rule can doubt it. Nearly every
/// close is, and this says so without a division.
#[allow(clippy::cast_precision_loss)]
fn is_calm(close: f64, before: f64, sum: f64) -> bool {
    let thirty = close * MEAN_BARS as f64;
    close < CALM_RATIO * before
        && before < CALM_RATIO * close
        && thirty < CALM_MEAN_RATIO * sum
        && sum < CALM_MEAN_RATIO * thirty
}

fn looks_like_a_split(ratio: f64) -> bool {
    let up = if ratio >= 1.0 { ratio } else { 1.0 / ratio };
    let whole = up.round();
    (2.0..=SPLIT_MAX).contains(&whole) && (up / whole - 1.0).abs() <= SPLIT_TOLERANCE
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::facts::Split;

    fn day(number: i32) -> Day {
        "2026-01-01".parse::<Day>().unwrap().plus_days(number)
    }

    fn facts(closes: &[f64]) -> Facts {
        let bar = |(number, close): (i32, &f64)| Bar { day: day(number), close: *close, high: *close };
        Facts { bars: (0..).zip(closes).map(bar).collect(), ..Facts::default() }
    }

    #[test]
    fn what_is_no_bar_is_dropped_and_counted() {
        let mut facts = facts(&[100.0, 0.0, -1.0, f64::NAN, f64::INFINITY, 101.0]);
        facts.bars[5].high = 100.5;
        facts.bars.push(Bar { day: day(0), close: 100.0, high: 100.0 });
        let series = Series::new(&facts);
        assert_eq!((series.bars, series.dropped, series.doubt), (1, 6, None));
    }

    #[test]
    fn a_split_that_nobody_recorded_is_a_doubt_and_a_recorded_one_is_divided_out() {
        let mut split = facts(&[100.0, 101.0, 50.0, 51.0]);
        assert_eq!(Series::new(&split).doubt, Some("unrecorded_split"));
        split.splits.push(Split { ex_day: day(2), ratio: 2.0 });
        let series = Series::new(&split);
        assert_eq!(series.doubt, None);
        assert_eq!(series.rolling.closes(), [50.0, 50.5, 50.0, 51.0]);
        split.splits[0].ratio = 0.0;
        assert_eq!(Series::new(&split).doubt, Some("split_without_ratio"));
    }

    #[test]
    fn jumps_are_doubted_from_their_level_on() {
        for (second, doubt) in [
            (1_101.0, Some("price_jump")),
            (9.9, Some("price_jump")),
            (1e11, Some("price_jump")),
            (193.9, None),
            (194.1, Some("unrecorded_split")),
            (48.6, Some("unrecorded_split")),
            (48.4, None),
            (33.5, Some("unrecorded_split")),
            (250.0, None),
        ] {
            assert_eq!(Series::new(&facts(&[100.0, second])).doubt, doubt, "{second}");
        }
    }

    #[test]
    fn what_is_calm_is_never_doubted() {
        let steps = |least: f64, most: f64| {
            (0..=2_000).map(move |step| least * (most / least).powf(f64::from(step) / 2_000.0))
        };
        let mut calm = 0;
        for ratio in steps(0.05, 20.0) {
            for against_mean in steps(0.05, 20.0).step_by(40).chain([0.1, 1.0 / 9.0, 9.0, 10.0]) {
                let before = 37.0;
                let close = ratio * before;
                if is_calm(close, before, 30.0 * close / against_mean) {
                    calm += 1;
                    assert_eq!(doubt(ratio, Some(against_mean)), None, "{ratio} {against_mean}");
                }
            }
        }
        assert!(calm > 1_000, "{calm}");
        for broken in [f64::NAN, f64::INFINITY, 0.0] {
            assert!(!is_calm(broken, 1.0, 30.0) && !is_calm(1.0, broken, 30.0) && !is_calm(1.0, 1.0, broken));
        }
    }

    #[test]
    fn creeping_away_from_the_mean_is_doubted_too() {
        let mut closes = vec![100.0; 30];
        (1..8).for_each(|step| closes.push(100.0 * 1.45_f64.powi(step)));
        assert_eq!(Series::new(&facts(&closes)).doubt, None, "not yet ten times the mean");
        closes.push(100.0 * 1.45_f64.powi(9));
        closes.push(100.0 * 1.45_f64.powi(10) * 1.3);
        assert!(Series::new(&facts(&closes)).doubt.is_some());
    }

    #[test]
    fn a_month_ends_when_the_next_begins() {
        // 31 days of January and 28 of February, then the first of March.
        let closes: Vec<f64> = (0..60).map(|number| 100.0 + f64::from(number)).collect();
        let series = Series::new(&facts(&closes));
        assert_eq!(series.month_ends, [130.0, 158.0]);
        assert_eq!(Series::new(&facts(&closes[..59])).month_ends, [130.0]);
    }

    #[test]
    fn the_present_price_stands_at_the_end_once() {
        let series = Series::new(&facts(&[100.0, 101.0]));
        let now = series.with_price(day(2), 102.0).unwrap();
        assert_eq!((now.bars, now.last, now.rolling.last()), (3, Some(day(2)), Some(102.0)));
        assert!(series.with_price(day(1), 102.0).is_none(), "that day has its bar");
        for broken in [0.0, -1.0, f64::NAN] {
            assert!(series.with_price(day(2), broken).is_none(), "{broken}");
        }
    }
}
