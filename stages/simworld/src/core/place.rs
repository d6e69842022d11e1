//! Taking, refusing and cancelling orders: the broker's checks in their fixed order.

use super::dates::{DAY_MS, day_at};
use super::fees;
use super::fixed::{E6, value_e4};
use super::orders::{Ask, Fate, Instrument, Order, Side, accepts_orders, status, takes_early_orders};
use super::universe::{DEAD_PAIRS, PAIR_MIN_UNITS};
use super::world::World;

/// From receipt to the venue.
const SENT_MS: i64 = 50;
/// From receipt to working.
const ACTIVE_MS: i64 = 100;
/// From receipt to a late rejection.
const LATE_REJECT_MS: i64 = 300;
/// Largest distance of a limit from the last price, percent.
const LIMIT_BAND_PERCENT: i64 = 25;
/// Days a good-till-cancelled order lives.
const GOOD_TILL_DAYS: i64 = 60;

/// Why the broker refuses an order; the first that applies, in this order, is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Type of security not identified")]
    UnknownTicker,
    #[error("Invalid transaction identifier, allowed values 1 - purchase, 3 - sale")]
    UnknownAction,
    #[error("Invalid order type")]
    UnknownType,
    #[error("Quantity must be positive and a multiple of the lot")]
    Quantity,
    #[error("Price is not a multiple of the price step or outside the permitted limits")]
    Price,
    #[error("Instrument is blocked for trading")]
    Blocked,
    #[error("Market orders are not accepted")]
    MarketOrder,
    #[error("Market is closed")]
    Closed,
    #[error("Not enough money to execute the order")]
    Money,
    #[error("Not enough securities to execute the order")]
    Securities,
}

/// What became of a request for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placed {
    /// Received under this id; it may still be rejected.
    Accepted(i64),
    /// Refused at once.
    Refused(Refusal),
}

/// What a fault rule does to a request for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twist {
    /// Nothing.
    None,
    /// Accept, then end in this status after so many milliseconds.
    RejectLate { status: u8, after_ms: i64 },
    /// Fill part, then give up the rest.
    DieAfterPart,
    /// Charge far more than usual.
    FeeSurprise,
    /// Take the order twice.
    Double,
    /// Fill the rest while it is being cancelled.
    FillWhileCancelling,
}

/// Why a cancellation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CancelRefusal {
    #[error("Order not found")]
    Unknown,
    #[error("Order is already final")]
    Final,
}

impl World {
    /// Takes or refuses an order at the present instant.
    pub(crate) fn place(&mut self, ask: Ask, twist: Twist) -> Placed {
        let id = self.next_order_id();
        match self.check(&ask) {
            Ok((instrument, side)) => {
                self.receive(id, ask, instrument, side, twist);
                Placed::Accepted(id)
            }
            Err(refusal) => self.refuse(id, ask, refusal),
        }
    }

    /// Some refusals come as an error, others as an order that is rejected a moment later.
    fn refuse(&mut self, id: i64, ask: Ask, refusal: Refusal) -> Placed {
        let late = self.order_draw(id, format_args!("late/{}", self.attempts.len())).uniform();
        let (Some(instrument), Some(side)) = (self.find(&ask.ticker), Side::of_action(ask.action)) else {
            return Placed::Refused(refusal);
        };
        if late >= self.config.rules.late_reject_share {
            return Placed::Refused(refusal);
        }
        let twist = Twist::RejectLate { status: status::REJECTED, after_ms: LATE_REJECT_MS };
        self.receive(id, ask, instrument, side, twist);
        if let Some(order) = self.orders.last_mut() {
            order.text = refusal.to_string();
        }
        Placed::Accepted(id)
    }

    fn receive(&mut self, id: i64, ask: Ask, instrument: Instrument, side: Side, twist: Twist) {
        let now = self.now;
        let ticker = self.static_ticker(instrument);
        let mut end = self.order_end(instrument, ask.expiration);
        let (ahead, look) = match twist {
            Twist::RejectLate { status: last, after_ms } => {
                // The venue may be closed already; the rejection still comes first.
                end = end.max(now + after_ms + 1);
                (vec![(now + SENT_MS.min(after_ms), status::SENT), (now + after_ms, last)], None)
            }
            _ => (
                vec![(now + SENT_MS, status::SENT), (now + ACTIVE_MS, status::ACTIVE)],
                Some(now + ACTIVE_MS),
            ),
        };
        self.open.push(self.orders.len());
        self.orders.push(Order {
            id,
            ticker,
            instrument,
            side,
            created_ms: now,
            status: status::RECEIVED,
            previous: 0,
            status_ms: now,
            filled: 0,
            text: String::new(),
            triggered: !matches!(ask.kind, 3..=5),
            fate: match twist {
                Twist::DieAfterPart => Fate::DiesAfterPart,
                Twist::FeeSurprise => Fate::FeeSurprise,
                _ => Fate::Ordinary,
            },
            ahead,
            look_ms: look,
            cancel_ms: None,
            expires_ms: end,
            historic: false,
            ask,
        });
    }

    /// Protects a whole position with a stop loss (5) or a take profit (6); a newer one replaces the older.
    pub(crate) fn protect(&mut self, ticker: &str, kind: i64, price_e6: i64) -> Placed {
        let Some(instrument @ Instrument::Security(_)) = self.find(ticker) else {
            return Placed::Refused(Refusal::UnknownTicker);
        };
        let held = self.ledger.position(self.static_ticker(instrument)) / E6;
        if held <= 0 {
            return Placed::Refused(Refusal::Securities);
        }
        let older: Vec<i64> = self
            .open
            .iter()
            .map(|at| &self.orders[*at])
            .filter(|o| o.ticker == ticker && o.ask.kind == kind)
            .map(|o| o.id)
            .collect();
        for id in older {
            // It may have ended in this very moment; then there is nothing to replace.
            let _ = self.cancel(id, Twist::None);
        }
        let id = self.next_order_id();
        let limit_e6 = (kind == 6).then_some(price_e6);
        let stop_e6 = (kind == 5).then_some(price_e6);
        let ask = Ask {
            ticker: ticker.to_owned(),
            action: 3,
            kind,
            qty: held,
            limit_e6,
            stop_e6,
            expiration: 3,
            user_order_id: None,
        };
        self.receive(id, ask, instrument, Side::Sell, Twist::None);
        Placed::Accepted(id)
    }

    /// Returns the ticker in the form the books use.
    pub(crate) fn static_ticker(&self, instrument: Instrument) -> &'static str {
        match instrument {
            Instrument::Security(index) => self.market.listings[index].security.ticker,
            Instrument::Pair(_) => instrument.pair().map_or("", |p| p.ticker),
        }
    }

    fn order_end(&self, instrument: Instrument, expiration: i64) -> i64 {
        let day = day_at(self.now);
        let close = self.sessions_of(instrument, day).close().unwrap_or(self.now + ACTIVE_MS);
        match (expiration, instrument) {
            (3, _) => self.now + GOOD_TILL_DAYS * DAY_MS,
            // Extended hours end at 20:00 New York time, four hours after the regular close.
            (2, Instrument::Security(index))
                if self.market.listings[index].security.venue == super::calendar::Venue::NewYork =>
            {
                close + 4 * 3_600_000
            }
            _ => close,
        }
    }

    /// Applies the broker's checks; the first that fails decides.
    fn check(&self, ask: &Ask) -> Result<(Instrument, Side), Refusal> {
        if DEAD_PAIRS.contains(&ask.ticker.as_str()) {
            return Err(Refusal::Blocked);
        }
        let instrument = self.find(&ask.ticker).ok_or(Refusal::UnknownTicker)?;
        let side = Side::of_action(ask.action).ok_or(Refusal::UnknownAction)?;
        if !(1..=4).contains(&ask.kind) {
            return Err(Refusal::UnknownType);
        }
        let quote = self.quote_of(instrument, self.now).ok_or(Refusal::UnknownTicker)?;
        let (lot, _) = self.lot_and_currency(instrument);
        let too_small = matches!(instrument, Instrument::Pair(_)) && ask.qty < PAIR_MIN_UNITS;
        // Far above any account of the simulator, so that values fit the books.
        let too_large = ask.qty > 10_000_000;
        if ask.qty <= 0 || ask.qty % lot != 0 || too_small || too_large {
            return Err(Refusal::Quantity);
        }
        check_price(ask, quote.last_e6, quote.tick_e6)?;
        self.check_venue(ask, instrument)?;
        match side {
            Side::Buy => self.check_money(ask, instrument, quote.ask_e6)?,
            Side::Sell => self.check_securities(ask, instrument)?,
        }
        Ok((instrument, side))
    }

    fn check_venue(&self, ask: &Ask, instrument: Instrument) -> Result<(), Refusal> {
        let venue = match instrument {
            Instrument::Security(index) => {
                let security = &self.market.listings[index].security;
                if security.broker_market().is_none() || self.market.is_delisted(index, day_at(self.now)) {
                    return Err(Refusal::Blocked);
                }
                Some(security.venue)
            }
            Instrument::Pair(_) => None,
        };
        if self.is_halted(instrument, self.now) {
            return Err(Refusal::Blocked);
        }
        if matches!(ask.kind, 1 | 3) && !takes_early_orders(venue) {
            return Err(Refusal::MarketOrder);
        }
        let sessions = self.sessions_of(instrument, day_at(self.now));
        let open = match instrument {
            Instrument::Pair(_) => sessions.contains(self.now),
            Instrument::Security(_) => accepts_orders(venue, &sessions, self.now),
        };
        if open { Ok(()) } else { Err(Refusal::Closed) }
    }

    fn check_money(&self, ask: &Ask, instrument: Instrument, ask_e6: i64) -> Result<(), Refusal> {
        let (_, currency) = self.lot_and_currency(instrument);
        let price = ask.limit_e6.unwrap_or(ask_e6 + ask_e6 / 20);
        let needed = self.cost_e4(instrument, ask.qty, price, true);
        let free = self.ledger.cash(currency) - self.reserved_e4(currency);
        // Buying on margin may go below zero, down to half of the account's worth.
        let margin = if ask.action == 2 { self.margin_e4(currency) } else { 0 };
        if needed <= free + margin { Ok(()) } else { Err(Refusal::Money) }
    }

    fn check_securities(&self, ask: &Ask, instrument: Instrument) -> Result<(), Refusal> {
        if let Some(pair) = instrument.pair() {
            let needed = value_e4(ask.qty * E6, E6);
            let enough = needed <= self.ledger.cash(pair.base) - self.reserved_e4(pair.base);
            return if enough { Ok(()) } else { Err(Refusal::Money) };
        }
        let ticker = self.static_ticker(instrument);
        // A stop loss or take profit waits for the position and claims nothing.
        let selling = |o: &&Order| o.ticker == ticker && o.side == Side::Sell && !matches!(o.ask.kind, 5 | 6);
        let open: i64 = self.open.iter().map(|at| &self.orders[*at]).filter(selling).map(Order::leaves).sum();
        let enough = (ask.qty + open) * E6 <= self.ledger.position(ticker);
        if enough || self.config.rules.allow_short { Ok(()) } else { Err(Refusal::Securities) }
    }

    /// Returns value plus fee of units at a price, e4.
    pub(crate) fn cost_e4(&self, instrument: Instrument, qty: i64, price_e6: i64, first: bool) -> i64 {
        let value = value_e4(qty * E6, price_e6);
        let (_, currency) = self.lot_and_currency(instrument);
        let fee = match instrument {
            Instrument::Pair(_) => fees::of_exchange_fill(value, 0),
            Instrument::Security(_) => {
                let rate = self.market.rates.at(currency, self.now).unwrap_or(1.0);
                fees::of_security_fill(value, first, rate)
            }
        };
        value + fee
    }

    /// Returns the cash that working orders may still take from a currency, e4.
    pub(crate) fn reserved_e4(&self, currency: &str) -> i64 {
        let of = |order: &Order| -> i64 {
            match (order.side, order.instrument.pair()) {
                (Side::Sell, Some(pair)) if pair.base == currency => value_e4(order.leaves() * E6, E6),
                (Side::Buy, _) if self.lot_and_currency(order.instrument).1 == currency => {
                    let price = order.ask.limit_e6.or_else(|| {
                        self.quote_of(order.instrument, self.now).map(|q| q.ask_e6 + q.ask_e6 / 20)
                    });
                    self.cost_e4(order.instrument, order.leaves(), price.unwrap_or(0), order.filled == 0)
                }
                _ => 0,
            }
        };
        self.open.iter().map(|at| of(&self.orders[*at])).sum()
    }

    fn margin_e4(&self, currency: &'static str) -> i64 {
        let worth: f64 = self.worth_eur();
        let rate = self.market.rates.at(currency, self.now).unwrap_or(1.0);
        super::fixed::cents_of((worth * 0.5 * rate).max(0.0))
    }

    /// Returns the account's worth in EUR, for the margin rule only.
    fn worth_eur(&self) -> f64 {
        let rate = |currency: &str| self.market.rates.at(currency, self.now).unwrap_or(1.0);
        let cash: f64 = self.ledger.all_cash().iter().map(|(c, e4)| *e4 as f64 / 1e4 / rate(c)).sum();
        let held = self.ledger.all_positions().into_iter().filter_map(|(ticker, e6)| {
            let index = self.market.find(ticker)?;
            let price = self.market.last_price(index, self.now)? as f64 / 1e6;
            Some(e6 as f64 / 1e6 * price / rate(self.market.listings[index].security.currency))
        });
        cash + held.sum::<f64>()
    }

    /// Asks for the cancellation of an order.
    pub(crate) fn cancel(&mut self, id: i64, twist: Twist) -> Result<(), CancelRefusal> {
        let now = self.now;
        let delay = 200 + i64::try_from(self.order_draw(id, "cancel").below(1800)).unwrap_or(0);
        let order = self.orders.iter_mut().find(|o| o.id == id).ok_or(CancelRefusal::Unknown)?;
        if order.is_final() {
            return Err(CancelRefusal::Final);
        }
        if order.cancel_ms.is_none() {
            order.enter(status::CANCELLING, now);
            order.cancel_ms = Some(now + delay);
            if twist == Twist::FillWhileCancelling {
                order.fate = Fate::FillsWhileCancelling;
            }
        }
        Ok(())
    }
}

fn check_price(ask: &Ask, last_e6: i64, tick_e6: i64) -> Result<(), Refusal> {
    let band = last_e6 / 100 * LIMIT_BAND_PERCENT;
    let fits = |price: i64| price > 0 && price % tick_e6 == 0 && (price - last_e6).abs() <= band;
    let limit_fits = ask.limit_e6.is_some_and(fits);
    let stop_fits = ask.stop_e6.is_some_and(fits);
    let fine = match ask.kind {
        1 => true,
        2 => limit_fits,
        3 => stop_fits,
        _ => limit_fits && stop_fits,
    };
    if fine { Ok(()) } else { Err(Refusal::Price) }
}
