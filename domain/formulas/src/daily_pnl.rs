//! Daily profit and loss: the change of the whole account since the previous close, without deposits.
//!
//! Definition: (V_now − F_today − V_prev)/V_prev, totals including cash, deposits positive. Units:
//! fraction. A previous or current total that is missing, ≤ 0 or not a number, or a flow that is not
//! finite: `None`, and unknown means that nothing may be traded. Levels are inclusive with a tolerance
//! of 1e-9. Latching, release and ages are the risk gate's business, not this formula's.

use crate::finite::finite;

/// Rounding that must not hide a loss exactly at a level.
const LEVEL_TOLERANCE: f64 = 1e-9;

/// Computes the change since the previous close.
///
/// # Examples
/// ```
/// // 10 000 became 15 000, of which 6 000 were paid in: −10 %.
/// assert_eq!(formulas::daily_pnl::daily_pnl(10_000.0, 15_000.0, 6_000.0), Some(-0.1));
/// assert_eq!(formulas::daily_pnl::daily_pnl(0.0, 15_000.0, 6_000.0), None);
/// ```
pub fn daily_pnl(previous_total: f64, current_total: f64, external_flow: f64) -> Option<f64> {
    if previous_total > 0.0 && current_total > 0.0 {
        finite((current_total - external_flow - previous_total) / previous_total)
    } else {
        None
    }
}

/// What a day's loss allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// No figure: neither buys nor sells.
    Unknown,
    /// Buys and sells.
    Normal,
    /// Buys only: selling into a fall is what this prevents.
    SellsBlocked,
    /// Neither buys nor sells.
    Halted,
}

/// Places a day's change between two levels (negative fractions, the first nearer to zero).
///
/// # Examples
/// ```
/// use formulas::daily_pnl::{Band, band};
/// assert_eq!(band(Some(-0.019), -0.02, -0.05), Band::Normal);
/// assert_eq!(band(Some(-0.02), -0.02, -0.05), Band::SellsBlocked);
/// assert_eq!(band(Some(-0.05), -0.02, -0.05), Band::Halted);
/// assert_eq!(band(None, -0.02, -0.05), Band::Unknown);
/// ```
pub fn band(pnl: Option<f64>, sells_blocked_at: f64, halted_at: f64) -> Band {
    let is_at = |pnl: f64, level: f64| pnl <= level + LEVEL_TOLERANCE;
    match pnl {
        Some(pnl) if pnl.is_finite() && sells_blocked_at.is_finite() && halted_at.is_finite() => {
            if is_at(pnl, halted_at) {
                Band::Halted
            } else if is_at(pnl, sells_blocked_at) {
                Band::SellsBlocked
            } else {
                Band::Normal
            }
        }
        _ => Band::Unknown,
    }
}

impl Band {
    /// Tells whether buying is allowed.
    pub fn can_buy(self) -> bool {
        matches!(self, Self::Normal | Self::SellsBlocked)
    }

    /// Tells whether selling is allowed.
    pub fn can_sell(self) -> bool {
        matches!(self, Self::Normal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_allows_nothing() {
        assert!(!Band::Unknown.can_buy() && !Band::Unknown.can_sell());
        assert_eq!(band(Some(f64::NAN), -0.02, -0.05), Band::Unknown);
        assert_eq!(band(Some(0.0), f64::NAN, -0.05), Band::Unknown);
        assert_eq!(daily_pnl(f64::NAN, 1.0, 0.0), None);
        assert_eq!(daily_pnl(1.0, 1.0, f64::NAN), None);
        assert_eq!(daily_pnl(1.0, 0.0, 0.0), None);
    }
}
