//! One order from the price to the booking, as sentences with their numbers. Pure.
//!
//! Every number is one that was stored or said; none is computed here but differences a reader can check. A link that
//! is not known says so.

use contracts::{
    CheckEvidence, Grounds, OrderApproved, OrderFill, OrderKind, OrderRequested, OrderState, PlanKind,
    PlanProposed, PlanStep, SecurityScore, Side, TargetWeights,
};
use market::Timestamp;
use money::{Currency, Money, Price, Quantity, Rounding};
use serde::Serialize;

use crate::{figures, lines::wrapped, plan_text::FROM_THE_DEBT};

/// What the gate said once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// When.
    pub at: Timestamp,
    /// approve, defer, block.
    pub decision: String,
    /// The first check that failed.
    pub code: Option<String>,
    /// Every check with its numbers.
    pub checks: Vec<CheckEvidence>,
    /// When a deferred one can change.
    pub earliest: Option<Timestamp>,
}

/// One fill in our books.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Booking {
    /// Its id in the ledger.
    pub fill_id: String,
    /// How many.
    pub qty_e6: Option<Quantity>,
    /// At which price.
    pub price_e6: Option<Price>,
    /// Of the price.
    pub ccy: Option<Currency>,
    /// Fee.
    pub fee: Option<Money>,
    /// Worth at the rate of that day.
    pub value_eur: Option<Money>,
    /// When it was executed.
    pub executed: Option<Timestamp>,
    /// The part of the fund it belongs to.
    pub bucket_id: Option<String>,
}

/// Everything found about one order.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Chain {
    /// Its id.
    pub order_id: String,
    /// Name of its security.
    pub name: Option<String>,
    /// The intent.
    pub request: Option<OrderRequested>,
    /// The plan behind it.
    pub plan: Option<PlanProposed>,
    /// The security's score as said last.
    pub score: Option<SecurityScore>,
    /// The targets as said last.
    pub targets: Option<TargetWeights>,
    /// What the gate said, oldest first.
    pub verdicts: Vec<Verdict>,
    /// The gate's permission.
    pub approval: Option<OrderApproved>,
    /// Its life at the broker.
    pub order: Option<OrderState>,
    /// Its fills in our books.
    pub bookings: Vec<Booking>,
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Which.
    pub link: &'static str,
    /// What is known about it.
    pub sentences: Vec<String>,
}

/// Rejected plans that the story tells of; the others are in the numbers.
const RIVALS_TOLD: usize = 2;
/// Columns for the name of a link.
const NAME: usize = 10;

/// The story as lines for a screen: each link with its name, wrapped. What cannot follow a refusal is one line.
#[must_use]
pub fn story(chain: &Chain) -> Vec<String> {
    let refused = chain.approval.is_none()
        && chain.order.is_none()
        && chain.verdicts.iter().any(|verdict| verdict.code.is_some());
    let after = ["approval", "order", "fills", "booking"];
    let mut lines = vec![format!("Order {}", chain.order_id)];
    for link in links(chain).into_iter().filter(|link| !(refused && after.contains(&link.link))) {
        let name = link.link.to_uppercase();
        // What is told of a security's past and of plans that were not chosen decided nothing about a refusal.
        let most = match link.link {
            "score" | "target" if refused => 1,
            "plan" if refused => 2,
            _ => usize::MAX,
        };
        for (index, sentence) in link.sentences.iter().take(most).enumerate() {
            let head = if index == 0 { name.as_str() } else { "" };
            wrap(head, sentence, &mut lines);
        }
    }
    if refused {
        wrap("END", "It ended there: nothing was signed, sent, filled or booked.", &mut lines);
    }
    lines
}

fn wrap(head: &str, sentence: &str, lines: &mut Vec<String>) {
    lines.extend(wrapped(&format!("{head:NAME$}"), NAME, sentence));
}

/// The whole chain in order; every link is there, known or not.
#[must_use]
pub fn links(chain: &Chain) -> Vec<Link> {
    let grounds = chain.request.as_ref().map(|request| (&request.grounds, request));
    let mut all = vec![
        link("price", grounds.map(|(grounds, request)| price(grounds, request))),
        link("score", grounds.map(|(grounds, request)| score(grounds, request, chain))),
        link("target", grounds.map(|(grounds, request)| target(grounds, request, chain))),
        link("plan", chain.plan.as_ref().map(|plan| planned(plan, chain.request.as_ref()))),
        link("request", chain.request.as_ref().map(|request| requested(request, chain))),
        link("gate", (!chain.verdicts.is_empty()).then(|| judged(&chain.verdicts))),
        link("approval", chain.approval.as_ref().map(approved)),
        link("order", chain.order.as_ref().map(ordered)),
        link("fills", chain.order.as_ref().filter(|order| !order.fills.is_empty()).map(filled)),
        link("booking", (!chain.bookings.is_empty()).then(|| booked(chain))),
    ];
    // Money has neither a score nor a target; an emergency is outside of every plan.
    let pair = chain.request.as_ref().is_some_and(|request| contracts::pair_of(&request.isin).is_some());
    let emergency = chain.request.as_ref().is_some_and(|request| request.kind == OrderKind::Emergency);
    all.retain(|link| match link.link {
        "score" | "target" => !pair,
        "plan" => !(emergency && chain.plan.is_none()),
        _ => true,
    });
    all
}

fn link(name: &'static str, sentences: Option<Vec<String>>) -> Link {
    Link {
        link: name,
        sentences: sentences.unwrap_or_else(|| vec![format!("Nothing is known about this link ({name}).")]),
    }
}

fn price(grounds: &Grounds, request: &OrderRequested) -> Vec<String> {
    let quote = grounds.quote.map_or_else(String::new, |id| format!(", quote {id}"));
    let age = figures::duration(request.at.since(grounds.quote_at));
    vec![format!(
        "The price was {} {} at {} UTC, {age} before the request{quote}.",
        grounds.quote_price_e6,
        request.ccy,
        figures::second(grounds.quote_at)
    )]
}

fn score(grounds: &Grounds, request: &OrderRequested, chain: &Chain) -> Vec<String> {
    let mut lines = vec![match grounds.score {
        Some(score) => format!("The security's score was {:.4}, from 0 to 1.", score.get()),
        None => "The security's score was unknown.".into(),
    }];
    if let Some(said) = chain.score.as_ref().filter(|said| said.isin == request.isin) {
        let when = if said.at <= request.at { "then" } else { "by now" };
        let parts: Vec<String> =
            said.groups.iter().map(|(group, value)| format!("{group} {:.4}", value.get())).collect();
        let total = said.total.map_or_else(|| "unknown".to_string(), |total| format!("{:.4}", total.get()));
        lines.push(format!(
            "Its groups {when} ({} UTC): {}; together {total}, from {} daily bars, {:.0} % of the data there.",
            figures::second(said.at),
            if parts.is_empty() { "none".into() } else { parts.join(", ") },
            said.bars,
            said.coverage.get() * 100.0
        ));
    }
    lines
}

fn target(grounds: &Grounds, request: &OrderRequested, chain: &Chain) -> Vec<String> {
    let shown = |weight: Option<money::Weight>| weight.map_or_else(|| "unknown".to_string(), figures::weight);
    let mut lines = vec![match (grounds.target_e6, grounds.current_e6) {
        (Some(target), Some(current)) => {
            let under = target.e6() - current.e6();
            let side = if under < 0 { "over" } else { "under" };
            format!(
                "Its target share was {}, it was {} of the fund: {}.{:02} percentage points {side} target.",
                figures::weight(target),
                figures::weight(current),
                under.abs() / 10_000,
                under.abs() % 10_000 / 100
            )
        }
        (target, current) => format!("Its target share was {}, its share {}.", shown(target), shown(current)),
    }];
    if let Some(targets) = &chain.targets {
        let own = targets.weights.iter().find(|one| one.isin == request.isin);
        let reason = own
            .map_or_else(|| "it is not listed, so its target is zero".to_string(), |own| own.reason.clone());
        let when = if targets.at <= request.at { "then" } else { "by now" };
        lines.push(format!(
            "The targets {when} ({} UTC) were found by {} ({}); this one because: {reason}.",
            figures::second(targets.at),
            targets.method,
            targets.why
        ));
    }
    lines
}

fn planned(plan: &PlanProposed, request: Option<&OrderRequested>) -> Vec<String> {
    let what = format!("Plan {} of {} UTC: {}", plan.plan_id, figures::second(plan.at), plan.why);
    if plan.kind == PlanKind::Rescue {
        return vec![what, FROM_THE_DEBT.into()];
    }
    let mut lines = vec![
        what,
        format!(
            "Doing nothing scored {:.4}, this plan {:.4}: a difference of {:+.4}, costs included.",
            plan.score_unchanged.get(),
            plan.score_after.get(),
            plan.score_after.get() - plan.score_unchanged.get()
        ),
    ];
    let infeasible: Vec<String> =
        plan.infeasible.iter().map(|(why, count)| format!("{count} by {why}")).collect();
    let left = if infeasible.is_empty() {
        String::new()
    } else {
        format!("; not possible: {}", infeasible.join(", "))
    };
    lines.push(format!("{} sequences of trades were scored{left}.", plan.evaluated));
    let own = request.and_then(|request| plan.steps.iter().find(|step| step.step == request.step));
    if let Some(PlanStep { step, candidate, .. }) = own {
        lines.push(format!(
            "This is step {step} of {}: found by {} ({}), cost about {}.",
            plan.steps.len(),
            candidate.finder,
            candidate.reason,
            figures::money(&candidate.cost_eur)
        ));
    }
    lines.extend(plan.rivals.iter().take(RIVALS_TOLD).map(|rival| {
        format!(
            "Not chosen: {} with {:.4} ({}).",
            rival.actions.join(", then "),
            rival.score.get(),
            rival.reason
        )
    }));
    lines
}

fn requested(request: &OrderRequested, chain: &Chain) -> Vec<String> {
    let (verb, bound) = words(request.side);
    let name = chain.name.as_ref().map_or_else(String::new, |name| format!("{name}, "));
    if let Some((base, quote)) = contracts::pair_of(&request.isin) {
        let (gives, gets) = if request.side == Side::Buy { (quote, base) } else { (base, quote) };
        return vec![
            format!(
                "At {} UTC an exchange of {gives} for {gets} was asked for: {verb} {} {base} {bound} {} {quote} each, worth {}, fee about {}.",
                figures::second(request.at),
                figures::quantity(request.qty_e6),
                request.limit_price_e6,
                figures::money(&request.value_eur),
                figures::money(&request.fee_eur)
            ),
            format!("Reason: {}", request.reason),
        ];
    }
    vec![
        format!(
            "At {} UTC {verb} {} of {name}{} at {} was asked for, {bound} {} {} each, worth {}, fee about {}.",
            figures::second(request.at),
            figures::quantity(request.qty_e6),
            request.isin,
            request.mic,
            request.limit_price_e6,
            request.ccy,
            figures::money(&request.value_eur),
            figures::money(&request.fee_eur)
        ),
        format!("Reason: {}", request.reason),
    ]
}

fn words(side: Side) -> (&'static str, &'static str) {
    match side {
        Side::Buy => ("buying", "at most"),
        Side::Sell => ("selling", "at least"),
    }
}

fn judged(verdicts: &[Verdict]) -> Vec<String> {
    let mut lines = Vec::new();
    for verdict in verdicts {
        let code = verdict.code.as_ref().map_or_else(String::new, |code| format!(", because of {code}"));
        lines.push(format!(
            "At {} UTC the gate decided: {}{code}, after {} checks.",
            figures::second(verdict.at),
            verdict.decision,
            verdict.checks.len()
        ));
        let numbers = |passed: bool, word: &str| {
            let told = verdict.checks.iter().filter(|check| check.passed == passed);
            let all: Vec<String> = told
                .map(|check| format!("{} {} ({word}{})", check.check, check.found, check.limit))
                .collect();
            (!all.is_empty()).then(|| all.join("; "))
        };
        lines.extend(numbers(false, "allowed ").map(|failed| format!("FAILED: {failed}.")));
        lines.extend(numbers(true, "").map(|passed| format!("Passed (what is allowed): {passed}.")));
        if let Some(until) = verdict.earliest {
            lines.push(format!("It can change at {} UTC.", figures::second(until)));
        }
    }
    lines
}

fn approved(approval: &OrderApproved) -> Vec<String> {
    let (_, bound) = words(approval.side);
    let mode = if approval.mode == contracts::Mode::Live { "at the broker" } else { "on paper only" };
    vec![format!(
        "Approved at {} UTC for {}: {} at {bound} {} {}, {mode}, valid until {} UTC; signed by the gate.",
        figures::second(approval.issued),
        approval.ticker,
        figures::quantity(approval.qty_e6),
        approval.limit_price_e6,
        approval.ccy,
        figures::second(approval.expires)
    )]
}

fn ordered(order: &OrderState) -> Vec<String> {
    let at = |when: Option<Timestamp>| {
        when.map_or_else(|| "not yet".to_string(), |at| figures::second(at) + " UTC")
    };
    let status = match serde_json::to_value(order.status) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "unknown".into(),
    };
    let reason = order.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    vec![format!(
        "The order is {status}{reason}: {} of {} filled. Armed {}, sent {}, final {}; our number {}, the broker's {}.",
        figures::quantity(order.filled_e6),
        figures::quantity(order.qty_e6),
        at(Some(order.created)),
        at(order.sent),
        at(order.ended),
        order.user_order_id,
        order.broker_order_id.as_deref().unwrap_or("unknown")
    )]
}

fn filled(order: &OrderState) -> Vec<String> {
    order.fills.iter().map(|fill| fill_line(fill, order.ccy)).collect()
}

fn fill_line(fill: &OrderFill, ccy: Currency) -> String {
    let worth = money::value(fill.price_e6, fill.qty_e6, ccy, Rounding::HalfEven)
        .map_or_else(|_| "an unknown amount".to_string(), |worth| figures::money(&worth));
    let fee = fill
        .fee
        .map_or_else(|| "fee not known yet".to_string(), |fee| format!("fee {}", figures::money(&fee)));
    format!(
        "At {} UTC: {} at {} {ccy} = {worth}, {fee} (trade {}).",
        figures::second(fill.at),
        figures::quantity(fill.qty_e6),
        fill.price_e6,
        fill.trade_id
    )
}

fn booked(chain: &Chain) -> Vec<String> {
    let unknown = || "unknown".to_string();
    let mut lines: Vec<String> = chain.order.iter().flat_map(both_sides).collect();
    for booking in &chain.bookings {
        let worth = booking.value_eur.as_ref().map_or_else(unknown, figures::money);
        let fee = booking.fee.as_ref().map_or_else(unknown, figures::money);
        lines.push(format!(
            "Booked: {} at {} {} of {} UTC, worth {worth}, fee {fee}, in bucket {} (entry {}).",
            booking.qty_e6.map_or_else(unknown, figures::quantity),
            booking.price_e6.map_or_else(unknown, |price| price.to_string()),
            booking.ccy.map_or_else(String::new, |ccy| ccy.to_string()),
            booking.executed.map_or_else(unknown, figures::second),
            booking.bucket_id.as_deref().unwrap_or("unknown"),
            booking.fill_id
        ));
    }
    lines
}

/// What each fill of an exchange did to the two currencies, its fee left out.
fn both_sides(order: &OrderState) -> Vec<String> {
    let Some((base, quote)) = contracts::pair_of(&order.isin) else { return Vec::new() };
    let signs = if order.side == Side::Buy { ('+', '-') } else { ('-', '+') };
    let line = |fill: &OrderFill| {
        let other = money::value(fill.price_e6, fill.qty_e6, quote, Rounding::HalfEven).ok()?;
        let units = figures::quantity(fill.qty_e6);
        Some(format!("Both sides: {}{units} {base}, {}{}.", signs.0, signs.1, figures::money(&other)))
    };
    order.fills.iter().filter_map(line).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    fn full() -> Chain {
        let request = OrderRequested::sample();
        Chain {
            order_id: request.order_id.to_string(),
            name: Some("Rheinau Automation SE".into()),
            plan: Some(PlanProposed::sample()),
            score: Some(SecurityScore::sample()),
            targets: Some(TargetWeights::sample()),
            verdicts: vec![Verdict {
                at: request.at,
                decision: "approve".into(),
                code: None,
                checks: vec![
                    CheckEvidence::sample(),
                    CheckEvidence { passed: false, ..CheckEvidence::sample() },
                ],
                earliest: Some(request.at),
            }],
            approval: Some(OrderApproved::sample()),
            order: Some(OrderState::sample()),
            bookings: vec![Booking {
                fill_id: "F".into(),
                qty_e6: Some("12".parse().unwrap()),
                price_e6: Some("88.05".parse().unwrap()),
                ccy: Some(Currency::EUR),
                fee: None,
                value_eur: Some("1056.60 EUR".parse().unwrap()),
                executed: Some(request.at),
                bucket_id: Some("core".into()),
            }],
            request: Some(request),
        }
    }

    fn text(chain: &Chain) -> String {
        links(chain).into_iter().flat_map(|link| link.sentences).collect::<Vec<_>>().join("\n")
    }

    /// The story in one line, as if the screen were wide enough.
    fn unwrapped(lines: &[String]) -> String {
        lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_link_is_there_with_its_numbers() {
        let text = text(&full());
        for number in [
            "score was 0.6200",
            "opportunity 0.7000",
            "Doing nothing scored 0.5100, this plan 0.5500: a difference of +0.0400",
            "12 sequences",
            "Passed (what is allowed): stale_price 60 s (1800 s).",
            "FAILED: stale_price 60 s (allowed 1800 s).",
            "Rheinau Automation SE",
            "trade 73100001",
            "Booked: 12 at 88.05 EUR",
            "worth 1,056.60 EUR, fee unknown, in bucket core",
        ] {
            assert!(text.contains(number), "{number} is missing in\n{text}");
        }
        assert!(!text.contains("Nothing is known"), "{text}");
    }

    #[test]
    fn the_whole_story_fits_on_a_screen() {
        let mut chain = full();
        let check =
            |number| CheckEvidence { check: format!("check_number_{number}"), ..CheckEvidence::sample() };
        chain.verdicts[0].checks = (1..=25).map(check).collect();
        let fill = chain.order.as_ref().unwrap().fills[0].clone();
        chain.order.as_mut().unwrap().fills = vec![fill; 4];
        let booking = chain.bookings[0].clone();
        chain.bookings = vec![booking; 4];
        let lines = story(&chain);
        assert!(lines.len() < 70, "{} lines:\n{}", lines.len(), lines.join("\n"));
        assert!(lines.iter().all(|line| line.chars().count() <= crate::lines::COLUMNS));
        let whole = unwrapped(&lines);
        assert!(whole.contains("check_number_25 60 s (1800 s)"), "{whole}");
    }

    #[test]
    fn a_refused_order_tells_its_story_to_the_end() {
        let mut chain = full();
        (chain.approval, chain.order) = (None, None);
        chain.bookings.clear();
        chain.verdicts[0].code = Some("stale_price".into());
        let text = unwrapped(&story(&chain));
        assert!(text.contains("It ended there") && !text.contains("Nothing is known"), "{text}");
        assert!(text.contains("because of stale_price") && text.contains("It can change at"), "{text}");
    }

    /// An exchange for a debt, as it stands after its verdict.
    fn exchange() -> Chain {
        let pair = contracts::pair_isin(Currency::EUR, Currency::GBP).unwrap();
        let mut chain = full();
        (chain.plan, chain.score, chain.targets, chain.name) = (None, None, None, None);
        let request = chain.request.as_mut().unwrap();
        request.kind = OrderKind::Emergency;
        (request.isin, request.side, request.ccy) = (pair, Side::Sell, Currency::GBP);
        request.qty_e6 = "10".parse().unwrap();
        request.limit_price_e6 = "0.8592".parse().unwrap();
        request.reason = "-1.27 GBP is owed.".into();
        let order = chain.order.as_mut().unwrap();
        (order.isin, order.side, order.ccy) = (pair, Side::Sell, Currency::GBP);
        order.fills.truncate(1);
        order.fills[0].qty_e6 = "10".parse().unwrap();
        order.fills[0].price_e6 = "0.86".parse().unwrap();
        chain.verdicts[0].checks = (1..=10)
            .map(|number| CheckEvidence {
                check: format!("check_number_{number}"),
                ..CheckEvidence::sample()
            })
            .collect();
        chain
    }

    #[test]
    fn an_exchange_tells_both_currencies_and_knows_no_score() {
        let lines = story(&exchange());
        let text = unwrapped(&lines);
        assert!(
            text.contains("an exchange of EUR for GBP was asked for: selling 10 EUR at least 0.8592 GBP"),
            "{text}"
        );
        assert!(text.contains("Both sides: -10 EUR, +8.60 GBP."), "{text}");
        assert!(
            !text.contains("SCORE") && !text.contains("TARGET") && !text.contains("Nothing is known"),
            "{text}"
        );
        assert!(lines.len() <= 30, "{} lines:\n{}", lines.len(), lines.join("\n"));
    }

    #[test]
    fn a_refused_order_is_told_in_few_lines_with_every_number() {
        let mut chain = full();
        (chain.approval, chain.order) = (None, None);
        chain.bookings.clear();
        chain.verdicts[0].code = Some("concentration".into());
        let check =
            |number| CheckEvidence { check: format!("check_number_{number}"), ..CheckEvidence::sample() };
        chain.verdicts[0].checks = (1..=21).map(check).collect();
        chain.verdicts[0].checks[20].passed = false;
        let lines = story(&chain);
        assert!(lines.len() <= 30, "{} lines:\n{}", lines.len(), lines.join("\n"));
        let whole = unwrapped(&lines);
        assert!(whole.contains("FAILED: check_number_21 60 s (allowed 1800 s)."), "{whole}");
        for number in 1..=20 {
            assert!(whole.contains(&format!("check_number_{number} 60 s (1800 s)")), "{number}: {whole}");
        }
    }

    #[test]
    fn a_share_above_its_target_is_over_it() {
        let mut chain = full();
        let grounds = &mut chain.request.as_mut().unwrap().grounds;
        grounds.target_e6 = Some(money::Weight::from_e6(40_000).unwrap());
        grounds.current_e6 = Some(money::Weight::from_e6(52_500).unwrap());
        assert!(text(&chain).contains("1.25 percentage points over target"), "{}", text(&chain));
    }

    #[test]
    fn unknown_links_say_so_and_invent_nothing() {
        let lines = links(&Chain { order_id: "x".into(), ..Chain::default() });
        assert_eq!(lines.len(), 10);
        assert!(lines.iter().all(|link| link.sentences[0].starts_with("Nothing is known")));
    }

    #[test]
    fn figures_that_are_missing_are_unknown_not_zero() {
        let mut chain = full();
        let grounds = &mut chain.request.as_mut().unwrap().grounds;
        (grounds.score, grounds.target_e6, grounds.quote) = (None, None, None);
        chain.order.as_mut().unwrap().fills[0].fee = None;
        let text = text(&chain);
        assert!(text.contains("score was unknown"), "{text}");
        assert!(text.contains("target share was unknown"), "{text}");
        assert!(text.contains("fee not known yet"), "{text}");
    }
}
