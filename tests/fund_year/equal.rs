//! Equal weights of every security of the world, put right every quarter: 2 EUR and 0.2 % for each trade, dividends kept as
//! cash until then, splits followed. No spread is paid, which flatters it.

use std::collections::BTreeMap;

use contracts::{FxRates, Quote};
use money::Currency;
use rusqlite::Connection;

/// What the fund of equal weights starts with, in EUR.
const START: f64 = 100_000.0;
const FIXED: f64 = 2.0;
const PERCENT: f64 = 0.002;
/// Days between two times that it is put right.
const QUARTER: usize = 91;

/// One day: price in EUR of each security, dividends of one piece in EUR, and new pieces for one old.
#[derive(Default)]
struct Day {
    prices: BTreeMap<String, f64>,
    dividends: BTreeMap<String, f64>,
    splits: BTreeMap<String, f64>,
}

/// The days of a world.
#[derive(Default)]
pub struct Market {
    days: Vec<Day>,
    seen: std::collections::BTreeSet<(String, String, String)>,
}

impl Market {
    /// Takes the last prices of a day, and the actions of companies that became known.
    pub fn close(&mut self, quotes: &[Quote], rates: Option<&FxRates>, market: &Connection) {
        let rate = |ccy: Currency| {
            let found =
                rates.and_then(|rates| rates.rates.get(&ccy)).map(|rate| rate.eur_per_unit_e9.to_f64());
            if ccy == Currency::EUR { Some(1.0) } else { found }
        };
        let mut day = Day::default();
        let mut rate_of = BTreeMap::new();
        for quote in quotes {
            if let Some(rate) = rate(quote.ccy) {
                day.prices.insert(quote.isin.to_string(), quote.price_e6.to_f64() * rate);
                rate_of.insert(quote.isin.to_string(), rate);
            }
        }
        let first = self.days.is_empty();
        let mut query = market
            .prepare("SELECT isin, kind, ex_day, ratio_num, ratio_den, amount FROM api_action")
            .unwrap();
        let found = query.query_map([], |row| {
            let words: (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let numbers: [Option<f64>; 3] = [row.get(3)?, row.get(4)?, row.get(5)?];
            Ok((words, numbers))
        });
        for ((isin, kind, ex_day), [num, den, amount]) in found.unwrap().map(Result::unwrap) {
            let news = self.seen.insert((isin.clone(), kind, ex_day));
            if first || !news {
                continue; // Before the first day.
            }
            if let (Some(new), Some(old)) = (num, den.filter(|old| *old > 0.0)) {
                day.splits.insert(isin, new / old);
            } else if let (Some(amount), Some(rate)) = (amount, rate_of.get(&isin)) {
                day.dividends.insert(isin, amount / 1e6 * rate);
            }
        }
        self.days.push(day);
    }

    /// Value of each day as a part of the first, and what was traded as a part of the average.
    pub fn equal_weights(&self) -> (Vec<f64>, f64) {
        let (mut cash, mut traded) = (START, 0.0);
        let mut held: BTreeMap<String, f64> = BTreeMap::new();
        let mut values = Vec::new();
        for (number, day) in self.days.iter().enumerate() {
            for (isin, ratio) in &day.splits {
                held.entry(isin.clone()).and_modify(|pieces| *pieces *= ratio);
            }
            for (isin, amount) in &day.dividends {
                cash += held.get(isin).copied().unwrap_or(0.0) * amount;
            }
            let worth = |held: &BTreeMap<String, f64>| -> f64 {
                held.iter().map(|(isin, pieces)| pieces * day.prices.get(isin).copied().unwrap_or(0.0)).sum()
            };
            let begins = held.is_empty() && !day.prices.is_empty();
            if begins || (number > 0 && number % QUARTER == 0) {
                let each = (cash + worth(&held)) * 0.99 / count(day.prices.len());
                for (isin, price) in &day.prices {
                    let pieces = held.entry(isin.clone()).or_insert(0.0);
                    let moved = each - *pieces * price;
                    let cost = FIXED + PERCENT * moved.abs();
                    // Putting right less than it costs a hundredth of is not worth it.
                    if cost < 0.01 * moved.abs() {
                        *pieces += moved / price;
                        cash -= moved + cost;
                        traded += moved.abs();
                    }
                }
            }
            values.push((cash + worth(&held)) / START);
        }
        let average = START * values.iter().sum::<f64>() / count(values.len().max(1));
        (values, traded / average)
    }
}

#[allow(clippy::cast_precision_loss)]
fn count(number: usize) -> f64 {
    number as f64
}
