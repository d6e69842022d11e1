//! The daily-loss breaker: from 2 % down nothing is sold, from 5 % down nothing is traded; the owner may set less.
//!
//! A full stop lasts until the next day, or until a person has looked; after that only sales rest. Blocked sales are
//! free again above −1.5 %. What is latched survives a restart. An unknown value lets no order pass and is no latch;
//! neither does one measured from a value that is more than 5 calendar days old.

use contracts::{Breaker, Nav};
use limits::{LossTier, daily_loss_tier, daily_pnl};
use market::Day;
use money::Weight;

/// Losses of a day at which something follows. The documented ones are the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LossSteps {
    /// From here nothing is sold.
    pub sells_blocked: Weight,
    /// Below this sales are free again.
    pub release: Weight,
    /// From here nothing is traded.
    pub halted: Weight,
}

impl Default for LossSteps {
    fn default() -> Self {
        let share = |e6| Weight::from_e6(e6).expect("the default steps lie from 0 to 1");
        LossSteps { sells_blocked: share(20_000), release: share(15_000), halted: share(50_000) }
    }
}

/// Oldest start value of a day, in calendar days: as long as nearly every run of holidays. After a longer one, as at
/// Christmas between two weekends, the first day has no judgement and nothing is traded.
const START_DAYS: i32 = 5;

/// What a day has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latch {
    /// Which day.
    pub day: Day,
    /// The strictest state that still holds.
    pub state: Breaker,
    /// A person has looked at a full stop of this day.
    pub acknowledged: bool,
}

/// The state of a day after a valuation; `doubted` when the value rests on prices or rates that are too old.
#[must_use]
pub fn judged(nav: Option<&Nav>, doubted: bool, latch: Option<Latch>, steps: LossSteps) -> Breaker {
    let Some(nav) = nav else {
        // Right after a start no value is known; a halt that was latched stops manual orders too.
        let halted = latch.is_some_and(|latch| latch.state == Breaker::Halted);
        return if halted { Breaker::Halted } else { Breaker::Unknown };
    };
    let held = latch.filter(|latch| latch.day >= nav.day);
    // What a person has looked at on a day that was none yet says nothing of this one.
    let acknowledged = held.is_some_and(|latch| latch.acknowledged && latch.day == nav.day);
    let loss = daily_pnl(nav.day_start, nav.nav, nav.flow_today).ok().flatten();
    let loss = loss.filter(|_| starts_lately(nav));
    let blocked = held.is_some_and(|latch| latch.state == Breaker::SellsBlocked);
    let sells = if blocked { steps.release.min(steps.sells_blocked) } else { steps.sells_blocked };
    match daily_loss_tier(loss, sells, steps.halted) {
        _ if held.is_some_and(|latch| latch.state == Breaker::Halted) => Breaker::Halted,
        LossTier::Unknown => Breaker::Unknown,
        _ if doubted => Breaker::Unknown,
        LossTier::Halted if acknowledged => Breaker::SellsBlocked,
        LossTier::Halted => Breaker::Halted,
        LossTier::SellsBlocked => Breaker::SellsBlocked,
        LossTier::Normal => Breaker::Normal,
    }
}

/// Whether the value that the day is measured from is known to be recent enough to mean anything.
fn starts_lately(nav: &Nav) -> bool {
    nav.start_day.is_some_and(|start| (0..=START_DAYS).contains(&start.days_until(nav.day)))
}

/// The day that a valuation belongs to: never one before the day of a latch, because a clock that went back opens nothing.
#[must_use]
pub fn day_of(nav: &Nav, latch: Option<Latch>) -> Day {
    latch.map_or(nav.day, |latch| latch.day.max(nav.day))
}

/// What is to be remembered of a day after this state; `None` when it is what is remembered already.
#[must_use]
pub fn latched(day: Day, state: Breaker, latch: Option<Latch>) -> Option<Latch> {
    let held = latch.filter(|latch| latch.day == day);
    let acknowledged = held.is_some_and(|latch| latch.acknowledged);
    match (state, held) {
        // An unknown value neither opens nor closes anything.
        (Breaker::Unknown, _) | (Breaker::Normal, None) => None,
        (state, Some(held)) if held.state == state => None,
        // A full stop is one that nobody has looked at.
        (state, _) => Some(Latch { day, state, acknowledged: acknowledged && state != Breaker::Halted }),
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

    /// By the documented steps.
    fn judged(nav: Option<&Nav>, doubted: bool, latch: Option<Latch>) -> Breaker {
        super::judged(nav, doubted, latch, LossSteps::default())
    }

    #[test]
    fn tighter_steps_stop_sooner_and_free_later() {
        let share = |e6| Weight::from_e6(e6).unwrap();
        let steps = LossSteps { sells_blocked: share(10_000), release: share(15_000), halted: share(30_000) };
        for (now, held, expected) in [
            (991, None, Breaker::Normal),
            (990, None, Breaker::SellsBlocked),
            (970, None, Breaker::Halted),
            (990, latch(Breaker::SellsBlocked), Breaker::SellsBlocked),
            // A release above the step itself does not let go before the step.
            (991, latch(Breaker::SellsBlocked), Breaker::Normal),
        ] {
            assert_eq!(super::judged(Some(&nav(1_000, now)), false, held, steps), expected, "{now}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_over_midnight_opens_nothing() {
        let today = nav(1_000, 1_000).day;
        let tomorrow = Latch { day: today.next(), state: Breaker::Halted, acknowledged: false };
        let back = nav(1_000, 975);
        assert_eq!(judged(Some(&back), false, Some(tomorrow)), Breaker::Halted);
        assert_eq!(day_of(&back, Some(tomorrow)), tomorrow.day);
        assert_eq!(latched(day_of(&back, Some(tomorrow)), Breaker::Halted, Some(tomorrow)), None, "it stays");
        let looked_at = Latch { state: Breaker::SellsBlocked, acknowledged: true, ..tomorrow };
        assert_eq!(judged(Some(&nav(1_000, 950)), false, Some(looked_at)), Breaker::Halted, "of another day");
        let stopped = latched(tomorrow.day, Breaker::Halted, Some(looked_at)).unwrap();
        assert_eq!((stopped.state, stopped.acknowledged), (Breaker::Halted, false));
        let yesterday = Latch { day: today.prev(), ..tomorrow };
        assert_eq!(judged(Some(&nav(1_000, 1_000)), false, Some(yesterday)), Breaker::Normal);
        assert_eq!(day_of(&nav(1_000, 1_000), Some(yesterday)), today);
    }

    fn latch(state: Breaker) -> Option<Latch> {
        Some(Latch { day: nav(1, 1).day, state, acknowledged: false })
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
            assert_eq!(judged(Some(&nav(1_000, now)), false, None), expected, "{now}");
        }
    }

    #[test]
    fn a_full_stop_lasts_until_the_next_day_whatever_the_value_does() {
        let today = nav(1_000, 990);
        assert_eq!(judged(Some(&today), false, latch(Breaker::Halted)), Breaker::Halted);
        assert_eq!(judged(Some(&today), true, latch(Breaker::Halted)), Breaker::Halted);
        let yesterday = Latch { day: today.day.prev(), ..latch(Breaker::Halted).unwrap() };
        assert_eq!(judged(Some(&today), false, Some(yesterday)), Breaker::Normal);
    }

    #[test]
    fn blocked_sales_are_free_again_above_the_release_only() {
        for (now, expected) in
            [(984, Breaker::SellsBlocked), (985, Breaker::SellsBlocked), (986, Breaker::Normal)]
        {
            assert_eq!(
                judged(Some(&nav(1_000, now)), false, latch(Breaker::SellsBlocked)),
                expected,
                "{now}"
            );
        }
        assert_eq!(judged(Some(&nav(1_000, 984)), false, None), Breaker::Normal);
    }

    #[test]
    fn after_a_person_has_looked_only_sales_rest() {
        let seen = |state| latch(state).map(|latch| Latch { acknowledged: true, ..latch });
        assert_eq!(judged(Some(&nav(1_000, 940)), false, seen(Breaker::SellsBlocked)), Breaker::SellsBlocked);
        assert_eq!(judged(Some(&nav(1_000, 990)), false, seen(Breaker::SellsBlocked)), Breaker::Normal);
    }

    #[test]
    fn an_unknown_zero_or_doubted_value_is_unknown() {
        assert_eq!(judged(None, false, None), Breaker::Unknown);
        assert_eq!(judged(None, false, latch(Breaker::SellsBlocked)), Breaker::Unknown);
        assert_eq!(judged(None, false, latch(Breaker::Halted)), Breaker::Halted);
        assert_eq!(judged(Some(&nav(0, 5)), false, None), Breaker::Unknown);
        assert_eq!(judged(Some(&nav(1_000, 1_000)), true, None), Breaker::Unknown);
    }

    #[test]
    fn a_start_value_older_than_five_days_or_of_an_unknown_day_says_nothing() {
        let from = |days: Option<i32>| {
            let today = nav(1_000, 1_000);
            let start_day = days.map(|days| today.day.plus_days(-days));
            judged(Some(&Nav { start_day, ..today }), false, None)
        };
        assert_eq!(from(Some(1)), Breaker::Normal);
        assert_eq!(from(Some(5)), Breaker::Normal);
        assert_eq!(from(Some(6)), Breaker::Unknown);
        assert_eq!(from(Some(-1)), Breaker::Unknown, "of a day that has not come");
        assert_eq!(from(None), Breaker::Unknown);
    }

    #[test]
    fn only_a_change_is_remembered() {
        let day = nav(1, 1).day;
        assert_eq!(latched(day, Breaker::Normal, None), None);
        assert_eq!(latched(day, Breaker::Unknown, latch(Breaker::SellsBlocked)), None);
        assert_eq!(latched(day, Breaker::Halted, latch(Breaker::Halted)), None);
        assert_eq!(latched(day, Breaker::Halted, latch(Breaker::SellsBlocked)), latch(Breaker::Halted));
        assert_eq!(latched(day, Breaker::Normal, latch(Breaker::SellsBlocked)), latch(Breaker::Normal));
        let yesterday = Latch { day: day.prev(), ..latch(Breaker::Halted).unwrap() };
        assert_eq!(latched(day, Breaker::Normal, Some(yesterday)), None);
    }
}
