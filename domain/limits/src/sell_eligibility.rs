//! Whether a holding may be sold automatically at all, before a quantity is chosen.

use money::{Price, Weight};
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::side::Side;
use crate::{cost_basis_unknown, max_loss, min_hold, sell_cooldown, side_not_allowed};

/// Names the check that forbids the sale, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SellCode {
    /// The owner does not allow sales of the security.
    SideNotAllowed,
    /// The average price paid is missing.
    CostBasisUnknown,
    /// The loss would be too large.
    MaxLoss,
    /// The last transaction is too recent.
    MinHold,
    /// The last sale is too recent.
    SellCooldown,
}

/// What is known of a holding that might be sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SellQuestion {
    /// Whether the owner allows sales.
    pub allow_sell: bool,
    /// The price now.
    pub price: Price,
    /// The average price paid.
    pub avg_price: Option<Price>,
    /// Whole days since the last buy or sale; `None` = known never.
    pub days_since_last_transaction: Option<u32>,
    /// Whole days since the last sale; `None` = known never.
    pub days_since_last_sell: Option<u32>,
}

/// The limits of a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SellTerms {
    /// Largest tolerated loss as a share of what was paid.
    pub loss_max: Weight,
    /// Whole days to hold after any transaction.
    pub min_hold_days: u32,
    /// Whole days between two sales.
    pub sell_cooldown_days: u32,
}

/// The answer: eligible when no check forbids the sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SellEligibility {
    /// The first check that forbids the sale.
    pub code: Option<SellCode>,
    /// Its numbers, or those of the last check when all passed.
    pub finding: Finding,
}

impl SellEligibility {
    /// Tells whether the holding may be sold.
    #[must_use]
    pub const fn is_eligible(&self) -> bool {
        self.code.is_none()
    }
}

/// Judges a sale by flag, loss, holding time and cooldown; the first failure wins.
#[must_use]
pub fn sell_eligibility(question: &SellQuestion, terms: &SellTerms) -> SellEligibility {
    let findings = [
        (SellCode::SideNotAllowed, side_not_allowed::check(Side::Sell, false, question.allow_sell)),
        (SellCode::CostBasisUnknown, cost_basis_unknown::check(question.avg_price)),
        (SellCode::MaxLoss, max_loss::check(question.price, question.avg_price, terms.loss_max)),
        (SellCode::MinHold, min_hold::check(question.days_since_last_transaction, terms.min_hold_days)),
        (
            SellCode::SellCooldown,
            sell_cooldown::check(question.days_since_last_sell, terms.sell_cooldown_days),
        ),
    ];
    let mut last = None;
    for (code, finding) in findings {
        if !finding.passed {
            return SellEligibility { code: Some(code), finding };
        }
        last = Some(finding);
    }
    SellEligibility { code: None, finding: last.expect("the list of checks is not empty") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn question() -> SellQuestion {
        SellQuestion {
            allow_sell: true,
            price: "50".parse().unwrap(),
            avg_price: Some("45".parse().unwrap()),
            days_since_last_transaction: Some(200),
            days_since_last_sell: None,
        }
    }

    fn terms() -> SellTerms {
        SellTerms { loss_max: "0.2".parse().unwrap(), min_hold_days: 90, sell_cooldown_days: 180 }
    }

    #[test]
    fn an_old_profitable_holding_may_be_sold() {
        assert!(sell_eligibility(&question(), &terms()).is_eligible());
    }

    #[test]
    fn an_unknown_cost_basis_forbids_an_automatic_sale() {
        let unknown = SellQuestion { avg_price: None, ..question() };
        assert_eq!(sell_eligibility(&unknown, &terms()).code, Some(SellCode::CostBasisUnknown));
    }

    #[test]
    fn the_first_failure_wins() {
        let bad = SellQuestion { allow_sell: false, avg_price: None, ..question() };
        assert_eq!(sell_eligibility(&bad, &terms()).code, Some(SellCode::SideNotAllowed));
        let young = SellQuestion {
            days_since_last_transaction: Some(1),
            days_since_last_sell: Some(1),
            ..question()
        };
        assert_eq!(sell_eligibility(&young, &terms()).code, Some(SellCode::MinHold));
    }
}
