//! Candles as a client may see them at an instant: past days whole, today so far, all in today's units.

use super::{Bar, Market};
use crate::core::calendar::currency_sessions;
use crate::core::dates::{DAY_MS, day_at, start_of};
use crate::core::universe::Pair;

/// Points of a currency day that make its high and low.
const PAIR_POINTS: i64 = 64;

impl Market {
    /// Returns the bars from a day to another, with `extra` bars before, re-based to the day of `now`.
    pub(crate) fn bars(&self, index: usize, from: i32, to: i32, extra: usize, now: i64) -> Vec<Bar> {
        let traded = self.bars_as_traded(index, from, to, extra, now);
        traded.into_iter().map(|bar| self.rebased_bar(index, bar, day_at(now))).collect()
    }

    /// As `bars`, each in the units of its own day.
    pub(crate) fn bars_as_traded(
        &self,
        index: usize,
        from: i32,
        to: i32,
        extra: usize,
        now: i64,
    ) -> Vec<Bar> {
        let closes = &self.listings[index].closes;
        let first = closes.partition_point(|c| c.day < from).saturating_sub(extra);
        let end = closes.partition_point(|c| c.day <= to);
        let visible = (first..end).filter_map(|at| {
            let day = closes[at].day;
            if day < day_at(now) { Some(self.bar(index, at)) } else { self.bar_so_far(index, now) }
        });
        visible.collect()
    }

    /// Returns today's bar as far as it has come; absent before the opening and on days without a session.
    pub(crate) fn bar_so_far(&self, index: usize, now: i64) -> Option<Bar> {
        let at = self.close_index(index, day_at(now))?;
        let close = self.listings[index].closes[at];
        let sessions = self.sessions(index, day_at(now));
        let open = sessions.open()?;
        if close.day != day_at(now) || now < open {
            return None;
        }
        let whole = self.bar(index, at);
        if sessions.close().is_some_and(|end| now >= end) {
            return Some(whole);
        }
        let elapsed = sessions.elapsed(now);
        let step = (sessions.length() / PAIR_POINTS).max(1);
        let past = (0..=elapsed / step).filter_map(|n| self.last_price(index, sessions.instant(n * step)));
        let last = self.last_price(index, now)?;
        let (low, high) = past.fold((last, last), |(low, high), p| (low.min(p), high.max(p)));
        let share = elapsed as f64 / sessions.length().max(1) as f64;
        let volume = (whole.volume as f64 * share) as i64;
        Some(Bar {
            open_e6: whole.open_e6,
            low_e6: low,
            high_e6: high,
            close_e6: last,
            volume,
            day: close.day,
        })
    }

    /// Returns the close before the current session, or the one before the last session, in today's units.
    pub(crate) fn previous_close(&self, index: usize, now: i64) -> Option<i64> {
        let at = self.close_index(index, day_at(now))?;
        let close = self.listings[index].closes[at];
        let (n, d) = self.rebase(index, close.day, day_at(now));
        Some(if n == d { close.before_e6 } else { self.rebased(index, close.before_e6, n, d) })
    }

    fn rebased_bar(&self, index: usize, bar: Bar, today: i32) -> Bar {
        let (n, d) = self.rebase(index, bar.day, today);
        if n == d {
            return bar;
        }
        let price = |e6: i64| self.rebased(index, e6, n, d);
        Bar {
            open_e6: price(bar.open_e6),
            high_e6: price(bar.high_e6),
            low_e6: price(bar.low_e6),
            close_e6: price(bar.close_e6),
            volume: bar.volume * d / n,
            day: bar.day,
        }
    }

    /// Returns the bar of a currency pair on a day, as far as it has come.
    pub(crate) fn pair_bar(&self, pair: &Pair, day: i32, now: i64) -> Option<Bar> {
        let sessions = currency_sessions(day);
        let (open, close) = (sessions.open()?, sessions.close()?.min(now + 1) - 1);
        if close < open {
            return None;
        }
        let at = |ms: i64| self.pair_quote(pair, ms).map(|q| q.last_e6);
        let last = at(close)?;
        let steps = (close - start_of(day)) * PAIR_POINTS / DAY_MS;
        let points = (0..=steps).filter_map(|n| at(start_of(day) + n * DAY_MS / PAIR_POINTS));
        let (low, high) = points.fold((last, last), |(low, high), p| (low.min(p), high.max(p)));
        Some(Bar { open_e6: at(open)?, low_e6: low, high_e6: high, close_e6: last, volume: 0, day })
    }
}
