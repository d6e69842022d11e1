//! Attribution against the targets (Brinson and Fachler): was it the choice of categories or of
//! securities?
//!
//! Definition per category, p = portfolio, b = target, rb* = total target return: allocation
//! (wp − wb)·(rb − rb*), selection wb·(rp − rb), interaction (wp − wb)·(rp − rb). Units: fractions.
//! Summed over all categories they give the difference of the two total returns when both sets of
//! weights sum to the same. Not a number or infinity: `None`.

use crate::finite::all_finite;

/// One category's weights and returns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Category {
    /// Weight in the portfolio.
    pub weight: f64,
    /// Target weight.
    pub target: f64,
    /// Return of the portfolio's part.
    pub portfolio_return: f64,
    /// Return of the category's universe, equally weighted.
    pub target_return: f64,
}

/// Why a category differed from its target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effects {
    /// From holding more or less of the category.
    pub allocation: f64,
    /// From holding other securities in it.
    pub selection: f64,
    /// From both at once.
    pub interaction: f64,
}

/// Splits one category's difference; `total_target_return` is the return of all targets together.
///
/// # Examples
/// ```
/// use formulas::brinson::{Category, effects};
/// let category =
///     Category { weight: 0.6, target: 0.5, portfolio_return: 0.08, target_return: 0.06 };
/// let effects = effects(&category, 0.04).unwrap();
/// assert!((effects.allocation - 0.002).abs() < 1e-15);
/// assert!((effects.selection - 0.010).abs() < 1e-15);
/// assert!((effects.interaction - 0.002).abs() < 1e-15);
/// ```
pub fn effects(category: &Category, total_target_return: f64) -> Option<Effects> {
    let over = category.weight - category.target;
    let better = category.portfolio_return - category.target_return;
    let effects = Effects {
        allocation: over * (category.target_return - total_target_return),
        selection: category.target * better,
        interaction: over * better,
    };
    let all = [effects.allocation, effects.selection, effects.interaction];
    all_finite(&all).then_some(effects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_add_up_to_the_difference_of_the_totals() {
        let list = [(0.7, 0.5, 0.10, 0.04), (0.1, 0.3, -0.02, 0.01), (0.2, 0.2, 0.03, 0.05)];
        let categories = list.map(|(weight, target, portfolio_return, target_return)| Category {
            weight,
            target,
            portfolio_return,
            target_return,
        });
        let portfolio: f64 = categories.iter().map(|c| c.weight * c.portfolio_return).sum();
        let target: f64 = categories.iter().map(|c| c.target * c.target_return).sum();
        let parts = categories.iter().filter_map(|category| effects(category, target));
        let sum: f64 = parts.map(|e| e.allocation + e.selection + e.interaction).sum();
        assert!((sum - (portfolio - target)).abs() < 1e-15);
    }

    #[test]
    fn refuses_values_that_are_not_numbers() {
        let category = Category { weight: f64::NAN, target: 0.5, portfolio_return: 0.0, target_return: 0.0 };
        assert_eq!(effects(&category, 0.0), None);
    }
}
