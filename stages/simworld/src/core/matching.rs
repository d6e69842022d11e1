//! Working orders against the market: status changes, fills, expiry and cancellation.

use super::dates::{DAY_MS, day_at, start_of};
use super::market::Quote;
use super::orders::{Fate, Instrument, Order, Side, status};
use super::random::{Stream, draws};
use super::world::World;

/// Orders are compared with the market once per this many milliseconds while they can fill.
const SECOND_MS: i64 = 1000;
/// Chance per second that a limit at the best price of its own side is filled.
const TOUCH_CHANCE: f64 = 0.3;
/// Market orders never trade further than this share of the last price away.
const MARKET_CAP_PERCENT: i64 = 5;

/// What the market offers an order within one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    /// Nothing at this price.
    None,
    /// Up to this many units at this price.
    Fill { qty: i64, price_e6: i64 },
}

impl World {
    /// Does everything that is due for working orders at an instant.
    pub(crate) fn step_orders(&mut self, now: i64) {
        for at in self.open.clone() {
            if self.orders[at].next_ms().is_some_and(|due| due <= now) {
                self.step_order(at, now);
            }
        }
        let orders = &self.orders;
        self.open.retain(|at| !orders[*at].is_final());
    }

    fn step_order(&mut self, at: usize, now: i64) {
        self.follow_schedule(at, now);
        if !self.orders[at].is_final() && self.orders[at].look_ms.is_some_and(|due| due <= now) {
            self.look(at, now);
        }
        if self.orders[at].is_final() {
            return;
        }
        let cancelled = self.orders[at].cancel_ms.is_some_and(|due| due <= now);
        if cancelled && self.orders[at].fate == Fate::FillsWhileCancelling && self.fill_the_rest(at, now) {
            return;
        }
        let order = &mut self.orders[at];
        if order.cancel_ms.is_some_and(|due| due <= now) {
            let last = order.ending(status::CANCELLED, status::CANCELLED_PARTIAL);
            order.enter(last, now);
        } else if order.expires_ms <= now {
            let last = order.ending(status::EXPIRED, status::EXPIRED_PARTIAL);
            order.enter(last, now);
        }
    }

    /// Fills what is left at the best price its limit allows; false when nothing trades.
    fn fill_the_rest(&mut self, at: usize, now: i64) -> bool {
        let order = &self.orders[at];
        let Some(quote) = self.quote_of(order.instrument, now) else { return false };
        let (side, limit) = (order.side, effective_limit(order, &quote));
        let price = if side == Side::Buy { quote.ask_e6.min(limit) } else { quote.bid_e6.max(limit) };
        let leaves = order.leaves();
        if leaves > 0 {
            self.fill(at, leaves, price, now);
        }
        leaves > 0
    }

    fn follow_schedule(&mut self, at: usize, now: i64) {
        let order = &mut self.orders[at];
        while order.ahead.first().is_some_and(|(due, _)| *due <= now) {
            let (due, next) = order.ahead.remove(0);
            // A cancellation under way hides the ordinary steps, not an end.
            if order.status != status::CANCELLING || status::is_final(next) {
                order.enter(next, due);
            }
        }
    }

    fn look(&mut self, at: usize, now: i64) {
        let instrument = self.orders[at].instrument;
        let sessions = self.sessions_of(instrument, day_at(now));
        if now % SECOND_MS != 0 || !sessions.contains(now) || self.is_halted(instrument, now) {
            self.orders[at].look_ms = self.next_trading_second(instrument, now);
            return;
        }
        let Some(quote) = self.quote_of(instrument, now) else {
            self.orders[at].look_ms = None;
            return;
        };
        trigger(&mut self.orders[at], &quote);
        let offer = if self.orders[at].triggered { self.offer(at, &quote, now) } else { Match::None };
        match offer {
            Match::Fill { qty, price_e6 } => self.fill(at, qty, price_e6, now),
            Match::None => {}
        }
        let touches = touches(&self.orders[at], &quote);
        self.orders[at].look_ms =
            if offer != Match::None || touches { Some(now + SECOND_MS) } else { self.next_look(at, now) };
    }

    fn fill(&mut self, at: usize, qty: i64, price_e6: i64, now: i64) {
        self.book_fill(at, qty, price_e6, now);
        let order = &mut self.orders[at];
        if order.leaves() == 0 {
            order.enter(status::FILLED, now);
        } else if order.fate == Fate::DiesAfterPart {
            order.enter(status::EXPIRED_PARTIAL, now);
        } else if order.status != status::CANCELLING {
            order.enter(status::PARTIAL, now);
        }
    }

    fn offer(&self, at: usize, quote: &Quote, now: i64) -> Match {
        let order = &self.orders[at];
        let id = order.id.to_string();
        // A stop loss sells what is there now, not what was there when it was set.
        let held = if matches!(order.ask.kind, 5 | 6) {
            self.ledger.position(order.ticker) / super::fixed::E6
        } else {
            i64::MAX
        };
        let qty = self.part(at, order.leaves().min(quote.available).min(held));
        if qty <= 0 {
            return Match::None;
        }
        let limit = effective_limit(order, quote);
        let marketable = match order.side {
            Side::Buy => limit >= quote.ask_e6,
            Side::Sell => limit <= quote.bid_e6,
        };
        if marketable {
            return Match::Fill { qty, price_e6: fill_price(order.side, limit, quote, qty) };
        }
        let lucky = || draws(self.config.seed, Stream::Fill, &id, now / SECOND_MS).uniform() < TOUCH_CHANCE;
        if touches(order, quote) && lucky() { Match::Fill { qty, price_e6: limit } } else { Match::None }
    }

    /// Reduces a fill where the order must come in parts.
    fn part(&self, at: usize, possible: i64) -> i64 {
        let order = &self.orders[at];
        let (lot, _) = self.lot_and_currency(order.instrument);
        let mut rng = self.order_draw(order.id, "parts");
        let forced = rng.uniform() < self.config.rules.partial_fill_share;
        let parts = match order.fate {
            Fate::DiesAfterPart => 2,
            _ if forced => 2 + i64::try_from(rng.below(3)).unwrap_or(0),
            _ => return possible,
        };
        let whole_lots = (order.ask.qty / parts / lot).max(1) * lot;
        let reduced = possible.min(whole_lots);
        // A part that is the whole would not be a part: an order of one lot dies unfilled instead.
        if order.fate == Fate::DiesAfterPart && reduced >= order.ask.qty { 0 } else { reduced }
    }

    /// Returns the first whole second after `now` at which an instrument trades.
    fn next_trading_second(&self, instrument: Instrument, now: i64) -> Option<i64> {
        let next = (now.div_euclid(SECOND_MS) + 1) * SECOND_MS;
        let start = if now % SECOND_MS == 0 && !self.is_halted(instrument, now) { now } else { next };
        // A week covers the longest run of closed days of any venue with orders that outlive a day.
        for day in day_at(start)..day_at(start) + 14 {
            for window in self.sessions_of(instrument, day).windows() {
                let candidate = window.0.max(start);
                if candidate < window.1 {
                    return Some(candidate);
                }
            }
        }
        None
    }

    /// Returns when an order that cannot fill now is worth another look: when the price may have changed,
    /// or, if the day's range never reaches the limit, the next day.
    fn next_look(&self, at: usize, now: i64) -> Option<i64> {
        let order = &self.orders[at];
        let day = day_at(now);
        let Instrument::Security(index) = order.instrument else {
            // Currency paths have 64 points a day.
            let slot = DAY_MS / 64;
            let next = start_of(day) + ((now - start_of(day)) / slot + 1) * slot;
            return self.next_trading_second(order.instrument, (next + 999).div_euclid(1000) * 1000);
        };
        let next = if order.triggered && self.is_out_of_reach(index, order, day) {
            start_of(day + 1)
        } else {
            self.market.next_change(&self.market.sessions(index, day), now)
        };
        let whole = (next + SECOND_MS - 1).div_euclid(SECOND_MS) * SECOND_MS;
        self.next_trading_second(order.instrument, whole.max(now + SECOND_MS))
    }

    fn is_out_of_reach(&self, index: usize, order: &Order, day: i32) -> bool {
        let (Some(limit), Some(at)) = (order.ask.limit_e6, self.market.close_index(index, day)) else {
            return false;
        };
        let bar = self.market.bar(index, at);
        let spread = self.market.widest_half_spread(index, day, bar.high_e6);
        match order.side {
            Side::Buy => limit < bar.low_e6 - spread,
            Side::Sell => limit > bar.high_e6 + spread,
        }
    }
}

fn trigger(order: &mut Order, quote: &Quote) {
    let Some(stop) = order.ask.stop_e6 else { return };
    let reached = match order.side {
        Side::Buy => quote.last_e6 >= stop,
        Side::Sell => quote.last_e6 <= stop,
    };
    order.triggered = order.triggered || reached;
}

fn effective_limit(order: &Order, quote: &Quote) -> i64 {
    let cap = quote.last_e6 / 100 * MARKET_CAP_PERCENT;
    let unlimited = quote.last_e6 + order.side.sign() * cap;
    let ticks = unlimited / quote.tick_e6 * quote.tick_e6;
    if matches!(order.ask.kind, 2 | 4 | 6) { order.ask.limit_e6.unwrap_or(ticks) } else { ticks }
}

/// Tells whether a limit stands exactly at the best price of its own side.
fn touches(order: &Order, quote: &Quote) -> bool {
    match order.side {
        Side::Buy => order.ask.limit_e6 == Some(quote.bid_e6),
        Side::Sell => order.ask.limit_e6 == Some(quote.ask_e6),
    }
}

/// A fill pays part of the spread in proportion to what it takes of the available quantity.
fn fill_price(side: Side, limit: i64, quote: &Quote, qty: i64) -> i64 {
    let share = qty as f64 / quote.available.max(1) as f64;
    let tick = quote.tick_e6 as f64;
    let extra = quote.half_spread_e6 * share;
    match side {
        Side::Buy => {
            let price = libm::ceil((quote.ask_e6 as f64 + extra) / tick) as i64 * quote.tick_e6;
            price.min(limit)
        }
        Side::Sell => {
            let price = libm::floor((quote.bid_e6 as f64 - extra) / tick) as i64 * quote.tick_e6;
            price.max(limit).max(quote.tick_e6)
        }
    }
}
