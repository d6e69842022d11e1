//! The value of the fund over time: days, their ends, and the gain with flows taken out.

use std::collections::BTreeSet;

use contracts::{Finite, Nav};
use market::{Calendars, Day, Mic, Timestamp};
use money::{Currency, Money};

use crate::closing::Closing;
use crate::limits::{AFTER_CLOSE_MS, LATE_END_MS, MISSED_DAYS, UNKNOWN_END_MS};

const DAY_MS: i64 = 86_400_000;
/// Days looked ahead for one on which anything trades.
const AHEAD_DAYS: i32 = 40;

/// The fund at the end of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct DayEnd {
    /// Which day.
    pub day: Day,
    /// When it ended; what came in later belongs to the next day.
    pub ended: Timestamp,
    /// Everything in EUR.
    pub nav: Money,
    /// Holdings.
    pub positions: Money,
    /// Cash.
    pub cash: Money,
    /// Paid in less paid out since the day before.
    pub net_flow: Money,
    /// Worth of what was one at the beginning, flows taken out.
    pub index: f64,
    /// The broker had not been read for too long.
    pub stale: bool,
    /// The row with which the books begin, not the end of a real day.
    pub opening: bool,
    /// What it was computed from; nothing for days that are older than these rows.
    pub closing: Closing,
}

impl DayEnd {
    /// Whether this is the end of that day already.
    pub(crate) fn is_end_of(&self, day: Day) -> bool {
        self.day == day && !self.opening
    }

    /// Whether the rows of holdings and cash are there, which days of older versions lack.
    pub(crate) fn is_whole(&self) -> bool {
        let Closing { holdings, cash } = &self.closing;
        (self.positions.is_zero() || !holdings.is_empty()) && (self.cash.is_zero() || !cash.is_empty())
    }
}

/// A day of the fund and when it ends.
pub(crate) type FundDay = (Day, Timestamp);

/// When a day of the fund ends: half an hour after the last close among these venues. A day on which all of them
/// are closed is none.
pub(crate) fn end_of(calendars: &Calendars, venues: &BTreeSet<Mic>, day: Day) -> Option<Timestamp> {
    let known: Vec<_> = venues.iter().filter_map(|mic| calendars.sessions(*mic, day)).collect();
    if known.is_empty() {
        let midnight = Timestamp::from_ms(i64::from(day.epoch_days()).saturating_mul(DAY_MS));
        return (!day.weekday().is_weekend()).then(|| midnight.saturating_plus_ms(UNKNOWN_END_MS));
    }
    let close = known.iter().filter_map(|sessions| sessions.last()).map(|interval| interval.close).max();
    close.map(|close| close.saturating_plus_ms(AFTER_CLOSE_MS))
}

/// The day of the fund that goes on now. `last` has ended; `planned` is what was said of it before, which stays
/// when a sale would move the end of a day into the past, and past midnight while the day has no value yet.
pub(crate) fn fund_day(
    end_of: impl Fn(Day) -> Option<Timestamp>,
    now: Timestamp,
    last: Option<Day>,
    planned: Option<FundDay>,
) -> FundDay {
    let today = now.day_utc();
    let is_over = |day: Day| last.is_some_and(|last| day <= last);
    let outstanding = planned.filter(|(day, _)| *day < today && !is_over(*day) && end_of(*day).is_some());
    if let Some(planned) = outstanding {
        return planned;
    }
    // Nobody was there at the end of a day: the last such day is valued once, the ones before it never.
    if planned.is_none_or(|(day, _)| day < today) && last.is_some() {
        let past = (1..=MISSED_DAYS).map(|back| today.plus_days(-back)).take_while(|day| !is_over(*day));
        if let Some(missed) = past.into_iter().find(|day| end_of(*day).is_some()) {
            return (missed, now.saturating_plus_ms(LATE_END_MS));
        }
    }
    for ahead in 0..AHEAD_DAYS {
        let day = today.plus_days(ahead);
        if is_over(day) {
            continue;
        }
        match end_of(day) {
            Some(end) if end > now => return (day, end),
            Some(_) => {
                let before = planned.filter(|(planned, _)| *planned == day).map(|(_, end)| end);
                return (day, before.unwrap_or_else(|| now.saturating_plus_ms(LATE_END_MS)));
            }
            None => {}
        }
    }
    (today.next(), now.saturating_plus_ms(DAY_MS))
}

/// The growth since a day's end, flows taken out; unchanged where no growth can be computed.
pub(crate) fn index_now(base: &DayEnd, nav: Money, flow: Money) -> f64 {
    let grown = (nav.to_f64() - flow.to_f64()) / base.nav.to_f64() * base.index;
    if base.nav.is_positive() && grown.is_finite() { grown } else { base.index }
}

/// The statement about the value now; what is too large of it is for others to add.
pub(crate) fn statement(
    base: &DayEnd,
    (at, day): (Timestamp, Day),
    sums: (Money, Money),
    flow: Money,
) -> Option<Nav> {
    let (positions, cash) = sums;
    let nav = positions.checked_add(cash).ok()?;
    let since_start = Finite::new(index_now(base, nav, flow) - 1.0)?;
    let (day_start, flow_today) = (base.nav, flow);
    let start_day = Some(base.day);
    let concentration = Vec::new();
    Some(Nav { at, nav, positions, cash, day, start_day, day_start, flow_today, since_start, concentration })
}

/// The row with which the books begin: the first value counts as that of the evening before.
pub(crate) fn opening(
    now: Timestamp,
    today: Day,
    (positions, cash): (Money, Money),
    closing: Closing,
) -> Option<DayEnd> {
    let nav = positions.checked_add(cash).ok()?;
    let net_flow = Money::zero(Currency::EUR);
    let day = today.prev();
    Some(DayEnd {
        day,
        ended: now,
        nav,
        positions,
        cash,
        net_flow,
        index: 1.0,
        stale: false,
        opening: true,
        closing,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn eur(units: i64) -> Money {
        Money::from_units(units, Currency::EUR).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn ends(venues: &[&str], day: &str) -> Option<Timestamp> {
        let venues = venues.iter().map(|mic| mic.parse().unwrap()).collect();
        end_of(&Calendars::embedded(), &venues, day.parse().unwrap())
    }

    #[test]
    fn a_day_ends_half_an_hour_after_the_last_close_of_what_is_held() {
        assert_eq!(ends(&["XETR"], "2026-03-02"), Some(at("2026-03-02T17:00:00Z")));
        assert_eq!(ends(&["XETR", "XNYS"], "2026-03-02"), Some(at("2026-03-02T21:30:00Z")));
        assert_eq!(ends(&["XETR", "XNYS"], "2026-03-07"), None, "nothing trades on a Saturday");
        assert_eq!(ends(&[], "2026-03-02"), Some(at("2026-03-02T22:30:00Z")), "no calendar knows");
        assert_eq!(ends(&[], "2026-03-07"), None);
    }

    #[test]
    fn days_follow_each_other_over_weekends_and_each_ends_once() {
        let of = |now: &str, last: Option<&str>, planned| {
            let venues = BTreeSet::from(["XETR".parse().unwrap()]);
            let calendars = Calendars::embedded();
            let last = last.map(|day| day.parse().unwrap());
            let (day, end) = fund_day(|day| end_of(&calendars, &venues, day), at(now), last, planned);
            (day.to_string(), end)
        };
        assert_eq!(of("2026-03-06T16:59:59Z", None, None).0, "2026-03-06");
        let monday = ("2026-03-09".to_string(), at("2026-03-09T17:00:00Z"));
        assert_eq!(of("2026-03-06T17:00:00Z", Some("2026-03-06"), None), monday);
        assert_eq!(of("2026-03-07T12:00:00Z", Some("2026-03-06"), None), monday);
        assert_eq!(of("2026-03-06T12:00:00Z", Some("2026-03-06"), None), monday, "a day ends once");
        // Nobody was there at its end: it is valued soon after the start, and once.
        let late = of("2026-03-06T20:00:00Z", Some("2026-03-05"), None);
        assert_eq!(late, ("2026-03-06".to_string(), at("2026-03-06T20:05:00Z")));
        let planned = Some(("2026-03-06".parse().unwrap(), at("2026-03-06T21:30:00Z")));
        assert_eq!(of("2026-03-06T20:00:00Z", Some("2026-03-05"), planned).1, at("2026-03-06T21:30:00Z"));
        // Nor was anybody before midnight, or for days: the last day counts, and the weekend is none.
        for last in ["2026-03-05", "2026-03-04", "2025-03-04"] {
            let missed = of("2026-03-08T07:00:00Z", Some(last), None);
            assert_eq!(missed, ("2026-03-06".to_string(), at("2026-03-08T07:05:00Z")), "{last}");
        }
        assert_eq!(of("2026-03-08T07:00:00Z", None, None).0, "2026-03-09", "the books begin");
        // A day that waits for its worth does so past midnight, unless it turns out to be none.
        let waits = Some(("2026-03-06".parse().unwrap(), at("2026-03-07T00:01:00Z")));
        let friday = ("2026-03-06".to_string(), at("2026-03-07T00:01:00Z"));
        assert_eq!(of("2026-03-07T00:00:00Z", Some("2026-03-05"), waits), friday);
        assert_eq!(of("2026-03-07T00:01:00Z", Some("2026-03-06"), waits), monday, "once");
        let saturday = Some(("2026-03-07".parse().unwrap(), at("2026-03-08T07:05:00Z")));
        assert_eq!(of("2026-03-08T07:01:00Z", Some("2026-03-06"), saturday), monday);
    }

    fn begun(sums: (Money, Money)) -> DayEnd {
        opening(at("2026-03-02T08:00:00Z"), "2026-03-02".parse().unwrap(), sums, Closing::default()).unwrap()
    }

    fn now(base: &DayEnd, sums: (Money, Money), flow: Money) -> Nav {
        statement(base, (Timestamp::ZERO, "2026-03-02".parse().unwrap()), sums, flow).unwrap()
    }

    #[test]
    fn a_deposit_is_no_gain() {
        let base = begun((eur(900), eur(100)));
        let now = now(&base, (eur(910), eur(600)), eur(500));
        assert!((now.since_start.get() - 0.01).abs() < 1e-12, "{}", now.since_start);
        assert_eq!((now.day_start, now.nav), (eur(1_000), eur(1_510)));
    }

    #[test]
    fn nothing_and_less_than_nothing_have_no_growth() {
        for start in [0, -5] {
            let now = now(&begun((eur(0), eur(start))), (eur(0), eur(100)), eur(0));
            assert_eq!(now.since_start, Finite::ZERO);
        }
    }
}
