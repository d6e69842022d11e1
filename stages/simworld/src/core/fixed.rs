//! Scaled integers of the simulator's books: prices and quantities e6, cash e4, and their rounding.
//!
//! Written apart from the production money types on purpose: a mistake shared by both would be invisible.

/// One unit at scale e6.
pub(crate) const E6: i64 = 1_000_000;

/// One cent at scale e4.
const CENT_E4: i128 = 100;

/// Divides, rounding half to even; `by` must be positive.
pub(crate) fn div_half_even(value: i128, by: i128) -> i128 {
    assert!(by > 0, "a divisor of money is positive");
    let (quotient, remainder) = (value.div_euclid(by), value.rem_euclid(by));
    let up = match (remainder * 2).cmp(&by) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
    };
    quotient + i128::from(up)
}

/// Narrows to the books' integer; values beyond it cannot arise from checked orders.
pub(crate) fn narrow(value: i128) -> i64 {
    i64::try_from(value).expect("amounts of the simulated account fit 64 bits")
}

/// Rounds an amount with `scale` decimals to whole cents, at scale e4.
pub(crate) fn cents_e4(value: i128, scale: u32) -> i64 {
    narrow(div_half_even(value * CENT_E4, 10_i128.pow(scale)) * CENT_E4)
}

/// Returns quantity times price in whole cents, at scale e4.
pub(crate) fn value_e4(qty_e6: i64, price_e6: i64) -> i64 {
    cents_e4(i128::from(qty_e6) * i128::from(price_e6), 12)
}

/// Returns a float amount in whole cents at scale e4.
pub(crate) fn cents_of(value: f64) -> i64 {
    assert!(value.is_finite() && value.abs() < 1e14, "amounts stay finite");
    (libm::rint(value * 100.0)) as i64 * 100
}

/// Reads a plain decimal exactly at `scale` digits; more digits or any other text give `None`.
pub(crate) fn parse(text: &str, scale: u32) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let width = usize::try_from(scale).ok()?;
    let clean = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || fraction.len() > width || !clean(whole) || !clean(fraction) {
        return None;
    }
    let value: i64 = format!("{whole}{fraction:0<width$}").parse().ok()?;
    Some(if negative { -value } else { value })
}

/// Writes a scaled integer as a plain decimal with at least `min_digits` decimals.
pub(crate) fn text(units: i64, scale: u32, min_digits: usize) -> String {
    let base = 10_u64.pow(scale);
    let magnitude = units.unsigned_abs();
    let width = usize::try_from(scale).unwrap_or(0);
    let mut fraction = format!("{:0width$}", magnitude % base);
    if scale == 0 {
        fraction.clear();
    }
    while fraction.len() > min_digits && fraction.ends_with('0') {
        fraction.pop();
    }
    while fraction.len() < min_digits {
        fraction.push('0');
    }
    let sign = if units < 0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", magnitude / base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_half_to_even_on_both_sides_of_zero() {
        for (value, by, expected) in [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (4, 3, 1), (-4, 3, -1)]
        {
            assert_eq!(div_half_even(value, by), expected, "{value}/{by}");
        }
    }

    #[test]
    fn values_are_whole_cents() {
        assert_eq!(value_e4(12 * E6, 84_450_000), 10_134_000);
        assert_eq!(value_e4(3 * E6, 5_000), 200);
        assert_eq!(value_e4(E6, 5_000), 0);
    }

    #[test]
    fn reads_and_writes_decimals_exactly() {
        assert_eq!(parse("84.5", 6), Some(84_500_000));
        assert_eq!(parse("-1.27", 4), Some(-12_700));
        assert_eq!(parse("0.0000001", 6), None);
        assert_eq!(parse("1e3", 6), None);
        assert_eq!(parse("", 6), None);
        assert_eq!(text(84_500_000, 6, 0), "84.5");
        assert_eq!(text(-12_700, 4, 2), "-1.27");
        assert_eq!(text(0, 4, 2), "0.00");
        assert_eq!(text(10_000, 6, 8), "0.01000000");
    }
}
