//! Switch for unusually restless markets, with a gap between on and off so that it does not flicker.
//!
//! Definition, v20 and v252 annual volatilities of the last 20 and 252 days: on when v20 ≥ 0.20 and
//! v20/v252 ≥ 1.5; off when v20/v252 < 1.2 or v20 < 0.16; otherwise as before. Units: none. A volatility
//! that is missing, negative, zero over the long span, or not a number: as before.

const ON_LEVEL: f64 = 0.20;
const ON_RATIO: f64 = 1.5;
const OFF_LEVEL: f64 = 0.16;
const OFF_RATIO: f64 = 1.2;

/// Decides the switch after a day.
///
/// # Examples
/// ```
/// use formulas::high_volatility::is_high;
/// assert!(is_high(false, Some(0.32), Some(0.20)));
/// assert!(!is_high(false, Some(0.25), Some(0.20)));
/// assert!(is_high(true, Some(0.25), Some(0.20)), "stays on in the gap");
/// assert!(!is_high(true, Some(0.1599), Some(0.10)));
/// assert!(is_high(true, None, Some(0.20)));
/// ```
pub fn is_high(was_high: bool, short: Option<f64>, long: Option<f64>) -> bool {
    let (Some(short), Some(long)) = (short, long) else { return was_high };
    let ratio = short / long;
    if !(short >= 0.0 && long > 0.0 && ratio.is_finite()) {
        return was_high;
    }
    if was_high { ratio >= OFF_RATIO && short >= OFF_LEVEL } else { short >= ON_LEVEL && ratio >= ON_RATIO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_exactly_at_its_levels() {
        assert!(is_high(false, Some(0.20), Some(0.13)) && !is_high(false, Some(0.1999), Some(0.13)));
        assert!(is_high(false, Some(0.75), Some(0.5)) && !is_high(false, Some(0.74), Some(0.5)));
        assert!(is_high(true, Some(0.16), Some(0.10)) && !is_high(true, Some(0.1599), Some(0.10)));
        assert!(!is_high(true, Some(0.59), Some(0.5)));
    }

    #[test]
    fn keeps_its_state_without_figures() {
        for (short, long) in [(None, None), (Some(f64::NAN), Some(0.2)), (Some(0.3), Some(0.0))] {
            assert!(is_high(true, short, long) && !is_high(false, short, long));
        }
    }
}
