//! Exact reading of the API's many number spellings into scaled integers, never through a float.
//! `""`, `-`, and not-a-number mean "unknown"; anything else unreadable is a fault.

/// Longest number text that is looked at; real ones have some twenty characters.
const NUMBER_CHARS_MAX: usize = 64;
/// Largest power of ten a written exponent may have in either direction.
const EXPONENT_MAX: i64 = 40;

/// Says why a text is not a usable number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    /// The text is no decimal number.
    #[error("is not a decimal number")]
    NotANumber,
    /// The number does not fit into the scaled integer.
    #[error("is too large for its scale")]
    TooLarge,
}

/// Reads `text` as an integer of `10^-scale` units, rounding half to even.
///
/// Accepts padding zeros, a leading or trailing dot, one decimal comma when no dot is present, and
/// exponents. Unknown (`""`, `-`, NaN, infinity) is `None`, never zero.
///
/// # Errors
/// Faults when the text is no number, is longer than 64 characters or does not fit.
pub fn scaled(text: &str, scale: u32) -> Result<Option<i64>, NumberFault> {
    let text = text.trim();
    if is_unknown(text) {
        return Ok(None);
    }
    if text.len() > NUMBER_CHARS_MAX {
        return Err(NumberFault::NotANumber);
    }
    let parts = split(text).ok_or(NumberFault::NotANumber)?;
    let magnitude = parts.rounded(scale).ok_or(NumberFault::TooLarge)?;
    let signed = if parts.negative { -magnitude } else { magnitude };
    i64::try_from(signed).map(Some).map_err(|_| NumberFault::TooLarge)
}

fn is_unknown(text: &str) -> bool {
    let bare = text.trim_start_matches(['-', '+']);
    text.is_empty() || text == "-" || ["nan", "inf", "infinity"].iter().any(|w| bare.eq_ignore_ascii_case(w))
}

/// Holds a decimal as its digits and the place of the point among them.
struct Digits {
    negative: bool,
    /// Decimal digits, leading zeros removed.
    digits: Vec<u8>,
    /// How many of the digits stand before the point; may be negative or beyond the end.
    point: i64,
}

fn split(text: &str) -> Option<Digits> {
    let text = if text.contains('.') { text.to_owned() } else { text.replacen(',', ".", 1) };
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    if exponent.abs() > EXPONENT_MAX {
        return None;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let padded: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
    let zeros = padded.iter().take_while(|digit| **digit == 0).count();
    let point = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()? + exponent;
    Some(Digits { negative, digits: padded[zeros..].to_vec(), point })
}

impl Digits {
    /// Returns the magnitude in units of `10^-scale`, or nothing when it cannot fit 64 bits.
    fn rounded(&self, scale: u32) -> Option<i128> {
        let keep = self.point + i64::from(scale);
        if self.digits.is_empty() || keep < 0 {
            return Some(0);
        }
        // 19 digits are the most a 64-bit integer holds; the sum below then cannot overflow i128.
        if keep > 19 {
            return None;
        }
        let keep = usize::try_from(keep).ok()?;
        let digit = |place: usize| self.digits.get(place).copied().unwrap_or(0);
        let whole = (0..keep).fold(0_i128, |sum, place| sum * 10 + i128::from(digit(place)));
        let beyond_half = self.digits.get(keep + 1..).is_some_and(|rest| rest.iter().any(|d| *d != 0));
        let up = match digit(keep) {
            0..=4 => false,
            5 => beyond_half || whole % 2 == 1,
            _ => true,
        };
        Some(whole + i128::from(up))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_every_documented_spelling() {
        let table = [
            ("12.5", Some(12_500_000)),
            (".00000000", Some(0)),
            ("147,39", Some(147_390_000)),
            ("100.00000000", Some(100_000_000)),
            ("  -3.15 ", Some(-3_150_000)),
            ("7.", Some(7_000_000)),
            ("1e-7", Some(0)),
            ("8.445E1", Some(84_450_000)),
            ("+1", Some(1_000_000)),
            ("", None),
            ("   ", None),
            ("-", None),
            ("NaN", None),
            ("-inf", None),
            ("Infinity", None),
        ];
        for (text, expected) in table {
            assert_eq!(scaled(text, 6), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn rounds_half_to_even_in_both_directions() {
        let table = [
            ("0.0000005", 0),
            ("0.0000015", 2),
            ("0.0000025", 2),
            ("0.00000251", 3),
            ("-0.0000015", -2),
            ("364.80000001", 364_800_000),
            ("0.9999999", 1_000_000),
        ];
        for (text, expected) in table {
            assert_eq!(scaled(text, 6), Ok(Some(expected)), "{text}");
        }
    }

    #[test]
    fn faults_on_what_is_no_number() {
        for text in ["abc", "1,234.5", "1,2,3", "1.2.3", "--1", "0x10", "1e", "1e99", ".", "1 2", "١"] {
            assert_eq!(scaled(text, 6), Err(NumberFault::NotANumber), "{text}");
        }
        assert_eq!(scaled(&"1".repeat(65), 0), Err(NumberFault::NotANumber));
    }

    #[test]
    fn faults_just_beyond_the_64_bit_range() {
        assert_eq!(scaled("9223372036854.775807", 6), Ok(Some(i64::MAX)));
        assert_eq!(scaled("-9223372036854.775808", 6), Ok(Some(i64::MIN)));
        assert_eq!(scaled("9223372036854.775808", 6), Err(NumberFault::TooLarge));
        assert_eq!(scaled("1e30", 6), Err(NumberFault::TooLarge));
    }

    proptest! {
        #[test]
        fn written_integers_come_back(value in any::<i64>(), scale in 0_u32..9) {
            let unit = 10_u64.pow(scale);
            let sign = if value < 0 { "-" } else { "" };
            let (whole, rest) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
            let width = usize::try_from(scale).unwrap_or(0);
            let fraction = if scale == 0 { String::new() } else { format!("{rest:0width$}") };
            let text = format!("{sign}{whole}.{fraction}00");
            prop_assert_eq!(scaled(&text, scale), Ok(Some(value)));
        }

        #[test]
        fn never_panics(text in "\\PC{0,70}", scale in 0_u32..12) {
            let _ = scaled(&text, scale);
        }
    }
}
