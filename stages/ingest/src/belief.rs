//! Whether a reading may be believed at first sight.

/// What a reading is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belief {
    /// As usual, or a jump that a second reading confirmed.
    Accepted,
    /// Too far from the last accepted one; a second reading decides.
    Suspect,
}

/// Judges a reading by the last accepted one and by an unconfirmed one after it.
///
/// `part`: a move by more than one part in so many of the earlier reading is a jump.
///
/// A first reading has nothing to be compared with and is accepted.
pub(crate) fn judge(reading: i64, accepted: Option<i64>, unconfirmed: Option<i64>, part: i64) -> Belief {
    let near = |other: Option<i64>| other.is_some_and(|other| !jumped(other, reading, part));
    if accepted.is_none() || near(accepted) || near(unconfirmed) { Belief::Accepted } else { Belief::Suspect }
}

fn jumped(before: i64, after: i64, part: i64) -> bool {
    let (before, after) = (i128::from(before), i128::from(after));
    (after - before).abs() * i128::from(part) > before.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_beyond_a_fifth_needs_a_second_reading() {
        use Belief::{Accepted, Suspect};
        let table = [
            (100, None, None, Accepted),
            (120, Some(100), None, Accepted),
            (121, Some(100), None, Suspect),
            (80, Some(100), None, Accepted),
            (79, Some(100), None, Suspect),
            (130, Some(100), Some(131), Accepted),
            (200, Some(100), Some(131), Suspect),
            (101, Some(100), Some(500), Accepted),
            (i64::MAX, Some(1), None, Suspect),
            (i64::MAX, Some(1), Some(i64::MAX), Accepted),
        ];
        for (reading, accepted, unconfirmed, expected) in table {
            assert_eq!(
                judge(reading, accepted, unconfirmed, 5),
                expected,
                "{reading} {accepted:?} {unconfirmed:?}"
            );
        }
    }
}
