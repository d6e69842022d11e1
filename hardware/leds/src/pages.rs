//! The pages that rotate when nothing is wrong.

use crate::{Frame, digits};

/// Below this a day's change is no change, as a fraction.
const NO_CHANGE: f64 = 0.000_5;

/// The value in thousands: `12.3`, `123`, `1.2M`.
#[must_use]
pub fn value_page(units: i64) -> Frame {
    let mut frame = Frame::default();
    digits::draw_right(&mut frame, &thousands(units));
    frame
}

/// One decimal below a hundred thousand, none below a million, then millions.
fn thousands(units: i64) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let units = units.unsigned_abs();
    let (tenths, whole) = (units / 100, units / 1_000);
    // A minus takes the room of the decimal.
    if tenths < 1_000 && sign.is_empty() {
        format!("{}.{}", tenths / 10, tenths % 10)
    } else if whole < 1_000 {
        format!("{sign}{whole}")
    } else if whole < 10_000 && sign.is_empty() {
        format!("{}.{}M", whole / 1_000, whole % 1_000 / 100)
    } else {
        format!("{sign}{}M", (whole / 1_000).min(99))
    }
}

/// Today's change: an arrow and the percentage without its sign.
#[must_use]
pub fn change_page(change: f64) -> Frame {
    let mut frame = Frame::default();
    let arrow = match change {
        change if change >= NO_CHANGE => "^",
        change if change <= -NO_CHANGE => "v",
        _ => "=",
    };
    digits::draw(&mut frame, arrow, 0);
    digits::draw_right(&mut frame, &percent(change.abs() * 100.0));
    frame
}

fn percent(percent: f64) -> String {
    if !percent.is_finite() {
        "?".into()
    } else if percent < 9.95 {
        format!("{percent:.1}")
    } else {
        format!("{:.0}", percent.min(99.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::COLUMNS;

    #[test]
    fn values_are_rounded_down_to_what_fits() {
        let cases = [
            (0, "0.0"),
            (12_345, "12.3"),
            (99_999, "99.9"),
            (100_000, "100"),
            (999_999, "999"),
            (1_234_567, "1.2M"),
            (9_999_999, "9.9M"),
            (10_000_000, "10M"),
            (-12_345, "-12"),
            (i64::MAX, "99M"),
            (i64::MIN, "-99M"),
        ];
        for (units, text) in cases {
            assert_eq!(thousands(units), text);
        }
    }

    #[test]
    fn every_value_but_a_debt_of_millions_fits_the_matrix() {
        for units in [0, 12_345, 99_999, 999_999, 1_234_567, 10_000_000, -12_345] {
            assert!(digits::width(&thousands(units)) <= COLUMNS, "{units}");
        }
    }

    #[test]
    fn percentages_lose_their_decimal_from_ten_on() {
        for (value, text) in [(0.0, "0.0"), (9.94, "9.9"), (9.95, "10"), (250.0, "99"), (f64::NAN, "?")] {
            assert_eq!(percent(value), text);
        }
    }
}
