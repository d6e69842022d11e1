//! The loss of the day and what it forbids.

use money::{Currency, Money, MoneyError, Rounding, Weight};
use serde::{Deserialize, Serialize};

use crate::fine::Fine;

/// What the loss of the day allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossTier {
    /// No restriction.
    Normal,
    /// Nothing is sold.
    SellsBlocked,
    /// Nothing is traded.
    Halted,
    /// The loss is not known; the gate decides by the kind of order.
    Unknown,
}

impl LossTier {
    /// Tells whether buying is allowed; `None` when that cannot be judged.
    #[must_use]
    pub const fn can_buy(self) -> Option<bool> {
        match self {
            Self::Normal | Self::SellsBlocked => Some(true),
            Self::Halted => Some(false),
            Self::Unknown => None,
        }
    }

    /// Tells whether selling is allowed; `None` when that cannot be judged.
    #[must_use]
    pub const fn can_sell(self) -> Option<bool> {
        match self {
            Self::Normal => Some(true),
            Self::SellsBlocked | Self::Halted => Some(false),
            Self::Unknown => None,
        }
    }
}

/// Computes (total − net external flow) / start total − 1; `None` when a total is not above zero.
///
/// Totals are positions plus cash, so that buying, selling, deposits and withdrawals are neither
/// profit nor loss.
///
/// # Errors
/// [`MoneyError::CurrencyMismatch`] unless all is in EUR, [`MoneyError::Overflow`].
pub fn daily_pnl(start_total: Money, total: Money, net_external_flow: Money) -> money::Result<Option<Fine>> {
    for amount in [start_total, total, net_external_flow] {
        if amount.currency() != Currency::EUR {
            return Err(MoneyError::CurrencyMismatch { left: amount.currency(), right: Currency::EUR });
        }
    }
    let comparable = Fine::from(total).checked_sub(net_external_flow.into())?;
    if !start_total.is_positive() || !total.is_positive() {
        return Ok(None);
    }
    let gain = comparable.checked_sub(start_total.into())?;
    gain.over(start_total.into(), Rounding::HalfEven).map(Some)
}

/// Judges the profit or loss of the day; both boundaries belong to the stricter tier.
///
/// `sell_halt` and `full_halt` are losses as shares of the start value, 0.02 and 0.05.
#[must_use]
pub fn daily_loss_tier(pnl: Option<Fine>, sell_halt: Weight, full_halt: Weight) -> LossTier {
    let Some(loss) = pnl.and_then(|pnl| Fine::ZERO.checked_sub(pnl).ok()) else {
        return LossTier::Unknown;
    };
    if loss >= Fine::from(full_halt) {
        LossTier::Halted
    } else if loss >= Fine::from(sell_halt) {
        LossTier::SellsBlocked
    } else {
        LossTier::Normal
    }
}

/// Writes the profit or loss in percent with sign and two decimals, or `N/A`.
#[must_use]
pub fn display_pnl(pnl: Option<Fine>) -> String {
    // 10⁸ units of 1/10¹² are one hundredth of a percent.
    let hundredths = pnl.and_then(|pnl| money::divide(pnl.e12(), 100_000_000, Rounding::HalfEven).ok());
    let Some((sign, size)) = hundredths.map(|n| (if n < 0 { '-' } else { '+' }, n.unsigned_abs())) else {
        return "N/A".to_owned();
    };
    let whole = size.checked_div(100).expect("a hundred is not zero");
    let rest = size.checked_rem(100).expect("a hundred is not zero");
    format!("{sign}{whole}.{rest:02}%")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn eur(units: i64) -> Money {
        Money::from_units(units, Currency::EUR).unwrap()
    }

    #[test]
    fn a_total_of_zero_or_less_makes_the_loss_unknown() {
        for (start, total) in [(0, 100), (-1, 100), (100, 0), (100, -1)] {
            assert_eq!(daily_pnl(eur(start), eur(total), eur(0)), Ok(None), "{start} {total}");
        }
    }

    #[test]
    fn other_currencies_are_refused() {
        assert!(daily_pnl(eur(1), Money::zero(Currency::USD), eur(0)).is_err());
    }

    #[test]
    fn a_grain_short_of_the_limit_is_still_the_milder_tier() {
        let limits = (Weight::from_e6(20_000).unwrap(), Weight::from_e6(50_000).unwrap());
        for (e12, tier) in [
            (-50_000_000_000, LossTier::Halted),
            (-49_999_999_999, LossTier::SellsBlocked),
            (-20_000_000_000, LossTier::SellsBlocked),
            (-19_999_999_999, LossTier::Normal),
            (i128::MAX, LossTier::Normal),
            (i128::MIN, LossTier::Unknown),
        ] {
            assert_eq!(daily_loss_tier(Some(Fine::from_e12(e12)), limits.0, limits.1), tier, "{e12}");
        }
    }
}
