//! What a portfolio was worth on each calendar day, rebuilt from its trades, flows and closes.
//!
//! Everything is in one currency; whoever calls converts at the rate of the day. Trades before the first day
//! only set the quantities with which it begins; trades and flows from then on move cash. A close counts on
//! its day and, until the next one, after it, never before; closes may begin up to [`LOOK_BACK_DAYS`] before
//! the first day. A holding without such a close leaves its day incomplete: no return is formed to it or
//! from it. A sale of more than is held ends at nothing and its shortage is reported: a purchase is missing.
//! No days, or a first day after the last: empty. Numbers that are not finite leave the day incomplete.

use std::collections::BTreeMap;

use crate::finite::finite;
use crate::twr::day_return;

/// A close so many days before the first day still prices it.
pub const LOOK_BACK_DAYS: i32 = 15;

/// One trade; days are counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade<'a> {
    /// When; trades of a day are given in the order in which they happened.
    pub day: i32,
    /// What.
    pub security: &'a str,
    /// Bought (positive) or sold (negative).
    pub quantity: f64,
    /// What was paid (negative) or received (positive).
    pub cash: f64,
}

/// One movement of cash other than a trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// When.
    pub day: i32,
    /// Signed.
    pub amount: f64,
    /// Paid in or out by the owner; income, fees and taxes are not.
    pub is_external: bool,
}

/// One calendar day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Day {
    /// Cash and holdings; what has no close is left out.
    pub value: f64,
    /// A holding had no close, or a number was none.
    pub is_incomplete: bool,
    /// Paid in less paid out.
    pub external_flow: f64,
    /// Change since the day before without the external flow.
    pub day_return: Option<f64>,
}

/// A sale of more than was held.
#[derive(Debug, Clone, PartialEq)]
pub struct Shortage {
    /// When.
    pub day: i32,
    /// What.
    pub security: String,
    /// How many were missing.
    pub quantity: f64,
}

/// The rebuilt days.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reconstruction {
    /// From the first day to the last.
    pub days: Vec<Day>,
    /// Missing purchases.
    pub shortages: Vec<Shortage>,
}

impl Reconstruction {
    /// Compounds the returns of all days that have one; `None` without any.
    pub fn twr(&self) -> Option<f64> {
        let mut returns = self.days.iter().filter_map(|day| day.day_return).peekable();
        returns.peek()?;
        finite(returns.fold(1.0, |growth, day| growth * (1.0 + day)) - 1.0)
    }
}

/// Closes of each security, `(day, close)`, oldest first.
pub type Closes<'a> = BTreeMap<&'a str, Vec<(i32, f64)>>;

/// Rebuilds the days from `first` to `last`, both included; trades and flows may come in any order of days.
///
/// # Examples
/// ```
/// use formulas::reconstruction::{Closes, Flow, Trade, reconstruct};
/// let trades = [Trade { day: 1, security: "A", quantity: 2.0, cash: -20.0 }];
/// let flows = [Flow { day: 0, amount: 100.0, is_external: true }];
/// let closes = Closes::from([("A", vec![(1, 10.0), (2, 11.0)])]);
/// let days = reconstruct((0, 3), 0.0, &trades, &flows, &closes).days;
/// let values: Vec<f64> = days.iter().map(|day| day.value).collect();
/// assert_eq!(values, [100.0, 100.0, 102.0, 102.0]);
/// assert_eq!(days[2].day_return, Some(0.02));
/// ```
pub fn reconstruct(
    (first, last): (i32, i32),
    initial_cash: f64,
    trades: &[Trade<'_>],
    flows: &[Flow],
    closes: &Closes<'_>,
) -> Reconstruction {
    let mut sorted: Vec<&Trade<'_>> = trades.iter().collect();
    sorted.sort_by_key(|trade| trade.day);
    let mut trades = sorted.into_iter().peekable();
    let mut built = Reconstruction::default();
    let mut held: BTreeMap<&str, f64> = BTreeMap::new();
    let mut cash = initial_cash;
    for today in first..=last {
        while let Some(trade) = trades.next_if(|trade| trade.day <= today) {
            let quantity = held.entry(trade.security).or_default();
            *quantity += trade.quantity;
            if *quantity < 0.0 {
                let (day, security) = (trade.day, trade.security.to_owned());
                built.shortages.push(Shortage { day, security, quantity: -*quantity });
                *quantity = 0.0;
            }
            if trade.day >= first {
                cash += trade.cash;
            }
        }
        let of_today = || flows.iter().filter(|flow| flow.day == today);
        cash += of_today().map(|flow| flow.amount).sum::<f64>();
        let external_flow = of_today().filter(|flow| flow.is_external).map(|flow| flow.amount).sum();
        let day = value(cash, &held, closes, today, first - LOOK_BACK_DAYS);
        built.days.push(Day { external_flow, ..day });
    }
    for at in 1..built.days.len() {
        let (before, day) = (built.days[at - 1], built.days[at]);
        if !before.is_incomplete && !day.is_incomplete {
            built.days[at].day_return = day_return(before.value, day.value, day.external_flow);
        }
    }
    built
}

fn value(cash: f64, held: &BTreeMap<&str, f64>, closes: &Closes<'_>, today: i32, oldest: i32) -> Day {
    let mut value = cash;
    let mut is_incomplete = false;
    for (security, quantity) in held.iter().filter(|(_, quantity)| **quantity != 0.0) {
        let known = closes.get(security).map_or(&[][..], Vec::as_slice);
        let until = known.partition_point(|(day, _)| *day <= today);
        match known[..until].last().filter(|(day, close)| *day >= oldest && close.is_finite()) {
            Some((_, close)) => value += quantity * close,
            None => is_incomplete = true,
        }
    }
    is_incomplete |= !value.is_finite();
    Day { value, is_incomplete, external_flow: 0.0, day_return: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "A";

    fn bought(day: i32, quantity: f64) -> Trade<'static> {
        Trade { day, security: A, quantity, cash: -10.0 * quantity }
    }

    #[test]
    fn a_later_price_never_fills_an_earlier_gap() {
        let closes = Closes::from([(A, vec![(2, 10.0)])]);
        let days = reconstruct((0, 3), 100.0, &[bought(1, 1.0)], &[], &closes).days;
        let incomplete: Vec<bool> = days.iter().map(|day| day.is_incomplete).collect();
        assert_eq!(incomplete, [false, true, false, false]);
        let returns: Vec<bool> = days.iter().map(|day| day.day_return.is_some()).collect();
        assert_eq!(returns, [false, false, false, true], "no return to or from an incomplete day");
    }

    #[test]
    fn a_close_prices_the_first_day_from_fifteen_days_back_and_not_from_sixteen() {
        let at = |day| {
            let closes = Closes::from([(A, vec![(day, 10.0)])]);
            reconstruct((20, 20), 0.0, &[bought(1, 1.0)], &[], &closes).days[0]
        };
        assert!(!at(20 - LOOK_BACK_DAYS).is_incomplete);
        assert!(at(20 - LOOK_BACK_DAYS - 1).is_incomplete);
    }

    #[test]
    fn what_is_sold_out_is_gone_and_a_trade_of_the_last_day_counts() {
        let closes = Closes::from([(A, vec![(0, 10.0)])]);
        let trades = [bought(0, 2.0), bought(2, -2.0)];
        let days = reconstruct((0, 2), 20.0, &trades, &[], &closes).days;
        assert_eq!(days.iter().map(|day| day.value).collect::<Vec<_>>(), [20.0, 20.0, 20.0]);
        let sold = reconstruct((0, 3), 20.0, &trades, &[], &Closes::new());
        assert!(!sold.days[3].is_incomplete, "nothing held needs no price");
    }

    #[test]
    fn a_missing_purchase_is_reported_with_its_shortage() {
        let built = reconstruct((0, 0), 0.0, &[bought(0, 2.0), bought(0, -5.0)], &[], &Closes::new());
        assert_eq!(built.shortages, [Shortage { day: 0, security: A.into(), quantity: 3.0 }]);
    }

    #[test]
    fn only_external_flows_are_taken_out_of_the_return() {
        let flow = |amount, is_external| Flow { day: 1, amount, is_external };
        let days =
            reconstruct((0, 1), 100.0, &[], &[flow(50.0, true), flow(-1.0, false)], &Closes::new()).days;
        assert_eq!((days[1].value, days[1].external_flow, days[1].day_return), (149.0, 50.0, Some(-0.01)));
    }

    #[test]
    fn nothing_and_numbers_that_are_none_have_no_return() {
        assert_eq!(reconstruct((1, 0), 0.0, &[], &[], &Closes::new()), Reconstruction::default());
        assert_eq!(Reconstruction::default().twr(), None);
        let broken = reconstruct((0, 1), f64::NAN, &[], &[], &Closes::new());
        assert!(broken.days[0].is_incomplete && broken.twr().is_none());
        let worthless = reconstruct((0, 1), 0.0, &[], &[], &Closes::new());
        assert_eq!(worthless.days[1].day_return, None);
    }
}
