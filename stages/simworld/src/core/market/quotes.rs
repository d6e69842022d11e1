//! Bid, ask and available quantity at an instant.

use super::Market;
use crate::core::calendar::{Sessions, currency_sessions};
use crate::core::dates::day_at;
use crate::core::fixed::E6;
use crate::core::universe::Pair;

/// Spreads double this long after the opening and before the close.
const EDGE_MS: i64 = 600_000;
/// Half-spread of currency pairs, as a fraction.
const PAIR_HALF_SPREAD: f64 = 0.000_15;
/// Half-spread of pairs with the Hong Kong dollar.
const HKD_HALF_SPREAD: f64 = 0.000_3;
/// Units of the base currency available to one order each second.
const PAIR_UNITS: i64 = 1_000_000;

/// What can be traded at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quote {
    /// Last price, e6.
    pub(crate) last_e6: i64,
    /// Best bid, e6.
    pub(crate) bid_e6: i64,
    /// Best ask, e6.
    pub(crate) ask_e6: i64,
    /// Exact middle, before any rounding.
    pub(crate) mid: f64,
    /// Half the spread, e6, before rounding.
    pub(crate) half_spread_e6: f64,
    /// Price step, e6.
    pub(crate) tick_e6: i64,
    /// Units one order can get within a second.
    pub(crate) available: i64,
}

impl Market {
    /// Returns the quote of a security at an instant, of its last session when it does not trade.
    pub(crate) fn quote(&self, index: usize, ms: i64) -> Option<Quote> {
        let last_e6 = self.last_price(index, ms)?;
        let security = &self.listings[index].security;
        let sessions = self.sessions(index, day_at(ms));
        let tick_e6 = security.tick_at(last_e6);
        let mut half =
            last_e6 as f64 * security.size.half_spread() * self.regime_on(index, day_at(ms)).volatility();
        if at_edge(&sessions, ms) {
            half *= 2.0;
        }
        let half = half.max(tick_e6 as f64 / 2.0);
        let available = if sessions.contains(ms) { self.available(index, &sessions, ms) } else { 0 };
        Some(around(last_e6, last_e6 as f64, half, tick_e6, available))
    }

    /// Returns the largest half-spread of a security's day, e6.
    pub(crate) fn widest_half_spread(&self, index: usize, day: i32, high_e6: i64) -> i64 {
        let security = &self.listings[index].security;
        let widest =
            high_e6 as f64 * security.size.half_spread() * self.regime_on(index, day).volatility() * 2.0;
        (widest as i64).max(security.tick_at(high_e6)) + security.tick_at(high_e6)
    }

    /// Returns the quote of a currency pair at an instant.
    pub(crate) fn pair_quote(&self, pair: &Pair, ms: i64) -> Option<Quote> {
        let mid = self.rates.cross(pair.base, pair.quote, ms)? * E6 as f64;
        let last_e6 = libm::rint(mid / pair.tick_e6 as f64) as i64 * pair.tick_e6;
        let share = if pair.base == "HKD" { HKD_HALF_SPREAD } else { PAIR_HALF_SPREAD };
        let half = (mid * share).max(pair.tick_e6 as f64 / 2.0);
        let open = currency_sessions(day_at(ms)).contains(ms);
        Some(around(last_e6, mid, half, pair.tick_e6, if open { PAIR_UNITS } else { 0 }))
    }

    /// A tenth of what the market trades in this second, whole lots, at least one.
    fn available(&self, index: usize, sessions: &Sessions, ms: i64) -> i64 {
        let security = &self.listings[index].security;
        let Some(at) = self.close_index(index, day_at(ms)) else { return 0 };
        let volume = self.bar(index, at).volume as f64;
        let x = sessions.elapsed(ms) as f64 / sessions.length().max(1) as f64;
        let weight = (1.0 + 1.5 * (2.0 * x - 1.0) * (2.0 * x - 1.0)) / 1.5;
        let seconds = sessions.length() as f64 / 1000.0;
        let units = (0.1 * volume * weight / seconds) as i64;
        (units / security.lot).max(1) * security.lot
    }
}

fn at_edge(sessions: &Sessions, ms: i64) -> bool {
    let near = |edge: Option<i64>| edge.is_some_and(|e| (ms - e).abs() < EDGE_MS);
    near(sessions.open()) || near(sessions.close())
}

fn around(last_e6: i64, mid: f64, half: f64, tick_e6: i64, available: i64) -> Quote {
    let tick = tick_e6 as f64;
    let down = libm::floor((mid - half) / tick) as i64 * tick_e6;
    let up = libm::ceil((mid + half) / tick) as i64 * tick_e6;
    let bid_e6 = down.max(tick_e6);
    Quote { last_e6, bid_e6, ask_e6: up.max(bid_e6 + tick_e6), mid, half_spread_e6: half, tick_e6, available }
}
