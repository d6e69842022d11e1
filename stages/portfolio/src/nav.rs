//! The value of the fund over time: days, their ends, and the gain with flows taken out.

use contracts::{Finite, Nav};
use market::{Day, Timestamp};
use money::{Currency, Money};

use crate::limits::DAY_END_MS;

const DAY_MS: i64 = 86_400_000;

/// The fund at the end of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct DayEnd {
    /// Which day.
    pub day: Day,
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
}

/// The fund's day to which an instant belongs; it ends at 22:30 UTC.
pub(crate) fn fund_day(now: Timestamp) -> Day {
    now.saturating_plus_ms(DAY_MS - DAY_END_MS).day_utc()
}

/// When a day of the fund ends.
pub(crate) fn end_of(day: Day) -> Timestamp {
    Timestamp::from_ms(i64::from(day.epoch_days()).saturating_mul(DAY_MS).saturating_add(DAY_END_MS))
}

/// The growth since a day's end, flows taken out; unchanged where no growth can be computed.
pub(crate) fn index_now(base: &DayEnd, nav: Money, flow: Money) -> f64 {
    let grown = (nav.to_f64() - flow.to_f64()) / base.nav.to_f64() * base.index;
    if base.nav.is_positive() && grown.is_finite() { grown } else { base.index }
}

/// The statement about the value now.
pub(crate) fn statement(base: &DayEnd, at: Timestamp, sums: (Money, Money), flow: Money) -> Option<Nav> {
    let (positions, cash) = sums;
    let nav = positions.checked_add(cash).ok()?;
    let since_start = Finite::new(index_now(base, nav, flow) - 1.0)?;
    let (day, day_start, flow_today) = (fund_day(at), base.nav, flow);
    Some(Nav { at, nav, positions, cash, day, day_start, flow_today, since_start })
}

/// The row with which the books begin: the first value counts as that of the evening before.
pub(crate) fn opening(now: Timestamp, sums: (Money, Money)) -> Option<DayEnd> {
    let (positions, cash) = sums;
    let nav = positions.checked_add(cash).ok()?;
    let net_flow = Money::zero(Currency::EUR);
    let day = fund_day(now).prev();
    Some(DayEnd { day, nav, positions, cash, net_flow, index: 1.0, stale: false, opening: true })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn eur(units: i64) -> Money {
        Money::from_units(units, Currency::EUR).unwrap()
    }

    #[test]
    fn a_day_ends_at_half_past_ten() {
        let day = |text: &str| fund_day(text.parse().unwrap()).to_string();
        assert_eq!(day("2026-03-02T22:29:59.999Z"), "2026-03-02");
        assert_eq!(day("2026-03-02T22:30:00Z"), "2026-03-03");
        assert_eq!(end_of("2026-03-02".parse().unwrap()), "2026-03-02T22:30:00Z".parse().unwrap());
    }

    #[test]
    fn a_deposit_is_no_gain() {
        let base = opening("2026-03-02T08:00:00Z".parse().unwrap(), (eur(900), eur(100))).unwrap();
        let now = statement(&base, Timestamp::ZERO, (eur(910), eur(600)), eur(500)).unwrap();
        assert!((now.since_start.get() - 0.01).abs() < 1e-12, "{}", now.since_start);
        assert_eq!((now.day_start, now.nav), (eur(1_000), eur(1_510)));
    }

    #[test]
    fn nothing_and_less_than_nothing_have_no_growth() {
        for start in [0, -5] {
            let base = opening(Timestamp::ZERO, (eur(0), eur(start))).unwrap();
            let now = statement(&base, Timestamp::ZERO, (eur(0), eur(100)), eur(0)).unwrap();
            assert_eq!(now.since_start, Finite::ZERO);
        }
    }
}
