//! Corporate actions of the market itself: dividends, splits, and one-day halts.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::core::dates::{day_of, weekday};
use crate::core::random::{Stream, draws};
use crate::core::universe::Security;

/// Sessions between the price that sizes a dividend and its ex-date.
pub(crate) const DIVIDEND_BASE_SESSIONS: usize = 20;

/// Sessions from ex-date to payment.
pub(crate) const PAY_SESSIONS: usize = 10;

/// A cash dividend of one security.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dividend {
    /// Index of the security.
    pub(crate) security: usize,
    /// First day the share trades without it.
    pub(crate) ex_day: i32,
    /// Amount per unit, e6.
    pub(crate) amount_e6: i64,
    /// Day of payment, known once that session has been built.
    pub(crate) pay_day: Option<i32>,
}

/// A split: `before` units become `after` units on the morning of `day`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Split {
    /// Ticker.
    pub(crate) ticker: &'static str,
    /// First day with the new units.
    pub(crate) day: i32,
    /// Units before.
    pub(crate) before: i64,
    /// Units after.
    pub(crate) after: i64,
}

/// Lists every split of the universe.
pub(crate) fn splits() -> [Split; 2] {
    [
        Split { ticker: "VNTX.US", day: day_of(2025, 8, 18), before: 1, after: 4 },
        Split { ticker: "KYST.US", day: day_of(2026, 6, 15), before: 10, after: 1 },
    ]
}

/// Returns the first day on which a security's dividend of a month may go ex.
pub(crate) fn nominal_ex_day(security: &Security, year: i32, month: i32) -> i32 {
    let digest = Sha256::digest(security.ticker.as_bytes());
    day_of(year, month, 15 + i32::from(digest[0] % 10))
}

/// Returns a dividend per unit, e6: 2 decimals, none in yen.
pub(crate) fn dividend_e6(security: &Security, base_close_e6: i64) -> i64 {
    let exact =
        security.dividend_yield / f64::from(security.dividends_per_year.max(1)) * base_close_e6 as f64;
    let step = match security.currency {
        "JPY" => 1e6,
        "HKD" => 1e3,
        _ => 1e4,
    };
    (libm::rint(exact / step) * step) as i64
}

/// Draws the days on which a security is halted in a year: two weekdays for the biotechnology name.
pub(crate) fn halts(seed: u64, security: &Security, year: i32) -> BTreeSet<i32> {
    if security.ticker != "HLXB.US" {
        return BTreeSet::new();
    }
    let mut rng = draws(seed, Stream::Evt, security.ticker, year);
    let first = day_of(year, 1, 1);
    let mut days = BTreeSet::new();
    // 12 tries find two weekdays with certainty for practical purposes; fewer halts are harmless.
    for _ in 0..12 {
        let day = first + i32::try_from(rng.below(360)).unwrap_or(0);
        if weekday(day) < 5 && days.len() < 2 {
            days.insert(day);
        }
    }
    days
}
