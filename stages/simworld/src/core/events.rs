//! What happens to a security or to the whole market because a scenario or the control interface wants it.
//!
//! All of it is dated, so that many small steps still equal one large one.

use super::dates::start_of;
use super::fixed::{E6, value_e4};
use super::ledger::{Account, Cause, Transaction, Unit};
use super::market::ForcedRegime;
use super::orders::status;
use super::world::{World, WorldError};

/// A dated change of one security.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// First day on which it holds.
    pub(crate) day: i32,
    /// Place in the market.
    pub(crate) security: usize,
    pub(crate) what: What,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// The security is bought up: it trades no more, holders get cash per unit, e6; absent means a fifth above
    /// the last close.
    Takeover(Option<i64>),
    /// It goes on under another ISIN.
    Rename(&'static str),
    /// Holders get so many units of a part that goes its own way, for so many of theirs. The part is one of the listed
    /// names; the price of the whole is not lowered, since no price here depends on the account's history.
    SpinOff { part: usize, get: i64, of: i64 },
}

/// A dividend that is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reversal {
    pub(crate) day: i32,
    pub(crate) ticker: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) gross_e4: i64,
    pub(crate) tax_e4: i64,
}

/// What a taken-over unit is worth above its last close, percent.
const PREMIUM_PERCENT: i64 = 20;
/// Days from a dividend's payment to its reversal.
pub(crate) const REVERSAL_DAYS: i32 = 3;
/// The ISIN under which a renamed security goes on; valid, and as fictional as the others.
pub(crate) const NEW_ISIN: &str = "NL0099SM0036";

impl World {
    /// Does what is dated for the morning of a day.
    pub(crate) fn apply_events(&mut self, day: i32, at_ms: i64) {
        let due: Vec<Event> = self.events.iter().filter(|event| event.day == day).cloned().collect();
        for event in due {
            match event.what {
                What::Takeover(cash_e6) => self.take_over(event.security, cash_e6, day, at_ms),
                What::Rename(isin) => self.market.listings[event.security].security.isin = isin,
                What::SpinOff { part, get, of } => {
                    self.spin_off(event.security, part, (get, of), day, at_ms);
                }
            }
        }
        let due: Vec<Reversal> = self.reversals.iter().copied().filter(|r| r.day == day).collect();
        self.reversals.retain(|r| r.day != day);
        for reversal in due {
            self.take_back(reversal, at_ms);
        }
    }

    fn take_over(&mut self, index: usize, cash_e6: Option<i64>, day: i32, at_ms: i64) {
        self.market.delist(index, day);
        let security = &self.market.listings[index].security;
        let (ticker, currency) = (security.ticker, security.currency);
        let last = self.market.last_price(index, start_of(day)).unwrap_or(0);
        let price = cash_e6.unwrap_or(last / 10_000 * (100 + PREMIUM_PERCENT) / 100 * 10_000);
        self.cancel_for_action(ticker, start_of(day));
        let held = self.ledger.position(ticker);
        if held == 0 {
            return;
        }
        let sum = value_e4(held, price);
        self.ledger.book(
            Transaction::new(at_ms, Cause::Takeover)
                .moving(Unit::Instrument(ticker), Account::Position, Account::Market, held)
                .moving(Unit::Currency(currency), Account::Market, Account::Cash, sum),
        );
        self.adjustments.push((ticker, -held));
        self.actions.push(Action {
            day,
            kind: "conversion",
            ticker,
            per_unit_e6: price,
            held_e6: held,
            sum_e4: sum,
            tax_e4: 0,
            currency,
        });
        self.note_flow(at_ms, "merger", sum, currency, format!("{ticker} taken over"));
    }

    fn spin_off(&mut self, whole: usize, part: usize, (get, of): (i64, i64), day: i32, at_ms: i64) {
        let held = self.ledger.position(self.market.listings[whole].security.ticker);
        let security = &self.market.listings[part].security;
        let (ticker, currency) = (security.ticker, security.currency);
        let exact = held * get / of;
        if exact <= 0 {
            return;
        }
        let units = exact.div_euclid(E6) * E6;
        let price = self.market.last_price(part, start_of(day)).unwrap_or(0);
        let cash = value_e4(exact - units, price);
        self.ledger.book(
            Transaction::new(at_ms, Cause::SpinOff)
                .moving(Unit::Instrument(ticker), Account::Market, Account::Position, units)
                .moving(Unit::Currency(currency), Account::Market, Account::Cash, cash),
        );
        self.adjustments.push((ticker, units));
        // What costs nothing lowers the average of what was held before.
        let before = self.ledger.position(ticker) - units;
        let average = self.average_e6.entry(ticker).or_insert(0);
        let cost = i128::from(*average) * i128::from(before);
        *average = super::fixed::narrow(super::fixed::div_half_even(cost, i128::from(before + units).max(1)));
        self.actions.push(Action {
            day,
            kind: "spin_off",
            ticker,
            per_unit_e6: 0,
            held_e6: units,
            sum_e4: cash,
            tax_e4: 0,
            currency,
        });
        if cash > 0 {
            self.note_flow(at_ms, "spin_off", cash, currency, format!("{ticker} fraction"));
        }
    }

    fn take_back(&mut self, reversal: Reversal, at_ms: i64) {
        let unit = Unit::Currency(reversal.currency);
        self.ledger.book(
            Transaction::new(at_ms, Cause::Dividend)
                .moving(unit, Account::Cash, Account::Income, reversal.gross_e4)
                .moving(unit, Account::Tax, Account::Cash, reversal.tax_e4),
        );
        let short = reversal.ticker.split('.').next().unwrap_or(reversal.ticker);
        self.note_flow(
            at_ms,
            "dividend_reverted",
            -reversal.gross_e4,
            reversal.currency,
            format!("{short} dividend reverted"),
        );
        if reversal.tax_e4 > 0 {
            self.note_flow(
                at_ms,
                "tax_reverted",
                reversal.tax_e4,
                reversal.currency,
                format!("{short} dividend tax reverted"),
            );
        }
        self.actions.push(Action {
            day: reversal.day,
            kind: "dividend_reverted",
            ticker: reversal.ticker,
            per_unit_e6: 0,
            held_e6: 0,
            sum_e4: -reversal.gross_e4,
            tax_e4: -reversal.tax_e4,
            currency: reversal.currency,
        });
    }

    /// Ends the working orders of a ticker.
    pub(crate) fn cancel_for_action(&mut self, ticker: &str, at_ms: i64) {
        for order in self.orders.iter_mut().filter(|o| o.ticker == ticker && !o.is_final()) {
            order.text = "corporate action".to_owned();
            let last = order.ending(status::CANCELLED, status::CANCELLED_PARTIAL);
            order.enter(last, at_ms);
        }
        let orders = &self.orders;
        self.open.retain(|at| !orders[*at].is_final());
    }

    /// Dates a takeover; without a price holders get a fifth above the last close.
    ///
    /// # Errors
    ///
    /// Refuses unknown tickers and days that have begun.
    pub fn plan_takeover(&mut self, ticker: &str, day: i32, cash_e6: Option<i64>) -> Result<(), WorldError> {
        self.plan(ticker, day, What::Takeover(cash_e6))
    }

    /// Dates a change of ISIN.
    ///
    /// # Errors
    ///
    /// As [`World::plan_takeover`].
    pub fn plan_new_isin(&mut self, ticker: &str, day: i32) -> Result<(), WorldError> {
        self.plan(ticker, day, What::Rename(NEW_ISIN))
    }

    /// Dates a spin-off: holders of `ticker` get `get` units of `part` for `of` of theirs.
    ///
    /// # Errors
    ///
    /// As [`World::plan_takeover`]; refuses a ratio that is not above zero, or a part that is the whole.
    pub fn plan_spin_off(
        &mut self,
        ticker: &str,
        day: i32,
        part: &str,
        (get, of): (i64, i64),
    ) -> Result<(), WorldError> {
        let index = self.market.find(part).ok_or_else(|| WorldError::Ticker(part.to_owned()))?;
        if get <= 0 || of <= 0 || get > 1_000 || of > 1_000 || part == ticker {
            return Err(WorldError::Factor);
        }
        self.plan(ticker, day, What::SpinOff { part: index, get, of })
    }

    fn plan(&mut self, ticker: &str, day: i32, what: What) -> Result<(), WorldError> {
        let security = self.market.find(ticker).ok_or_else(|| WorldError::Ticker(ticker.to_owned()))?;
        if day < self.next_day {
            return Err(WorldError::Past(super::dates::iso(day)));
        }
        self.events.push(Event { day, security, what });
        Ok(())
    }

    /// Multiplies the true price of a security between two instants.
    ///
    /// # Errors
    ///
    /// Refuses unknown tickers and factors that leave no price.
    pub fn bend_price(
        &mut self,
        ticker: &str,
        factor: (i64, i64),
        from_ms: i64,
        to_ms: i64,
    ) -> Result<(), WorldError> {
        let index = self.market.find(ticker).ok_or_else(|| WorldError::Ticker(ticker.to_owned()))?;
        if factor.0 <= 0 || factor.1 <= 0 || factor.0 / factor.1 > 1_000 {
            return Err(WorldError::Factor);
        }
        self.market.bends.push((index, from_ms, to_ms, factor.0, factor.1));
        Ok(())
    }

    /// Forces a mood; days already built, the next three among them, keep theirs.
    pub fn force_regime(&mut self, forced: ForcedRegime) {
        self.market.force(forced);
    }
}

/// A corporate action as the broker reports it afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) day: i32,
    pub(crate) kind: &'static str,
    pub(crate) ticker: &'static str,
    pub(crate) per_unit_e6: i64,
    pub(crate) held_e6: i64,
    pub(crate) sum_e4: i64,
    pub(crate) tax_e4: i64,
    pub(crate) currency: &'static str,
}

/// Bends a price by a factor, at least one step of e6.
pub(crate) fn bent(price_e6: i64, n: i64, d: i64) -> i64 {
    i64::try_from(i128::from(price_e6) * i128::from(n) / i128::from(d))
        .unwrap_or(i64::MAX)
        .clamp(1, 1_000_000 * E6)
}
