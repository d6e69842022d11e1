//! What companies earn and what analysts say: slow processes, one step a quarter, drawn by key like everything else.

use super::dates::{civil, day_of};
use super::fixed::E6;
use super::market::{Market, first_day};
use super::random::{Draws, Stream, draws};
use super::universe::{Kind, Security, Size};

/// Growth of earnings a year: mean and deviation.
const GROWTH: (f64, f64) = (0.06, 0.15);
/// The name that loses money.
const LOSING: &str = "HLXB.US";
/// Quarters over which a margin forgets a shock.
const MEMORY: i32 = 12;
/// Share of a shock that is left a quarter later.
const PERSISTENCE: f64 = 0.8;
/// Days after the end of a quarter on which it is reported.
const REPORTED_AFTER_DAYS: i32 = 40;

/// What is usual in a sector.
#[derive(Debug, Clone, Copy)]
struct Usual {
    price_to_earnings: f64,
    gross: f64,
    operating: f64,
    profit: f64,
    return_on_equity: f64,
    debt_to_equity_percent: f64,
}

/// Sectors with what is usual in them. The price-earnings ratios are the world's; the rest is plausible.
const SECTORS: [(&str, Usual); 11] = [
    ("Technology", usual(26.0, 0.55, 0.24, 0.18, 0.22, 45.0)),
    ("Healthcare", usual(22.0, 0.58, 0.18, 0.13, 0.16, 60.0)),
    ("Consumer Defensive", usual(19.0, 0.36, 0.13, 0.09, 0.20, 80.0)),
    ("Consumer Cyclical", usual(20.0, 0.38, 0.11, 0.07, 0.15, 90.0)),
    ("Industrials", usual(18.0, 0.30, 0.12, 0.08, 0.15, 85.0)),
    ("Utilities", usual(16.0, 0.40, 0.20, 0.11, 0.10, 140.0)),
    ("Financial Services", usual(11.0, 0.60, 0.32, 0.24, 0.12, 120.0)),
    ("Energy", usual(11.0, 0.28, 0.15, 0.10, 0.14, 45.0)),
    ("Basic Materials", usual(14.0, 0.30, 0.14, 0.09, 0.12, 50.0)),
    ("Real Estate", usual(22.0, 0.62, 0.34, 0.26, 0.07, 95.0)),
    ("Communication Services", usual(20.0, 0.52, 0.20, 0.14, 0.14, 70.0)),
];

const fn usual(
    price_to_earnings: f64,
    gross: f64,
    operating: f64,
    profit: f64,
    roe: f64,
    debt: f64,
) -> Usual {
    Usual { price_to_earnings, gross, operating, profit, return_on_equity: roe, debt_to_equity_percent: debt }
}

/// What is known of a company on a day; per-unit numbers in today's units and in the currency of the price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fundamentals {
    pub(crate) eps: f64,
    pub(crate) eps_expected: f64,
    pub(crate) eps_a_year_ago: f64,
    pub(crate) book_value: f64,
    pub(crate) gross_margin: f64,
    pub(crate) operating_margin: f64,
    pub(crate) profit_margin: f64,
    pub(crate) return_on_equity: f64,
    pub(crate) return_on_assets: f64,
    pub(crate) debt_to_equity_percent: f64,
    pub(crate) current_ratio: f64,
    pub(crate) quick_ratio: f64,
    pub(crate) revenue_growth: f64,
    pub(crate) shares: f64,
    pub(crate) target_mean: f64,
    pub(crate) opinions: i64,
    /// Day on which the last quarter was reported.
    pub(crate) reported: i32,
}

impl Fundamentals {
    /// Returns the growth of earnings against a year ago, absent where a loss makes the ratio meaningless.
    pub(crate) fn earnings_growth(&self) -> Option<f64> {
        (self.eps_a_year_ago > 0.0 && self.eps > 0.0).then(|| self.eps / self.eps_a_year_ago - 1.0)
    }

    /// Returns what analysts say at a price; nothing when there are none.
    pub(crate) fn recommendation(&self, price: f64) -> Option<(&'static str, f64)> {
        if self.opinions == 0 {
            return None;
        }
        // Key and mean on the scale from 1, strong buy, to 5, sell.
        Some(match self.target_mean / price {
            ratio if ratio > 1.25 => ("strong_buy", 1.4),
            ratio if ratio > 1.10 => ("buy", 2.0),
            ratio if ratio > 0.95 => ("hold", 2.8),
            ratio if ratio > 0.85 => ("underperform", 3.8),
            _ => ("sell", 4.6),
        })
    }
}

impl Market {
    /// Returns what is known of a company on a day; funds have no earnings.
    pub(crate) fn fundamentals(&self, index: usize, today: i32) -> Option<Fundamentals> {
        let security = &self.listings[index].security;
        if security.kind != Kind::Share {
            return None;
        }
        let usual = SECTORS.iter().find(|(name, _)| *name == security.sector).map(|(_, usual)| *usual)?;
        let quarter = reported_quarter(today);
        // Units of the first day become units of today.
        let (n, d) = self.rebase(index, first_day(), today);
        let unit = n as f64 / d as f64;
        let start = security.first_close_e6 as f64 / E6 as f64 * unit / usual.price_to_earnings;
        let eps_at = |quarter: i32| {
            let grown = start * libm::exp(self.earnings_path(security, quarter));
            if security.ticker == LOSING { -0.4 * grown } else { grown }
        };
        let (eps, ago) = (eps_at(quarter), eps_at(quarter - 4));
        let drift = |what: &str, deviation: f64| self.slow(security, what, quarter) * deviation;
        let profit = usual.profit * (1.0 + drift("profit", 0.15)) * if eps < 0.0 { -1.0 } else { 1.0 };
        let equity_return = usual.return_on_equity * (1.0 + drift("roe", 0.15)) * profit.signum();
        let debt = (usual.debt_to_equity_percent * (1.0 + drift("debt", 0.25))).max(0.0);
        let fair = eps.abs() * usual.price_to_earnings;
        let mut rng = self.quarter_draw(security, "target", quarter);
        let target_mean = fair * libm::exp(0.05 + 0.12 * rng.normal());
        let opinions = match security.size {
            Size::Small => rng.below(5),
            _ => 3 + rng.below(23),
        };
        Some(Fundamentals {
            eps,
            eps_expected: if eps < 0.0 { eps * 0.85 } else { eps * (1.0 + GROWTH.0) },
            eps_a_year_ago: ago,
            book_value: (eps / equity_return).abs(),
            gross_margin: (usual.gross * (1.0 + drift("gross", 0.06))).clamp(0.02, 0.95),
            operating_margin: usual.operating * (1.0 + drift("operating", 0.12)) * profit.signum(),
            profit_margin: profit,
            return_on_equity: equity_return,
            return_on_assets: equity_return / (1.0 + debt / 100.0) * 0.8,
            debt_to_equity_percent: debt,
            current_ratio: (1.6 * (1.0 + drift("current", 0.15))).max(0.3),
            quick_ratio: (1.1 * (1.0 + drift("current", 0.15))).max(0.2),
            revenue_growth: GROWTH.0 + drift("revenue", 0.06),
            shares: security.size.daily_value_eur() * 120.0
                / (security.first_close_e6 as f64 / E6 as f64 * unit),
            target_mean,
            opinions: i64::try_from(opinions).unwrap_or(0),
            reported: first_day_of(quarter + 1) + REPORTED_AFTER_DAYS,
        })
    }

    /// Log of earnings against the beginning: a quarter's step of a yearly growth each.
    fn earnings_path(&self, security: &Security, quarter: i32) -> f64 {
        let first = quarter_of(first_day());
        let step = |q: i32| {
            let z = self.quarter_draw(security, "eps", q).normal();
            GROWTH.0 / 4.0 + GROWTH.1 / 2.0 * z
        };
        (first..quarter).map(step).sum()
    }

    /// A value that wanders around zero with unit deviation and forgets slowly.
    fn slow(&self, security: &Security, what: &str, quarter: i32) -> f64 {
        let scale = (1.0 - PERSISTENCE * PERSISTENCE).sqrt();
        let term =
            |back: i32| PERSISTENCE.powi(back) * self.quarter_draw(security, what, quarter - back).normal();
        scale * (0..MEMORY).map(term).sum::<f64>()
    }

    fn quarter_draw(&self, security: &Security, what: &str, quarter: i32) -> Draws {
        draws(self.seed, Stream::Fund, security.ticker, format_args!("{what}/{quarter}"))
    }
}

fn quarter_of(day: i32) -> i32 {
    let (year, month, _) = civil(day);
    year * 4 + (month - 1) / 3
}

fn first_day_of(quarter: i32) -> i32 {
    day_of(quarter.div_euclid(4), quarter.rem_euclid(4) * 3 + 1, 1)
}

/// Returns the last quarter whose report is out.
fn reported_quarter(today: i32) -> i32 {
    quarter_of(today - REPORTED_AFTER_DAYS) - 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn built() -> Market {
        let mut market = Market::new(1, None, Vec::new());
        market.ensure(day_of(2026, 3, 5));
        market
    }

    #[test]
    fn a_company_reports_once_a_quarter_and_a_fund_never() {
        let market = built();
        let index = market.find("NRDW.US").unwrap();
        let on = |m, d| market.fundamentals(index, day_of(2026, m, d)).unwrap();
        assert_eq!(on(2, 10), on(3, 2));
        assert_ne!(on(2, 8), on(2, 10));
        assert_eq!(on(2, 10).reported, day_of(2026, 2, 10));
        assert_eq!(market.fundamentals(market.find("QXTM.US").unwrap(), day_of(2026, 3, 2)), None);
    }

    #[test]
    fn the_losing_company_has_negative_earnings_and_no_growth_of_them() {
        let market = built();
        let losing = market.fundamentals(market.find(LOSING).unwrap(), day_of(2026, 3, 2)).unwrap();
        assert!(losing.eps < 0.0 && losing.eps_expected < 0.0 && losing.profit_margin < 0.0);
        assert_eq!(losing.earnings_growth(), None);
    }

    #[test]
    fn a_split_changes_the_unit_of_earnings_and_nothing_else() {
        let market = built();
        let index = market.find("VNTX.US").unwrap();
        let (before, after) = (day_of(2025, 8, 15), day_of(2025, 8, 18));
        let (a, b) =
            (market.fundamentals(index, before).unwrap(), market.fundamentals(index, after).unwrap());
        assert!((a.eps / b.eps - 4.0).abs() < 1e-9, "{} {}", a.eps, b.eps);
        assert!((a.profit_margin - b.profit_margin).abs() < 1e-12);
    }

    #[test]
    fn opinions_follow_the_target_at_each_boundary() {
        let market = built();
        let any = market.fundamentals(market.find("NRDW.US").unwrap(), day_of(2026, 3, 2)).unwrap();
        let at = |ratio: f64| {
            Fundamentals { target_mean: ratio * 100.0, opinions: 5, ..any }.recommendation(100.0).map(|r| r.0)
        };
        for (ratio, key) in
            [(1.251, "strong_buy"), (1.25, "buy"), (1.101, "buy"), (1.10, "hold"), (0.951, "hold")]
        {
            assert_eq!(at(ratio), Some(key), "{ratio}");
        }
        for (ratio, key) in [(0.95, "underperform"), (0.851, "underperform"), (0.85, "sell")] {
            assert_eq!(at(ratio), Some(key), "{ratio}");
        }
        assert_eq!(Fundamentals { opinions: 0, ..any }.recommendation(100.0), None);
    }
}
