//! The nightly check: the day that ended is computed once more, from an earlier day and everything booked since.
//!
//! Quantities begin with the oldest day of the last thirty and follow the fills and corporate actions booked after it;
//! cash by currency likewise, with the flows. Both are valued at the prices and rates that the day kept. More than half
//! a percent between this and what was said at the time means that books and history contradict each other, and a
//! person is told. Nothing is corrected: nobody knows which of the two is right.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Side;
use formulas::reconstruction::{Closes, Trade, reconstruct};
use market::{Isin, Timestamp};
use money::{Money, Quantity, Rounding, to_eur};

use crate::actions::{Action, Change};
use crate::books::Fill;
use crate::cash_book::{self, Purse, counts};
use crate::flows::Booked;
use crate::nav::DayEnd;

/// A day is computed from one that is at most so much older.
const BACK_DAYS: i32 = 30;
/// Difference that is let go, as a share of the whole.
const TOLERANCE: f64 = 0.005;

/// What has been booked.
pub(crate) struct Ledger<'a> {
    pub(crate) fills: &'a BTreeMap<String, Fill>,
    pub(crate) flows: &'a BTreeMap<String, Booked>,
    pub(crate) actions: &'a [Action],
    /// Settlements that no trade explains.
    pub(crate) loose: &'a BTreeSet<String>,
}

/// What is wrong with the last of these days, in one sentence; nothing while there is no earlier one with its rows.
pub(crate) fn contradiction(days: &[DayEnd], booked: &Ledger<'_>) -> Option<String> {
    let (last, before) = days.split_last()?;
    let oldest = last.day.plus_days(-BACK_DAYS);
    let base = before.iter().find(|day| day.day >= oldest && day.is_whole())?;
    let Some((worth, missing)) = worth(base, last, booked) else {
        return Some(format!("the end of {} cannot be computed from that of {}", last.day, base.day));
    };
    if let Some(missing) = missing {
        return Some(format!("since {} more of {missing} was sold than the books had", base.day));
    }
    let said = last.nav.to_f64();
    ((worth - said).abs() > TOLERANCE * said.abs()).then(|| {
        format!(
            "{} ended at {}, but computed from the end of {} and what was booked since it is {worth:.2} EUR; compare `steward export nav` with the broker's statement",
            last.day, last.nav, base.day
        )
    })
}

/// The last day's worth as it follows from the base, and what was sold without being held.
fn worth(base: &DayEnd, last: &DayEnd, booked: &Ledger<'_>) -> Option<(f64, Option<String>)> {
    let since = |at: Timestamp| at > base.ended;
    let (first, end) = (base.day.epoch_days(), last.day.epoch_days());
    let mut trades: Vec<(Timestamp, Isin, f64)> = Vec::new();
    let mut purse: Purse =
        base.closing.cash.iter().map(|cash| (cash.amount.currency(), cash.amount)).collect();
    for fill in booked.fills.values().filter(|fill| since(fill.booked)) {
        let sign = if fill.side == Side::Buy { 1.0 } else { -1.0 };
        trades.extend(fill.isin.map(|isin| (fill.booked, isin, sign * millionths(fill.qty))));
        for moved in cash_book::moved(fill).ok()? {
            cash_book::add(&mut purse, moved).ok()?;
        }
    }
    for flow in
        booked.flows.values().filter(|flow| since(flow.seen) && counts(flow, booked.fills, booked.loose))
    {
        cash_book::add(&mut purse, flow.flow.amount).ok()?;
    }
    for action in booked.actions.iter().filter(|action| since(action.at)) {
        let (held, left) = (millionths(action.held), millionths(action.left));
        match action.change {
            Change::Renamed { to } => {
                trades.extend([(action.at, action.isin, -held), (action.at, to, left)]);
            }
            Change::Split { .. } | Change::Removed => trades.push((action.at, action.isin, left - held)),
        }
    }
    trades.sort_by_key(|(at, ..)| *at);
    let held = base.closing.holdings.iter().map(|held| (base.ended, held.isin, millionths(held.qty)));
    let all: Vec<(Isin, f64)> = held.chain(trades).map(|(_, isin, quantity)| (isin, quantity)).collect();
    // The base belongs to the first day, all that came later to the last, in the order in which it came.
    let at_base = base.closing.holdings.len();
    let trades: Vec<Trade<'_>> = all
        .iter()
        .enumerate()
        .map(|(place, (isin, quantity))| {
            let day = if place < at_base { first } else { end };
            Trade { day, security: isin.as_str(), quantity: *quantity, cash: 0.0 }
        })
        .collect();
    let cash = cash_in_eur(&purse, last)?;
    let closes: Closes<'_> = last
        .closing
        .holdings
        .iter()
        .map(|held| (held.isin.as_str(), vec![(end, held.price.to_f64() * held.rate.to_f64() / 1e6)]))
        .collect();
    let built = reconstruct((first, end), cash, &trades, &[], &closes);
    let missing = built.shortages.first().map(|shortage| shortage.security.clone());
    let day = built.days.last().filter(|day| missing.is_some() || !day.is_incomplete)?;
    Some((day.value, missing))
}

/// A quantity as a whole number, so that what is sold out leaves nothing behind.
fn millionths(quantity: Quantity) -> f64 {
    (quantity.to_f64() * 1e6).round()
}

/// Cash at the rates of a day; unknown without one of them.
fn cash_in_eur(purse: &Purse, day: &DayEnd) -> Option<f64> {
    let held = purse.values().filter(|amount| !amount.is_zero());
    let eur = held.map(|amount| {
        to_eur(*amount, day.closing.rate(amount.currency())?, Rounding::HalfEven).ok().map(Money::to_f64)
    });
    eur.sum()
}
