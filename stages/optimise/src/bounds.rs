//! Least and largest weight of one security.
//!
//! 0, or what the owner wants of it at least, to the largest share of one security, or to the owner's own limit for it
//! (at most 0.30). A wish above the limit counts as the limit. What the owner wants sold over time is to end at 0. What
//! the price lifted above its limit is not sold for that, and never bought more of. What must not be bought stays at
//! most what it is; what must not be sold, at least. What may be neither, and what permissions and wish contradict,
//! stays. With the bound by edge on, a position that is not held
//! yet is at most a quarter of its Kelly size. Whether all least weights together can be paid for is decided where the
//! budget is, in [`crate::chain`].

use allocation::Bound;
use formulas::kelly::{raw_fraction, upper_bound};

use crate::question::{Asset, Parameters};

/// An owner's own limit counts up to here.
const OWN_MAX: f64 = 0.30;

/// The bounds of a security whose variance a year is known.
///
/// # Examples
/// 12 % are held, the limit is 15 %, selling is forbidden: 0.12 to 0.15.
#[must_use]
pub fn bound(asset: &Asset, variance: f64, parameters: &Parameters) -> Bound {
    let limit = asset.own_max.map_or(parameters.max_position, |own| own.clamp(0.0, OWN_MAX));
    let wish = asset.own_min.map_or(0.0, |own| own.clamp(0.0, limit));
    let mut bound = Bound { lower: wish, upper: limit.max(asset.current) };
    if asset.leaves {
        bound = Bound { lower: 0.0, upper: 0.0 };
    }
    if parameters.kelly_cap && asset.current <= 0.0 {
        let edge = raw_fraction(asset.expected, parameters.risk_free, variance);
        bound.upper = edge.and_then(|raw| upper_bound(raw, bound.upper)).unwrap_or(0.0);
        bound.lower = bound.lower.min(bound.upper);
    }
    if !asset.allow_buy {
        bound.upper = bound.upper.min(asset.current);
    }
    if !asset.allow_sell {
        bound.lower = bound.lower.max(asset.current);
    }
    if bound.lower > bound.upper {
        bound = Bound { lower: asset.current, upper: asset.current };
    }
    bound
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn asset(current: f64) -> Asset {
        Asset {
            isin: "DE000SMX0015".parse().unwrap(),
            current,
            allow_buy: true,
            allow_sell: true,
            own_max: None,
            own_min: None,
            leaves: false,
            expected: 0.08,
        }
    }

    fn check(asset: Asset, kelly_cap: bool, expected: (f64, f64)) {
        let parameters = Parameters { kelly_cap, ..Settings::default().parameters(10_000.0) };
        let bound = bound(&asset, 0.04, &parameters);
        let near = (bound.lower - expected.0).abs() < 1e-12 && (bound.upper - expected.1).abs() < 1e-12;
        assert!(near, "{asset:?} {bound:?} {expected:?}");
    }

    #[test]
    fn limits_permissions_and_what_is_held_make_the_bounds() {
        check(asset(0.0), false, (0.0, 0.15));
        check(asset(0.2), false, (0.0, 0.2));
        check(Asset { own_max: Some(0.05), ..asset(0.0) }, false, (0.0, 0.05));
        check(Asset { own_max: Some(0.25), ..asset(0.0) }, false, (0.0, 0.25));
        check(Asset { own_max: Some(0.9), ..asset(0.0) }, false, (0.0, 0.30));
        check(Asset { own_max: Some(0.0), ..asset(0.0) }, false, (0.0, 0.0));
        check(Asset { allow_buy: false, ..asset(0.1) }, false, (0.0, 0.1));
        check(Asset { allow_sell: false, ..asset(0.1) }, false, (0.1, 0.15));
        check(Asset { allow_buy: false, allow_sell: false, ..asset(0.1) }, false, (0.1, 0.1));
        check(Asset { allow_buy: false, allow_sell: false, ..asset(0.2) }, false, (0.2, 0.2));
    }

    #[test]
    fn an_edge_bounds_only_what_is_not_held() {
        // (0.08 − 0.02)/0.04/4 = 0.375, above the limit; 0.03 gives 0.0625; without edge nothing.
        check(asset(0.0), true, (0.0, 0.15));
        check(Asset { expected: 0.03, ..asset(0.0) }, true, (0.0, 0.0625));
        check(Asset { expected: 0.02, ..asset(0.0) }, true, (0.0, 0.0));
        check(Asset { expected: 0.02, ..asset(0.01) }, true, (0.0, 0.15));
    }
}
