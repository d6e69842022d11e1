//! Underperformance: a holding that gains less a year than it should.
//!
//! Definition: profit = (price − cost)/cost; a = (price/cost)^(365/days) − 1, the plain profit below a quarter of a
//! year. Profit below the loss limit: 0 (a person's decision, not a rule's); a < −0.05: 0.9; < 0: 0.7; < 0.08: 0.5;
//! ≤ 0.15: 0.1; else 0.3. No cost or no days: 0.5. Units: fractions. Range: 0 to 0.9. Not a number: 0.5.

/// Computes the gain since purchase; 0 without a cost.
///
/// # Examples
/// ```
/// assert_eq!(formulas::sell::underperformance::profit(150.0, 100.0), 0.5);
/// assert_eq!(formulas::sell::underperformance::profit(150.0, 0.0), 0.0);
/// ```
pub fn profit(price: f64, cost: f64) -> f64 {
    let profit = (price - cost) / cost;
    if cost > 0.0 && profit.is_finite() { profit } else { 0.0 }
}

/// Computes the gain a year, the plain gain below a quarter of a year.
pub fn annualised(price: f64, cost: f64, days: f64) -> f64 {
    let years = days / 365.0;
    if years < 0.25 { profit(price, cost) } else { libm::pow(price / cost, 1.0 / years) - 1.0 }
}

/// Scores underperformance; `loss_limit` is below 0.
///
/// # Examples
/// ```
/// use formulas::sell::underperformance::score;
/// assert_eq!(score(110.0, 100.0, 730.0, -0.2), 0.5, "4.9 % a year");
/// assert_eq!(score(79.0, 100.0, 730.0, -0.2), 0.0);
/// assert_eq!(score(85.0, 100.0, 365.0, -0.2), 0.9);
/// assert_eq!(score(130.0, 100.0, 365.0, -0.2), 0.3);
/// assert_eq!(score(110.0, 0.0, 730.0, -0.2), 0.5);
/// ```
pub fn score(price: f64, cost: f64, days: f64, loss_limit: f64) -> f64 {
    let known = cost > 0.0 && days > 0.0 && price.is_finite();
    if !known {
        return 0.5;
    }
    if profit(price, cost) < loss_limit {
        return 0.0;
    }
    match annualised(price, cost, days) {
        rate if rate.is_nan() => 0.5,
        rate if rate < -0.05 => 0.9,
        rate if rate < 0.0 => 0.7,
        rate if rate < 0.08 => 0.5,
        rate if rate <= 0.15 => 0.1,
        _ => 0.3,
    }
}
