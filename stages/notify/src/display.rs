//! What the board shows: one mood, one line.

use contracts::{DisplayState, Finite, Mood, Nav, Severity};
use market::Timestamp;
use money::Money;

use crate::{
    causes::{Causes, side},
    limits::TEXT_MAX,
    view::View,
};

/// The display as it should be. `at` is the time given; the caller keeps an older one when nothing else changed.
#[must_use]
pub fn display(view: &View, causes: &Causes, at: Timestamp) -> DisplayState {
    let mood = mood(view, causes);
    let text: String = line(view, causes, mood).chars().take(TEXT_MAX).collect();
    DisplayState {
        mood,
        text,
        nav: view.nav.as_ref().map(|nav| nav.nav),
        day_change: view.nav.as_ref().and_then(day_change),
        at,
    }
}

fn mood(view: &View, causes: &Causes) -> Mood {
    if causes.values().any(|cause| cause.severity == Severity::Alarm) {
        Mood::Alarm
    } else if view.halt.as_ref().is_some_and(|halt| halt.halted) {
        Mood::Halted
    } else if !view.orders.is_empty() {
        Mood::Working
    } else if !view.venues.is_empty() && view.venues.values().all(|venue| !venue.open) {
        Mood::Waiting
    } else {
        Mood::Calm
    }
}

fn line(view: &View, causes: &Causes, mood: Mood) -> String {
    match mood {
        Mood::Alarm => causes
            .values()
            .find(|cause| cause.severity == Severity::Alarm)
            .map_or_else(String::new, |cause| cause.text.clone()),
        Mood::Halted => {
            let entry = view.halt.as_ref().and_then(|halt| halt.halts.first());
            entry.map_or("HALTED".into(), |entry| format!("HALTED by {}: {}", entry.actor, entry.text))
        }
        Mood::Working => {
            let orders: Vec<String> = view
                .orders
                .values()
                .map(|order| format!("{} {} {}", side(order.side), order.qty_e6, order.isin))
                .collect();
            orders.join(" * ")
        }
        Mood::Waiting | Mood::Calm => calm_line(view),
    }
}

fn calm_line(view: &View) -> String {
    match (&view.nav, &view.plan) {
        (Some(nav), _) => {
            let change =
                day_change(nav).map_or(String::new(), |change| format!(" {:+.1} %", change.get() * 100.0));
            format!("{}{change}", whole(nav.nav))
        }
        (None, Some(plan)) => plan.why.clone(),
        (None, None) => "STEWARD".into(),
    }
}

/// Today's gain without deposits and withdrawals; unknown when the day began with nothing.
fn day_change(nav: &Nav) -> Option<Finite> {
    let gain = nav.nav.checked_sub(nav.day_start).and_then(|gain| gain.checked_sub(nav.flow_today)).ok()?;
    if !nav.day_start.is_positive() {
        return None;
    }
    // Rounded to a tenth of a basis point, so that the display does not change with every cent.
    Finite::new((gain.to_f64() / nav.day_start.to_f64() * 1e5).round() / 1e5)
}

/// `EUR 12 345`: cents are noise on thirteen columns.
fn whole(amount: Money) -> String {
    let units = amount.e4() / 10_000;
    let digits = units.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    let sign = if units < 0 { "-" } else { "" };
    format!("{} {sign}{grouped}", amount.currency())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use contracts::{HaltEntry, OrderState, OrderStatus, PlanProposed, RiskHalt, Sample, Venue};
    use money::Currency;

    use super::*;
    use crate::causes::causes;

    fn shown(view: &View) -> DisplayState {
        display(view, &causes(view, Timestamp::ZERO, None), Timestamp::ZERO)
    }

    fn nav(nav: i64, day_start: i64, flow: i64) -> Nav {
        let eur = |units| Money::from_units(units, Currency::EUR).unwrap();
        Nav { nav: eur(nav), day_start: eur(day_start), flow_today: eur(flow), ..Nav::sample() }
    }

    #[test]
    fn moods_follow_their_precedence() {
        let venue = Venue { open: false, ..Venue::sample() };
        let mut view = View::default();
        assert_eq!(shown(&view).mood, Mood::Calm);
        view.venues = BTreeMap::from([("XETR".into(), venue)]);
        assert_eq!(shown(&view).mood, Mood::Waiting);
        let mut order = OrderState { status: OrderStatus::Accepted, ..OrderState::sample() };
        view.orders = BTreeMap::from([("1".into(), order.clone())]);
        assert_eq!(shown(&view).mood, Mood::Working);
        view.halt = Some(RiskHalt::sample());
        assert_eq!(shown(&view).mood, Mood::Halted);
        order.status = OrderStatus::Unknown;
        view.orders = BTreeMap::from([("1".into(), order)]);
        assert_eq!(shown(&view).mood, Mood::Alarm);
    }

    #[test]
    fn no_venue_known_is_not_all_venues_closed() {
        assert_eq!(shown(&View::default()).mood, Mood::Calm);
    }

    #[test]
    fn the_line_says_value_and_change_without_deposits() {
        let view = View { nav: Some(nav(12_545, 12_345, 150)), ..View::default() };
        let display = shown(&view);
        assert_eq!(display.text, "EUR 12 545 +0.4 %");
        assert_eq!(display.day_change.map(Finite::get), Some(0.00405));
    }

    #[test]
    fn a_day_that_began_with_nothing_has_no_change() {
        assert_eq!(shown(&View { nav: Some(nav(100, 0, 100)), ..View::default() }).text, "EUR 100");
    }

    #[test]
    fn losses_and_debts_keep_their_sign() {
        assert_eq!(
            shown(&View { nav: Some(nav(-1_234, 1_000, 0)), ..View::default() }).text,
            "EUR -1 234 -223.4 %"
        );
    }

    #[test]
    fn without_a_value_the_last_plan_is_told() {
        assert_eq!(shown(&View::default()).text, "STEWARD");
        let plan = PlanProposed { why: "Nothing is worth its costs.".into(), ..PlanProposed::sample() };
        assert_eq!(shown(&View { plan: Some(plan), ..View::default() }).text, "Nothing is worth its costs.");
    }

    #[test]
    fn a_long_reason_is_cut() {
        let entry = HaltEntry { text: "ä".repeat(5_000), ..RiskHalt::sample().halts[0].clone() };
        let halt = RiskHalt { halts: vec![entry], ..RiskHalt::sample() };
        assert_eq!(shown(&View { halt: Some(halt), ..View::default() }).text.chars().count(), TEXT_MAX);
    }

    #[test]
    fn thousands_are_grouped() {
        for (units, text) in
            [(0, "EUR 0"), (999, "EUR 999"), (1_000, "EUR 1 000"), (1_234_567, "EUR 1 234 567")]
        {
            assert_eq!(whole(Money::from_units(units, Currency::EUR).unwrap()), text);
        }
    }
}
