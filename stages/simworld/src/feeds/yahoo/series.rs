//! The daily rows behind a chart: prices as Yahoo delivers them, with its gaps and slips.

use super::super::symbols::{Behind, Listed};
use super::super::web::Bend;
use crate::core::calendar::Venue;
use crate::core::dates::{day_at, start_of, weekday};
use crate::core::fixed::E6;
use crate::core::market::first_day;
use crate::core::random::{Stream, draws};
use crate::core::universe::Pair;
use crate::core::world::World;
use crate::wire::Profile;

/// Share of rows that come without numbers.
const GAP_SHARE: f64 = 0.002;
/// The name that now and then has a row in pounds among its pence, and its chance: once in two years.
const SLIPPING: (&str, f64) = ("THMB.EU", 1.0 / 504.0);
/// Volatility of the market factor on which the volatility index rests.
const MARKET_SIGMA: f64 = 0.16;

/// One row of a chart, in delivered units e6.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub(super) stamp_s: i64,
    pub(super) day: i32,
    pub(super) open: i64,
    pub(super) high: i64,
    pub(super) low: i64,
    pub(super) close: i64,
    /// Close less everything paid out since, e6.
    pub(super) adjusted: i64,
    pub(super) volume: i64,
    /// Delivered as nulls.
    pub(super) gap: bool,
}

impl World {
    /// Returns the rows of a symbol from one day to another, as of an instant.
    pub(super) fn rows(&self, listed: &Listed, from: i32, to: i32, at: i64, bend: &Bend) -> Vec<Row> {
        let (from, to) = (from.max(first_day()), to.min(day_at(at)));
        let mut rows = match listed.behind {
            Behind::Security(index) => self.security_rows(index, 1, from, to, at),
            Behind::Follows(index, factor) => self.security_rows(index, factor, from, to, at),
            Behind::Volatility => self.mood_rows(from, to, at),
            Behind::Yield(mean) => self.yield_rows(&listed.symbol, mean, from, to, at),
            Behind::Cross(base, quote) => self.cross_rows(base, quote, from, to, at),
        };
        let strange = self.config.profile != Profile::Clean;
        for row in &mut rows {
            let slips =
                listed.security().is_some_and(|i| self.market.listings[i].security.ticker == SLIPPING.0)
                    && strange
                    && self.chance("slip", &listed.symbol, row.day) < SLIPPING.1;
            let minor = if slips { 1 } else { listed.minor };
            for price in [&mut row.open, &mut row.high, &mut row.low, &mut row.close, &mut row.adjusted] {
                *price = bend.price(*price * minor);
            }
            row.gap = strange && self.chance("gap", &listed.symbol, row.day) < GAP_SHARE;
        }
        rows
    }

    fn chance(&self, what: &str, symbol: &str, day: i32) -> f64 {
        draws(self.config.seed, Stream::Fault, symbol, format_args!("yh/{what}/{day}")).uniform()
    }

    fn security_rows(&self, index: usize, factor: i64, from: i32, to: i32, at: i64) -> Vec<Row> {
        let venue = self.market.listings[index].security.venue;
        let bars = self.market.bars(index, from, to, 0, at);
        let mut rows: Vec<Row> = bars
            .iter()
            .filter_map(|bar| {
                Some(Row {
                    stamp_s: self.market.calendar.sessions(venue, bar.day).open()? / 1000,
                    day: bar.day,
                    open: bar.open_e6 * factor,
                    high: bar.high_e6 * factor,
                    low: bar.low_e6 * factor,
                    close: bar.close_e6 * factor,
                    adjusted: bar.close_e6 * factor,
                    volume: bar.volume,
                    gap: false,
                })
            })
            .collect();
        for row in &mut rows {
            row.adjusted = (row.close as f64 * self.kept_since(index, row.day, day_at(at))) as i64;
        }
        rows
    }

    /// Returns the share of a price that dividends have left since a day.
    fn kept_since(&self, index: usize, day: i32, today: i32) -> f64 {
        let paid = self
            .market
            .dividends
            .iter()
            .filter(|d| d.security == index && d.ex_day > day && d.ex_day <= today);
        paid.filter_map(|d| {
            let before = self.market.close_on_or_before(index, d.ex_day)?.before_e6;
            Some(1.0 - d.amount_e6 as f64 / before as f64)
        })
        .product()
    }

    /// 100 times the market's volatility in its present mood, with a little noise.
    fn mood_rows(&self, from: i32, to: i32, at: i64) -> Vec<Row> {
        let level = |day: i32, what: &str| {
            let mood = self.market.regime_on(0, day).volatility();
            let noise = draws(self.config.seed, Stream::Reg, "^VIX", format_args!("{day}/{what}")).normal();
            (100.0 * MARKET_SIGMA * mood * 1.1 * libm::exp(0.05 * noise) * 100.0).round() as i64 * (E6 / 100)
        };
        self.sessions_between(Venue::NewYork, from, to, at)
            .map(|(day, open_ms)| flat(day, open_ms, level(day, "open"), level(day, "close")))
            .collect()
    }

    /// A slow process around its mean, in percent.
    fn yield_rows(&self, symbol: &str, mean_e2: i64, from: i32, to: i32, at: i64) -> Vec<Row> {
        let mean = mean_e2 as f64 / 100.0;
        let mut level = mean;
        let mut rows = Vec::new();
        for (day, open_ms) in self.sessions_between(Venue::NewYork, first_day(), to, at) {
            let before = level;
            level += 0.5 * (mean - level) / 252.0
                + 0.6 / 252.0_f64.sqrt() * draws(self.config.seed, Stream::Reg, symbol, day).normal();
            level = level.max(0.01);
            if day >= from {
                let e6 = |value: f64| (value * 1000.0).round() as i64 * 1000;
                rows.push(flat(day, open_ms, e6(before), e6(level)));
            }
        }
        rows
    }

    fn cross_rows(&self, base: &'static str, quote: &'static str, from: i32, to: i32, at: i64) -> Vec<Row> {
        let pair = Pair { ticker: "", base, quote, tick_e6: 100 };
        let bars = (from..=to)
            .filter(|day| weekday(*day) < 5)
            .filter_map(|day| self.market.pair_bar(&pair, day, at));
        let rows = bars.map(|bar| Row {
            // Days of currencies begin at midnight in London.
            stamp_s: (start_of(bar.day) - Venue::London.utc_offset_min(start_of(bar.day)) * 60_000) / 1000,
            day: bar.day,
            open: bar.open_e6,
            high: bar.high_e6,
            low: bar.low_e6,
            close: bar.close_e6,
            adjusted: bar.close_e6,
            volume: 0,
            gap: false,
        });
        rows.collect()
    }

    fn sessions_between(
        &self,
        venue: Venue,
        from: i32,
        to: i32,
        at: i64,
    ) -> impl Iterator<Item = (i32, i64)> {
        let days =
            (from..=to).filter_map(move |day| Some((day, self.market.calendar.sessions(venue, day).open()?)));
        days.filter(move |(_, open_ms)| *open_ms <= at)
    }
}

fn flat(day: i32, open_ms: i64, open: i64, close: i64) -> Row {
    let (low, high) = (open.min(close), open.max(close));
    Row { stamp_s: open_ms / 1000, day, open, high, low, close, adjusted: close, volume: 0, gap: false }
}
