//! Pence or pounds: which unit a price is in, and rows of a series that mix them.
//!
//! The label decides, with its case: `GBp` is pence, `GBP` is pounds. Single rows that are off by a hundred against
//! their neighbours are put right and marked; the label of a whole series is never corrected here, because only the
//! broker's price can say which of the two is wrong.

use money::{Currency, Price};

use crate::answer::DataFault;

/// Natural logarithm of a hundred.
const LN_100: f64 = 4.605_170_185_988_092;
/// How near a ratio must be to a hundred, as a share of its logarithm.
const NEAR: f64 = 0.1;
/// A dividend above this share of the price is in the smaller unit.
const YIELD_MAX: f64 = 0.25;
/// A dividend below this share of the price is in the main unit.
const YIELD_MIN: f64 = 0.000_3;

/// The unit in which a provider writes prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// The currency.
    pub currency: Currency,
    /// So many units make one of the currency: 100 for pence.
    pub per_main: u32,
}

impl Unit {
    /// Reads a label; its case matters.
    ///
    /// # Errors
    /// [`DataFault::Malformed`] for what is no currency.
    pub fn of(label: &str) -> Result<Unit, DataFault> {
        let (code, per_main) = match label {
            "GBp" | "GBX" => ("GBP", 100),
            "ZAc" => ("ZAR", 100),
            "ILA" => ("ILS", 100),
            "KWF" => ("KWD", 1_000),
            other => (other, 1),
        };
        let currency =
            Currency::new(code).map_err(|_| DataFault::Malformed(format!("`{label}` is no currency")))?;
        Ok(Unit { currency, per_main })
    }

    /// Turns a delivered number into a price of the main unit; nothing when it is not above zero.
    #[must_use]
    pub fn price(self, number: f64) -> Option<Price> {
        price_of(number / f64::from(self.per_main))
    }

    /// Puts single rows of mixed units right; tells which.
    pub(crate) fn repair(self, closes: &mut [f64]) -> Vec<bool> {
        let mut repaired = vec![false; closes.len()];
        if self.per_main == 1 {
            return repaired;
        }
        let mut first: Vec<f64> = closes.iter().take(5).copied().collect();
        first.sort_by(f64::total_cmp);
        let Some(mut usual) = first.get(first.len() / 2).copied() else { return repaired };
        for (close, mark) in closes.iter_mut().zip(&mut repaired) {
            let off = (*close / usual).ln();
            if (off - LN_100).abs() <= NEAR * LN_100 {
                (*close, *mark) = (*close / 100.0, true);
            } else if (off + LN_100).abs() <= NEAR * LN_100 {
                (*close, *mark) = (*close * 100.0, true);
            }
            usual = *close;
        }
        repaired
    }

    /// Puts the unit of a dividend right by the price beside it; tells whether it had to.
    pub(crate) fn dividend(self, amount: f64, price: f64) -> (f64, bool) {
        if self.per_main == 1 || price <= 0.0 {
            return (amount, false);
        }
        let share = amount / price;
        if share > YIELD_MAX {
            (amount / 100.0, true)
        } else if share < YIELD_MIN {
            (amount * 100.0, true)
        } else {
            (amount, false)
        }
    }
}

/// A number as a price, rounded to a millionth; nothing when it is not above zero or does not fit.
#[must_use]
pub fn price_of(number: f64) -> Option<Price> {
    let price = Price::from_f64(number).ok()?;
    (!price.is_zero()).then_some(price)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_case_of_a_label_is_a_factor_of_a_hundred() {
        for (label, code, price) in [
            ("GBp", "GBP", 6_425_000),
            ("GBX", "GBP", 6_425_000),
            ("GBP", "GBP", 642_500_000),
            ("ZAc", "ZAR", 6_425_000),
            ("ILA", "ILS", 6_425_000),
            ("KWF", "KWD", 642_500),
            ("JPY", "JPY", 642_500_000),
        ] {
            let unit = Unit::of(label).unwrap();
            assert_eq!(unit.currency.as_str(), code);
            assert_eq!(unit.price(642.5).unwrap().e6(), price, "{label}");
        }
        assert!(Unit::of("gbp").is_err() && Unit::of("").is_err());
    }

    #[test]
    fn what_is_no_price_is_none() {
        let euro = Unit::of("EUR").unwrap();
        for number in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300, 1e-9] {
            assert_eq!(euro.price(number), None, "{number}");
        }
    }

    #[test]
    fn single_rows_of_pounds_among_pence_are_put_right_and_nothing_else() {
        let pence = Unit::of("GBp").unwrap();
        let mut closes = [640.0, 6.41, 642.0, 64_300.0, 644.0, 322.0, 320.0];
        let marks = pence.repair(&mut closes);
        assert_eq!(marks, [false, true, false, true, false, false, false]);
        assert!((closes[1] - 641.0).abs() < 1e-9 && (closes[3] - 643.0).abs() < 1e-9);
        let mut euros = [6.4, 640.0];
        assert_eq!(Unit::of("EUR").unwrap().repair(&mut euros), [false, false]);
        assert!(pence.repair(&mut []).is_empty());
    }

    #[test]
    fn dividends_in_the_other_unit_are_put_right_at_both_bounds() {
        let pence = Unit::of("GBp").unwrap();
        let guessed = |amount, price| pence.dividend(amount, price);
        assert_eq!(guessed(11.2, 640.0), (11.2, false));
        assert!(guessed(0.112, 640.0).1 && guessed(200.0, 640.0).1);
        assert!(!guessed(0.25 * 640.0, 640.0).1 && !guessed(0.000_3 * 640.0, 640.0).1);
        assert_eq!(Unit::of("EUR").unwrap().dividend(0.000_1, 640.0), (0.000_1, false));
    }
}
