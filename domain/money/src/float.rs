//! The edge to binary floating point: the only file that touches a float.

use crate::Result;
use crate::error::MoneyError;
use crate::rounding::{Rounding, divide};

/// Width of the stored part of a double's significand.
const SIGNIFICAND_BITS: u32 = 52;
/// Distance between the stored exponent and the power of two of the whole significand.
const EXPONENT_BIAS: i32 = 1075;
/// The smallest scale: with it, every double of 2^52 or more leaves 64 bits.
const SCALE_MIN: i64 = 10_000;
/// The largest scale, the one of rates.
const SCALE_MAX: i64 = 1_000_000_000;
/// A power of two from which on a scaled significand (under 2^83) is less than half a unit.
const SHIFT_RIGHT_MAX: u32 = 100;

/// Turns a finite double into a scaled integer, exactly and half-even.
///
/// The double is taken apart into its integer significand and exponent, so the only rounding is the
/// one at the unit of the result.
pub(crate) fn scaled_from_f64(number: f64, scale: i64, field: &'static str) -> Result<i64> {
    if !number.is_finite() {
        return Err(MoneyError::NotFinite { field });
    }
    assert!((SCALE_MIN..=SCALE_MAX).contains(&scale), "a scale has four to nine decimal digits");
    let overflow = || MoneyError::Overflow { operation: field };
    let bits = number.to_bits();
    let stored = bits & ((1_u64 << SIGNIFICAND_BITS).wrapping_sub(1));
    let exponent = i32::try_from((bits >> SIGNIFICAND_BITS) & 0x7ff).expect("eleven bits fit an i32");
    let (significand, power) = match exponent {
        0 => (stored, 1_i32.saturating_sub(EXPONENT_BIAS)),
        _ => (stored | (1_u64 << SIGNIFICAND_BITS), exponent.saturating_sub(EXPONENT_BIAS)),
    };
    let scaled = i128::from(significand).checked_mul(i128::from(scale)).ok_or_else(overflow)?;
    if power >= 0 {
        return Err(overflow());
    }
    let shift = power.unsigned_abs();
    let magnitude = if shift >= SHIFT_RIGHT_MAX {
        0
    } else {
        divide(scaled, 1_i128.checked_shl(shift).ok_or_else(overflow)?, Rounding::HalfEven)?
    };
    let signed = if number.is_sign_negative() { magnitude.checked_neg() } else { Some(magnitude) };
    signed.and_then(|value| i64::try_from(value).ok()).ok_or_else(overflow)
}

/// Turns a scaled integer into the nearest double, for statistics only.
#[expect(clippy::as_conversions, clippy::float_arithmetic, reason = "the named edge to statistics")]
pub(crate) fn scaled_to_f64(scaled: i64, scale: i64) -> f64 {
    assert!(scale > 0, "a scale is a positive power of ten");
    scaled as f64 / scale as f64
}
