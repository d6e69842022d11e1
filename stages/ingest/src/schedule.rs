//! When something is due: grids of whole multiples since the epoch, and pauses after failures.

use market::Timestamp;

use crate::limits::RETRY_MS;

/// The first whole multiple of the interval at or after an instant.
pub(crate) fn grid_from(at: Timestamp, interval_ms: i64) -> Timestamp {
    let beyond = at.ms().rem_euclid(interval_ms.max(1));
    let missing = if beyond == 0 { 0 } else { interval_ms.saturating_sub(beyond) };
    at.saturating_plus_ms(missing)
}

/// The first whole multiple of the interval after an instant.
pub(crate) fn grid_after(at: Timestamp, interval_ms: i64) -> Timestamp {
    grid_from(at.saturating_plus_ms(1), interval_ms)
}

/// The pause after so many failures in a row, never shorter than the broker asked for.
pub(crate) fn pause_ms(failures: usize, asked_ms: i64) -> i64 {
    let step = failures.saturating_sub(1).min(RETRY_MS.len() - 1);
    RETRY_MS.get(step).copied().unwrap_or(0).max(asked_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_the_same_for_everybody() {
        let at = Timestamp::from_ms;
        for (now, from, after) in [(0, 0, 60), (1, 60, 60), (59, 60, 60), (60, 60, 120), (61, 120, 120)] {
            assert_eq!(grid_from(at(now), 60), at(from), "{now}");
            assert_eq!(grid_after(at(now), 60), at(after), "{now}");
        }
        assert_eq!(grid_after(Timestamp::MAX, 60), Timestamp::MAX);
    }

    #[test]
    fn pauses_grow_and_respect_the_broker() {
        assert_eq!((pause_ms(1, 0), pause_ms(2, 0), pause_ms(99, 0)), (3_000, 6_000, 300_000));
        assert_eq!(pause_ms(1, 30_000), 30_000);
    }
}
