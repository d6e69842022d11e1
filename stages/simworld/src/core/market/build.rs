//! Extends all paths by one calendar day at a time.

use super::actions::{DIVIDEND_BASE_SESSIONS, Dividend, PAY_SESSIONS, dividend_e6, nominal_ex_day};
use super::returns::{self, Factors, YEAR};
use super::{DayClose, Listing, Market, last_day};
use crate::core::dates::{civil, day_of, weekday};
use crate::core::fixed::{div_half_even, narrow};
use crate::core::random::{Stream, draws};
use crate::core::universe::{Kind, Region, Security};

/// The fund that holds the United States names.
const AMERICAN_FUND: &str = "QXTM.US";
/// The fund that holds all regions.
pub(super) const GLOBAL_FUND: &str = "MGLW.EU";
/// Daily noise of a fund against its basket, a year.
const FUND_NOISE: f64 = 0.005;
/// Size of the jump with which a halted security reopens.
const REOPENING_SIGMA: f64 = 0.08;

/// Tells whether a ticker is a fund made of other names of the universe.
pub(super) fn is_basket(ticker: &str) -> bool {
    ticker == AMERICAN_FUND || ticker == GLOBAL_FUND
}

/// Tells whether a security is part of a fund's basket.
pub(super) fn is_member(security: &Security) -> bool {
    security.kind == Kind::Share
}

impl Market {
    /// Builds all paths up to and including a day (at most the last supported one).
    pub(crate) fn ensure(&mut self, day: i32) {
        let until = day.min(last_day());
        while self.built < until {
            self.built += 1;
            self.build_day(self.built);
        }
    }

    fn build_day(&mut self, day: i32) {
        if weekday(day) > 4 {
            self.rates.step(day, 0.0);
            return;
        }
        let forced = self.forced.iter().find(|f| (f.from..=f.to).contains(&day)).map(|f| f.regime);
        let drawn = self.regime.step(draws(self.seed, Stream::Mkt, "regime", day).uniform());
        self.regime = forced.unwrap_or(drawn);
        let factors = Factors::draw(self.seed, day, self.regime, &self.sectors);
        self.rates.step(day, factors.market);
        let mut baskets = Baskets::default();
        for index in 0..self.listings.len() {
            if !is_basket(self.listings[index].security.ticker) && self.trades_on(index, day) {
                let total = self.share_return(index, day, &factors);
                self.note_member(&mut baskets, index, day, total);
                self.close_day(index, day, total, &factors);
            }
        }
        for index in 0..self.listings.len() {
            if is_basket(self.listings[index].security.ticker) {
                self.fund_day(index, day, &baskets, &factors);
            }
        }
    }

    fn trades_on(&self, index: usize, day: i32) -> bool {
        self.sessions(index, day).open().is_some() && !self.is_halted(index, day)
    }

    fn share_return(&self, index: usize, day: i32, factors: &Factors) -> f64 {
        let security = &self.listings[index].security;
        let reopening = self.listings[index].closes.last().is_some_and(|c| {
            (c.day + 1..day).any(|d| self.is_halted(index, d) && self.sessions(index, d).open().is_some())
        });
        let mut total = returns::of_session(security, factors);
        if reopening {
            total += REOPENING_SIGMA * draws(self.seed, Stream::Evt, security.ticker, day).normal();
        }
        total
    }

    fn note_member(&self, baskets: &mut Baskets, index: usize, day: i32, total: f64) {
        let security = &self.listings[index].security;
        if !is_member(security) {
            return;
        }
        let rate = |d| self.rates.at_day_end(security.currency, d).unwrap_or(1.0);
        let in_euro = total - libm::log(rate(day) / rate(day - 1));
        let entry = match security.region() {
            Region::Us => &mut baskets.america,
            Region::Europe => &mut baskets.europe,
            Region::Asia => &mut baskets.asia,
        };
        entry.count += 1.0;
        entry.local += libm::exp(total) - 1.0;
        entry.euro += libm::exp(in_euro) - 1.0;
    }

    /// A fund collects what its basket earned and shows it on its own next session.
    fn fund_day(&mut self, index: usize, day: i32, baskets: &Baskets, factors: &Factors) {
        let earned = if self.listings[index].security.ticker == GLOBAL_FUND {
            0.6 * baskets.america.mean_euro()
                + 0.3 * baskets.europe.mean_euro()
                + 0.1 * baskets.asia.mean_euro()
        } else {
            baskets.america.mean_local()
        };
        *self.fund_pending.entry(index).or_insert(0.0) += libm::log(1.0 + earned);
        if !self.trades_on(index, day) {
            return;
        }
        let pending = self.fund_pending.insert(index, 0.0).unwrap_or(0.0);
        let ticker = self.listings[index].security.ticker;
        let noise = draws(self.seed, Stream::Fund, ticker, day).t6() * FUND_NOISE / YEAR.sqrt();
        self.close_day(index, day, pending + noise, factors);
    }

    fn close_day(&mut self, index: usize, day: i32, total: f64, factors: &Factors) {
        let last = *self.listings[index].closes.last().expect("every path starts with a close");
        let (n, d) = self.rebase(index, last.day, day);
        let security = &self.listings[index].security;
        let based = narrow(div_half_even(i128::from(last.close_e6) * i128::from(n), i128::from(d)));
        let before_e6 = to_tick(security, based as f64);
        let dividend = self.dividend_of(index, last.day, day, before_e6);
        let drop = dividend.map_or(0.0, |amount| libm::log(1.0 - amount as f64 / before_e6 as f64));
        let log_return = total + drop;
        let close_e6 = to_tick(security, before_e6 as f64 * libm::exp(log_return));
        let sigma = returns::daily_sigma(security, factors.regime);
        let record = DayClose { day, before_e6, close_e6, log_return, sigma, regime: factors.regime };
        self.listings[index].closes.push(record);
        self.note_dividends(index, day, dividend);
    }

    /// Returns the dividend that goes ex on this session: the first one on or after its nominal day.
    fn dividend_of(&self, index: usize, last: i32, day: i32, before_e6: i64) -> Option<i64> {
        let Listing { security, closes, .. } = &self.listings[index];
        let (year, month, _) = civil(day);
        let due = [month, if month == 1 { 12 } else { month - 1 }].into_iter().any(|m| {
            let y = if m == 12 && month == 1 { year - 1 } else { year };
            let nominal = nominal_ex_day(security, y, m);
            security.dividend_months().contains(&m) && nominal > last && nominal <= day
        });
        let base = closes.len().checked_sub(DIVIDEND_BASE_SESSIONS).map(|at| closes[at])?;
        if !due || day < day_of(2015, 2, 1) {
            return None;
        }
        let (n, d) = self.rebase(index, base.day, day);
        let amount = dividend_e6(security, base.close_e6 * n / d);
        // A dividend as large as the price would leave nothing to trade.
        (amount > 0 && amount < before_e6 / 2).then_some(amount)
    }

    fn note_dividends(&mut self, index: usize, day: i32, dividend: Option<i64>) {
        let session = self.listings[index].closes.len();
        let mut paid = Vec::new();
        self.unpaid.retain(|(at, due)| {
            let ready = self.dividends[*at].security == index && session >= *due;
            if ready {
                paid.push(*at);
            }
            !ready
        });
        for at in paid {
            self.dividends[at].pay_day = Some(day);
        }
        if let Some(amount_e6) = dividend {
            self.unpaid.push((self.dividends.len(), session + PAY_SESSIONS));
            self.dividends.push(Dividend { security: index, ex_day: day, amount_e6, pay_day: None });
        }
    }
}

/// Rounds a price to the security's step, at least one step.
pub(super) fn to_tick(security: &Security, price_e6: f64) -> i64 {
    let tick = security.tick_at(price_e6 as i64);
    ((libm::rint(price_e6 / tick as f64)) as i64 * tick).max(tick)
}

#[derive(Default)]
struct Baskets {
    america: Basket,
    europe: Basket,
    asia: Basket,
}

#[derive(Default)]
struct Basket {
    count: f64,
    local: f64,
    euro: f64,
}

impl Basket {
    fn mean_local(&self) -> f64 {
        if self.count > 0.0 { self.local / self.count } else { 0.0 }
    }

    fn mean_euro(&self) -> f64 {
        if self.count > 0.0 { self.euro / self.count } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_round_to_the_step_and_never_reach_zero() {
        let all = crate::core::universe::securities();
        let keystall = all.iter().find(|s| s.ticker == "KYST.US").expect("listed");
        assert_eq!(to_tick(keystall, 2_314_999.0), 2_310_000);
        assert_eq!(to_tick(keystall, 231_451.0), 231_500);
        assert_eq!(to_tick(keystall, 0.0), 100);
    }
}
