//! Exact decimal text for scaled integers: nothing is rounded, guessed or localised.

use crate::Result;
use crate::error::MoneyError;

/// The most fractional digits that a scale of this crate uses (rates).
const DIGITS_MAX: u32 = 9;

/// Parses decimal text into an integer with `digits` fractional digits.
///
/// Accepts an optional minus sign, digits, and at most `digits` digits after one point: `-84.5`.
///
/// # Errors
/// [`MoneyError::InvalidDecimal`] for an empty text, an exponent, a comma, spaces, NaN, infinity, a
/// point without digits on both sides, or more fractional digits than the scale holds;
/// [`MoneyError::Overflow`] for a number outside 64 bits.
pub fn parse_scaled(text: &str, digits: u32, field: &'static str) -> Result<i64> {
    assert!(digits <= DIGITS_MAX, "a scale has at most nine fractional digits");
    let refuse = |rule| Err(MoneyError::InvalidDecimal { field, text: text.to_owned(), rule });
    if text.is_empty() {
        return refuse("is empty; write a decimal number such as 84.5");
    }
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((_, "")) => return refuse("has a point without digits after it"),
        Some(parts) => parts,
        None => (unsigned, ""),
    };
    if whole.is_empty() || !whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()) {
        return refuse("is not a plain decimal number; write digits and at most one point, as in 84.5");
    }
    let Some(missing) = u32::try_from(fraction.len()).ok().and_then(|given| digits.checked_sub(given)) else {
        return refuse("has more decimal places than the unit holds; round it knowingly first");
    };
    // Digits are appended with the sign already applied, so that the smallest integer parses too.
    let padding = (0..missing).map(|_| '0');
    let mut scaled: i64 = 0;
    for digit in whole.chars().chain(fraction.chars()).chain(padding) {
        let digit = i64::from(digit.to_digit(10).expect("only digits passed the test above"));
        let signed = if negative { digit.checked_neg() } else { Some(digit) };
        scaled = signed
            .and_then(|digit| scaled.checked_mul(10)?.checked_add(digit))
            .ok_or(MoneyError::Overflow { operation: field })?;
    }
    Ok(scaled)
}

/// Writes a scaled integer as an exact decimal, with at least `shown` fractional digits.
#[must_use]
pub fn format_scaled(scaled: i64, digits: u32, shown: u32) -> String {
    assert!(shown <= digits && digits <= DIGITS_MAX, "a scale shows no more digits than it has");
    let unit = 10_u64.checked_pow(digits).expect("ten to the ninth fits 64 bits");
    let magnitude = scaled.unsigned_abs();
    let whole = magnitude.checked_div(unit).expect("a power of ten is not zero");
    let rest = magnitude.checked_rem(unit).expect("a power of ten is not zero");
    let sign = if scaled < 0 { "-" } else { "" };
    let width = usize::try_from(digits).expect("nine fits every pointer size");
    let shown = usize::try_from(shown).expect("nine fits every pointer size");
    let fraction = format!("{rest:0width$}");
    let trimmed = if rest == 0 { "" } else { fraction.trim_end_matches('0') };
    if trimmed.is_empty() && shown == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{trimmed:0<shown$}")
}
