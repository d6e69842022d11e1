//! How figures look to a person. Exact amounts come in, text goes out; nothing is computed on with it.

use contracts::Finite;
use market::Timestamp;
use money::{Money, Quantity, Weight};

/// An amount with grouped thousands and cents: `12,345.67 EUR`.
#[must_use]
pub fn money(amount: &Money) -> String {
    let e4 = i128::from(amount.e4());
    // Half a cent goes away from zero, as on a bank statement.
    let cents = (e4.abs() + 50) / 100;
    let sign = if e4 < 0 && cents > 0 { "-" } else { "" };
    format!("{sign}{}.{:02} {}", grouped(cents / 100), cents % 100, amount.currency())
}

fn grouped(number: i128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share of the whole with one decimal: `4.5 %`.
#[must_use]
pub fn weight(weight: Weight) -> String {
    let tenths = (weight.e6() + 500).div_euclid(1_000);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// A signed fraction as percent with two decimals: `-0.25 %`.
#[must_use]
pub fn percent(fraction: Finite) -> String {
    format!("{:+.2} %", fraction.get() * 100.0)
}

/// A quantity without a tail of zeros.
#[must_use]
pub fn quantity(quantity: Quantity) -> String {
    let text = quantity.to_string();
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

/// `2026-03-02 14:31`.
#[must_use]
pub fn minute(at: Timestamp) -> String {
    at.to_string().get(..16).unwrap_or_default().replace('T', " ")
}

/// `2026-03-02 14:31:07`.
#[must_use]
pub fn second(at: Timestamp) -> String {
    at.to_string().get(..19).unwrap_or_default().replace('T', " ")
}

/// A number of milliseconds as `7 ms`, `1.5 s`, `3 min`, `2 h` or `4 d`.
#[must_use]
pub fn duration(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{} ms", ms.max(0)),
        1_000..10_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        10_000..120_000 => format!("{} s", ms / 1_000),
        120_000..7_200_000 => format!("{} min", ms / 60_000),
        7_200_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} d", ms / 86_400_000),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_groups_and_cents() {
        let table = [
            ("0 EUR", "0.00 EUR"),
            ("12345.67 EUR", "12,345.67 EUR"),
            ("-1234567.895 EUR", "-1,234,567.90 EUR"),
            ("999.9949 EUR", "999.99 EUR"),
            ("999.995 EUR", "1,000.00 EUR"),
            ("-0.0049 EUR", "0.00 EUR"),
            ("-1.27 GBP", "-1.27 GBP"),
        ];
        for (amount, text) in table {
            assert_eq!(money(&amount.parse().unwrap()), text);
        }
    }

    #[test]
    fn shares_and_changes_are_percent() {
        assert_eq!(weight(Weight::from_e6(44_600).unwrap()), "4.5 %");
        assert_eq!(weight(Weight::ZERO), "0.0 %");
        assert_eq!(percent(Finite::new(-0.0025).unwrap()), "-0.25 %");
    }

    #[test]
    fn quantities_lose_their_tail() {
        for (text, shown) in [("12", "12"), ("0.5", "0.5"), ("100", "100"), ("1.250000", "1.25")] {
            assert_eq!(quantity(text.parse().unwrap()), shown);
        }
    }

    #[test]
    fn durations_have_one_unit() {
        let table = [
            (-5, "0 ms"),
            (7, "7 ms"),
            (1_540, "1.5 s"),
            (10_000, "10 s"),
            (119_999, "119 s"),
            (120_000, "2 min"),
            (7_200_000, "2 h"),
            (172_800_000, "2 d"),
        ];
        for (ms, text) in table {
            assert_eq!(duration(ms), text);
        }
    }
}
