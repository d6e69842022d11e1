//! Attribution: what each security earned of the return of a period, and by what: price, dividends, currency.
//!
//! On one day a security earned what it is worth at the end, and what it brought in cash since the day before, less
//! what was put into it and what it was worth then. Against the fund's worth of the day before these are shares of the
//! day's return; linked over the period they add up to its return, and what no security earned (interest, fees, cash
//! in other currencies) is the rest. So a split, a new name and what was bought and sold within a day need no rule of
//! their own. Days whose rows are not kept leave the whole period unknown.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{FlowKind, Side};
use formulas::attribution::link;
use market::{Isin, Timestamp};
use money::Money;

use crate::actions::{Action, Change};
use crate::analytics::{Figure, Kind, between, periods, returns};
use crate::books::Fill;
use crate::flows::Booked;
use crate::nav::DayEnd;

/// Cash that a security took or brought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moved {
    pub(crate) at: Timestamp,
    pub(crate) isin: Isin,
    /// Brought (positive) or taken (negative), in EUR; unknown without a rate.
    pub(crate) eur: Option<Money>,
    /// Income, not a change of what is held.
    pub(crate) is_dividend: bool,
}

/// Everything that securities took or brought, by the time it was booked.
pub(crate) fn moves<'a>(
    fills: impl Iterator<Item = &'a Fill>,
    flows: impl Iterator<Item = &'a Booked>,
) -> Vec<Moved> {
    let traded = fills.filter_map(|fill| {
        let eur = fill.value_eur.and_then(|eur| match fill.side {
            Side::Buy => eur.checked_neg().ok(),
            Side::Sell => Some(eur),
        });
        Some(Moved { at: fill.booked, isin: fill.isin?, eur, is_dividend: false })
    });
    let paid = flows.filter_map(|booked| {
        let is_dividend = matches!(booked.flow.kind, FlowKind::Dividend | FlowKind::Tax);
        let counts = is_dividend || booked.flow.kind == FlowKind::CorporateAction;
        let isin = booked.flow.isin.filter(|_| counts)?;
        Some(Moved { at: booked.seen, isin, eur: booked.flow.amount_eur, is_dividend })
    });
    traded.chain(paid).collect()
}

/// What each security earned in each period.
pub(crate) fn attribution(days: &[DayEnd], moves: &[Moved], actions: &[Action]) -> Vec<Figure> {
    let Some(last) = days.last() else { return Vec::new() };
    let mut all = Vec::new();
    for (period, part) in periods(days) {
        let days = part.filter(|days| days.len() > 1).unwrap_or_default();
        let figure = |name: &str, part: &str, value: Option<f64>| Figure {
            kind: Kind::Attribution,
            period,
            name: name.into(),
            part: part.into(),
            value,
            days: (days.first().map(|first| first.day), last.day),
        };
        let Some(Split { total, residual, parts }) = split(days, moves, actions) else {
            all.extend(["total", "residual"].map(|name| figure(name, "", None)));
            continue;
        };
        all.extend([figure("total", "", Some(total)), figure("residual", "", Some(residual))]);
        for (isin, (whole, dividend, currency)) in parts {
            let isin = isin.to_string();
            let price = currency.map(|currency| whole - dividend - currency);
            all.push(figure(&isin, "whole", Some(whole)));
            all.push(figure(&isin, "price", price));
            all.push(figure(&isin, "dividend", Some(dividend)));
            all.push(figure(&isin, "currency", currency));
        }
    }
    all
}

struct Split {
    total: f64,
    residual: f64,
    parts: Vec<(Isin, Parts)>,
}

/// One day of one security as shares of the fund: all it earned, dividends in it, the currency's part.
#[derive(Debug, Clone, Copy, Default)]
struct Earned {
    whole: f64,
    dividend: f64,
    currency: f64,
}

fn split(days: &[DayEnd], moves: &[Moved], actions: &[Action]) -> Option<Split> {
    let totals = returns(days).filter(|totals| !totals.is_empty())?;
    if !days.iter().all(DayEnd::is_whole) {
        return None;
    }
    let names: BTreeMap<Isin, Isin> = actions
        .iter()
        .filter_map(|action| match action.change {
            Change::Renamed { to } => Some((action.isin, to)),
            _ => None,
        })
        .collect();
    let name = |isin: Isin| now_called(&names, isin);
    let held = days.iter().flat_map(|day| day.closing.holdings.iter().map(|held| name(held.isin)));
    let first = days.first()?;
    let within = |moved: &&Moved| between(first, days.last().unwrap_or(first), moved.at);
    let columns: Vec<Isin> = held
        .chain(moves.iter().filter(within).map(|moved| name(moved.isin)))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut rows: Vec<Earned> = Vec::new();
    let mut rateless: BTreeSet<Isin> = BTreeSet::new();
    for pair in days.windows(2) {
        let [before, day] = pair else { continue };
        let mut row: BTreeMap<Isin, Earned> = BTreeMap::new();
        let nav = before.nav.to_f64();
        for held in &day.closing.holdings {
            row.entry(name(held.isin)).or_default().whole += held.value.to_f64() / nav;
        }
        for held in &before.closing.holdings {
            let earned = row.entry(name(held.isin)).or_default();
            earned.whole -= held.value.to_f64() / nav;
            match day.closing.rate(held.ccy) {
                Some(rate) => {
                    earned.currency += held.value.to_f64() * (rate.to_f64() / held.rate.to_f64() - 1.0) / nav;
                }
                None => drop(rateless.insert(name(held.isin))),
            }
        }
        for moved in moves.iter().filter(|moved| between(before, day, moved.at)) {
            let share = moved.eur?.to_f64() / nav;
            let earned = row.entry(name(moved.isin)).or_default();
            earned.whole += share;
            earned.dividend += if moved.is_dividend { share } else { 0.0 };
        }
        rows.extend(columns.iter().map(|isin| row.get(isin).copied().unwrap_or_default()));
    }
    if columns.is_empty() {
        let total = totals.iter().fold(1.0, |growth, day| growth * (1.0 + day)) - 1.0;
        return total.is_finite().then_some(Split { total, residual: total, parts: Vec::new() });
    }
    let ones = vec![1.0; rows.len()];
    let linked = |of: fn(&Earned) -> f64| {
        let column: Vec<f64> = rows.iter().map(of).collect();
        let mut out = vec![0.0; columns.len()];
        link(&ones, &column, &totals, &mut out).map(|linked| (linked, out))
    };
    let (all, whole) = linked(|earned| earned.whole)?;
    let (_, dividends) = linked(|earned| earned.dividend)?;
    let (_, currencies) = linked(|earned| earned.currency)?;
    let parts = columns.iter().zip(whole).zip(dividends).zip(currencies);
    let parts = parts.map(|(((isin, whole), dividend), currency)| {
        (*isin, (whole, dividend, (!rateless.contains(isin)).then_some(currency)))
    });
    Some(Split { total: all.total, residual: all.residual, parts: parts.collect() })
}

/// What a security earned in all, by dividends, and by its currency where the rates are known.
type Parts = (f64, f64, Option<f64>);

/// The ISIN under which a security goes on.
fn now_called(names: &BTreeMap<Isin, Isin>, isin: Isin) -> Isin {
    // A chain is at most as long as there are names; two that name each other must not run for ever.
    (0..names.len())
        .try_fold(isin, |isin, _| names.get(&isin).copied().ok_or(isin))
        .unwrap_or_else(|last| last)
}
