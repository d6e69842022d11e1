//! Which daily bars may be believed.
//!
//! A close that jumps too far is set apart until something explains it: a split of that day, a second source that says
//! the same, or a next session that stays near it. What is impossible is never explained by a next session. No price is
//! ever invented: a day set apart is a missing day.

use std::collections::BTreeMap;

use market::Day;
use money::Price;
use tradernet::commands::candles::Candle;

/// A jump of the logarithm below this is always usual.
const JUMP_MIN: f64 = 0.35;
/// A jump beyond so many usual daily moves is doubtful.
const SIGMAS: f64 = 8.0;
/// Sessions that tell the usual daily move; fewer than a third of them tell nothing.
pub(crate) const SIGMA_SESSIONS: usize = 60;
/// Sessions whose mean bounds what is possible, and by which factor.
const MEAN_SESSIONS: usize = 30;
const FACTOR_MAX: f64 = 10.0;
/// Two sources agree within this.
const AGREE: f64 = 0.03;
/// A split explains a jump when what is left of it is below this.
const SPLIT_REST: f64 = 0.35;
/// A split is told of within so many days of its trace in the past.
const SPLIT_DAYS: i32 = 40;

/// What may explain a jump.
#[derive(Debug, Clone, Default)]
pub(crate) struct Explained {
    /// Splits by day: new shares for old ones.
    pub(crate) splits: BTreeMap<Day, (u32, u32)>,
    /// Closes of a second source.
    pub(crate) second: BTreeMap<Day, Price>,
}

impl Explained {
    /// Whether somebody told of this split lately.
    pub(crate) fn tells(&self, after: u32, before: u32, until: Day) -> bool {
        self.splits.range(until.plus_days(-SPLIT_DAYS)..).any(|(_, ratio)| *ratio == (after, before))
    }
}

/// Why a bar is set apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// It jumped and nothing explains it yet.
    Jump,
    /// It is more than ten times what it was, or less than a tenth.
    Impossible,
}

impl Doubt {
    /// The word in the store.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Doubt::Jump => "jump",
            Doubt::Impossible => "impossible",
        }
    }
}

/// Bars told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sifted {
    /// May be used.
    pub(crate) believed: Vec<Candle>,
    /// May not.
    pub(crate) doubtful: Vec<(Candle, Doubt)>,
    /// Splits that the source did not work into its past: bars before the day are to be divided.
    pub(crate) unadjusted: Vec<(Day, u32, u32)>,
}

/// Tells the bars apart, oldest first, behind closes that are believed already.
pub(crate) fn sift(before: &BTreeMap<Day, Price>, candles: &[Candle], explained: &Explained) -> Sifted {
    let mut closes: Vec<f64> = before.values().map(|close| value(*close)).collect();
    let mut last_day = before.last_key_value().map(|(day, _)| *day);
    let mut sifted = Sifted::default();
    for (place, candle) in candles.iter().enumerate() {
        let close = value(candle.close);
        let doubt = closes.last().and_then(|last| judge(&closes, *last, close));
        let Some(doubt) = doubt else {
            closes.push(close);
            sifted.believed.push(*candle);
            last_day = Some(candle.day);
            continue;
        };
        let last = closes.last().copied().unwrap_or(close);
        if let Some((day, after, old)) = split_between(explained, last_day, candle.day, close / last) {
            let factor = f64::from(old) / f64::from(after);
            closes.iter_mut().for_each(|close| *close *= factor);
            sifted.believed.iter_mut().for_each(|bar| *bar = rescaled(bar, after, old));
            sifted.unadjusted.push((day, after, old));
        } else if !confirmed(explained, &closes, candles.get(place + 1), candle, doubt) {
            sifted.doubtful.push((*candle, doubt));
            continue;
        }
        closes.push(close);
        sifted.believed.push(*candle);
        last_day = Some(candle.day);
    }
    sifted
}

fn judge(closes: &[f64], last: f64, close: f64) -> Option<Doubt> {
    let recent = &closes[closes.len().saturating_sub(MEAN_SESSIONS)..];
    let mean = recent.iter().sum::<f64>() / recent.len().max(1) as f64;
    let beyond = |base: f64| close > base * FACTOR_MAX || close < base / FACTOR_MAX;
    if beyond(last) || beyond(mean) {
        Some(Doubt::Impossible)
    } else if (close / last).ln().abs() > limit(closes) {
        Some(Doubt::Jump)
    } else {
        None
    }
}

/// How far a usual close may move.
fn limit(closes: &[f64]) -> f64 {
    let recent = &closes[closes.len().saturating_sub(SIGMA_SESSIONS + 1)..];
    let moves: Vec<f64> = recent.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
    if moves.len() < SIGMA_SESSIONS / 3 {
        return JUMP_MIN;
    }
    let count = moves.len() as f64;
    let mean = moves.iter().sum::<f64>() / count;
    let variance = moves.iter().map(|step| (step - mean).powi(2)).sum::<f64>() / (count - 1.0);
    JUMP_MIN.max(SIGMAS * variance.sqrt())
}

/// A split after the last believed day and up to this one that leaves an ordinary move.
fn split_between(explained: &Explained, last: Option<Day>, day: Day, ratio: f64) -> Option<(Day, u32, u32)> {
    let found =
        explained.splits.range(..=day).rev().take_while(|(then, _)| last.is_none_or(|last| **then > last));
    let fits = |after: u32, old: u32| (ratio * f64::from(after) / f64::from(old)).ln().abs() < SPLIT_REST;
    found.map(|(then, (after, old))| (*then, *after, *old)).find(|(_, after, old)| fits(*after, *old))
}

fn confirmed(
    explained: &Explained,
    closes: &[f64],
    next: Option<&Candle>,
    candle: &Candle,
    doubt: Doubt,
) -> bool {
    let close = value(candle.close);
    let second = explained.second.get(&candle.day).map(|other| value(*other) / close - 1.0);
    if second.is_some_and(|part| part.abs() <= AGREE) {
        return true;
    }
    // The next session confirms when it stays near this close and away from the one before.
    let last = closes.last().copied().unwrap_or(close);
    let limit = limit(closes);
    doubt == Doubt::Jump
        && next.is_some_and(|next| {
            let next = value(next.close);
            (next / close).ln().abs() <= limit && (next / last).ln().abs() > limit / 2.0
        })
}

/// A price from before a split in units of after it.
pub(crate) fn rescaled_price(price: Price, after: u32, old: u32) -> Price {
    let e6 = i128::from(price.e6()) * i128::from(old);
    let divided = money::divide(e6, i128::from(after), money::Rounding::HalfEven).ok();
    divided.and_then(|e6| Price::from_e6(i64::try_from(e6).ok()?).ok()).unwrap_or(price)
}

/// A bar from before a split in units of after it.
pub(crate) fn rescaled(bar: &Candle, after: u32, old: u32) -> Candle {
    let part = |price: Price| rescaled_price(price, after, old);
    Candle { open: part(bar.open), high: part(bar.high), low: part(bar.low), close: part(bar.close), ..*bar }
}

fn value(price: Price) -> f64 {
    price.e6().max(1) as f64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn day(number: i32) -> Day {
        Day::from_epoch_days(20_000 + number).unwrap()
    }

    fn candle(number: i32, close: i64) -> Candle {
        let price = Price::from_e6(close).unwrap();
        Candle { day: day(number), open: price, high: price, low: price, close: price, volume: None }
    }

    fn candles(closes: &[i64]) -> Vec<Candle> {
        closes.iter().zip(0..).map(|(close, number)| candle(number, *close)).collect()
    }

    fn doubts(closes: &[i64], explained: &Explained) -> Vec<(i32, Doubt)> {
        let sifted = sift(&BTreeMap::new(), &candles(closes), explained);
        assert_eq!(sifted.believed.len() + sifted.doubtful.len(), closes.len());
        sifted.doubtful.iter().map(|(bar, doubt)| (day(0).days_until(bar.day), *doubt)).collect()
    }

    #[test]
    fn an_ordinary_series_is_believed_whole() {
        assert_eq!(doubts(&[100, 120, 100, 130, 99, 139], &Explained::default()), []);
        assert_eq!(doubts(&[], &Explained::default()), []);
        assert_eq!(doubts(&[7], &Explained::default()), [], "a first close has nothing beside it");
    }

    #[test]
    fn the_bound_of_a_jump_lies_between_141_and_142_hundredths() {
        let none = Explained::default();
        assert_eq!(doubts(&[1_000, 1_419], &none), []);
        assert_eq!(doubts(&[1_000, 1_420], &none), [(1, Doubt::Jump)]);
        assert_eq!(doubts(&[1_419, 1_000], &none), []);
        assert_eq!(doubts(&[1_420, 1_000], &none), [(1, Doubt::Jump)]);
    }

    #[test]
    fn a_price_times_ten_or_a_hundredth_is_set_apart_alone() {
        let none = Explained::default();
        assert_eq!(doubts(&[100, 101, 1_010, 102], &none), [(2, Doubt::Impossible)]);
        assert_eq!(doubts(&[10_000, 10_100, 101, 10_200], &none), [(2, Doubt::Impossible)]);
        assert_eq!(doubts(&[100, 101, 1_010], &none), [(2, Doubt::Impossible)], "also as the last bar");
        let lasting = doubts(&[100, 100, 1_010, 1_011, 1_012], &none);
        assert_eq!(lasting.len(), 3, "the next session never explains what is impossible: {lasting:?}");
    }

    #[test]
    fn a_real_jump_is_believed_once_the_next_session_stays() {
        let none = Explained::default();
        assert_eq!(doubts(&[100, 101, 180], &none), [(2, Doubt::Jump)]);
        assert_eq!(doubts(&[100, 101, 180, 178], &none), []);
        assert_eq!(doubts(&[100, 101, 180, 102], &none), [(2, Doubt::Jump)], "it was an error");
    }

    #[test]
    fn a_second_source_explains_within_three_hundredths() {
        let second = |e6: i64| Explained {
            second: BTreeMap::from([(day(2), Price::from_e6(e6).unwrap())]),
            ..Explained::default()
        };
        assert_eq!(doubts(&[1_000, 1_010, 1_800], &second(1_853)), []);
        assert_eq!(doubts(&[1_000, 1_010, 1_800], &second(1_855)), [(2, Doubt::Jump)]);
        assert_eq!(doubts(&[1_000, 1_010, 18_000], &second(18_000)), [], "also what seemed impossible");
    }

    #[test]
    fn a_split_is_no_crash_and_divides_what_came_before_it() {
        let splits = BTreeMap::from([(day(2), (4, 1))]);
        let explained = Explained { splits, ..Explained::default() };
        let sifted = sift(&BTreeMap::new(), &candles(&[400, 404, 102, 103]), &explained);
        assert_eq!(sifted.doubtful, []);
        assert_eq!(sifted.unadjusted, [(day(2), 4, 1)]);
        let closes: Vec<i64> = sifted.believed.iter().map(|bar| bar.close.e6()).collect();
        assert_eq!(closes, [100, 101, 102, 103]);
        let adjusted = sift(&BTreeMap::new(), &candles(&[100, 101, 102, 103]), &explained);
        assert_eq!(adjusted.unadjusted, [], "a source that has worked it in is left alone");
        let reverse = Explained { splits: BTreeMap::from([(day(1), (1, 10))]), ..Explained::default() };
        assert_eq!(sift(&BTreeMap::new(), &candles(&[100, 1_010]), &reverse).unadjusted.len(), 1);
    }

    #[test]
    fn a_wild_security_has_a_wider_bound() {
        let wild: Vec<i64> = (0..70).map(|n| if n % 2 == 0 { 1_000 } else { 1_120 }).collect();
        let mut jumping = wild.clone();
        jumping.push(1_700);
        assert_eq!(doubts(&jumping, &Explained::default()), []);
        let calm: Vec<i64> = vec![1_000; 70];
        let mut jumping = calm;
        jumping.push(1_700);
        assert_eq!(doubts(&jumping, &Explained::default()), [(70, Doubt::Jump)]);
    }
}
