//! Ratios that Yahoo derives from price and reports, in its own units: some percent, some fractions.

use super::super::symbols::Listed;
use crate::core::dates::day_at;
use crate::core::fundamentals::Fundamentals;
use crate::core::world::World;

/// Reports and price of a company as shown at one instant.
pub(super) struct Shown {
    pub(super) facts: Fundamentals,
    /// Price in the major unit.
    pub(super) price: f64,
    /// Dividends of the last 365 days per unit.
    pub(super) paid_a_year: f64,
}

impl Shown {
    /// Price to trailing earnings; absent for a loss.
    pub(super) fn trailing_pe(&self) -> Option<f64> {
        (self.facts.eps > 0.0).then(|| self.price / self.facts.eps)
    }

    /// Price to expected earnings; negative for an expected loss.
    pub(super) fn forward_pe(&self) -> f64 {
        self.price / self.facts.eps_expected
    }

    /// Price to book.
    pub(super) fn price_to_book(&self) -> f64 {
        self.price / self.facts.book_value
    }

    /// Dividends of the last year as a fraction of the price.
    pub(super) fn trailing_yield(&self) -> f64 {
        self.paid_a_year / self.price
    }

    /// Share of earnings that is paid out.
    pub(super) fn payout(&self) -> f64 {
        if self.facts.eps > 0.0 { (self.paid_a_year / self.facts.eps).min(3.0) } else { 0.0 }
    }

    /// Worth of all shares in the major unit.
    pub(super) fn market_cap(&self) -> f64 {
        self.facts.shares * self.price
    }
}

impl World {
    /// Returns what Yahoo knows of a company; nothing for funds, and nothing when a knob says so.
    pub(super) fn shown(&self, listed: &Listed) -> Option<Shown> {
        let index = listed.security().filter(|_| !self.knobs.yahoo_no_fundamentals)?;
        let at = self.shown_at(listed);
        let facts = self.market.fundamentals(index, day_at(at))?;
        let price = self.market.last_price(index, at)? as f64 / 1e6;
        Some(Shown { facts, price, paid_a_year: self.paid_between(index, day_at(at) - 365, day_at(at)) })
    }

    /// Sums the dividends of a security that went ex in a span, in units of its last day.
    pub(super) fn paid_between(&self, index: usize, after: i32, until: i32) -> f64 {
        let inside = self
            .market
            .dividends
            .iter()
            .filter(|d| d.security == index && d.ex_day > after && d.ex_day <= until);
        let amounts = inside.map(|d| {
            let (n, m) = self.market.rebase(index, d.ex_day, until);
            d.amount_e6 as f64 / 1e6 * n as f64 / m as f64
        });
        amounts.sum()
    }
}
