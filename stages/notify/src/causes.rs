//! What is wrong right now, in words a person can act on.

use std::collections::BTreeMap;

use contracts::{
    Health, HealthState, LargePartKind, LargePartLevel, Mode, OrderState, OrderStatus, Severity, Side,
    stage_of,
};
use market::Timestamp;

use crate::{
    limits::{DRAWDOWN_ALARM, REFUSALS_A_DAY, TEXT_MAX},
    view::{Heard, View},
};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// How urgent.
    pub severity: Severity,
    /// What happened, why, what to do.
    pub text: String,
}

/// By code and subject.
pub type Causes = BTreeMap<(&'static str, String), Cause>;

/// Everything that is wrong. `silent_after_ms` is absent where age says nothing.
#[must_use]
pub fn causes(view: &View, now: Timestamp, silent_after_ms: Option<i64>) -> Causes {
    let mut found = Causes::new();
    halted(view, &mut found);
    drawdown(view, &mut found);
    concentration(view, &mut found);
    incidents(view, &mut found);
    unknown_orders(view, &mut found);
    left_working(view, &mut found);
    refusals(view, now, &mut found);
    books(view, &mut found);
    reviews(view, &mut found);
    for (name, heard) in &view.stages {
        stage(name, heard, now, silent_after_ms, &mut found);
    }
    found
}

fn add(found: &mut Causes, code: &'static str, subject: &str, severity: Severity, text: &str) {
    let text = text.chars().take(TEXT_MAX).collect();
    found.insert((code, subject.to_string()), Cause { severity, text });
}

fn halted(view: &View, found: &mut Causes) {
    let Some(halt) = view.halt.as_ref().filter(|halt| halt.halted) else { return };
    let why: Vec<String> = halt
        .halts
        .iter()
        .map(|entry| format!("{} ({}): {}", entry.actor, entry.reason, entry.text))
        .collect();
    let why = if why.is_empty() { "no reason was given".to_string() } else { why.join("; ") };
    let text = format!(
        "Trading is halted by {why} Nothing is bought or sold. When the cause is settled, run `steward resume`."
    );
    add(found, "halted", "", Severity::Warning, &text);
}

/// A deep fall is said and stops nothing: what to do about it is for a person.
fn drawdown(view: &View, found: &mut Causes) {
    let fall = view.risk.as_ref().and_then(|risk| risk.drawdown).map_or(0.0, |fall| fall.get());
    if fall >= DRAWDOWN_ALARM {
        let text = format!(
            "The fund is {:.1} % below its highest value of the last 90 days. Trading goes on. Look at what fell and whether it should still be held.",
            fall * 100.0
        );
        add(found, "drawdown", "", Severity::Alarm, &text);
    }
}

/// Too much in one place is a matter for the next plans and for the owner; it stops nothing here.
fn concentration(view: &View, found: &mut Causes) {
    for part in view.nav.iter().flat_map(|nav| &nav.concentration) {
        let (code, what) = match part.kind {
            LargePartKind::Country => ("concentrated_country", format!("Securities of {} are", part.name)),
            LargePartKind::Industry => ("concentrated_industry", format!("{} is", part.name)),
            LargePartKind::Position => ("concentrated_position", format!("{} is", part.name)),
            LargePartKind::Currency => ("concentrated_currency", format!("Everything in {} is", part.name)),
            LargePartKind::Unknown => {
                ("unclassified", format!("Securities whose {} nobody knows are", part.name))
            }
            LargePartKind::Whole => {
                let text = format!(
                    "Few holdings make up most of what is held: their Herfindahl index is {:.3}, more than {:.2}. More of them would spread the risk.",
                    part.share.get(),
                    part.limit.get()
                );
                add(found, "few_holdings", "", Severity::Info, &text);
                continue;
            }
        };
        let severity = if part.level == LargePartLevel::Breach { Severity::Warning } else { Severity::Info };
        let (share, limit) = (part.share.get() * 100.0, part.limit.get() * 100.0);
        let end = if part.kind == LargePartKind::Unknown {
            "Fill in what is missing with `steward universe set`.".to_owned()
        } else {
            format!("At most {limit:.0} % should be. See whether the targets want it so.")
        };
        add(found, code, &part.name, severity, &format!("{what} {share:.1} % of the fund. {end}"));
    }
}

fn incidents(view: &View, found: &mut Causes) {
    for (id, incident) in &view.incidents {
        let text = format!(
            "{} It was about order {}. Trading stands still. Compare the log of execute with the broker's orders, then run `steward resume`.",
            incident.text, incident.order_id
        );
        add(found, "order_incident", id, Severity::Alarm, &text);
    }
}

fn unknown_orders(view: &View, found: &mut Causes) {
    for (id, order) in view.orders.iter().filter(|(_, order)| order.status == OrderStatus::Unknown) {
        let text = format!(
            "Order {id} ({} {} {}) may or may not have reached the broker. It is never sent again; the broker is asked. If this stays, look for number {} at the broker and settle it: `steward settle`.",
            side(order.side),
            order.qty_e6,
            order.isin,
            order.user_order_id
        );
        add(found, "order_unknown", id, Severity::Alarm, &text);
    }
}

/// Going back to research stops what has not been sent. What works at the broker stays there: cancelling it may be the
/// wrong thing, so a person is told.
fn left_working(view: &View, found: &mut Causes) {
    let research = view.risk.as_ref().is_some_and(|risk| risk.mode == Mode::Research);
    let working = |order: &&OrderState| {
        order.mode == Mode::Live && order.status != OrderStatus::Armed && !order.status.is_final()
    };
    let left: Vec<String> = view
        .orders
        .values()
        .filter(|_| research)
        .filter(working)
        .map(|order| format!("{} {} {} ({})", side(order.side), order.qty_e6, order.isin, order.order_id))
        .collect();
    if !left.is_empty() {
        let text = format!(
            "Orders are on paper from now on, but {} still at the broker with real money: {}. They are followed to their end and not cancelled. If one should not be filled, cancel it at the broker.",
            if left.len() == 1 { "one works".to_string() } else { format!("{} work", left.len()) },
            left.join(", ")
        );
        add(found, "orders_left_working", "", Severity::Alarm, &text);
    }
}

fn refusals(view: &View, now: Timestamp, found: &mut Causes) {
    let mut today: BTreeMap<String, Vec<&contracts::OrderRefused>> = BTreeMap::new();
    for refusal in view.refusals.values().filter(|refusal| refusal.at.day_utc() == now.day_utc()) {
        let subject = format!("{} {} {}", side(refusal.side), refusal.isin, refusal.at.day_utc());
        today.entry(subject).or_default().push(refusal);
    }
    for (subject, refusals) in today.iter().filter(|(_, refusals)| refusals.len() >= REFUSALS_A_DAY) {
        let Some(last) = refusals.iter().max_by_key(|refusal| refusal.at) else { continue };
        let text = format!(
            "The gate refused to {} {} {REFUSALS_A_DAY} times or more today, last with `{}`: {} Nothing was traded. If the rule is too strict, change its setting; otherwise nothing is to be done.",
            side(last.side),
            last.isin,
            last.code,
            last.text
        );
        add(found, "order_refused_often", subject, Severity::Warning, &text);
    }
}

fn books(view: &View, found: &mut Causes) {
    for (currency, books) in view.books.iter().filter(|(_, books)| !books.agrees) {
        let text = format!(
            "Our books say {}, the broker says {}. Trading stands still until they agree. Look for a deposit, fee or trade that was not booked.",
            books.books, books.broker
        );
        add(found, "books_differ", currency, Severity::Alarm, &text);
    }
}

/// Selling a holding with a large loss is no decision of a rule.
fn reviews(view: &View, found: &mut Causes) {
    for isin in &view.reviews {
        let text = format!(
            "{isin} has lost more than the limit and fails the quality gate. No rule sells it for that. Look whether the reason to hold it still stands: `steward score {isin}`."
        );
        add(found, "thesis_review", isin, Severity::Warning, &text);
    }
}

fn stage(name: &str, heard: &Heard, now: Timestamp, silent_after_ms: Option<i64>, found: &mut Causes) {
    // The command line comes and goes, and notify is here to say this.
    if matches!(stage_of(name), "steward" | "notify") {
        return;
    }
    let Health { state, last_error, .. } = &heard.health;
    let age_ms = now.since(heard.at);
    if *state == HealthState::Gone {
        let text =
            format!("Stage {name} is gone. It is started again by itself; if this stays, look at its log.");
        add(found, "stage_gone", name, severity_of(name), &text);
    } else if silent_after_ms.is_some_and(|limit| age_ms > limit) {
        // The age is left out of the text: it would be news every minute.
        let text = format!(
            "Stage {name} has given no sign of life since {}. Look at its log and restart it.",
            heard.at
        );
        add(found, "stage_silent", name, severity_of(name), &text);
    } else if *state == HealthState::Degraded {
        let why = last_error.as_deref().unwrap_or("it gives no reason");
        add(found, "stage_trouble", name, Severity::Warning, &format!("Stage {name} is in trouble: {why}"));
    }
}

/// Without these no money moves, or nobody watches it.
fn severity_of(name: &str) -> Severity {
    match stage_of(name) {
        "portfolio" | "risk-gate" | "execute" => Severity::Alarm,
        "evaluate" => Severity::Info,
        _ => Severity::Warning,
    }
}

pub(crate) fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

#[cfg(test)]
mod tests {
    use contracts::{OrderRefused, Reconciliation, RiskHalt, RiskState, Sample};

    use super::*;

    fn codes(view: &View, now: Timestamp) -> Vec<&'static str> {
        causes(view, now, Some(900_000)).keys().map(|(code, _)| *code).collect()
    }

    #[test]
    fn a_fall_of_fifteen_percent_is_an_alarm() {
        for (fall, expected) in [(None, 0), (Some(0.149), 0), (Some(0.15), 1), (Some(0.4), 1)] {
            let drawdown = fall.and_then(contracts::Finite::new);
            let risk = contracts::RiskState { drawdown, ..contracts::RiskState::sample() };
            let view = View { risk: Some(risk), ..View::default() };
            let found = causes(&view, Timestamp::ZERO, None);
            assert_eq!(found.keys().filter(|(code, _)| *code == "drawdown").count(), expected, "{fall:?}");
        }
    }

    #[test]
    fn a_part_that_is_too_large_is_named_and_one_that_is_nearly_so_is_said_softly() {
        use contracts::{LargePart, Nav};
        let part = Nav::sample().concentration.remove(0);
        let view = |concentration: Vec<LargePart>| View {
            nav: Some(Nav { concentration, ..Nav::sample() }),
            ..View::default()
        };
        let near = LargePart { level: LargePartLevel::Critical, name: "FR".into(), ..part.clone() };
        let found = causes(&view(vec![part, near]), Timestamp::ZERO, None);
        let of = |name: &str| &found[&("concentrated_country", name.to_string())];
        assert_eq!((of("DE").severity, of("FR").severity), (Severity::Warning, Severity::Info));
        assert!(
            of("DE").text.contains("36.0 %") && of("DE").text.contains("At most 35 %"),
            "{}",
            of("DE").text
        );
        assert!(causes(&view(vec![]), Timestamp::ZERO, None).is_empty());
    }

    fn stage_view(name: &str, state: HealthState, at: Timestamp) -> View {
        let health = Health { stage: name.into(), state, ..Health::sample() };
        View { stages: BTreeMap::from([(name.into(), Heard { health, at })]), ..View::default() }
    }

    #[test]
    fn knowing_nothing_is_no_alert() {
        assert!(codes(&View::default(), Timestamp::from_ms(5)).is_empty());
    }

    #[test]
    fn a_halt_names_who_why_and_what_to_do() {
        let view = View { halt: Some(RiskHalt::sample()), ..View::default() };
        let found = causes(&view, Timestamp::ZERO, None);
        let text = &found[&("halted", String::new())].text;
        for words in ["steward (owner)", "Before the holidays.", "steward resume"] {
            assert!(text.contains(words), "{text}");
        }
        let over = RiskHalt { halted: false, ..RiskHalt::sample() };
        assert!(codes(&View { halt: Some(over), ..View::default() }, Timestamp::ZERO).is_empty());
    }

    #[test]
    fn only_an_unknown_order_is_an_alert() {
        for (status, expected) in
            [(OrderStatus::Unknown, 1), (OrderStatus::Accepted, 0), (OrderStatus::Sending, 0)]
        {
            let order = OrderState { status, ..OrderState::sample() };
            let view =
                View { orders: BTreeMap::from([(order.order_id.to_string(), order)]), ..View::default() };
            assert_eq!(codes(&view, Timestamp::ZERO).len(), expected, "{status:?}");
        }
    }

    #[test]
    fn orders_with_real_money_that_work_in_research_are_listed_in_one_alarm() {
        use OrderStatus::{Accepted, Armed, Filled, Partial};
        let cases = [
            (Mode::Research, Mode::Live, Accepted, true),
            (Mode::Research, Mode::Live, Partial, true),
            (Mode::Research, Mode::Live, Filled, false),
            (Mode::Research, Mode::Live, Armed, false),
            (Mode::Research, Mode::Research, Accepted, false),
            (Mode::Live, Mode::Live, Accepted, false),
        ];
        for (mode, of_order, status, expected) in cases {
            let order = OrderState { status, mode: of_order, ..OrderState::sample() };
            let id = order.order_id.to_string();
            let orders = BTreeMap::from([(id.clone(), order)]);
            let risk = Some(RiskState { mode, drawdown: None, ..RiskState::sample() });
            let found = causes(&View { orders, risk, ..View::default() }, Timestamp::ZERO, None);
            let left = found.get(&("orders_left_working", String::new()));
            assert_eq!(left.is_some(), expected, "{mode:?} {of_order:?} {status:?}");
            assert!(left.is_none_or(|cause| cause.text.contains(&id)));
        }
    }

    #[test]
    fn three_refusals_of_one_kind_on_one_day_are_an_alert_two_are_not() {
        let refusal = OrderRefused::sample();
        let now = refusal.at;
        let view = |count: usize| View {
            refusals: (0..count).map(|number| (number.to_string(), refusal.clone())).collect(),
            ..View::default()
        };
        assert!(codes(&view(2), now).is_empty());
        assert_eq!(codes(&view(3), now), ["order_refused_often"]);
        assert!(codes(&view(3), now.saturating_plus_ms(86_400_000)).is_empty());
    }

    #[test]
    fn refusals_of_different_sides_do_not_add_up() {
        let sell = OrderRefused::sample();
        let buy = OrderRefused { side: Side::Buy, ..sell.clone() };
        let refusals = [&sell, &sell, &buy, &buy];
        let view = View {
            refusals: refusals
                .iter()
                .zip(0..)
                .map(|(one, number): (_, i32)| (number.to_string(), (*one).clone()))
                .collect(),
            ..View::default()
        };
        assert!(codes(&view, sell.at).is_empty());
    }

    #[test]
    fn books_that_differ_are_an_alarm_and_books_that_agree_are_not() {
        for (agrees, expected) in [(false, 1), (true, 0)] {
            let books = Reconciliation { agrees, ..Reconciliation::sample() };
            let view = View { books: BTreeMap::from([("EUR".into(), books)]), ..View::default() };
            assert_eq!(codes(&view, Timestamp::ZERO).len(), expected);
        }
    }

    #[test]
    fn a_stage_is_gone_silent_in_trouble_or_well() {
        let at = Timestamp::from_ms(1_000);
        let limit = at.saturating_plus_ms(900_000);
        let beyond = limit.saturating_plus_ms(1);
        let cases: [(&str, HealthState, Timestamp, &[&str]); 7] = [
            ("ingest", HealthState::Healthy, limit, &[]),
            ("ingest", HealthState::Healthy, beyond, &["stage_silent"]),
            ("ingest", HealthState::Gone, at, &["stage_gone"]),
            ("ingest", HealthState::Degraded, at, &["stage_trouble"]),
            ("ingest", HealthState::Starting, at, &[]),
            ("steward", HealthState::Gone, beyond, &[]),
            ("notify", HealthState::Gone, beyond, &[]),
        ];
        for (name, state, now, expected) in cases {
            assert_eq!(codes(&stage_view(name, state, at), now), expected, "{name} {state:?}");
        }
    }

    #[test]
    fn age_says_nothing_where_time_is_virtual() {
        let view = stage_view("ingest", HealthState::Healthy, Timestamp::ZERO);
        assert!(causes(&view, Timestamp::from_ms(i64::MAX), None).is_empty());
    }

    #[test]
    fn a_lost_money_stage_is_an_alarm_a_lost_evaluator_is_not() {
        for (name, severity) in
            [("execute", Severity::Alarm), ("score", Severity::Warning), ("evaluate-2", Severity::Info)]
        {
            let found = causes(&stage_view(name, HealthState::Gone, Timestamp::ZERO), Timestamp::ZERO, None);
            assert_eq!(found[&("stage_gone", name.to_string())].severity, severity);
        }
    }
}
