//! Calmar ratio: annual return per unit of the deepest fall.
//!
//! Definition: annual return/|max drawdown|, both of the same daily returns. Units: none. Range: any
//! number. Empty or one return, or no fall at all: `None`. A return below −1, not a number or
//! infinity anywhere: `None`.

use crate::annual_return::annual_return;
use crate::drawdown::max_drawdown_of_returns;
use crate::finite::finite;

/// Computes the Calmar ratio of daily returns.
///
/// # Examples
/// ```
/// // A year that ends where it began after falling by half.
/// let mut year = [0.0; 252];
/// (year[10], year[20]) = (-0.5, 1.0);
/// assert_eq!(formulas::calmar::calmar(&year), Some(0.0));
/// assert_eq!(formulas::calmar::calmar(&[0.01, 0.02]), None);
/// ```
pub fn calmar(returns: &[f64]) -> Option<f64> {
    let fall = max_drawdown_of_returns(returns)?.abs();
    if fall > 0.0 { finite(annual_return(returns)? / fall) } else { None }
}
