//! Time-weighted return: what one unit left alone would have become, whatever was paid in or out.
//!
//! Definition: h_t = (V_t − V_(t−1) − F_t)/V_(t−1), F_t the external flow of day t (deposits positive)
//! counted at the end of the day; TWR = Π(1 + h_t) − 1. Units: fraction. Range: ≥ −1. Empty or one
//! valuation: `None`. An earlier value ≤ 0, a day that loses more than everything, not a number or
//! infinity: `None` from there on. A day of more than ±15 % is reported as suspect, never dropped:
//! it is either a fault of the books or something to know.

use crate::finite::finite;

/// A day beyond this size makes a valuation series suspect.
pub const SUSPECT_DAY: f64 = 0.15;

/// The return of one day without its external flow; `None` unless `previous` is positive.
///
/// # Examples
/// ```
/// // 1 000 became 1 150 after a deposit of 100: 5 %.
/// assert_eq!(formulas::twr::day_return(1_000.0, 1_150.0, 100.0), Some(0.05));
/// assert_eq!(formulas::twr::day_return(0.0, 1_150.0, 100.0), None);
/// ```
pub fn day_return(previous: f64, value: f64, flow: f64) -> Option<f64> {
    if previous > 0.0 { finite((value - previous - flow) / previous) } else { None }
}

/// Tells whether a day's return is too large to be believed without a look.
///
/// # Examples
/// ```
/// assert!(!formulas::twr::is_suspect(0.15) && formulas::twr::is_suspect(-0.151));
/// ```
pub fn is_suspect(day_return: f64) -> bool {
    day_return.is_nan() || day_return.abs() > SUSPECT_DAY
}

/// A time-weighted return that takes one valuation at a time.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeWeightedReturn {
    valuations: usize,
    last: f64,
    growth: f64,
    is_broken: bool,
}

impl TimeWeightedReturn {
    /// Starts without any valuation.
    pub fn new() -> Self {
        Self { valuations: 0, last: 0.0, growth: 1.0, is_broken: false }
    }

    /// Takes the next end-of-day value and the day's external flow, and returns the day's return.
    ///
    /// The flow of the first valuation is what it began with and does not matter.
    pub fn push(&mut self, value: f64, flow: f64) -> Option<f64> {
        let is_first = self.valuations == 0;
        self.valuations = self.valuations.saturating_add(1);
        let previous = std::mem::replace(&mut self.last, value);
        if is_first {
            return None;
        }
        let day = day_return(previous, value, flow).filter(|day| *day >= -1.0);
        match day {
            Some(day) => self.growth *= 1.0 + day,
            None => self.is_broken = true,
        }
        day
    }

    /// Returns the time-weighted return so far.
    pub fn value(&self) -> Option<f64> {
        if self.valuations < 2 || self.is_broken {
            return None;
        }
        finite(self.growth - 1.0)
    }
}

/// Computes the time-weighted return of end-of-day values and the external flow of each day.
///
/// `None` also when the two slices differ in length.
///
/// # Examples
/// ```
/// // +10 %, then 1 000 arrive and nothing else happens, then −10 %.
/// let total = formulas::twr::twr(&[1e3, 1_100.0, 2_100.0, 1_890.0], &[1e3, 0.0, 1e3, 0.0]).unwrap();
/// assert!((total + 0.01).abs() < 1e-12);
/// assert_eq!(formulas::twr::twr(&[1e3], &[1e3]), None);
/// ```
pub fn twr(values: &[f64], flows: &[f64]) -> Option<f64> {
    if values.len() != flows.len() {
        return None;
    }
    let mut total = TimeWeightedReturn::new();
    for (&value, &flow) in values.iter().zip(flows) {
        total.push(value, flow);
    }
    total.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_absent_once_a_value_was_not_positive_or_not_a_number() {
        let none = [0.0; 4];
        assert_eq!(twr(&[100.0, 0.0, 50.0, 60.0], &none), None);
        assert_eq!(twr(&[100.0, f64::NAN, 50.0, 60.0], &none), None);
        assert_eq!(twr(&[100.0, 110.0, 50.0, f64::INFINITY], &none), None);
        assert_eq!(twr(&[100.0, -10.0], &[0.0, 0.0]), None);
        assert_eq!(twr(&[100.0, 0.0], &[0.0, 0.0]), Some(-1.0));
    }

    #[test]
    fn needs_two_valuations_and_a_flow_for_each() {
        assert_eq!(twr(&[], &[]), None);
        assert_eq!(twr(&[1.0, 2.0], &[0.0]), None);
    }
}
