//! Currency rates: mean-reverting log rates against the euro, crosses derived, so no triangle ever pays.

use super::returns::YEAR;
use crate::core::dates::{DAY_MS, day_at, start_of, weekday};
use crate::core::random::{Draws, Stream, draws};

/// The simulated currencies besides the euro.
pub(crate) const CURRENCIES: [&str; 6] = ["USD", "GBP", "JPY", "DKK", "HKD", "CHF"];

/// Points of a day's path: one every 22.5 minutes.
const SLOTS: usize = 64;

/// Share of a currency's day-to-day variance that shows inside a day.
const INTRADAY_SHARE: f64 = 0.5;

struct Process {
    currency: &'static str,
    mean: f64,
    pull: f64,
    sigma: f64,
}

const PROCESSES: [Process; 5] = [
    Process { currency: "USD", mean: 1.12, pull: 0.3, sigma: 0.075 },
    Process { currency: "GBP", mean: 0.86, pull: 0.4, sigma: 0.055 },
    Process { currency: "JPY", mean: 160.0, pull: 0.3, sigma: 0.09 },
    Process { currency: "DKK", mean: 7.46, pull: 20.0, sigma: 0.002 },
    Process { currency: "CHF", mean: 0.95, pull: 0.4, sigma: 0.05 },
];

/// Correlation of the dollar rate with the market factor.
const DOLLAR_MARKET: f64 = -0.2;

/// Levels at the end of one weekday.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Levels {
    /// Log of units per euro, in the order of `PROCESSES`.
    logs: [f64; 5],
    /// Driver of the Hong Kong dollar inside its band.
    band: f64,
}

/// Levels of all currencies for every built weekday.
#[derive(Clone)]
pub(crate) struct Rates {
    seed: u64,
    first: i32,
    levels: Vec<Levels>,
    /// Lasting jumps of log rates: (currency, first day, jump).
    shocks: Vec<(&'static str, i32, f64)>,
    /// Day from which the Hong Kong dollar stands at the edge of its band.
    edge: Option<i32>,
}

impl Rates {
    /// Starts at the long-run means.
    pub(crate) fn new(seed: u64, first: i32) -> Self {
        let logs = std::array::from_fn(|i| libm::log(PROCESSES[i].mean));
        Self { seed, first, levels: vec![Levels { logs, band: 0.0 }], shocks: Vec::new(), edge: None }
    }

    /// Adds the next calendar day; rates rest on weekends.
    pub(crate) fn step(&mut self, day: i32, market: f64) {
        let last = *self.levels.last().expect("the list starts with the means");
        debug_assert_eq!(day, self.first + i32::try_from(self.levels.len()).unwrap_or(0));
        if weekday(day) > 4 {
            self.levels.push(last);
            return;
        }
        let mut next = last;
        for (index, process) in PROCESSES.iter().enumerate() {
            let mut shock = draws(self.seed, Stream::Fx, process.currency, day).t6();
            if process.currency == "USD" {
                shock = DOLLAR_MARKET * market + (1.0 - DOLLAR_MARKET * DOLLAR_MARKET).sqrt() * shock;
            }
            let gap = libm::log(process.mean) - last.logs[index];
            next.logs[index] += process.pull * gap / YEAR + process.sigma / YEAR.sqrt() * shock;
        }
        let shock = draws(self.seed, Stream::Fx, "HKD", day).t6();
        next.band += -last.band / YEAR + shock / YEAR.sqrt();
        self.levels.push(next);
    }

    /// Lets a currency jump on a day for good; positive means more units per euro.
    pub(crate) fn shock(&mut self, currency: &'static str, day: i32, jump: f64) {
        self.shocks.push((currency, day, jump));
    }

    /// Pushes the Hong Kong dollar to the weak edge of its band.
    pub(crate) fn push_hong_kong_to_its_edge(&mut self, day: i32) {
        self.edge = Some(day);
    }

    fn level(&self, day: i32) -> Levels {
        let offset = usize::try_from(day - self.first).unwrap_or(0);
        let mut level = self.levels[offset.min(self.levels.len() - 1)];
        for (currency, from, jump) in self.shocks.iter().filter(|(_, from, _)| day >= *from) {
            debug_assert!(day >= *from);
            if let Some(index) = PROCESSES.iter().position(|p| p.currency == *currency) {
                level.logs[index] += jump;
            }
        }
        if self.edge.is_some_and(|from| day >= from) {
            // The hyperbolic tangent of this is 1 to the last digit written anywhere.
            level.band = 8.0;
        }
        level
    }

    /// Returns units of a currency per euro at the end of a day; unknown currencies have no rate.
    pub(crate) fn at_day_end(&self, currency: &str, day: i32) -> Option<f64> {
        units_per_euro(currency, |index| self.level(day).logs[index], self.level(day).band)
    }

    /// Returns units of a currency per euro at an instant.
    pub(crate) fn at(&self, currency: &str, ms: i64) -> Option<f64> {
        let day = day_at(ms);
        let (before, after) = (self.level(day - 1), self.level(day));
        let slot = usize::try_from((ms - start_of(day)) * 64 / DAY_MS).unwrap_or(0).min(SLOTS - 1);
        let share = slot as f64 / SLOTS as f64;
        let log = |index: usize| {
            let straight = before.logs[index] + (after.logs[index] - before.logs[index]) * share;
            if weekday(day) > 4 { straight } else { straight + self.wobble(index, day, slot) }
        };
        units_per_euro(currency, log, before.band + (after.band - before.band) * share)
    }

    /// Returns how far the path is from the straight line at one slot: a bridge by midpoint displacement,
    /// of which only the points on the way to the slot are drawn.
    fn wobble(&self, index: usize, day: i32, slot: usize) -> f64 {
        let process = &PROCESSES[index];
        let scale = process.sigma / YEAR.sqrt() * INTRADAY_SHARE;
        let (mut low, mut high) = (0, SLOTS);
        let (mut at_low, mut at_high) = (0.0, 0.0);
        while low != slot {
            let middle = usize::midpoint(low, high);
            let mut rng: Draws =
                draws(self.seed, Stream::Bridge, process.currency, format_args!("{day}/{middle}"));
            let spread = scale * ((high - low) as f64 / SLOTS as f64).sqrt() / 2.0;
            let value = (at_low + at_high) / 2.0 + spread * rng.normal();
            if middle <= slot {
                (low, at_low) = (middle, value);
            } else {
                (high, at_high) = (middle, value);
            }
        }
        at_low
    }

    /// Returns the price of one unit of `base` in `quote` at an instant.
    pub(crate) fn cross(&self, base: &str, quote: &str, ms: i64) -> Option<f64> {
        Some(self.at(quote, ms)? / self.at(base, ms)?)
    }
}

fn units_per_euro(currency: &str, log: impl Fn(usize) -> f64, band: f64) -> Option<f64> {
    match currency {
        "EUR" => Some(1.0),
        "HKD" => Some(libm::exp(log(0)) * (7.80 + 0.05 * libm::tanh(band))),
        _ => PROCESSES.iter().position(|p| p.currency == currency).map(|index| libm::exp(log(index))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::dates::day_of;

    fn built() -> Rates {
        let first = day_of(2015, 1, 1);
        let mut rates = Rates::new(3, first);
        for day in first + 1..first + 1500 {
            rates.step(day, draws(3, Stream::Mkt, "M", day).t6());
        }
        rates
    }

    #[test]
    fn no_triangle_pays_at_any_time() {
        let rates = built();
        for hour in 0..2000 {
            let ms = start_of(day_of(2016, 1, 4)) + hour * 3_600_000;
            let around = rates.cross("EUR", "USD", ms).unwrap()
                * rates.cross("USD", "HKD", ms).unwrap()
                * rates.cross("HKD", "EUR", ms).unwrap();
            assert!((around - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_hong_kong_dollar_stays_in_its_band_and_weekends_rest() {
        let rates = built();
        for day in day_of(2015, 1, 5)..day_of(2019, 1, 1) {
            let noon = start_of(day) + DAY_MS / 2;
            let per_dollar = rates.cross("USD", "HKD", noon).unwrap();
            assert!((7.75..=7.85).contains(&per_dollar), "{per_dollar}");
            if weekday(day) == 6 {
                let earlier = rates.at("USD", noon - DAY_MS).unwrap();
                assert_eq!(rates.at("USD", noon).unwrap().to_bits(), earlier.to_bits());
            }
        }
        assert_eq!(rates.at("XXX", 0), None);
    }
}
