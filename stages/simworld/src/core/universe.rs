//! The 33 fictional securities and the currency pairs of the simulated broker.
//!
//! The table is `data/universe.txt`, one security per line. Identifiers have valid check digits but lie
//! in ranges no real security uses; they must never be sent to a live service.

use super::calendar::Venue;
use super::fixed::{self, E6};

/// How broadly a security trades: decides spread and volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// Large: 3 basis points half-spread, 80 M EUR a day.
    Large,
    /// Medium: 8 basis points, 12 M EUR a day.
    Medium,
    /// Small: 30 basis points, 0.8 M EUR a day.
    Small,
}

impl Size {
    /// Returns the half-spread as a fraction of the price.
    pub(crate) fn half_spread(self) -> f64 {
        match self {
            Self::Large => 0.0003,
            Self::Medium => 0.0008,
            Self::Small => 0.0030,
        }
    }

    /// Returns the average value traded in a day, in EUR.
    pub(crate) fn daily_value_eur(self) -> f64 {
        match self {
            Self::Large => 80e6,
            Self::Medium => 12e6,
            Self::Small => 0.8e6,
        }
    }
}

/// What a security is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Common share.
    Share,
    /// Exchange-traded fund.
    Etf,
    /// Exchange-traded commodity.
    Etc,
}

/// Which region factor moves a security.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Region {
    /// United States.
    Us,
    /// Europe with the United Kingdom.
    Europe,
    /// Hong Kong and Tokyo.
    Asia,
}

/// One security of the fictional universe.
#[derive(Debug, Clone)]
pub(crate) struct Security {
    /// Broker's ticker.
    pub(crate) ticker: &'static str,
    /// ISIN with a valid check digit.
    pub(crate) isin: &'static str,
    /// Name.
    pub(crate) name: &'static str,
    /// Listing venue as the broker calls it.
    pub(crate) codesub: &'static str,
    /// Listing venue.
    pub(crate) venue: Venue,
    /// Trading currency.
    pub(crate) currency: &'static str,
    /// Country, empty for funds.
    pub(crate) country: &'static str,
    /// Sector, empty for funds.
    pub(crate) sector: &'static str,
    /// Industry, empty for funds.
    pub(crate) industry: &'static str,
    /// Units per lot.
    pub(crate) lot: i64,
    /// Price step, e6.
    pub(crate) tick_e6: i64,
    /// Close of 2015-01-02, e6.
    pub(crate) first_close_e6: i64,
    /// Nominal yearly volatility.
    pub(crate) sigma: f64,
    /// Sensitivity to the market factor.
    pub(crate) beta: f64,
    /// Extra yearly drift.
    pub(crate) alpha: f64,
    /// Dividend yield, fraction a year.
    pub(crate) dividend_yield: f64,
    /// Dividends a year: 0, 1, 2 or 4.
    pub(crate) dividends_per_year: i32,
    /// Size class.
    pub(crate) size: Size,
    /// Share or fund.
    pub(crate) kind: Kind,
    /// Symbol at Yahoo.
    pub(crate) yahoo: &'static str,
    /// Expected jumps a year.
    pub(crate) jumps_per_year: f64,
}

impl Security {
    /// Returns the price step that applies at a price.
    pub(crate) fn tick_at(&self, price_e6: i64) -> i64 {
        if self.currency == "USD" && price_e6 < E6 { 100 } else { self.tick_e6 }
    }

    /// Returns the region whose factor moves this security.
    pub(crate) fn region(&self) -> Region {
        match self.venue {
            Venue::NewYork => Region::Us,
            Venue::HongKong | Venue::Tokyo => Region::Asia,
            _ => Region::Europe,
        }
    }

    /// Returns the broker's market, absent where the broker has none.
    pub(crate) fn broker_market(&self) -> Option<BrokerMarket> {
        match self.ticker.rsplit('.').next() {
            Some("US") => Some(BrokerMarket { id: 30_000_000_001, code: "FIX" }),
            Some("EU") => Some(BrokerMarket { id: 30_000_000_005, code: "EU" }),
            Some("AS") => Some(BrokerMarket { id: 30_000_000_019, code: "HKEX" }),
            _ => None,
        }
    }

    /// Returns the exchange's own code: the part of the ticker between name and suffix.
    pub(crate) fn exchange_code(&self) -> &'static str {
        let body = self.ticker.rsplit_once('.').map_or(self.ticker, |(body, _)| body);
        if self.venue == Venue::HongKong { body.rsplit('.').next().unwrap_or(body) } else { body }
    }

    /// Returns the month numbers in which dividends go ex.
    pub(crate) fn dividend_months(&self) -> &'static [i32] {
        match self.dividends_per_year {
            4 => &[2, 5, 8, 11],
            2 => &[5, 10],
            1 => &[5],
            _ => &[],
        }
    }

    /// Returns the tax withheld from dividends, as a fraction.
    pub(crate) fn withholding(&self) -> f64 {
        match (self.country, self.isin.get(0..2)) {
            ("US", _) | (_, Some("US")) | ("NL", _) => 0.15,
            ("DE", _) => 0.26375,
            ("FR", _) => 0.25,
            ("IT", _) => 0.26,
            ("DK", _) => 0.27,
            ("CN", _) => 0.10,
            ("JP", _) => 0.15315,
            _ => 0.0,
        }
    }
}

/// A market as the broker numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BrokerMarket {
    /// Numeric id.
    pub(crate) id: i64,
    /// Short code.
    pub(crate) code: &'static str,
}

/// A currency pair: buying it buys `base` and pays `quote`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Broker's ticker.
    pub(crate) ticker: &'static str,
    /// Currency bought by a buy.
    pub(crate) base: &'static str,
    /// Currency paid by a buy.
    pub(crate) quote: &'static str,
    /// Price step, e6.
    pub(crate) tick_e6: i64,
}

/// The pairs that trade.
pub(crate) const PAIRS: [Pair; 5] = [
    Pair { ticker: "EUR/USD", base: "EUR", quote: "USD", tick_e6: 100 },
    Pair { ticker: "EUR/GBP", base: "EUR", quote: "GBP", tick_e6: 100 },
    Pair { ticker: "GBP/USD", base: "GBP", quote: "USD", tick_e6: 100 },
    Pair { ticker: "HKD/EUR", base: "HKD", quote: "EUR", tick_e6: 10 },
    Pair { ticker: "HKD/USD", base: "HKD", quote: "USD", tick_e6: 10 },
];

/// Smallest order of a currency pair, in base units.
pub(crate) const PAIR_MIN_UNITS: i64 = 10;

/// The dead symbols: listed, never traded.
pub(crate) const DEAD_PAIRS: [&str; 3] = ["EURUSD_T0.ITS", "EURGBP_T0.ITS", "GBPUSD_T0.ITS"];

const TABLE: &str = include_str!("../../data/universe.txt");

/// Reads the table of securities.
pub(crate) fn securities() -> Vec<Security> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    rows.map(|line| row(line).expect("every line of the built-in table is well formed")).collect()
}

fn row(line: &'static str) -> Option<Security> {
    let cells: Vec<&'static str> = line.split('|').collect();
    let &[ticker, isin, name, codesub, currency, country, sector, industry, lot, tick, first, sigma, ..] =
        cells.as_slice()
    else {
        return None;
    };
    let &[beta, alpha, percent, per_year, size, yahoo, kind, jumps] = cells.get(12..20)? else {
        return None;
    };
    let absent = |text: &'static str| if text == "-" { "" } else { text };
    Some(Security {
        ticker,
        isin,
        name,
        codesub,
        venue: Venue::of_listing(codesub)?,
        currency,
        country: absent(country),
        sector: absent(sector),
        industry: absent(industry),
        lot: lot.parse().ok()?,
        tick_e6: fixed::parse(tick, 6)?,
        first_close_e6: fixed::parse(first, 6)?,
        sigma: sigma.parse().ok()?,
        beta: beta.parse().ok()?,
        alpha: alpha.parse().ok()?,
        dividend_yield: percent.parse::<f64>().ok()? / 100.0,
        dividends_per_year: per_year.parse().ok()?,
        size: match size {
            "L" => Size::Large,
            "M" => Size::Medium,
            _ => Size::Small,
        },
        kind: match kind {
            "etf" => Kind::Etf,
            "etc" => Kind::Etc,
            _ => Kind::Share,
        },
        yahoo,
        jumps_per_year: jumps.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ISO 6166: letters become two digits, then the Luhn sum over all digits is a multiple of ten.
    fn check_digit_holds(isin: &str) -> bool {
        let digits: Vec<u32> = isin
            .chars()
            .flat_map(|c| {
                let v = c.to_digit(36).unwrap_or(0);
                if v > 9 { vec![v / 10, v % 10] } else { vec![v] }
            })
            .collect();
        let sum: u32 = digits
            .iter()
            .rev()
            .enumerate()
            .map(|(i, d)| if i % 2 == 1 { (d * 2) / 10 + (d * 2) % 10 } else { *d })
            .sum();
        isin.len() == 12 && sum.is_multiple_of(10)
    }

    #[test]
    fn all_33_securities_have_valid_isins_and_unique_tickers() {
        let all = securities();
        assert_eq!(all.len(), 33);
        let tickers: std::collections::BTreeSet<_> = all.iter().map(|s| s.ticker).collect();
        assert_eq!(tickers.len(), 33);
        for security in &all {
            assert!(check_digit_holds(security.isin), "{} {}", security.ticker, security.isin);
            assert_eq!(security.first_close_e6 % security.tick_e6, 0, "{}", security.ticker);
            assert!(security.lot > 0 && security.sigma > 0.0, "{}", security.ticker);
        }
        assert!(!check_digit_holds("US99S0011098"));
    }

    #[test]
    fn exchange_codes_and_markets_follow_the_ticker() {
        let all = securities();
        let find =
            |t: &str| all.iter().find(|s| s.ticker == t).map(|s| (s.exchange_code(), s.broker_market()));
        assert_eq!(find("KOWTC.9934.AS").map(|f| f.0), Some("9934"));
        assert_eq!(find("LNTC.B.US").map(|f| f.0), Some("LNTC.B"));
        assert_eq!(find("998X.JP").map(|f| f.1), Some(None));
        assert_eq!(find("VNDH.EU").and_then(|f| f.1).map(|m| m.code), Some("EU"));
    }

    #[test]
    fn united_states_prices_below_one_have_the_small_tick() {
        let all = securities();
        let keystall = all.iter().find(|s| s.ticker == "KYST.US").expect("listed above");
        assert_eq!(keystall.tick_at(E6), 10_000);
        assert_eq!(keystall.tick_at(E6 - 1), 100);
    }
}
