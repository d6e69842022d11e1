//! Balance: a holding whose country, industries or own share are too large.
//!
//! Definition: 0.5·min(1, country/0.5) + 0.3·mean of min(1, industry/0.3), 0.5 without any industry, + 0.2·k;
//! k = min(1, w/0.15) above a share of 0.10, else w/0.10. Units: shares of the fund. Range: 0 to 1. No total: 0.5. Not
//! a number: 0.5.

/// Scores the balance from the shares of the country, of each industry, and of the holding.
///
/// # Examples
/// ```
/// use formulas::sell::balance::score;
/// assert!((score(0.25, &[0.15], Some(0.05)) - 0.5).abs() < 1e-12);
/// assert!((score(0.0, &[], Some(0.12)) - 0.31).abs() < 1e-12);
/// assert_eq!(score(0.25, &[0.15], None), 0.5);
/// ```
pub fn score(country: f64, industries: &[f64], share: Option<f64>) -> f64 {
    let Some(share) = share else { return 0.5 };
    let industry = if industries.is_empty() {
        0.5
    } else {
        industries.iter().map(|share| (share / 0.3).min(1.0)).sum::<f64>() / industries.len() as f64
    };
    let own = if share > 0.10 { (share / 0.15).min(1.0) } else { share / 0.10 };
    let score = 0.5 * (country / 0.5).min(1.0) + 0.3 * industry + 0.2 * own;
    if score.is_finite() { score } else { 0.5 }
}
