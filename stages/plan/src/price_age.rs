//! Whether a price is new enough to plan with: the venue has traded at most thirty minutes since it was made.
//!
//! Time in which the venue is shut does not count, so a closing price is good until the next opening, over a weekend too, and
//! for some minutes more, until the first price of the day is there. An order is asked for by a price of the last thirty
//! minutes only, whatever the venue did in them (`waits.rs`).

use contracts::{Quote, Security};
use market::{Calendars, Timestamp};

use crate::limits::CLOCK_SKEW_MS;

/// Whether to plan with it. A venue or a day without a calendar is doubt, and an old price.
#[must_use]
pub fn is_good_to_plan(
    calendars: &Calendars,
    security: &Security,
    quote: &Quote,
    age_max_ms: i64,
    now: Timestamp,
) -> bool {
    if is_good_to_trade(quote, age_max_ms, now) {
        return true;
    }
    let is_past = quote.at <= now;
    let traded = calendars.open_ms_between(security.mic, quote.at, now);
    is_past && traded.is_some_and(|traded| traded <= age_max_ms)
}

/// Whether to ask for an order by it: made by the clock on the wall at most so long ago, and not in the future.
#[must_use]
pub fn is_good_to_trade(quote: &Quote, age_max_ms: i64, now: Timestamp) -> bool {
    (-CLOCK_SKEW_MS..=age_max_ms).contains(&now.since(quote.at))
}

#[cfg(test)]
mod tests {
    use contracts::Sample;

    use super::*;

    const HALF_HOUR: i64 = 30 * 60_000;

    /// Of XETR, which trades from 08:00 to 16:30 UTC in winter.
    fn security() -> Security {
        Security { mic: "XETR".parse().unwrap(), ..Security::sample() }
    }

    fn good(made: &str, now: &str) -> (bool, bool) {
        let quote = Quote { at: made.parse().unwrap(), ..Quote::sample() };
        let now = now.parse().unwrap();
        let plan = is_good_to_plan(&Calendars::embedded(), &security(), &quote, HALF_HOUR, now);
        (plan, is_good_to_trade(&quote, HALF_HOUR, now))
    }

    #[test]
    fn while_the_venue_trades_a_price_ages_by_the_clock() {
        assert_eq!(good("2026-03-06T10:00:00Z", "2026-03-06T10:30:00Z"), (true, true));
        assert_eq!(good("2026-03-06T10:00:00Z", "2026-03-06T10:30:00.001Z"), (false, false));
    }

    #[test]
    fn a_closing_price_is_planned_with_over_the_weekend_and_never_traded_on() {
        assert_eq!(good("2026-03-06T16:25:00Z", "2026-03-07T12:00:00Z"), (true, false));
        assert_eq!(good("2026-03-06T16:25:00Z", "2026-03-09T08:25:00Z"), (true, false));
        assert_eq!(good("2026-03-06T16:25:00Z", "2026-03-09T08:25:00.001Z"), (false, false));
        assert_eq!(
            good("2026-03-06T15:59:59.999Z", "2026-03-07T12:00:00Z"),
            (false, false),
            "not of its end"
        );
        assert_eq!(
            good("2026-03-05T16:25:00Z", "2026-03-07T12:00:00Z"),
            (false, false),
            "of an older session"
        );
    }

    #[test]
    fn the_future_and_days_without_a_calendar_are_doubt() {
        assert_eq!(good("2026-03-07T12:00:05Z", "2026-03-07T12:00:00Z"), (true, true), "clocks may differ");
        assert_eq!(good("2026-03-07T12:00:05.001Z", "2026-03-07T12:00:00Z"), (false, false));
        assert_eq!(good("2019-03-08T16:25:00Z", "2019-03-09T12:00:00Z"), (false, false));
        assert_eq!(good("0001-01-01T00:00:00Z", "2026-03-07T12:00:00Z"), (false, false));
    }
}
