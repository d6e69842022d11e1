//! Weights by score: the better the score, the larger the share, capped per security.
//!
//! Rule: a security with a score of at least 0.4 that may be bought gets a share in proportion to (score − 0.3)²; a
//! share above its cap is cut, and what was cut goes to the others in the same proportion, until nothing is cut or
//! nobody has room. All shares together are at most the budget; the rest stays cash. Integers in millionths that add up
//! exactly.

use std::collections::BTreeMap;

use market::Isin;

/// Score from which a security is wanted at all. Three of the seven parts have no data yet and count as neutral, so
/// totals lie close together; with all parts there it becomes the 0.5 of the planner.
pub const SCORE_MIN: f64 = 0.4;
/// Score at which the tilt begins.
const TILT_FROM: f64 = 0.3;
/// Share of one security, unless its owner says otherwise.
pub const CAP_E6: i64 = 150_000;
/// Share of all securities together.
pub const INVESTED_E6: i64 = 950_000;
/// Rounds of cutting and sharing out; each round fills at least one security.
const ROUNDS_MAX: usize = 32;

/// One security that could be held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wish {
    /// 0 to 1.
    pub score: f64,
    /// Largest share, in millionths.
    pub cap_e6: i64,
}

/// A share, and whether its cap decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// In millionths.
    pub weight_e6: i64,
    /// Cut to the cap.
    pub capped: bool,
}

/// The shares of all wishes within a budget in millionths; those below the threshold get none.
#[must_use]
pub fn shares(wishes: &BTreeMap<Isin, Wish>, budget_e6: i64) -> BTreeMap<Isin, Share> {
    let mut open: BTreeMap<Isin, f64> = wishes
        .iter()
        .filter(|(_, wish)| wish.score >= SCORE_MIN && wish.cap_e6 > 0)
        .map(|(isin, wish)| (*isin, (wish.score - TILT_FROM).powi(2)))
        .collect();
    let mut given: BTreeMap<Isin, Share> = BTreeMap::new();
    let mut left = budget_e6.clamp(0, INVESTED_E6);
    for _ in 0..ROUNDS_MAX {
        let sum: f64 = open.values().sum();
        if open.is_empty() || left <= 0 || sum <= 0.0 {
            break;
        }
        let cut: Vec<(Isin, i64)> = open
            .iter()
            .map(|(isin, tilt)| {
                (*isin, part(left, *tilt, sum), wishes.get(isin).map_or(0, |wish| wish.cap_e6))
            })
            .filter(|(_, wanted, cap)| wanted >= cap)
            .map(|(isin, _, cap)| (isin, cap))
            .collect();
        if cut.is_empty() {
            share_out(&open, sum, left, &mut given);
            return given;
        }
        for (isin, cap) in cut {
            let weight_e6 = cap.min(left);
            left -= weight_e6;
            open.remove(&isin);
            given.insert(isin, Share { weight_e6, capped: true });
        }
    }
    given
}

/// Rounds down, and gives the millionths that are left to the largest remainders; ties go by ISIN.
fn share_out(open: &BTreeMap<Isin, f64>, sum: f64, left: i64, given: &mut BTreeMap<Isin, Share>) {
    let mut order: Vec<_> = open
        .iter()
        .map(|(isin, tilt)| {
            let exact = to_f64(left) * tilt / sum;
            (*isin, part(left, *tilt, sum), exact - exact.floor())
        })
        .collect();
    let mut rest = left - order.iter().map(|(_, weight, _)| weight).sum::<i64>();
    order.sort_by(|one, other| other.2.total_cmp(&one.2).then(one.0.cmp(&other.0)));
    for (isin, weight, _) in order {
        let extra = i64::from(rest > 0);
        rest -= extra;
        given.insert(isin, Share { weight_e6: weight + extra, capped: false });
    }
}

fn part(left: i64, tilt: f64, sum: f64) -> i64 {
    // Below a million, so exact in both directions.
    #[allow(clippy::cast_possible_truncation)]
    let part = (to_f64(left) * tilt / sum).floor() as i64;
    part.clamp(0, left)
}

#[allow(clippy::cast_precision_loss)]
fn to_f64(number: i64) -> f64 {
    number as f64
}

/// Whether a new target is far enough from the last one to be said: the no-trade band around the larger of both.
#[must_use]
pub fn leaves_the_band(last_e6: i64, new_e6: i64) -> bool {
    const WIDEST_E6: i64 = 50_000;
    if (last_e6 == 0) != (new_e6 == 0) {
        return true;
    }
    (new_e6 - last_e6).abs() > WIDEST_E6.min(last_e6.max(new_e6) / 4)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn isin(number: u32) -> Isin {
        Isin::with_check_digit(&format!("DE{number:09}")).unwrap()
    }

    fn wishes(scores: &[f64]) -> BTreeMap<Isin, Wish> {
        (0..)
            .zip(scores)
            .map(|(number, score)| (isin(number), Wish { score: *score, cap_e6: CAP_E6 }))
            .collect()
    }

    #[test]
    fn ten_equal_securities_share_equally_and_exactly() {
        let shares = shares(&wishes(&[0.7; 10]), INVESTED_E6);
        assert!(shares.values().all(|share| share.weight_e6 == 95_000 && !share.capped));
    }

    #[test]
    fn four_securities_stop_at_their_caps_and_the_rest_stays_cash() {
        let shares = shares(&wishes(&[0.9, 0.8, 0.7, 0.6]), INVESTED_E6);
        assert!(shares.values().all(|share| share.weight_e6 == CAP_E6 && share.capped));
    }

    #[test]
    fn a_score_just_below_the_threshold_gets_nothing() {
        assert!(shares(&wishes(&[0.399_999]), INVESTED_E6).is_empty());
        assert_eq!(shares(&wishes(&[0.4]), INVESTED_E6).len(), 1);
    }

    #[test]
    fn no_wish_is_no_share() {
        assert!(shares(&BTreeMap::new(), INVESTED_E6).is_empty());
    }

    #[test]
    fn nothing_left_is_shared_out_as_nothing() {
        for budget in [0, -1, i64::MIN] {
            assert!(shares(&wishes(&[0.7; 10]), budget).is_empty(), "{budget}");
        }
        let sum: i64 = shares(&wishes(&[0.7; 10]), 333_333).values().map(|share| share.weight_e6).sum();
        assert_eq!(sum, 333_333);
    }

    #[test]
    fn a_better_score_never_gets_less() {
        let shares = shares(&wishes(&[0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9]), INVESTED_E6);
        let weights: Vec<_> = shares.values().map(|share| share.weight_e6).collect();
        assert!(weights.windows(2).all(|pair| pair[0] <= pair[1]), "{weights:?}");
    }

    #[test]
    fn the_band_has_two_sides() {
        assert!(!leaves_the_band(100_000, 125_000));
        assert!(!leaves_the_band(100_000, 75_000));
        assert!(leaves_the_band(100_000, 133_400));
        assert!(leaves_the_band(0, 1));
        assert!(leaves_the_band(1, 0));
        assert!(!leaves_the_band(0, 0));
    }

    proptest! {
        #[test]
        fn shares_never_exceed_their_caps_nor_the_whole(scores in proptest::collection::vec((0.0_f64..=1.0, 0_i64..=300_000), 0..60)) {
            let wishes: BTreeMap<_, _> = (0..).zip(&scores).map(|(number, (score, cap))| (isin(number), Wish { score: *score, cap_e6: *cap })).collect();
            let shares = shares(&wishes, INVESTED_E6);
            let sum: i64 = shares.values().map(|share| share.weight_e6).sum();
            prop_assert!(sum <= INVESTED_E6);
            for (isin, share) in &shares {
                prop_assert!(share.weight_e6 >= 0 && share.weight_e6 <= wishes[isin].cap_e6);
            }
            let room: i64 = wishes.values().filter(|wish| wish.score >= SCORE_MIN).map(|wish| wish.cap_e6).sum();
            prop_assert!(wishes.len() > ROUNDS_MAX || sum == INVESTED_E6.min(room), "{sum} of {room}");
        }
    }
}
