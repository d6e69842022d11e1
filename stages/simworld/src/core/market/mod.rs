//! The simulated market: paths of all securities and currencies, extended day by day in date order.
//!
//! A day, once built, never changes, and nothing a client does is an input.

pub(crate) mod actions;
mod bars;
mod build;
pub(crate) mod fx;
mod history;
mod quotes;
mod regime;
mod returns;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{Calendar, Sessions};
use super::dates::{civil, day_of};
use super::universe::{self, Security};
use actions::{Dividend, Split};
pub(crate) use bars::Bar;
pub(crate) use quotes::Quote;
pub use regime::Regime;

/// First day of every price path.
pub(crate) fn first_day() -> i32 {
    day_of(2015, 1, 2)
}

/// Last day the market can be built to.
pub(crate) fn last_day() -> i32 {
    day_of(2028, 12, 31)
}

/// A span of days in which the mood is given and not drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForcedRegime {
    /// Mood of the span.
    pub regime: Regime,
    /// First day, days since 1970-01-01.
    pub from: i32,
    /// Last day.
    pub to: i32,
}

/// One session of one security.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DayClose {
    /// Day of the session.
    pub(crate) day: i32,
    /// Close before, in today's units (after any split of today).
    pub(crate) before_e6: i64,
    /// Close.
    pub(crate) close_e6: i64,
    /// Log return including the dividend drop.
    pub(crate) log_return: f64,
    /// Volatility of the day.
    pub(crate) sigma: f64,
    /// Mood of the day.
    pub(crate) regime: Regime,
}

/// A security with its path so far.
#[derive(Clone)]
pub(crate) struct Listing {
    pub(crate) security: Security,
    /// Whether clients may see it; hidden ones only feed a fund.
    pub(crate) visible: bool,
    pub(crate) closes: Vec<DayClose>,
    pub(crate) splits: Vec<Split>,
}

/// All paths.
#[derive(Clone)]
pub(crate) struct Market {
    pub(crate) seed: u64,
    pub(crate) calendar: Calendar,
    pub(crate) listings: Vec<Listing>,
    pub(crate) rates: fx::Rates,
    pub(crate) dividends: Vec<Dividend>,
    pub(crate) halts: BTreeMap<usize, BTreeSet<i32>>,
    /// Days from which securities trade no more.
    delisted: BTreeMap<usize, i32>,
    /// True prices bent between two instants: (place, from, to, numerator, denominator).
    pub(crate) bends: Vec<(usize, i64, i64, i64, i64)>,
    forced: Vec<ForcedRegime>,
    sectors: Vec<&'static str>,
    regime: Regime,
    fund_pending: BTreeMap<usize, f64>,
    unpaid: Vec<(usize, usize)>,
    built: i32,
    cache: RefCell<bars::Cache>,
}

impl Market {
    /// Prepares the paths of the named tickers (`None`: all); nothing is built yet beyond the first close.
    ///
    /// Leaving tickers out never changes the paths of the others: what a fund is made of is kept, hidden.
    pub(crate) fn new(seed: u64, tickers: Option<&[String]>, forced: Vec<ForcedRegime>) -> Self {
        let wanted = |s: &Security| tickers.is_none_or(|list| list.iter().any(|t| t == s.ticker));
        let all = universe::securities();
        let funds = all.iter().any(|s| wanted(s) && build::is_basket(s.ticker));
        let global = all.iter().any(|s| wanted(s) && s.ticker == build::GLOBAL_FUND);
        let mut sectors: Vec<&'static str> = all.iter().map(|s| s.sector).filter(|s| !s.is_empty()).collect();
        sectors.sort_unstable();
        sectors.dedup();
        let needed = |s: &Security| {
            wanted(s) || (build::is_member(s) && (global || (funds && s.region() == universe::Region::Us)))
        };
        let listings: Vec<Listing> = all
            .into_iter()
            .filter(needed)
            .map(|security| Listing {
                visible: wanted(&security),
                closes: vec![DayClose {
                    day: first_day(),
                    before_e6: security.first_close_e6,
                    close_e6: security.first_close_e6,
                    log_return: 0.0,
                    sigma: returns::daily_sigma(&security, Regime::Choppy),
                    regime: Regime::Choppy,
                }],
                splits: actions::splits().into_iter().filter(|s| s.ticker == security.ticker).collect(),
                security,
            })
            .collect();
        let years = civil(first_day()).0..=civil(last_day()).0;
        let halts = listings.iter().enumerate().map(|(index, listing)| {
            (index, years.clone().flat_map(|year| actions::halts(seed, &listing.security, year)).collect())
        });
        Self {
            halts: halts.collect(),
            seed,
            calendar: Calendar::build(),
            rates: fx::Rates::new(seed, first_day()),
            dividends: Vec::new(),
            delisted: BTreeMap::new(),
            bends: Vec::new(),
            forced,
            sectors,
            regime: Regime::Choppy,
            fund_pending: BTreeMap::new(),
            unpaid: Vec::new(),
            built: first_day(),
            cache: RefCell::new(bars::Cache::default()),
            listings,
        }
    }

    /// Returns the index of a visible ticker.
    pub(crate) fn find(&self, ticker: &str) -> Option<usize> {
        self.listings.iter().position(|l| l.visible && l.security.ticker == ticker)
    }

    /// Returns the sessions of a security on a day, empty when its venue is closed.
    pub(crate) fn sessions(&self, index: usize, day: i32) -> Sessions {
        if self.is_delisted(index, day) {
            return Sessions::default();
        }
        self.calendar.sessions(self.listings[index].security.venue, day)
    }

    /// Tells whether a security trades no more on a day.
    pub(crate) fn is_delisted(&self, index: usize, day: i32) -> bool {
        self.delisted.get(&index).is_some_and(|from| day >= *from)
    }

    /// Ends the trading of a security; sessions built ahead are forgotten.
    pub(crate) fn delist(&mut self, index: usize, day: i32) {
        self.delisted.insert(index, day);
        self.listings[index].closes.retain(|close| close.day < day);
    }

    /// Forces a mood on days that are not built yet.
    pub(crate) fn force(&mut self, forced: ForcedRegime) {
        self.forced.insert(0, forced);
    }

    /// Bends a price as the control interface wants it at an instant.
    pub(crate) fn bend(&self, index: usize, ms: i64, price_e6: i64) -> i64 {
        let hit =
            self.bends.iter().rev().find(|(at, from, to, ..)| *at == index && (*from..*to).contains(&ms));
        let Some((.., n, d)) = hit else { return price_e6 };
        build::to_tick(&self.listings[index].security, super::events::bent(price_e6, *n, *d) as f64)
    }

    /// Tells whether a security is halted on a day.
    pub(crate) fn is_halted(&self, index: usize, day: i32) -> bool {
        self.halts.get(&index).is_some_and(|days| days.contains(&day))
    }

    /// Returns the position of the last session on or before a day.
    pub(crate) fn close_index(&self, index: usize, day: i32) -> Option<usize> {
        let closes = &self.listings[index].closes;
        closes.partition_point(|c| c.day <= day).checked_sub(1)
    }

    /// Returns the last close on or before a day, in the units of that session.
    pub(crate) fn close_on_or_before(&self, index: usize, day: i32) -> Option<DayClose> {
        self.close_index(index, day).map(|at| self.listings[index].closes[at])
    }

    /// Returns the factor (numerator, denominator) that re-bases a price of `from` to the units of `to`.
    pub(crate) fn rebase(&self, index: usize, from: i32, to: i32) -> (i64, i64) {
        self.listings[index]
            .splits
            .iter()
            .filter(|s| s.day > from && s.day <= to)
            .fold((1, 1), |(n, d), s| (n * s.before, d * s.after))
    }

    /// Returns the mood of a built day.
    pub(crate) fn regime_on(&self, index: usize, day: i32) -> Regime {
        self.close_on_or_before(index, day).map_or(Regime::Choppy, |c| c.regime)
    }
}

#[cfg(test)]
mod tests;
