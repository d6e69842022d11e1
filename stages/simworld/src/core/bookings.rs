//! What moves money and units: fills, deposits, dividends, splits, interest.

use super::dates::{civil, day_at, start_of};
use super::events::{Action, REVERSAL_DAYS, Reversal};
use super::faults::Effect;
use super::fees;
use super::fixed::{E6, cents_e4, cents_of, div_half_even, narrow, value_e4};
use super::ledger::{Account, Cause, Transaction, Unit};
use super::orders::{CashFlow, Fate, Fill, Instrument, Side};
use super::world::World;

/// Interest on negative cash, percent a year.
const INTEREST_PERCENT: i128 = 8;
/// Bookings of a day carry this time of day.
const BOOKING_MS: i64 = 6 * 3_600_000;

impl World {
    /// Books one fill of an order: units, money, fee, statement lines, average price.
    pub(crate) fn book_fill(&mut self, at: usize, qty: i64, price_e6: i64, now: i64) {
        let order = &self.orders[at];
        let (instrument, side, ticker, order_id) = (order.instrument, order.side, order.ticker, order.id);
        let historic = order.historic;
        let (_, currency) = self.lot_and_currency(instrument);
        let value_e4 = value_e4(qty * E6, price_e6);
        let fee_e4 = self.fee_of_fill(at, value_e4, currency, now);
        let (payer, receiver) = match side {
            Side::Buy => (Account::Cash, Account::Market),
            Side::Sell => (Account::Market, Account::Cash),
        };
        let mut transaction = Transaction::new(now, Cause::Trade)
            .moving(Unit::Currency(currency), payer, receiver, value_e4)
            .moving(Unit::Currency(currency), Account::Cash, Account::Fees, fee_e4);
        transaction = match instrument.pair() {
            Some(pair) => transaction.moving(
                Unit::Currency(pair.base),
                receiver,
                payer,
                super::fixed::value_e4(qty * E6, E6),
            ),
            None => {
                let (from, to) = if side == Side::Buy {
                    (Account::Market, Account::Position)
                } else {
                    (Account::Position, Account::Market)
                };
                transaction.moving(Unit::Instrument(ticker), from, to, qty * E6)
            }
        };
        let tax_e4 = self.buy_tax(instrument, side, value_e4);
        transaction = transaction.moving(Unit::Currency(currency), Account::Cash, Account::Tax, tax_e4);
        let profit_e4 = self.note_average(instrument, side, ticker, qty, price_e6);
        self.ledger.book(transaction);
        let id = self.next_trade_id();
        self.fills.push(Fill {
            id,
            order_id,
            ticker,
            instrument,
            side,
            qty,
            price_e6,
            value_e4,
            fee_e4,
            currency,
            profit_e4,
            at_ms: now,
            historic,
        });
        self.orders[at].filled += qty;
        if fee_e4 != 0 {
            let when = super::dates::iso_second(now, ' ');
            self.note_flow(now, "commission_for_trades", -fee_e4, currency, format!("(Trade {id} {when})"));
        }
        if tax_e4 != 0 {
            self.note_flow(now, "tax", -tax_e4, currency, format!("(Trade {id} transaction tax)"));
        }
    }

    /// Returns what the country of a listing takes from its buyer, in Hong Kong also from its seller.
    fn buy_tax(&self, instrument: Instrument, side: Side, value_e4: i64) -> i64 {
        let Instrument::Security(index) = instrument else { return 0 };
        if !self.config.rules.buy_taxes {
            return 0;
        }
        let security = &self.market.listings[index].security;
        fees::tax_on_trade(security.country, security.currency, side == Side::Buy, value_e4)
    }

    fn fee_of_fill(&self, at: usize, value_e4: i64, currency: &str, now: i64) -> i64 {
        let order = &self.orders[at];
        let earlier = self.fills.iter().rev().filter(|f| f.order_id == order.id);
        match order.instrument {
            Instrument::Security(_) => {
                let rate = self.market.rates.at(currency, now).unwrap_or(1.0);
                let fee = fees::of_security_fill(value_e4, order.filled == 0, rate);
                if order.fate == Fate::FeeSurprise { fee * fees::SURPRISE } else { fee }
            }
            Instrument::Pair(_) => {
                let (value, charged) = if order.filled == 0 {
                    (0, 0)
                } else {
                    earlier.fold((0, 0), |(v, f), fill| (v + fill.value_e4, f + fill.fee_e4))
                };
                fees::of_exchange_fill(value + value_e4, charged)
            }
        }
    }

    /// Keeps the average acquisition price and returns the profit of a sale.
    fn note_average(
        &mut self,
        instrument: Instrument,
        side: Side,
        ticker: &'static str,
        qty: i64,
        price_e6: i64,
    ) -> i64 {
        if matches!(instrument, Instrument::Pair(_)) {
            return 0;
        }
        let held = i128::from(self.ledger.position(ticker).max(0));
        let average = self.average_e6.entry(ticker).or_insert(price_e6);
        let added = i128::from(qty) * i128::from(E6);
        match side {
            Side::Buy => {
                let cost = held * i128::from(*average) + added * i128::from(price_e6);
                *average = narrow(div_half_even(cost, held + added));
                0
            }
            Side::Sell => cents_e4(added * i128::from(price_e6 - *average), 12),
        }
    }

    /// Adds a line to the account statement.
    pub(crate) fn note_flow(
        &mut self,
        at_ms: i64,
        code: &str,
        sum_e4: i64,
        currency: &'static str,
        comment: String,
    ) {
        let id = 0xc4_1f00_0001 + i64::try_from(self.flows.len()).unwrap_or(0);
        self.flows.push(CashFlow { id, at_ms, type_code: code.to_owned(), sum_e4, currency, comment });
    }

    /// Books money in (positive) or out (negative) of the account, as the bank would.
    pub(crate) fn book_transfer(&mut self, at_ms: i64, code: &str, sum_e4: i64, currency: &'static str) {
        let unit = Unit::Currency(currency);
        self.ledger.book(Transaction::new(at_ms, Cause::Transfer).moving(
            unit,
            Account::External,
            Account::Cash,
            sum_e4,
        ));
        self.note_flow(at_ms, code, sum_e4, currency, "Transfer".to_owned());
    }

    /// Books a fee that belongs to no trade.
    pub(crate) fn book_custody(&mut self, at_ms: i64, sum_e4: i64, currency: &'static str) {
        let unit = Unit::Currency(currency);
        self.ledger.book(Transaction::new(at_ms, Cause::Custody).moving(
            unit,
            Account::Cash,
            Account::Fees,
            sum_e4,
        ));
        self.note_flow(at_ms, "commission", -sum_e4, currency, "Custody fee".to_owned());
    }

    /// Does what happens to the account on the morning of a day.
    pub(crate) fn begin_day(&mut self, day: i32) {
        let at_ms = start_of(day) + BOOKING_MS;
        self.apply_events(day, at_ms);
        self.apply_splits(day, at_ms);
        self.note_entitlements(day);
        self.pay_dividends(day, at_ms);
        self.accrue_interest(day, at_ms);
    }

    fn note_entitlements(&mut self, day: i32) {
        for at in self.dividends_where(|d| d.ex_day == day) {
            let ticker = self.market.listings[self.market.dividends[at].security].security.ticker;
            let held = self.ledger.position(ticker);
            if held > 0 {
                self.entitled.push((at, held));
            }
        }
    }

    /// Lists dividends; only the newest matter, and the list is in order of ex-dates.
    fn dividends_where(&self, wanted: impl Fn(&super::market::actions::Dividend) -> bool) -> Vec<usize> {
        let list = &self.market.dividends;
        (0..list.len()).rev().take(200).filter(|at| wanted(&list[*at])).collect()
    }

    fn pay_dividends(&mut self, day: i32, at_ms: i64) {
        let due: Vec<(usize, i64)> = self
            .entitled
            .iter()
            .copied()
            .filter(|(at, _)| self.market.dividends[*at].pay_day == Some(day))
            .collect();
        self.entitled.retain(|entry| !due.contains(entry));
        for (at, held_e6) in due {
            let dividend = self.market.dividends[at];
            let security = &self.market.listings[dividend.security].security;
            let (ticker, currency, share) = (security.ticker, security.currency, security.withholding());
            let gross = value_e4(held_e6, dividend.amount_e6);
            let tax = cents_of(gross as f64 / 1e4 * share);
            let unit = Unit::Currency(currency);
            self.ledger.book(
                Transaction::new(at_ms, Cause::Dividend)
                    .moving(unit, Account::Income, Account::Cash, gross)
                    .moving(unit, Account::Cash, Account::Tax, tax),
            );
            let short = ticker.split('.').next().unwrap_or(ticker);
            let net = if self.config.rules.net_dividends { tax } else { 0 };
            self.note_flow(at_ms, "dividend", gross - net, currency, format!("{short} dividend"));
            if tax - net > 0 {
                self.note_flow(at_ms, "tax", -tax, currency, format!("{short} dividend tax"));
            }
            let paid = Action {
                day,
                kind: "dividend",
                ticker,
                per_unit_e6: dividend.amount_e6,
                held_e6,
                sum_e4: gross,
                tax_e4: tax,
                currency,
            };
            self.actions.push(paid);
            let fault = self.faults.effect("tn", "dividend", ticker, at_ms, 0);
            if matches!(fault, Some((_, Effect::DividendReverted))) {
                let reversal =
                    Reversal { day: day + REVERSAL_DAYS, ticker, currency, gross_e4: gross, tax_e4: tax };
                self.reversals.push(reversal);
            }
        }
    }

    /// Converts positions on the morning of a split; fractions of a unit are paid in cash.
    fn apply_splits(&mut self, day: i32, at_ms: i64) {
        for split in super::market::actions::splits().into_iter().filter(|s| s.day == day) {
            let Some(index) = self.market.find(split.ticker) else { continue };
            self.cancel_for_action(split.ticker, start_of(day));
            let held = self.ledger.position(split.ticker);
            if held == 0 {
                continue;
            }
            let exact = held * split.after / split.before;
            let whole = exact.div_euclid(E6) * E6;
            let price = self.market.last_price(index, start_of(day)).unwrap_or(0);
            let currency = self.market.listings[index].security.currency;
            let cash = value_e4(exact - whole, price);
            self.ledger.book(
                Transaction::new(at_ms, Cause::Split)
                    .moving(Unit::Instrument(split.ticker), Account::Market, Account::Position, whole - held)
                    .moving(Unit::Currency(currency), Account::Market, Account::Cash, cash),
            );
            self.adjustments.push((split.ticker, whole - held));
            if let Some(average) = self.average_e6.get_mut(split.ticker) {
                *average = *average * split.before / split.after;
            }
            self.actions.push(Action {
                day,
                kind: "split",
                ticker: split.ticker,
                per_unit_e6: 0,
                held_e6: held,
                sum_e4: cash,
                tax_e4: 0,
                currency,
            });
            if cash > 0 {
                self.note_flow(at_ms, "split", cash, currency, format!("{} fraction", split.ticker));
            }
        }
    }

    /// Accrues a day of interest on negative cash and books the past month's on the first of a month.
    fn accrue_interest(&mut self, day: i32, at_ms: i64) {
        for (currency, cash_e4) in self.ledger.all_cash() {
            if cash_e4 < 0 {
                let owed = div_half_even(i128::from(-cash_e4) * 10_000 * INTEREST_PERCENT, 36_500);
                *self.accrued_e8.entry(currency).or_default() += narrow(owed);
            }
        }
        if civil(day).2 != 1 {
            return;
        }
        for (currency, owed_e8) in std::mem::take(&mut self.accrued_e8) {
            let sum = cents_e4(i128::from(owed_e8), 8);
            let rest = owed_e8 - sum * 10_000;
            self.accrued_e8.insert(currency, rest);
            if sum > 0 {
                let unit = Unit::Currency(currency);
                let interest = Transaction::new(at_ms, Cause::Interest);
                self.ledger.book(interest.moving(unit, Account::Cash, Account::Fees, sum));
                self.note_flow(at_ms, "percents", -sum, currency, "Interest on negative balance".to_owned());
            }
        }
    }

    /// Returns the settlement day of a trade: one business day in the United States, two elsewhere.
    pub(crate) fn settlement_day(&self, fill: &Fill) -> i32 {
        let mut day = day_at(fill.at_ms);
        let mut left = match fill.instrument {
            Instrument::Security(index)
                if self.market.listings[index].security.venue == super::calendar::Venue::NewYork =>
            {
                1
            }
            _ => 2,
        };
        // No venue stays closed for two weeks.
        for _ in 0..14 {
            if left == 0 {
                break;
            }
            day += 1;
            if self.sessions_of(fill.instrument, day).open().is_some() {
                left -= 1;
            }
        }
        day
    }
}
