//! Which days of which securities may be compared: one calendar, one currency, no invented prices.
//!
//! The calendar holds the newest 505 days on which at least half of the securities traded. A price is carried on for
//! at most five of them, and never back. Closes are turned into EUR with the rate of the same day; a currency whose
//! rates do not reach back that far is compared in itself, and that is said. A security stays out that has fewer than
//! 120 own closes, begins so late that fewer than 252 days would be left for all, has a hole, jumps by more than half
//! in a day, or does not move at all.
//!
//! A jump is believed when an action of the company is recorded for the day, or when each of the next 20 days of the
//! calendar closes nearer to the price after it than to the one before: it has stayed. More than tenfold, or less than a
//! tenth, only an action explains.

use std::collections::BTreeMap;

use formulas::moments::sample_deviation;
use market::Day;

/// Days of returns.
pub const SESSIONS: usize = 504;
/// Days that must be left for all.
const COMMON_MIN: usize = 252;
/// Own closes a security needs.
const CLOSES_MIN: usize = 120;
/// Days a price or a rate is carried on.
const CARRIED_MAX: usize = 5;
/// Days between which a rate still counts as the same day's.
const RATE_AGE_MAX_DAYS: i32 = 7;
/// A larger return is taken for an event without a record.
const JUMP_MAX: f64 = 0.5;
/// Days on which a price must stay where it jumped to.
const STAYS_DAYS: usize = 20;
/// A price that changes by a larger factor in a day is a mistake, not a price.
const FACTOR_MAX: f64 = 10.0;
/// A series with less scatter a day does not move.
const FLAT: f64 = 1e-9;

/// The closes of one security.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Oldest first, above zero.
    pub closes: Vec<(Day, f64)>,
    /// EUR for one unit, oldest first; absent for EUR itself.
    pub rates: Option<Vec<(Day, f64)>>,
    /// Days on which something the company did is recorded, oldest first.
    pub actions: Vec<Day>,
}

/// Returns of the securities that can be compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Aligned {
    /// Positions of the securities in the list given, ascending.
    pub included: Vec<usize>,
    /// Row-major, one row per day, one column per included security.
    pub returns: Vec<f64>,
    /// Who stays out, and why.
    pub left_out: Vec<(usize, String)>,
    /// Who is compared in an own currency.
    pub own_currency: Vec<usize>,
}

/// Aligns all series.
#[must_use]
pub fn align(all: &[Series]) -> Aligned {
    let mut aligned = Aligned::default();
    let calendar = calendar(all);
    let mut filled: BTreeMap<usize, Vec<Option<f64>>> = BTreeMap::new();
    for (at, series) in all.iter().enumerate() {
        let own = series.closes.iter().filter(|(day, _)| calendar.binary_search(day).is_ok()).count();
        if own < CLOSES_MIN {
            aligned.left_out.push((at, format!("short history: {own} closes, {CLOSES_MIN} are needed")));
            continue;
        }
        let closes = carry(&series.closes, &calendar);
        let (prices, is_native) = in_eur(closes, series, &calendar);
        if is_native {
            aligned.own_currency.push(at);
        }
        filled.insert(at, prices);
    }
    let start = common_start(&mut filled, calendar.len(), &mut aligned.left_out);
    let mut columns: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (at, prices) in &filled {
        let from = start.min(prices.len());
        match returns(&prices[from..], &calendar[from..], &all[*at].actions) {
            Ok(returns) => drop(columns.insert(*at, returns)),
            Err(why) => aligned.left_out.push((*at, why)),
        }
    }
    let days = columns.values().map(Vec::len).min().unwrap_or(0);
    aligned.included = columns.keys().copied().collect();
    aligned.returns = (0..days).flat_map(|day| columns.values().map(move |column| column[day])).collect();
    aligned.own_currency.retain(|at| aligned.included.contains(at));
    aligned.left_out.sort();
    aligned
}

/// The newest days on which at least half of the securities traded.
fn calendar(all: &[Series]) -> Vec<Day> {
    let mut traded: Vec<Day> = all.iter().flat_map(|series| &series.closes).map(|(day, _)| *day).collect();
    // Each series is a run in order already, which this sort makes use of.
    traded.sort();
    let common = traded.chunk_by(PartialEq::eq).rev().filter(|same| same.len() * 2 >= all.len());
    let mut days: Vec<Day> = common.map(|same| same[0]).take(SESSIONS + 1).collect();
    days.reverse();
    days
}

/// The newest value at or before each day, at most five days of the calendar old.
fn carry(values: &[(Day, f64)], calendar: &[Day]) -> Vec<Option<f64>> {
    let mut next = 0;
    let mut last: Option<(usize, f64)> = None;
    let mut carried = Vec::with_capacity(calendar.len());
    for (position, day) in calendar.iter().enumerate() {
        while let Some((_, value)) = values.get(next).filter(|(known, _)| known <= day) {
            last = Some((position, *value));
            next += 1;
        }
        carried.push(last.filter(|(since, _)| position - since <= CARRIED_MAX).map(|(_, value)| value));
    }
    carried
}

/// Prices in EUR; in their own currency, and said so, when a rate is missing on any day that has a price.
fn in_eur(closes: Vec<Option<f64>>, series: &Series, calendar: &[Day]) -> (Vec<Option<f64>>, bool) {
    let Some(rates) = &series.rates else { return (closes, false) };
    let rate_on = |day: Day| {
        let until = rates.partition_point(|(known, _)| *known <= day);
        let (known, rate) = rates[..until].last()?;
        (known.days_until(day) <= RATE_AGE_MAX_DAYS).then_some(*rate)
    };
    let converted: Vec<Option<f64>> =
        closes.iter().zip(calendar).map(|(close, day)| Some((*close)? * rate_on(*day)?)).collect();
    let complete = closes.iter().zip(&converted).all(|(close, eur)| close.is_some() == eur.is_some());
    if complete { (converted, false) } else { (closes, true) }
}

/// Where all that stay have begun; those that begin too late leave, unless nobody would be left to compare.
fn common_start(
    filled: &mut BTreeMap<usize, Vec<Option<f64>>>,
    days: usize,
    left_out: &mut Vec<(usize, String)>,
) -> usize {
    let first = |prices: &Vec<Option<f64>>| prices.iter().position(Option::is_some).unwrap_or(days);
    let latest = days.saturating_sub(COMMON_MIN + 1);
    let early = filled.values().filter(|prices| first(prices) <= latest).count();
    if early >= 2 {
        filled.retain(|at, prices| {
            let begins = first(prices);
            if begins > latest {
                let days = days.saturating_sub(begins + 1);
                left_out.push((*at, format!("short history: {days} days, {COMMON_MIN} are needed")));
            }
            begins <= latest
        });
    }
    filled.values().map(first).max().unwrap_or(days)
}

fn returns(prices: &[Option<f64>], days: &[Day], actions: &[Day]) -> Result<Vec<f64>, String> {
    let known: Vec<f64> = prices.iter().flatten().copied().collect();
    if known.len() != prices.len() {
        return Err(format!("a hole of more than {CARRIED_MAX} days in its prices"));
    }
    let returns: Vec<f64> = known.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    if returns.len() < 2 || !returns.iter().all(|value| value.is_finite()) {
        return Err("too few days in common".into());
    }
    let acted = |at: usize| actions.iter().any(|day| days[at] < *day && *day <= days[at + 1]);
    let doubted = |at: &usize| returns[*at].abs() > JUMP_MAX && !acted(*at) && !stayed(&known, *at);
    if let Some(at) = (0..returns.len()).find(doubted) {
        return Err(format!(
            "moved by {:.0} % on {}; waits for a record of an action, or for {STAYS_DAYS} days at the new price",
            returns[at] * 100.0,
            days[at + 1]
        ));
    }
    match sample_deviation(&returns) {
        Some(scatter) if scatter > FLAT => Ok(returns),
        _ => Err("its price does not move".into()),
    }
}

/// Whether a price stayed where it jumped to after this day.
fn stayed(prices: &[f64], at: usize) -> bool {
    let (before, after) = (prices[at], prices[at + 1]);
    let factor = (after / before).max(before / after);
    let since = prices.get(at + 2..at + 2 + STAYS_DAYS).unwrap_or_default();
    // Nearer to the one than to the other in ratios: on the far side of their geometric mean.
    let middle = (before * after).sqrt();
    factor <= FACTOR_MAX
        && since.len() == STAYS_DAYS
        && since.iter().all(|price| (*price > middle) == (after > middle))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn day(number: i32) -> Day {
        Day::from_ymd(2024, 1, 1).unwrap().plus_days(number)
    }

    /// A price that wobbles, so that it moves, from `from` to `to`.
    fn series(from: i32, to: i32) -> Series {
        let close = |number: i32| (day(number), 100.0 + f64::from((number * 7) % 5));
        Series { closes: (from..to).map(close).collect(), ..Series::default() }
    }

    fn why(aligned: &Aligned, at: usize) -> &str {
        &aligned.left_out.iter().find(|(out, _)| *out == at).unwrap().1
    }

    #[test]
    fn takes_the_newest_days_of_all() {
        let aligned = align(&[series(0, 600), series(0, 600)]);
        assert_eq!((aligned.included, aligned.returns.len()), (vec![0, 1], 2 * SESSIONS));
    }

    #[test]
    fn nothing_given_is_nothing_aligned() {
        assert_eq!(align(&[]), Aligned::default());
        let one = align(&[Series::default()]);
        assert!(one.included.is_empty() && why(&one, 0).contains("0 closes"));
    }

    #[test]
    fn a_short_history_leaves_on_both_sides_of_each_limit() {
        for (closes, included) in [(CLOSES_MIN, false), (COMMON_MIN, false), (COMMON_MIN + 1, true)] {
            let closes = i32::try_from(closes).unwrap();
            let aligned = align(&[series(0, 600), series(0, 600), series(600 - closes, 600)]);
            assert_eq!(aligned.included.contains(&2), included, "{closes} {:?}", aligned.left_out);
        }
        assert!(why(&align(&[series(0, 600), series(481, 600)]), 1).contains("119 closes"));
    }

    #[test]
    fn young_funds_are_compared_over_what_they_have() {
        let aligned = align(&[series(0, 150), series(10, 150)]);
        assert_eq!((aligned.included.len(), aligned.returns.len()), (2, 2 * 139));
    }

    #[test]
    fn a_price_is_carried_on_for_five_days_and_never_back() {
        for (hole, included) in [(5, true), (6, false)] {
            let mut gappy = series(0, 600);
            gappy.closes.retain(|(known, _)| !(day(400)..day(400 + hole)).contains(known));
            let aligned = align(&[series(0, 600), series(0, 600), gappy]);
            assert_eq!(aligned.included.contains(&2), included, "{hole}");
        }
    }

    #[test]
    fn a_jump_by_more_than_half_waits_for_confirmation() {
        for (factor, since, included) in [
            (1.4, 1, true),
            (0.4, 20, false),
            (0.4, 21, true),
            (1.8, 20, false),
            (1.8, 21, true),
            (9.0, 21, true),
            (11.0, 300, false),
            (1e9, 300, false),
            (0.09, 300, false),
        ] {
            let aligned = align(&[series(0, 600), series(0, 600), jumping(factor, since)]);
            assert_eq!(aligned.included.contains(&2), included, "{factor} {since} {:?}", aligned.left_out);
        }
    }

    /// A price that changed by a factor so many days ago.
    fn jumping(factor: f64, since: usize) -> Series {
        let mut jumping = series(0, 600);
        jumping.closes[600 - since..].iter_mut().for_each(|(_, close)| *close *= factor);
        jumping
    }

    #[test]
    fn a_jump_that_did_not_last_is_never_believed() {
        for (back, included) in [(10, false), (200, true)] {
            let mut spike = jumping(0.4, 300);
            let from = 300 + back;
            spike.closes[from..].iter_mut().for_each(|(_, close)| *close /= 0.4);
            let aligned = align(&[series(0, 600), series(0, 600), spike]);
            assert_eq!(aligned.included.contains(&2), included, "{back}");
        }
    }

    #[test]
    fn an_action_of_the_day_explains_a_jump_and_one_of_another_day_does_not() {
        // The jump is between days 597 and 598.
        for (action, included) in [(597, false), (598, true), (599, false)] {
            let acted = Series { actions: vec![day(action)], ..jumping(0.4, 2) };
            let aligned = align(&[series(0, 600), series(0, 600), acted]);
            assert_eq!(aligned.included.contains(&2), included, "{action}");
        }
        let factor = Series { actions: vec![day(598)], ..jumping(1e9, 2) };
        assert!(align(&[series(0, 600), series(0, 600), factor]).included.contains(&2), "it is recorded");
    }

    #[test]
    fn a_flat_series_is_left_out() {
        let mut flat = series(0, 600);
        flat.closes.iter_mut().for_each(|(_, close)| *close = 7.0);
        let aligned = align(&[series(0, 600), series(0, 600), flat]);
        assert!(why(&aligned, 2).contains("does not move"));
    }

    #[test]
    fn foreign_closes_are_compared_in_eur_where_rates_reach() {
        let rates = |from| Some((from..600).map(|number| (day(number), 0.9)).collect::<Vec<_>>());
        let foreign = Series { rates: rates(0), ..series(0, 600) };
        let unknown = Series { rates: rates(500), ..series(0, 600) };
        let aligned = align(&[series(0, 600), foreign, unknown]);
        assert_eq!((aligned.included.len(), aligned.own_currency), (3, vec![2]));
        let row = &aligned.returns[..3];
        assert!((row[0] - row[1]).abs() < 1e-12, "a constant rate changes no return");
    }

    #[test]
    fn days_on_which_few_traded_are_no_days_of_the_calendar() {
        let mut weekends = series(0, 600);
        weekends.closes.extend((600..650).map(|number| (day(number), 100.0)));
        let aligned = align(&[series(0, 600), series(0, 600), weekends]);
        assert_eq!(aligned.included, [0, 1, 2]);
    }
}
