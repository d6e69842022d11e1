//! What is asked for when something is owed: one order at a time, exchanges first, then sales of what is overweight or weak.
//!
//! A debt counts with what curing it may cost on top, so that it is cured once; one of up to 1 EUR does not count. A
//! currency gives what is promised to no order and is not the last 5 EUR worth of it. Only what no exchange covers is sold
//! for: one sale in 15 minutes, three in a day, each as an emergency order through the gate, which still asks whether the
//! owner allows it, whether it is held, and whether the venue is open. What a sale brings in is exchanged in the next round.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{PortfolioState, Side};
use limits::Fine;
use market::{Isin, Timestamp};
use money::{Currency, Money, MoneyError, Quantity, Rate, Rounding};

use super::{exchange, sale, watch};
use crate::{
    price,
    settings::Rules,
    snapshot::{Snapshot, Usable},
};

/// Time between two sales.
const BETWEEN_MS: i64 = 15 * 60_000;
/// Sales of one day.
const PER_DAY: usize = 3;
/// A day of 24 hours.
const DAY_MS: i64 = 24 * 60 * 60_000;
/// Margin for a rate moving while an exchange is made, in 1/1 000 000.
const BUFFER_E6: i128 = 20_000;
/// What is never spent of a currency, in EUR; the gate keeps the same.
pub const KEPT_EUR: Fine = Fine::from_e12(5 * Fine::SCALE);

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// These are exchanged, one after the other.
    Exchange(Vec<exchange::Leg>),
    /// This is sold.
    Sell(Isin, Quantity),
    /// A sale is due, but not before then.
    Later(Timestamp),
    /// Nothing can be sold for it; this stays uncovered.
    Uncovered(Money),
}

/// What each currency can give, or owes with the costs of curing it. Without a rate the balance stands as it is.
///
/// # Errors
/// [`MoneyError`] when amounts do not fit.
pub fn purses(
    state: &PortfolioState,
    rules: &Rules,
    rate: impl Fn(Currency) -> Option<Rate>,
) -> Result<BTreeMap<Currency, Fine>, MoneyError> {
    // What a sale brings in later can be given by nobody now, as the gate sees it.
    let mut free: BTreeMap<Currency, Fine> = BTreeMap::new();
    for cash in &state.cash {
        let known = free.entry(cash.amount.currency()).or_insert(Fine::ZERO);
        *known = known.checked_add(cash.free().into())?.checked_sub(cash.reserved.into())?;
    }
    let mut purses = BTreeMap::new();
    for (ccy, balance) in watch::balances(state) {
        let amount = Fine::from(balance);
        let Some(rate) = rate(ccy) else {
            purses.insert(ccy, amount);
            continue;
        };
        let native = |eur: Fine| eur.over(rate.into(), Rounding::Up);
        let purse = if !balance.is_negative() {
            let free = free.get(&ccy).copied().unwrap_or(Fine::ZERO);
            free.checked_sub(native(KEPT_EUR)?)?.max(Fine::ZERO)
        } else if watch::matters(balance, rate) {
            amount.checked_sub(native(rules.costs.fixed_eur.into())?)?
        } else {
            Fine::ZERO
        };
        purses.insert(ccy, purse);
    }
    Ok(purses)
}

/// The exchanges that cover what is owed, and what sales must bring in for the rest. Needs nothing but balances and rates.
///
/// # Errors
/// A sentence when it cannot be computed.
pub fn exchanges(
    state: &PortfolioState,
    rules: &Rules,
    rate: impl Fn(Currency) -> Option<Rate>,
) -> Result<exchange::Plan, String> {
    let balances = watch::balances(state);
    let purses = purses(state, rules, &rate).map_err(|error| error.to_string())?;
    exchange::plan(&exchange::Balances {
        balances: purses,
        // No currency is kept above zero for its own sake.
        trading: BTreeSet::new(),
        reserve_eur: Fine::ZERO,
        eur_per_unit: balances.keys().filter_map(|ccy| Some((*ccy, Fine::from(rate(*ccy)?)))).collect(),
        buffer: Fine::from_e12(BUFFER_E6 * Fine::SCALE / 1_000_000),
        least_eur: Fine::ONE,
    })
    .map_err(|error| error.to_string())
}

/// Decides on a sale for what no exchange covers; `sold` are the times of earlier emergency sales.
///
/// # Errors
/// A sentence when it cannot be computed.
pub fn sale(
    snapshot: &Snapshot<'_>,
    need_eur: Fine,
    open: impl Fn(&Usable<'_>) -> bool,
    sold: &[Timestamp],
) -> Result<Step, String> {
    if let Some(then) = earliest(sold, snapshot.now) {
        return Ok(Step::Later(then));
    }
    let short = short_currency(&watch::balances(snapshot.state));
    let sales = sales(snapshot, need_eur, short, open).map_err(|error| error.to_string())?;
    Ok(match sales.sales.first() {
        Some((isin, quantity)) => Step::Sell(*isin, *quantity),
        None => {
            let uncovered = sales.uncovered.to_money(Currency::EUR, Rounding::Up);
            Step::Uncovered(uncovered.map_err(|error| error.to_string())?)
        }
    })
}

/// When another sale may be asked for; `None` is now.
fn earliest(sold: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    let mut recent: Vec<Timestamp> = sold.iter().copied().filter(|at| now.since(*at) < DAY_MS).collect();
    recent.sort();
    let after_last = recent.last().map(|at| at.saturating_plus_ms(BETWEEN_MS));
    let after_day = recent.len().checked_sub(PER_DAY).and_then(|first| recent.get(first));
    let then = after_last.max(after_day.map(|at| at.saturating_plus_ms(DAY_MS)))?;
    (then > now).then_some(then)
}

/// The currency that is furthest below zero by its own amount; ties by code.
fn short_currency(balances: &BTreeMap<Currency, Money>) -> Currency {
    let negative = balances.iter().filter(|(_, balance)| balance.is_negative());
    negative.min_by_key(|(ccy, balance)| (balance.e4(), **ccy)).map_or(Currency::EUR, |(ccy, _)| *ccy)
}

/// The sales: holdings over their target or of a low score first, then the rest for what those do not cover.
fn sales(
    snapshot: &Snapshot<'_>,
    need: Fine,
    short: Currency,
    open: impl Fn(&Usable<'_>) -> bool,
) -> Result<sale::Plan<Isin>, MoneyError> {
    let rules = snapshot.rules;
    let costs = sale::Costs { fixed: rules.costs.fixed_eur.into(), percent: rules.costs.percent.into() };
    let of = |wanted: bool| {
        let some = snapshot.usable.iter().filter(|usable| may_go(usable, snapshot) == wanted);
        some.filter_map(|usable| holding(usable, open(usable))).collect::<Vec<_>>()
    };
    let mut plan = sale::plan(&of(true), need, short, costs)?;
    if plan.uncovered.is_positive() {
        let rest = sale::plan(&of(false), plan.uncovered, short, costs)?;
        plan.sales.extend(rest.sales);
        plan.uncovered = rest.uncovered;
    }
    Ok(plan)
}

/// Whether a holding is over its target or scores too low to be bought.
fn may_go(usable: &Usable<'_>, snapshot: &Snapshot<'_>) -> bool {
    let target = snapshot.total.share(usable.target, Rounding::Down);
    let over = snapshot.targets.is_some() && target.is_ok_and(|target| usable.value.e4() > target.e4());
    over || usable.score.get() < snapshot.rules.min_score
}

fn holding(usable: &Usable<'_>, open: bool) -> Option<sale::Holding<Isin>> {
    Some(sale::Holding {
        key: usable.security.isin,
        held: usable.position?.qty_e6,
        price: price::limit(Side::Sell, usable.quote, usable.security.tick_e6).ok()?,
        ccy: usable.security.ccy,
        eur_per_unit: usable.rate.into(),
        lot: usable.security.lot_e6,
        allow_sell: usable.security.allow_sell,
        open,
    })
}

/// Whether a venue is surely open for long enough, as for any other order.
#[must_use]
pub fn is_open(known: Option<&crate::facts::KnownVenue>, rules: &Rules, now: Timestamp) -> bool {
    let Some(known) = known else { return false };
    let passed = now.since(known.said).max(0) / 60_000;
    let since = known.venue.since_open_min.map(|since| since.saturating_add(passed));
    let left = known.venue.until_close_min.map(|left| left.saturating_sub(passed));
    known.venue.open
        && since.is_some_and(|since| since >= rules.opening_pause_min)
        && left.is_some_and(|left| left > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sale_waits_a_quarter_of_an_hour_and_the_fourth_of_a_day_for_the_next_day() {
        let at = |minutes: i64| Timestamp::from_ms(minutes * 60_000);
        let day = 24 * 60;
        assert_eq!(earliest(&[], at(0)), None);
        assert_eq!(earliest(&[at(0)], at(14)), Some(at(15)));
        assert_eq!(earliest(&[at(0)], at(15)), None);
        assert_eq!(earliest(&[at(0), at(20)], at(40)), None);
        assert_eq!(earliest(&[at(0), at(20), at(40)], at(60)), Some(at(day)));
        assert_eq!(earliest(&[at(0), at(20), at(40)], at(day)), None);
    }
}
