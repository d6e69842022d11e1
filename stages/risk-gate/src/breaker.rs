//! The daily-loss breaker: from 2 % down nothing is sold, from 5 % down nothing is traded, until the next day. Within a
//! day it only gets stricter; an unknown value lets no order pass and is no latch.

use contracts::{Breaker, Nav};
use limits::{LossTier, daily_loss_tier, daily_pnl};
use market::Day;
use money::Weight;

/// The state of a day after a valuation.
#[must_use]
pub fn judged(nav: Option<&Nav>, latch: Option<(Day, Breaker)>) -> Breaker {
    let Some(nav) = nav else {
        // Right after a start no value is known; a halt that was latched stops manual orders too.
        let halted = latch.is_some_and(|(_, state)| state == Breaker::Halted);
        return if halted { Breaker::Halted } else { Breaker::Unknown };
    };
    let share = |e6| Weight::from_e6(e6).unwrap_or(Weight::ZERO);
    let loss = daily_pnl(nav.day_start, nav.nav, nav.flow_today).ok().flatten();
    let now = match daily_loss_tier(loss, share(20_000), share(50_000)) {
        LossTier::Normal => Breaker::Normal,
        LossTier::SellsBlocked => Breaker::SellsBlocked,
        LossTier::Halted => Breaker::Halted,
        LossTier::Unknown => Breaker::Unknown,
    };
    let held = latch.filter(|(day, _)| *day == nav.day).map(|(_, state)| state);
    match (held, now) {
        (Some(Breaker::Halted), _) => Breaker::Halted,
        (Some(Breaker::SellsBlocked), Breaker::Normal) => Breaker::SellsBlocked,
        (_, now) => now,
    }
}

/// Change of value today as a fraction, deposits taken out.
#[must_use]
pub fn day_change(nav: &Nav) -> Option<f64> {
    let start = nav.day_start.to_f64();
    let change = (nav.nav.to_f64() - nav.flow_today.to_f64() - start) / start;
    (start > 0.0 && change.is_finite()).then_some(change)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;
    use money::{Currency, Money};

    use super::*;

    fn nav(start: i64, now: i64) -> Nav {
        let eur = |units| Money::from_units(units, Currency::EUR).unwrap();
        Nav { day_start: eur(start), nav: eur(now), flow_today: eur(0), ..Nav::sample() }
    }

    #[test]
    fn losses_have_two_steps() {
        let cases = [
            (1_000, Breaker::Normal),
            (981, Breaker::Normal),
            (980, Breaker::SellsBlocked),
            (951, Breaker::SellsBlocked),
            (950, Breaker::Halted),
        ];
        for (now, expected) in cases {
            assert_eq!(judged(Some(&nav(1_000, now)), None), expected, "{now}");
        }
    }

    #[test]
    fn within_a_day_it_only_gets_stricter() {
        let today = nav(1_000, 990);
        let latch = |state| Some((today.day, state));
        assert_eq!(judged(Some(&today), latch(Breaker::Halted)), Breaker::Halted);
        assert_eq!(judged(Some(&today), latch(Breaker::SellsBlocked)), Breaker::SellsBlocked);
        assert_eq!(judged(Some(&today), Some((today.day.prev(), Breaker::Halted))), Breaker::Normal);
    }

    #[test]
    fn an_unknown_or_zero_value_is_unknown() {
        assert_eq!(judged(None, None), Breaker::Unknown);
        let today = nav(1, 1).day;
        assert_eq!(judged(None, Some((today, Breaker::SellsBlocked))), Breaker::Unknown);
        assert_eq!(judged(None, Some((today, Breaker::Halted))), Breaker::Halted);
        assert_eq!(judged(Some(&nav(0, 5)), None), Breaker::Unknown);
    }
}
