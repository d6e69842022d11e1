//! A day's open, high, low, close, volume, and the path between them.
//!
//! 64 slots by midpoint displacement fix the day's range; a slot is divided into 64 finer ones when
//! somebody looks, clamped into that range.

use std::collections::BTreeMap;

use super::build::to_tick;
use super::{DayClose, Market};
use crate::core::calendar::Sessions;
use crate::core::dates::day_at;
use crate::core::fixed::E6;
use crate::core::random::{Draws, Stream, draws};
use crate::core::universe::Security;

/// Slots of a day's path, and of each slot's finer path.
pub(super) const SLOTS: usize = 64;
/// Slots of a session at the finest level.
const FINEST: i64 = 4096;
/// Paths kept; beyond that the cache starts anew.
const CACHE_LIMIT: usize = 1024;
/// Share of a day's variance that falls between open and close.
const INTRADAY_VARIANCE: f64 = 0.7;

/// One day of trading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bar {
    /// Day of the session.
    pub(crate) day: i32,
    /// First price, e6.
    pub(crate) open_e6: i64,
    /// Highest price.
    pub(crate) high_e6: i64,
    /// Lowest price.
    pub(crate) low_e6: i64,
    /// Last price.
    pub(crate) close_e6: i64,
    /// Units traded.
    pub(crate) volume: i64,
}

/// Paths already computed; never changes a result.
#[derive(Clone, Default)]
pub(super) struct Cache {
    coarse: BTreeMap<(usize, i32), [i64; SLOTS + 1]>,
    fine: BTreeMap<(usize, i32, usize), [i64; SLOTS]>,
}

impl Market {
    /// Returns the bar of the session at a position of the path.
    pub(crate) fn bar(&self, index: usize, at: usize) -> Bar {
        let close = self.listings[index].closes[at];
        let path = self.coarse(index, &close);
        let opened = self.sessions(index, close.day).open().unwrap_or_default();
        let bend = |e6: i64| if self.bends.is_empty() { e6 } else { self.bend(index, opened, e6) };
        Bar {
            day: close.day,
            open_e6: bend(path[0]),
            high_e6: bend(path.iter().copied().max().unwrap_or(close.close_e6)),
            low_e6: bend(path.iter().copied().min().unwrap_or(close.close_e6)),
            close_e6: bend(close.close_e6),
            volume: self.volume(index, &close),
        }
    }

    /// Returns the last traded price at an instant, in the units of that instant.
    pub(crate) fn last_price(&self, index: usize, ms: i64) -> Option<i64> {
        let price = self.path_price(index, ms)?;
        Some(if self.bends.is_empty() { price } else { self.bend(index, ms, price) })
    }

    fn path_price(&self, index: usize, ms: i64) -> Option<i64> {
        let day = day_at(ms);
        let close = self.close_on_or_before(index, day)?;
        if close.day < day {
            let (n, d) = self.rebase(index, close.day, day);
            return Some(if n == d { close.close_e6 } else { self.rebased(index, close.close_e6, n, d) });
        }
        let sessions = self.sessions(index, day);
        match (sessions.open(), sessions.close()) {
            (Some(open), _) if ms < open => Some(close.before_e6),
            (_, Some(end)) if ms < end => Some(self.inside(index, &close, &sessions, ms)),
            _ => Some(close.close_e6),
        }
    }

    /// Re-bases a price and rounds it to the step.
    pub(crate) fn rebased(&self, index: usize, price_e6: i64, n: i64, d: i64) -> i64 {
        to_tick(&self.listings[index].security, price_e6 as f64 * n as f64 / d as f64)
    }

    /// Returns when the current price may change next: the next finest slot of the session.
    pub(crate) fn next_change(&self, sessions: &Sessions, ms: i64) -> i64 {
        let length = sessions.length().max(1);
        let slot = sessions.elapsed(ms) * FINEST / length;
        let elapsed = (slot + 1) * length;
        sessions.instant(elapsed / FINEST + i64::from(elapsed % FINEST != 0))
    }

    fn inside(&self, index: usize, close: &DayClose, sessions: &Sessions, ms: i64) -> i64 {
        let fine = sessions.elapsed(ms) * FINEST / sessions.length().max(1);
        let (slot, sub) = (fine / 64, fine % 64);
        let to_index = |v: i64| usize::try_from(v).unwrap_or(0).min(SLOTS - 1);
        self.fine(index, close, to_index(slot))[to_index(sub)]
    }

    fn coarse(&self, index: usize, close: &DayClose) -> [i64; SLOTS + 1] {
        let key = (index, close.day);
        if let Some(path) = self.cache.borrow().coarse.get(&key) {
            return *path;
        }
        let path = coarse_path(self.seed, &self.listings[index].security, close);
        let mut cache = self.cache.borrow_mut();
        if cache.coarse.len() >= CACHE_LIMIT {
            cache.coarse.clear();
        }
        cache.coarse.insert(key, path);
        path
    }

    fn fine(&self, index: usize, close: &DayClose, slot: usize) -> [i64; SLOTS] {
        let key = (index, close.day, slot);
        if let Some(path) = self.cache.borrow().fine.get(&key) {
            return *path;
        }
        let coarse = self.coarse(index, close);
        let path = fine_path(self.seed, &self.listings[index].security, close, &coarse, slot);
        let mut cache = self.cache.borrow_mut();
        if cache.fine.len() >= CACHE_LIMIT {
            cache.fine.clear();
        }
        cache.fine.insert(key, path);
        path
    }

    fn volume(&self, index: usize, close: &DayClose) -> i64 {
        let security = &self.listings[index].security;
        let rate = self.rates.at_day_end(security.currency, super::first_day()).unwrap_or(1.0);
        let (n, d) = self.rebase(index, super::first_day(), close.day);
        let first = security.first_close_e6 as f64 / E6 as f64 * n as f64 / d as f64;
        let usual = security.size.daily_value_eur() * rate / first;
        let z = draws(self.seed, Stream::Vol, security.ticker, close.day).normal();
        let moved = close.log_return.abs() / close.sigma;
        (usual * libm::exp(0.35 * z + 0.6 * moved * 0.5 - 0.25)) as i64
    }
}

fn coarse_path(seed: u64, security: &Security, close: &DayClose) -> [i64; SLOTS + 1] {
    let mut rng = draws(seed, Stream::Bridge, security.ticker, close.day);
    let before = close.before_e6 as f64;
    let open = before * libm::exp(0.3 * close.log_return + 0.45 * close.sigma * rng.normal());
    let ends = (libm::log(open), libm::log(close.close_e6 as f64));
    let logs = bridge(&mut rng, ends, close.sigma * INTRADAY_VARIANCE.sqrt());
    let mut path = [0_i64; SLOTS + 1];
    for (price, log) in path.iter_mut().zip(logs) {
        *price = to_tick(security, libm::exp(log));
    }
    path[SLOTS] = close.close_e6;
    path
}

fn fine_path(
    seed: u64,
    security: &Security,
    close: &DayClose,
    coarse: &[i64; SLOTS + 1],
    slot: usize,
) -> [i64; SLOTS] {
    let mut rng = draws(seed, Stream::Bridge, security.ticker, format_args!("{}/{slot}", close.day));
    let ends = (libm::log(coarse[slot] as f64), libm::log(coarse[slot + 1] as f64));
    let sigma = close.sigma * INTRADAY_VARIANCE.sqrt() / (SLOTS as f64).sqrt();
    let logs = bridge(&mut rng, ends, sigma);
    let low = coarse.iter().copied().min().unwrap_or(0);
    let high = coarse.iter().copied().max().unwrap_or(0);
    std::array::from_fn(|i| to_tick(security, libm::exp(logs[i])).clamp(low, high))
}

/// Draws a bridge of 64 steps between two ends by midpoint displacement; `sigma` is that of the whole span.
fn bridge(rng: &mut Draws, ends: (f64, f64), sigma: f64) -> [f64; SLOTS + 1] {
    let mut points = [0.0; SLOTS + 1];
    points[0] = ends.0;
    points[SLOTS] = ends.1;
    let mut step = SLOTS;
    while step > 1 {
        let spread = sigma * (step as f64 / SLOTS as f64).sqrt() / 2.0;
        for left in (0..SLOTS).step_by(step) {
            let middle = f64::midpoint(points[left], points[left + step]);
            points[left + step / 2] = middle + spread * rng.normal();
        }
        step /= 2;
    }
    points
}
