//! When it is worth to be awake: over nights, weekends and holidays virtual time may jump.

use market::{Calendars, Mic, Timestamp};

/// Time runs this long past the last close, for the work of the evening, before it jumps.
const EVENING_MS: i64 = 45 * 60_000;
/// Time arrives this long before the next opening.
const MORNING_MS: i64 = 10 * 60_000;

/// Returns where to jump to, when every venue is closed and the evening's work is done.
pub(crate) fn next_morning(calendars: &Calendars, venues: &[Mic], time: Timestamp) -> Option<Timestamp> {
    let mut first_opening: Option<Timestamp> = None;
    for venue in venues {
        let evening_ago = time.saturating_minus_ms(EVENING_MS);
        if calendars.is_open(*venue, time) || calendars.is_open(*venue, evening_ago) {
            return None;
        }
        let opening = calendars.state(*venue, time).next_change?;
        first_opening = Some(first_opening.map_or(opening, |first| first.min(opening)));
    }
    let morning = first_opening?.saturating_minus_ms(MORNING_MS);
    (morning > time.saturating_plus_ms(MORNING_MS)).then_some(morning)
}
