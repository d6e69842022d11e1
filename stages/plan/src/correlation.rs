//! The only filter of whole sequences: no two purchases that move together, none that moves with a large holding.
//!
//! A sequence goes when the correlation of two of its purchases is above the limit. A negative correlation is
//! diversification and no fault; an unknown one passes.

/// Whether a sequence's purchases are different enough. `rho` gives the correlation of two of them, if it is known.
#[must_use]
pub fn passes<T: Copy>(purchases: &[T], limit: f64, rho: impl Fn(T, T) -> Option<f64>) -> bool {
    let alike = |one: T, other: T| rho(one, other).is_some_and(|rho| rho > limit);
    !purchases.iter().enumerate().any(|(at, one)| purchases[at + 1..].iter().any(|other| alike(*one, *other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_moves_together_is_refused() {
        for (rho, expected) in [(Some(0.71), false), (Some(0.7), true), (Some(-0.9), true), (None, true)] {
            assert_eq!(passes(&[1, 2], 0.7, |_, _| rho), expected, "{rho:?}");
        }
        assert!(passes(&[1], 0.7, |_, _| Some(1.0)));
    }
}
