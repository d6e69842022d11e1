//! What is known of a company beside its price: each figure's name, unit and believable range.
//!
//! One name, one unit, everywhere: fractions are fractions (0.0185, never 1.85), debt to equity is a ratio. A value
//! outside its range is missing, never clipped: a wrong unit shows as an absent figure, not as a bargain.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// One figure of a security.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fundamental {
    /// Price to earnings of the last twelve months; absent for a loss.
    PeRatio,
    /// Price to expected earnings; negative for an expected loss.
    ForwardPe,
    /// Price to earnings to growth.
    PegRatio,
    /// Price to book value; negative when equity is.
    PriceToBook,
    /// Net profit to revenue.
    ProfitMargin,
    /// Operating profit to revenue.
    OperatingMargin,
    /// Gross profit to revenue.
    GrossMargin,
    /// Profit to equity.
    ReturnOnEquity,
    /// Profit to assets.
    ReturnOnAssets,
    /// Revenue of the last quarter to that a year before, less one.
    RevenueGrowth,
    /// Earnings of the last quarter to those a year before, less one.
    EarningsGrowth,
    /// Debt to equity, a ratio.
    DebtToEquity,
    /// Current assets to current liabilities.
    CurrentRatio,
    /// The same without inventories.
    QuickRatio,
    /// Value of all shares in the main unit of the trading currency.
    MarketCap,
    /// Dividends of the last year to the last close.
    DividendYield,
    /// Average yield of five years.
    FiveYearAvgDividendYield,
    /// Dividends to earnings.
    PayoutRatio,
    /// Movement with the market.
    Beta,
    /// Analysts' word as a number: strong buy 1, buy 0.8, hold 0.5, underperform 0.2, sell 0.
    RecommendationScore,
    /// Analysts' mean, 1 strong buy to 5 sell.
    RecommendationMean,
    /// Mean target to price, less one; absent below three opinions.
    TargetUpside,
    /// How many analysts.
    AnalystCount,
}

use Fundamental as F;

/// Name, least and most believable value, both included unless said.
const TABLE: [(Fundamental, &str, f64, f64); 23] = [
    (F::PeRatio, "pe_ratio", 0.0, 1_000.0),
    (F::ForwardPe, "forward_pe", -1_000.0, 1_000.0),
    (F::PegRatio, "peg_ratio", -100.0, 100.0),
    (F::PriceToBook, "price_to_book", -100.0, 500.0),
    (F::ProfitMargin, "profit_margin", -5.0, 1.0),
    (F::OperatingMargin, "operating_margin", -10.0, 1.5),
    (F::GrossMargin, "gross_margin", -10.0, 1.5),
    (F::ReturnOnEquity, "return_on_equity", -10.0, 10.0),
    (F::ReturnOnAssets, "return_on_assets", -10.0, 10.0),
    (F::RevenueGrowth, "revenue_growth", -1.0, 20.0),
    (F::EarningsGrowth, "earnings_growth", -1.0, 20.0),
    (F::DebtToEquity, "debt_to_equity", 0.0, 100.0),
    (F::CurrentRatio, "current_ratio", 0.0, 50.0),
    (F::QuickRatio, "quick_ratio", 0.0, 50.0),
    (F::MarketCap, "market_cap", 0.0, 1e14),
    (F::DividendYield, "dividend_yield", 0.0, 0.25),
    (F::FiveYearAvgDividendYield, "five_year_avg_dividend_yield", 0.0, 0.25),
    (F::PayoutRatio, "payout_ratio", -5.0, 5.0),
    (F::Beta, "beta", -10.0, 10.0),
    (F::RecommendationScore, "recommendation_score", 0.0, 1.0),
    (F::RecommendationMean, "recommendation_mean", 1.0, 5.0),
    (F::TargetUpside, "target_upside", -0.8, 4.0),
    (F::AnalystCount, "analyst_count", 0.0, 1_000.0),
];

/// Not one of the names.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no figure of a security; the names are those of the table in `domain/market/src/fundamental.rs`"
)]
pub struct FundamentalError(String);

impl Fundamental {
    /// All of them, in the order of this file.
    pub fn all() -> impl Iterator<Item = Fundamental> {
        TABLE.iter().map(|row| row.0)
    }

    /// The name in stores and statements.
    #[must_use]
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// The value, if it is finite and believable.
    ///
    /// # Examples
    ///
    /// ```
    /// use market::Fundamental;
    ///
    /// assert_eq!(Fundamental::DividendYield.believe(0.0147), Some(0.0147));
    /// assert_eq!(Fundamental::DividendYield.believe(1.47), None, "a percentage is not a fraction");
    /// ```
    #[must_use]
    pub fn believe(self, value: f64) -> Option<f64> {
        let (_, _, least, most) = TABLE[self as usize];
        let positive = !matches!(self, F::PeRatio | F::MarketCap) || value > 0.0;
        (value.is_finite() && positive && (least..=most).contains(&value)).then_some(value)
    }
}

impl fmt::Display for Fundamental {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fundamental {
    type Err = FundamentalError;

    fn from_str(text: &str) -> Result<Self, FundamentalError> {
        TABLE
            .iter()
            .find(|row| row.1 == text)
            .map(|row| row.0)
            .ok_or_else(|| FundamentalError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_figure_has_its_own_row_and_name() {
        for (place, (figure, name, ..)) in TABLE.iter().enumerate() {
            assert_eq!(*figure as usize, place, "{name} stands in its place");
            assert_eq!(figure.name().parse::<Fundamental>().unwrap(), *figure);
        }
        assert!("pe".parse::<Fundamental>().is_err());
    }

    #[test]
    fn both_ends_of_a_range_are_believed_and_nothing_beyond() {
        for (figure, name, least, most) in TABLE {
            let open_below = matches!(figure, F::PeRatio | F::MarketCap);
            assert_eq!(figure.believe(least).is_some(), !open_below, "{name} {least}");
            assert_eq!(figure.believe(most), Some(most), "{name}");
            assert_eq!(figure.believe(least.next_down()), None, "{name}");
            assert_eq!(figure.believe(most.next_up()), None, "{name}");
        }
    }

    #[test]
    fn what_is_no_number_is_missing() {
        for figure in Fundamental::all() {
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert_eq!(figure.believe(value), None, "{figure} {value}");
            }
        }
    }
}
