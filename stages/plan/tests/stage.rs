//! The planner in a small world: when it plans, what it proposes, and when it asks for an order.
#![allow(clippy::unwrap_used)]

mod support;

use contracts::{
    Breaker, Cash, Closed, Mode, OpenOrder, OrderApproved, OrderFill, OrderKind, OrderRefused, OrderState,
    OrderStatus, PlanContext, PlanJob, PlanKind, PlanNow, PlanProposed, PlanResult, PortfolioState, Quote,
    Refusal, Reply, RiskHalt, RiskState, Sample, SecurityScore, SettingsSnapshot, Side, TargetWeights, Venue,
};
use money::{Currency, Money};
use support::*;

/// The same where only selling A is worth anything.
fn asked_to_sell() -> World {
    let mut world = World::ready();
    world.gains.retain(|(_, side), _| *side == Side::Sell);
    world.pass(SECOND);
    assert_eq!((world.requests().len(), world.plan().steps.len()), (1, 1));
    world
}

/// A world that has planned and asked for its first step.
fn asked() -> World {
    let mut world = World::ready();
    world.pass(SECOND);
    assert_eq!(world.requests().len(), 1);
    world
}

fn halt(halted: bool) -> RiskHalt {
    RiskHalt { halted, halts: vec![], at: start() }
}

fn approved(world: &World) -> OrderApproved {
    let order = &world.requests()[0];
    OrderApproved { order_id: order.order_id, ..OrderApproved::sample() }
}

fn refused(world: &World, decision: Refusal, code: &str, after_ms: Option<i64>) -> OrderRefused {
    let order = world.requests().last().unwrap().clone();
    OrderRefused {
        order_id: order.order_id,
        isin: order.isin,
        side: order.side,
        decision,
        code: code.into(),
        earliest: after_ms.map(|ms| world.now.saturating_plus_ms(ms)),
        at: world.now,
        ..OrderRefused::sample()
    }
}

fn order(world: &World, status: OrderStatus) -> OrderState {
    let asked = world.requests().last().unwrap().clone();
    let fills = if status == OrderStatus::Filled {
        vec![OrderFill {
            trade_id: "1".into(),
            qty_e6: asked.qty_e6,
            price_e6: asked.limit_price_e6,
            fee: None,
            at: world.now,
        }]
    } else {
        vec![]
    };
    OrderState {
        order_id: asked.order_id,
        isin: asked.isin,
        side: asked.side,
        status,
        fills,
        ended: status.is_final().then_some(world.now),
        ..OrderState::sample()
    }
}

#[test]
fn plans_three_tenths_of_a_second_after_other_holdings() {
    let mut world = World::ready();
    // And then between the hundredths of a second, where nobody else speaks.
    assert_eq!(world.engine.wake_at().unwrap().since(world.now), 305);
    world.pass(304);
    assert!(world.all::<PlanProposed>().is_empty());
    world.pass(1);
    assert_eq!(world.all::<PlanProposed>().len(), 1);
}

#[test]
fn the_best_sequence_becomes_a_plan_with_its_rivals() {
    let world = asked();
    let plan = world.plan();
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.candidate.isin, step.candidate.side)).collect();
    assert_eq!(steps, [(a(), Side::Sell), (b(), Side::Buy), (c(), Side::Buy)]);
    assert_eq!((plan.score_unchanged, plan.evaluated), (number(0.5), 7));
    assert!((plan.score_after.get() - 0.535).abs() < 1e-9);
    assert_eq!(plan.rivals.len(), 6);
    assert!(plan.rivals[0].reason.contains("0.0050 less"), "{}", plan.rivals[0].reason);
    assert!(plan.why.contains("sell 50 RHNA.EU, then buy 63 ALPB.EU"), "{}", plan.why);
    assert!(plan.steps[1].waits_for.is_some());
}

#[test]
fn candidates_have_the_sizes_of_their_rules() {
    let world = asked();
    let context = world.all::<PlanContext>().pop().flatten().unwrap();
    let found: Vec<_> = context
        .candidates
        .iter()
        .map(|one| (one.finder.as_str(), one.qty_e6, one.price_e6, one.value_eur.e4(), one.cost_eur.e4()))
        .collect();
    // A: gap 7.5 % = 3 000 EUR, but half of 100 pieces; limit 49.95 · 0.9975 up to the cent.
    let sale = ("weight_gap", pieces(50), price(49_830_000), 24_915_000, 69_830);
    // B: gap 8 % = 3 200 EUR at 50.17, the limit being 50.05 · 1.0025 down to the cent.
    let gap = ("weight_gap", pieces(63), price(50_170_000), 31_607_100, 83_215);
    // C: 1 % of 40 000 at 50.17.
    let opportunity = ("opportunity_buys", pieces(7), price(50_170_000), 3_511_900, 27_024);
    assert_eq!(found, [sale, gap, opportunity]);
    // 35 000 less 5 % of 40 000, because the regime is not known.
    assert_eq!((context.cash[0].value_eur, context.total_eur), (eur(33_000), eur(40_000)));
    assert_eq!(context.holdings.len(), 3);
}

#[test]
fn the_first_step_is_asked_for_with_its_grounds() {
    let world = asked();
    let (order, plan) = (world.requests()[0].clone(), world.plan());
    assert_eq!((order.isin, order.side, order.step), (a(), Side::Sell, 1));
    assert_eq!(plan.steps[0].order_id, Some(order.order_id));
    assert_eq!(plan.steps[0].waits_for, None);
    assert_eq!((order.state_id.as_str(), order.plan_id), ("s1", plan.plan_id));
    assert!(order.grounds.quote.is_some());
    assert_eq!(order.grounds.current_e6.map(|share| share.e6()), Some(125_000));
    assert_eq!(order.grounds.score, Some(number(0.62)));
}

#[test]
fn doing_nothing_wins_below_the_smallest_improvement() {
    for (gain, steps) in [(0.0019, 0), (0.002, 1)] {
        let mut world = World::ready();
        world.gains.clear();
        world.gains.insert((b(), Side::Buy), gain);
        world.pass(SECOND);
        let plan = world.plan();
        assert_eq!(plan.steps.len(), steps, "{gain}");
        assert_eq!(world.requests().len(), steps, "{gain}");
        if steps == 0 {
            assert!(plan.why.contains("would gain 0.0019"), "{}", plan.why);
            assert_eq!(plan.score_after, plan.score_unchanged);
            assert!(!plan.rivals.is_empty());
        }
    }
}

#[test]
fn cash_that_the_owner_keeps_back_at_run_time_is_not_planned_with() {
    for (reserve, cash) in [(500, 33_000), (2_000, 33_000), (7_000, 28_000)] {
        let mut world = asked();
        let values = [("min_cash_reserve".to_string(), reserve.into())].into();
        world.say(SettingsSnapshot { revision: 1, values });
        let is_due = world.engine.wake_at().is_some_and(|then| then.since(world.now) <= 60 * SECOND);
        assert_eq!(is_due, reserve > 500, "{reserve}: what the file says is no news");
        world.say(state("s2"));
        world.pass(SECOND);
        // Whichever is larger, this or the 5 % of an unknown market.
        let context = world.all::<PlanContext>().pop().flatten().unwrap();
        assert_eq!(context.cash[0].value_eur, eur(cash), "{reserve}");
    }
}

#[test]
fn nothing_to_propose_is_a_plan_that_says_so() {
    let mut world = World::ready();
    world.say(TargetWeights { weights: vec![target(a(), 125_000)], ..targets(world.now) });
    world.say(score(c(), 0.5));
    world.pass(SECOND);
    let plan = world.plan();
    assert!(plan.steps.is_empty() && plan.why.contains("no trade is possible"), "{}", plan.why);
    assert_eq!((world.left_out(a()), world.left_out(c())), ("on_target".into(), "on_target".into()));
}

#[test]
fn what_is_missing_or_doubtful_leaves_a_security_out() {
    type Change = fn(&mut World);
    let cases: &[(&str, Change)] = &[
        ("no_price", |world| world.clear::<Quote>(&b().to_string())),
        ("no_price", |world| world.say(Quote { price_e6: price(0), ..world.quote(b()) })),
        ("suspect_price", |world| world.say(Quote { suspect: true, ..world.quote(b()) })),
        ("stale_price", |world| {
            world.say(Quote { at: world.now.saturating_plus_ms(-31 * MINUTE), ..world.quote(b()) });
        }),
        ("stale_price", |world| {
            world.say(Quote { at: world.now.saturating_plus_ms(MINUTE), ..world.quote(b()) });
        }),
        ("wrong_currency", |world| world.say(Quote { ccy: Currency::USD, ..world.quote(b()) })),
        ("spread", |world| world.say(Quote { ask_e6: Some(price(40_000_000)), ..world.quote(b()) })),
        ("score_missing", |world| world.say(SecurityScore { total: None, ..score(b(), 0.5) })),
        ("score_missing", |world| world.clear::<SecurityScore>(&b().to_string())),
        ("venue_unknown", |world| world.clear::<Venue>("XETR")),
        ("venue_unknown", |world| world.say(Venue { reason: "beyond_calendar".into(), ..venue() })),
        ("inactive", |world| change_b(world, |security| security.active = false)),
        ("side_not_allowed", |world| change_b(world, |security| security.allow_buy = false)),
        ("concentration", |world| {
            change_b(world, |security| security.max_weight_e6 = Some(money::Weight::from_e6(6_000).unwrap()));
        }),
        ("below_min_trade", |world| change_b(world, |security| security.lot_e6 = pieces(100))),
    ];
    for (code, change) in cases {
        let mut world = World::ready();
        change(&mut world);
        world.pass(SECOND);
        assert_eq!(world.left_out(b()), *code, "{:?}", world.plan().left_out);
        assert!(world.plan().steps.iter().all(|step| step.candidate.isin != b()), "{code}");
    }
}

fn change_b(world: &mut World, change: fn(&mut contracts::Security)) {
    let mut universe = universe();
    change(&mut universe.securities[1]);
    world.say(universe);
}

#[test]
fn dollars_need_an_exchange_and_a_rate() {
    for (rates, code) in [(true, "needs_fx"), (false, "no_rate")] {
        let mut world = World::ready();
        change_b(&mut world, |security| security.ccy = Currency::USD);
        world.say(Quote { ccy: Currency::USD, ..world.quote(b()) });
        let mut rate = contracts::FxRates::sample();
        rate.rates.values_mut().for_each(|rate| rate.as_of = start());
        if !rates {
            rate.rates.clear();
        }
        world.say(rate);
        world.pass(SECOND);
        assert_eq!(world.left_out(b()), code);
    }
}

#[test]
fn a_holding_is_left_out_for_its_own_reasons() {
    let long = |days: i64| Some(start().saturating_plus_ms(-days * DAY));
    let mut blank = position();
    (blank.opened, blank.last_buy) = (None, None);
    let cases = [
        ("frozen", contracts::Position { frozen: true, ..position() }),
        ("min_hold", contracts::Position { last_buy: long(89), ..position() }),
        ("min_hold", blank),
        ("sell_cooldown", contracts::Position { last_sell: long(179), ..position() }),
        ("cost_basis_unknown", contracts::Position { avg_price_e6: None, ..position() }),
        ("max_loss", contracts::Position { avg_price_e6: Some(price(63_000_000)), ..position() }),
        ("max_sell", contracts::Position { qty_e6: pieces(1), ..position() }),
        ("short_position", contracts::Position { qty_e6: pieces(-1), ..position() }),
        ("other_bucket", contracts::Position { bucket_id: "satellite".into(), ..position() }),
    ];
    for (code, held) in cases {
        let mut world = World::ready();
        world.say(PortfolioState { positions: vec![held], ..state("s2") });
        world.pass(SECOND);
        assert_eq!(world.left_out(a()), code);
    }
    let mut world = World::ready();
    let old = contracts::Position { last_buy: long(90), last_sell: long(180), ..position() };
    world.say(PortfolioState { positions: vec![old], ..state("s2") });
    world.pass(SECOND);
    assert_eq!(world.left_out(a()), "");
}

#[test]
fn what_was_bought_or_sold_within_thirty_days_is_not_bought() {
    for (days, code) in [(29, "buy_cooldown"), (30, "")] {
        let mut world = World::ready();
        let at = Some(world.now.saturating_plus_ms(-days * DAY));
        let held = contracts::Position {
            isin: b(),
            opened: at,
            last_buy: at,
            value_eur: Some(eur(50)),
            ..position()
        };
        world.say(PortfolioState { positions: vec![held], ..state("s2") });
        world.pass(SECOND);
        assert_eq!(world.left_out(b()), code);
    }
}

#[test]
fn what_the_owner_sold_himself_is_not_bought_back_at_once() {
    for (sold, bought, code) in
        [(29, None, "recently_sold"), (30, None, ""), (30, Some(29), "buy_cooldown"), (30, Some(30), "")]
    {
        let mut world = World::ready();
        let ago = |days: i64| start().saturating_plus_ms(-days * DAY);
        let closed = vec![Closed { isin: b(), last_buy: bought.map(ago), last_sell: Some(ago(sold)) }];
        world.say(PortfolioState { closed, ..state("s2") });
        world.pass(SECOND);
        assert_eq!(world.left_out(b()), code, "{sold} {bought:?}");
    }
}

#[test]
fn a_plan_says_what_fired_also_when_the_holdings_changed_with_it() {
    // B is missing wholly: 0 of 8 %.
    let plan = asked().plan();
    assert_eq!(plan.cause, "RHNA.EU is 12.5 % of the fund and should be 5.0 %.");
    // Not again within half an hour: then it is the holdings.
    let mut world = asked();
    world.pass(MINUTE);
    let cash = Cash { amount: eur(34_000), ..state("s2").cash[0].clone() };
    world.say(PortfolioState { cash: vec![cash], ..state("s2") });
    world.pass(SECOND);
    assert_eq!(world.plan().cause, "The holdings changed.");
}

#[test]
fn a_plan_without_steps_says_why_and_what_changes_next() {
    let mut world = World::ready();
    world.gains.clear();
    let opens = world.now.saturating_plus_ms(17 * 60 * MINUTE);
    world.say(Venue { open: false, reason: "closed".into(), next_change: Some(opens), ..support::venue() });
    let bought = Closed { isin: b(), last_buy: Some(start()), last_sell: None };
    world.say(PortfolioState { closed: vec![bought], ..state("s2") });
    world.pass(SECOND);
    let plan = world.plan();
    assert!(plan.steps.is_empty());
    let reasons = " Left out: 1 × it was bought within 30 days. ";
    assert!(plan.why.contains(reasons), "{}", plan.why);
    assert!(plan.why.ends_with(&format!("opens at {opens}.")), "{}", plan.why);
}

#[test]
fn more_holdings_than_fit_are_a_trouble_and_no_silence() {
    let mut world = asked();
    let many = |count: i64| -> Vec<contracts::Position> {
        let isin = |n: i64| market::Isin::with_check_digit(&format!("XB{n:09}")).unwrap();
        (0..count).map(|n| contracts::Position { isin: isin(n), ..position() }).collect()
    };
    world.say(PortfolioState { positions: many(201), ..state("s2") });
    world.pass(SECOND);
    let trouble = world.trouble().unwrap();
    assert!(trouble.contains("do not fit into one planning context"), "{trouble}");
    assert_eq!(world.all::<PlanProposed>().last(), Some(&None), "the plan is taken back");
    world.say(state("s3"));
    world.pass(SECOND);
    assert_eq!(world.trouble(), None);
}

#[test]
fn own_fills_count_for_what_is_no_longer_held_even_after_a_restart() {
    let mut world = World::silent();
    let order_id = contracts::Id::derive(start(), &["old"]);
    let fill =
        OrderFill { at: start().saturating_plus_ms(-29 * DAY), ..OrderState::sample().fills[0].clone() };
    world.say(OrderState {
        order_id,
        isin: b(),
        side: Side::Sell,
        fills: vec![fill],
        ..OrderState::sample()
    });
    world.restart();
    world.say_all();
    world.pass(SECOND);
    assert_eq!(world.left_out(b()), "recently_sold");
    // Paper trades do not count in live mode.
    assert_eq!(state("s1").mode, Mode::Live);
}

#[test]
fn too_little_cash_buys_nothing() {
    for (cash, reserved, code) in [
        (2_200, 0, "insufficient_cash"),
        (-5, 0, "insufficient_cash"),
        (35_000, 33_000, "insufficient_cash"),
        (2_300, 0, ""),
    ] {
        let mut world = World::ready();
        // Nothing can be sold that would pay for it.
        let mut universe = universe();
        universe.securities[0].allow_sell = false;
        world.say(universe);
        let cash =
            contracts::Cash { amount: eur(cash), reserved: eur(reserved), ..state("s1").cash[0].clone() };
        world.say(PortfolioState { cash: vec![cash], ..state("s2") });
        world.pass(SECOND);
        assert_eq!(world.left_out(b()), code);
    }
}

#[test]
fn a_sale_in_the_same_plan_pays_for_a_whole_gap() {
    let mut world = World::ready();
    let cash = contracts::Cash { amount: eur(2_000), ..state("s1").cash[0].clone() };
    world.say(PortfolioState { cash: vec![cash], ..state("s2") });
    world.pass(SECOND);
    let steps = world.plan().steps;
    // The reserve leaves no cash. 50 pieces bring in 2 491.50 less 6.98: (2 484.52 − 2) / 1.002 at 50.17 are 49 pieces.
    let found: Vec<_> = steps.iter().map(|step| (step.candidate.isin, step.candidate.qty_e6)).collect();
    assert!(found.starts_with(&[(a(), pieces(50)), (b(), pieces(49))]), "{found:?}");
    assert_eq!(world.requests()[0].side, Side::Sell);
}

#[test]
fn a_gap_that_only_a_sale_can_pay_for_is_also_offered_as_large_as_the_cash_allows() {
    for (cash, sizes) in [(2_600, vec![61, 11]), (35_000, vec![63])] {
        let mut world = World::ready();
        let cash = contracts::Cash { amount: eur(cash), ..state("s1").cash[0].clone() };
        world.say(PortfolioState { cash: vec![cash], ..state("s2") });
        world.pass(SECOND);
        let context = world.context.clone().unwrap();
        let of_b = context.candidates.iter().filter(|one| one.isin == b()).map(|one| one.qty_e6);
        assert_eq!(of_b.collect::<Vec<_>>(), sizes.into_iter().map(pieces).collect::<Vec<_>>());
    }
}

#[test]
fn without_ground_nothing_is_planned_and_an_old_plan_is_taken_back() {
    let cases: Vec<PortfolioState> = vec![
        PortfolioState { stale: true, ..state("s1") },
        PortfolioState { nav: None, unvalued: vec!["X".into()], ..state("s1") },
        PortfolioState { nav: Some(eur(0)), ..state("s2") },
        PortfolioState { nav: Some(Money::from_e4(1, Currency::USD)), ..state("s3") },
        PortfolioState { environment: "live".into(), ..state("s4") },
    ];
    for state in cases {
        let mut world = asked();
        world.say(state);
        world.pass(MINUTE);
        assert_eq!(world.all::<PlanProposed>().last(), Some(&None));
        assert_eq!(world.all::<PlanContext>().last(), Some(&None));
        assert!(world.engine.is_idle());
    }
    let mut world = World::ready();
    world.clear::<TargetWeights>("");
    world.pass(SECOND);
    assert!(world.all::<PlanProposed>().is_empty());
}

#[test]
fn old_targets_are_told_from_a_week_on_and_ignored_after_thirty_days() {
    for (days, steps, told) in
        [(6, 3, None), (8, 3, Some("8 days old")), (29, 3, Some("30 on")), (31, 0, Some("ignored"))]
    {
        let mut world = World::ready();
        world.say(targets(world.now.saturating_plus_ms(-days * DAY)));
        world.pass(SECOND);
        let plan = world.plan();
        assert_eq!((plan.steps.len(), plan.targets.is_some()), (steps, days <= 30), "{days}: {}", plan.why);
        assert_eq!(world.requests().len(), usize::from(steps > 0), "{days}");
        match told {
            None => assert_eq!(world.trouble(), None),
            Some(told) => assert!(world.trouble().unwrap().contains(told), "{:?}", world.trouble()),
        }
        if days == 31 {
            assert_eq!(
                (world.left_out(a()), world.left_out(b())),
                ("no_targets".into(), "no_targets".into())
            );
        }
        world.say(targets(world.now));
        world.live(MINUTE);
        assert_eq!((world.trouble(), world.requests().len()), (None, 1), "newer targets end it");
    }
}

#[test]
fn what_the_targets_expect_no_return_of_is_not_bought() {
    for expected in [None, Some(number(0.08))] {
        let mut world = World::ready();
        let weights = vec![
            target(a(), 50_000),
            contracts::TargetWeight { expected_return: expected, ..target(b(), 80_000) },
        ];
        world.say(TargetWeights { weights, ..targets(world.now) });
        world.pass(SECOND);
        let code = if expected.is_some() { "" } else { "no_expected_return" };
        assert_eq!(world.left_out(b()), code);
        assert_eq!(world.left_out(c()), "no_expected_return", "the targets do not list it");
    }
}

#[test]
fn figures_at_the_end_of_their_range_do_not_stop_the_planner() {
    let most = Money::from_e4(i64::MAX, Currency::EUR);
    let mut world = World::ready();
    let cash = contracts::Cash {
        bucket_id: "core".into(),
        amount: most,
        reserved: eur(0),
        pending_in: None,
        pending_out: None,
        spendable: None,
    };
    let huge = contracts::Position {
        value_eur: Some(most),
        qty_e6: money::Quantity::from_e6(i64::MAX).unwrap(),
        ..position()
    };
    world.say(PortfolioState {
        nav: Some(most),
        cash: vec![cash.clone(), cash],
        positions: vec![huge.clone(), huge],
        ..state("s2")
    });
    world.say(Quote { price_e6: price(i64::MAX), ask_e6: None, bid_e6: None, ..world.quote(b()) });
    world.pass(MINUTE);
    assert!(world.requests().is_empty());
}

#[test]
fn the_same_content_is_not_planned_twice() {
    let mut world = asked();
    let jobs = world.all::<PlanJob>().len();
    world.say(PlanNow::sample());
    assert_eq!(world.all::<Reply>().len(), 1);
    assert!(world.engine.wake_at().unwrap().since(world.now) <= 10);
    world.say_all();
    world.pass(2 * MINUTE);
    assert_eq!(world.all::<PlanJob>().len(), jobs);
    assert_eq!(world.requests().len(), 1);
}

#[test]
fn changes_that_matter_are_planned_at_most_every_thirty_seconds() {
    let mut world = asked();
    let planned = world.now.saturating_plus_ms(-695);
    world.say(Quote { price_e6: price(50_400_000), ..world.quote(b()) });
    assert!(world.engine.wake_at().unwrap().since(world.now) > 30 * SECOND);
    let dearer = Quote { price_e6: price(50_500_000), ask_e6: Some(price(50_600_000)), ..world.quote(b()) };
    world.say(dearer);
    assert_eq!(world.engine.wake_at().unwrap().since(planned), 30 * SECOND);
    let contexts = world.all::<PlanContext>().len();
    world.pass(30 * SECOND);
    assert_eq!(world.all::<PlanContext>().len(), contexts + 1);
}

#[test]
fn a_restart_keeps_the_plan_and_asks_for_nothing_again() {
    let mut world = asked();
    let (plan, jobs) = (world.plan(), world.all::<PlanJob>().len());
    world.restart();
    world.say_all();
    world.pass(MINUTE);
    assert_eq!(world.requests().len(), 1);
    assert_eq!(world.all::<PlanJob>().len(), jobs);
    assert_eq!(world.plan(), plan);
    let repeated = world.engine.repeat();
    assert!(repeated.iter().any(|said| said.topic.contains("order/requested") && !said.payload.is_empty()));
}

#[test]
fn a_restart_in_the_middle_of_a_round_plans_again_under_new_numbers() {
    let mut world = World::ready();
    world.answers = false;
    world.pass(400);
    let first = world.all::<PlanJob>().pop().flatten().unwrap();
    assert!(!world.engine.is_idle());
    world.restart();
    world.answers = true;
    world.say_all();
    world.pass(SECOND);
    let second = world.all::<PlanJob>().pop().flatten().unwrap();
    assert!(second.n > first.n && second.context_id != first.context_id);
    assert_eq!(world.requests().len(), 1);
    assert!(world.engine.is_idle());
}

#[test]
fn an_unanswered_job_comes_again_five_times_and_then_there_is_no_plan() {
    let mut world = World::ready();
    world.answers = false;
    world.pass(350);
    assert!(!world.engine.is_idle());
    world.pass(15_500);
    let attempts: Vec<u32> = world.all::<PlanJob>().into_iter().flatten().map(|job| job.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4, 5, 6]);
    world.pass(16_000);
    assert!(world.engine.is_idle());
    assert!(world.trouble().unwrap().contains("no evaluator"));
    assert!(world.all::<PlanProposed>().iter().all(Option::is_none));
    world.answers = true;
    world.live(6 * MINUTE);
    assert_eq!(world.requests().len(), 1);
    assert_eq!(world.trouble(), None);
}

#[test]
fn a_late_answer_still_counts_and_a_foreign_one_does_not() {
    let mut world = World::ready();
    world.answers = false;
    world.pass(2 * SECOND);
    let job = world.all::<PlanJob>().pop().flatten().unwrap();
    let right = world.evaluate(&job, "evaluate-1");
    world.say(PlanResult { context_id: "other".into(), ..right.clone() });
    world.say(PlanResult { n: 99, ..right.clone() });
    world.say(PlanResult { evaluated: 3, ..right.clone() });
    assert!(world.requests().is_empty());
    assert!(world.trouble().is_some());
    world.say(right.clone());
    world.say(right);
    assert_eq!((world.requests().len(), world.trouble()), (1, None));
}

#[test]
fn several_evaluators_in_any_order_make_the_same_plan() {
    let one = asked();
    let mut other = World::ready();
    other.two_workers = true;
    other.pass(SECOND);
    assert_eq!(one.plan(), other.plan());
    assert_eq!(one.requests(), other.requests());
}

#[test]
fn nothing_is_asked_for_while_halted_or_before_the_gate_has_spoken() {
    for known in [true, false] {
        let mut world = World::ready();
        if known {
            world.say(halt(true));
        } else {
            world.clear::<RiskHalt>("");
        }
        world.pass(SECOND);
        assert!(world.requests().is_empty());
        assert!(world.waits_for().contains("halted"), "{}", world.waits_for());
        world.say(halt(false));
        world.pass(MINUTE);
        assert_eq!(world.requests().len(), 1);
    }
}

#[test]
fn the_breaker_stops_what_it_stops() {
    for (breaker, count) in
        [(Breaker::Normal, 1), (Breaker::SellsBlocked, 0), (Breaker::Halted, 0), (Breaker::Unknown, 0)]
    {
        let mut world = World::ready();
        world.gains.retain(|(_, side), _| *side == Side::Sell);
        world.say(RiskState { breaker, ..RiskState::sample() });
        world.pass(SECOND);
        assert_eq!(world.requests().len(), count, "{breaker:?}");
    }
}

#[test]
fn the_first_step_that_waits_for_nothing_is_asked_for() {
    let mut world = World::ready();
    world.say(RiskState { breaker: Breaker::SellsBlocked, ..RiskState::sample() });
    world.pass(SECOND);
    let (plan, asked) = (world.plan(), world.requests());
    assert_eq!((asked.len(), asked[0].isin, asked[0].step), (1, b(), 2));
    assert!(world.waits_for().contains("nothing is sold"), "{}", world.waits_for());
    assert_eq!((plan.steps[0].order_id, plan.steps[1].order_id), (None, Some(asked[0].order_id)));
    let third = plan.steps[2].waits_for.clone().unwrap();
    assert!(third.contains("planned afresh"), "{third}");
}

#[test]
fn a_purchase_that_a_waiting_sale_must_pay_for_waits_too_and_says_so() {
    let mut world = World::ready();
    world.say(RiskState { breaker: Breaker::SellsBlocked, ..RiskState::sample() });
    let cash = contracts::Cash { amount: eur(2_000), ..state("s1").cash[0].clone() };
    world.say(PortfolioState { cash: vec![cash], ..state("s2") });
    world.pass(SECOND);
    assert!(world.requests().is_empty());
    let second = world.plan().steps[1].waits_for.clone().unwrap();
    assert!(second.contains("do not pay for it yet"), "{second}");
    let contexts = world.all::<PlanContext>().len();
    world.pass(MINUTE);
    assert_eq!(world.all::<PlanContext>().len(), contexts, "it waits and does not spin");
}

#[test]
fn a_deferred_step_lets_the_next_one_go() {
    let mut world = asked();
    world.say(refused(&world, Refusal::Defer, "market_closed", Some(40 * MINUTE)));
    world.pass(SECOND);
    let asked = world.requests();
    assert_eq!((asked.len(), asked[1].isin, asked[1].side), (2, b(), Side::Buy));
    assert!(world.waits_for().contains("market_closed"), "{}", world.waits_for());
}

#[test]
fn nothing_is_asked_for_while_an_order_is_open() {
    let mut world = World::ready();
    let open = OpenOrder { isin: c(), ..PortfolioState::sample().open_orders[0].clone() };
    world.say(PortfolioState { open_orders: vec![open], ..state("s2") });
    world.pass(SECOND);
    assert_eq!((world.requests().len(), world.left_out(c())), (0, "open_order".into()));
    world.say(state("s3"));
    world.pass(SECOND);
    assert_eq!(world.requests().len(), 1);
}

#[test]
fn a_venue_must_have_been_open_for_ten_minutes_and_be_open_still() {
    let cases = [
        (Some(9), Some(100), true, 0),
        (Some(10), Some(100), true, 1),
        (Some(90), Some(1), true, 1),
        (Some(90), Some(0), true, 0),
        (None, Some(100), true, 0),
        (Some(90), None, true, 0),
        (Some(90), Some(100), false, 0),
    ];
    for (since_open_min, until_close_min, open, count) in cases {
        let mut world = World::ready();
        world.say(Venue { open, since_open_min, until_close_min, next_change: None, ..venue() });
        world.pass(400);
        assert_eq!(world.requests().len(), count, "{since_open_min:?} {until_close_min:?} {open}");
    }
}

#[test]
fn a_step_is_asked_for_when_its_venue_has_been_open_long_enough() {
    let mut world = World::ready();
    world.say(Venue { since_open_min: Some(0), ..venue() });
    world.pass(9 * MINUTE);
    assert!(world.waits_for().contains("has not been open for 10 minutes"), "{}", world.waits_for());
    world.pass(MINUTE + SECOND);
    assert_eq!(world.requests().len(), 1);
}

/// Closed since 16:30 UTC, with prices of its last minutes.
fn shut_in_the_evening() -> World {
    let mut world = World::ready();
    world.say(Venue { open: false, reason: "after_close".into(), next_change: None, ..venue() });
    world.pass(115 * MINUTE);
    quote_again(&mut world);
    world.pass(3 * 60 * MINUTE);
    world
}

fn quote_again(world: &mut World) {
    for isin in [a(), b(), c()] {
        world.say(Quote { at: world.now, ..world.quote(isin) });
    }
}

#[test]
fn while_everything_is_shut_the_plan_is_one_for_the_next_opening() {
    let mut world = shut_in_the_evening();
    let plan = world.plan();
    assert!(!plan.steps.is_empty() && world.requests().is_empty(), "{}", plan.why);
    assert!(world.waits_for().contains("closed (after_close)"), "{}", world.waits_for());
    // It opens, and the first price of the day comes late and is the same as before.
    world.pass(12 * 60 * MINUTE);
    world.say(Venue { since_open_min: Some(10), ..venue() });
    world.pass(40 * SECOND);
    assert!(world.waits_for().contains("a newer one must come first"), "{}", world.waits_for());
    assert!(world.requests().is_empty());
    quote_again(&mut world);
    world.pass(2 * MINUTE);
    assert_eq!(world.requests().len(), 1, "{}", world.waits_for());
}

#[test]
fn while_one_venue_is_open_what_trades_at_another_waits_for_its_turn() {
    let mut world = World::ready();
    change_b(&mut world, |security| security.mic = "XNYS".parse().unwrap());
    let shut = |mic: &str| Venue {
        mic: mic.parse().unwrap(),
        open: false,
        reason: "after_close".into(),
        next_change: None,
        ..venue()
    };
    world.say(shut("XNYS"));
    world.pass(SECOND);
    assert_eq!(world.left_out(b()), "venue_closed");
    assert_eq!(world.requests()[0].isin, a());
    let mut world = World::ready();
    change_b(&mut world, |security| security.mic = "XNYS".parse().unwrap());
    world.say(shut("XNYS"));
    world.say(shut("XETR"));
    world.pass(SECOND);
    assert!(world.plan().steps.iter().any(|step| step.candidate.isin == b()), "{}", world.plan().why);
}

#[test]
fn a_deferred_step_waits_and_is_asked_for_under_a_new_id() {
    for code in ["min_gap", "market_closed"] {
        let mut world = asked_to_sell();
        world.say(refused(&world, Refusal::Defer, code, Some(40 * MINUTE)));
        world.live(39 * MINUTE);
        assert_eq!(world.requests().len(), 1, "{code}");
        world.live(2 * MINUTE);
        let requests = world.requests();
        assert_eq!(requests.len(), 2, "{code}");
        assert_ne!(requests[0].order_id, requests[1].order_id);
        assert_eq!(requests[0].isin, requests[1].isin);
    }
}

#[test]
fn the_same_content_at_the_same_instant_is_never_asked_for_twice() {
    let mut world = asked();
    world.now = world.plan().at;
    world.say(refused(&world, Refusal::Defer, "stale_price", Some(0)));
    world.say(PlanNow::sample());
    world.pass(0);
    assert_eq!(world.requests().len(), 1);
    world.pass(SECOND);
    let ids: std::collections::BTreeSet<_> = world.requests().iter().map(|order| order.order_id).collect();
    assert_eq!((world.requests().len(), ids.len()), (2, 2));
}

#[test]
fn a_deferral_without_a_time_is_tried_again_after_five_minutes() {
    let mut world = asked_to_sell();
    world.say(refused(&world, Refusal::Defer, "stale_price", None));
    world.live(5 * MINUTE - SECOND);
    assert_eq!(world.requests().len(), 1);
    world.live(3 * SECOND);
    assert_eq!(world.requests().len(), 2);
}

#[test]
fn a_blocked_security_is_dropped_for_a_day_even_after_a_restart() {
    let mut world = asked();
    let no = refused(&world, Refusal::Block, "max_loss", None);
    world.say(no.clone());
    world.live(5 * MINUTE);
    assert_eq!(world.left_out(a()), "blocked");
    assert_eq!(world.requests().len(), 2);
    assert_eq!(world.requests()[1].isin, b());
    world.restart();
    world.say_all();
    world.say(no);
    world.pass(MINUTE);
    assert_eq!(world.left_out(a()), "blocked");
    assert_eq!(world.requests().len(), 2);
}

#[test]
fn a_rejected_order_keeps_its_security_out() {
    let mut world = asked();
    world.say(approved(&world));
    world.say(order(&world, OrderStatus::Rejected));
    world.live(5 * MINUTE);
    assert_eq!(world.left_out(a()), "blocked");
}

#[test]
fn only_one_request_is_open_at_a_time() {
    let mut world = asked();
    world.say(approved(&world));
    world.say(order(&world, OrderStatus::Accepted));
    world.say(Quote { price_e6: price(51_000_000), ..world.quote(c()) });
    world.live(20 * MINUTE);
    assert_eq!(world.requests().len(), 1);
    assert_eq!(world.cleared_requests(), 0);
    assert_eq!(world.left_out(a()), "open_order");
    assert!(world.waits_for().contains("not over"), "{}", world.waits_for());
}

#[test]
fn a_fill_must_be_in_the_books_before_the_next_request() {
    let mut world = asked();
    world.say(order(&world, OrderStatus::Filled));
    world.restart();
    world.say_all();
    world.say(order(&world, OrderStatus::Filled));
    world.live(5 * MINUTE);
    assert_eq!((world.requests().len(), world.left_out(a())), (1, "min_hold".into()));
    assert!(world.waits_for().contains("not in the books"), "{}", world.waits_for());
    world.say(state("s2"));
    world.live(MINUTE);
    assert_eq!(world.requests().len(), 2);
}

#[test]
fn a_request_ends_ten_minutes_after_its_order() {
    let mut world = asked();
    world.say(approved(&world));
    world.say(order(&world, OrderStatus::Filled));
    world.pass(10 * MINUTE - 1);
    assert_eq!(world.cleared_requests(), 0);
    world.pass(1);
    assert_eq!((world.cleared_requests(), world.trouble()), (1, None));
    world.restart();
    world.pass(MINUTE);
    assert_eq!(world.cleared_requests(), 1);
}

#[test]
fn a_request_that_nobody_answers_is_given_up_after_ten_minutes() {
    for verdict in [false, true] {
        let mut world = asked();
        if verdict {
            world.say(approved(&world));
        }
        world.pass(10 * MINUTE - SECOND);
        assert_eq!(world.cleared_requests(), 0);
        world.pass(SECOND);
        assert_eq!(world.cleared_requests(), 1);
        assert!(world.trouble().unwrap().contains("given up"));
        // The question is asked anew; an answer ends the trouble.
        world.pass(100);
        assert_eq!(world.requests().len(), 2);
        world.say(order(&world, OrderStatus::Accepted));
        assert_eq!(world.trouble(), None);
    }
}

#[test]
fn a_price_that_runs_away_before_the_request_is_planned_afresh() {
    let mut world = World::ready();
    world.answers = false;
    world.pass(400);
    let job = world.all::<PlanJob>().pop().flatten().unwrap();
    world.say(Quote { price_e6: price(52_000_000), ..world.quote(a()) });
    let result = world.evaluate(&job, "evaluate-1");
    world.say(result);
    assert!(world.requests().is_empty());
    assert!(world.waits_for().contains("moved more than 1 %"), "{}", world.waits_for());
    world.answers = true;
    world.pass(MINUTE);
    assert_eq!(world.requests().len(), 1);
}

#[test]
fn a_plan_of_yesterday_is_made_anew() {
    let mut world = World::ready();
    world.gains.clear();
    world.pass(SECOND);
    let first = world.plan();
    world.live(DAY);
    assert!(world.plan().at > first.at);
    assert!(world.requests().is_empty());
}

#[test]
fn views_show_plans_and_requests() {
    let world = asked();
    let rows = world.rows();
    let plan: (String, i64, String) = rows
        .query_row("SELECT plan_id, ts, json_extract(body, '$.context_id') FROM api_plan", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(plan.0, world.plan().plan_id.to_string());
    assert_eq!(plan.2, world.plan().context_id);
    let request: (String, String, String) = rows
        .query_row("SELECT order_id, plan_id, json_extract(body, '$.side') FROM api_request", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(request, (world.requests()[0].order_id.to_string(), plan.0, "sell".into()));
}

#[test]
fn a_bad_setting_stops_the_start_with_a_sentence() {
    use bus_client::{Config, Engine, Place};
    let text = "environment = \"sim:1\"\ndir = \"x\"\n[stage.plan]\nmax_depth = 11\n";
    let config = Config::parse(text, std::path::Path::new("steward.toml")).unwrap();
    let opened = Engine::<plan::Plan>::open(&config, "plan", Some(Place::Memory("bad".into())), start());
    let sentence = opened.err().unwrap().to_string();
    assert!(sentence.contains("max_depth = 11 is not within 1 to 10"), "{sentence}");
}

/// A debt in EUR, and holdings that could be sold for it.
fn in_debt(world: &World, state_id: &str) -> PortfolioState {
    let cash = contracts::Cash { amount: eur(-500), ..state("s1").cash[0].clone() };
    PortfolioState { cash: vec![cash], at: world.now, nav: Some(eur(4_500)), ..state(state_id) }
}

#[test]
fn a_debt_that_two_readings_confirm_is_covered_by_one_emergency_sale() {
    let mut world = World::ready();
    world.gains.clear();
    world.say(RiskState { breaker: Breaker::Normal, ..RiskState::sample() });
    world.say(in_debt(&world, "debt"));
    world.pass(SECOND);
    assert!(world.requests().is_empty());
    assert!(world.trouble().unwrap().contains("second reading"), "{:?}", world.trouble());
    world.pass(MINUTE);
    world.say(in_debt(&world, "debt"));
    world.pass(SECOND);
    let asked = world.requests();
    assert_eq!(asked.len(), 1);
    // (500 + 2) / 0.998 at the limit of 49.83, rounded up.
    assert_eq!(
        (asked[0].kind, asked[0].side, asked[0].qty_e6),
        (OrderKind::Emergency, Side::Sell, pieces(11))
    );
    assert!(world.trouble().unwrap().contains("-500"), "{:?}", world.trouble());
    // While it is open nothing more is asked for, and the next one waits.
    world.say(in_debt(&world, "debt"));
    world.pass(MINUTE);
    assert_eq!(world.requests().len(), 1);
    world.say(state("s9"));
    world.pass(SECOND);
    assert_eq!(world.trouble(), None);
}

/// A fund that owes 500 EUR and has dollars; the pair trades at this price, if at all.
fn with_dollars(price: Option<&str>) -> World {
    let mut world = World::ready();
    world.gains.clear();
    world.say(RiskState { breaker: Breaker::Normal, ..RiskState::sample() });
    if let Some(price) = price {
        world.say(Venue { mic: contracts::pair_venue(), ..support::venue() });
        world.say(pair(&world, price));
    }
    for _ in 0..2 {
        world.say(debt_and_dollars(&world));
        world.pass(MINUTE + SECOND);
    }
    world
}

/// The price of a euro in dollars.
fn pair(world: &World, price: &str) -> Quote {
    Quote {
        isin: contracts::pair_isin(Currency::EUR, Currency::USD).unwrap(),
        mic: contracts::pair_venue(),
        ccy: Currency::USD,
        price_e6: price.parse().unwrap(),
        bid_e6: None,
        ask_e6: None,
        at: world.now,
        ..Quote::sample()
    }
}

fn rates_of(world: &World) -> contracts::FxRates {
    let mut rates = contracts::FxRates::sample();
    rates.rates.values_mut().for_each(|rate| rate.as_of = world.now);
    rates
}

fn debt_and_dollars(world: &World) -> PortfolioState {
    let mut debt = in_debt(world, "debt");
    debt.cash.push(contracts::Cash {
        amount: Money::parse("5000 USD").unwrap(),
        reserved: Money::zero(Currency::USD),
        ..state("s1").cash[0].clone()
    });
    debt
}

#[test]
fn a_debt_that_another_currency_covers_is_exchanged_and_sells_nothing() {
    let world = with_dollars(Some("1.12"));
    let asked = world.requests();
    assert_eq!(asked.len(), 1, "{:?}", world.trouble());
    let one = &asked[0];
    assert_eq!((one.kind, one.side), (OrderKind::Emergency, Side::Buy), "EUR are bought");
    assert_eq!(contracts::pair_of(&one.isin), Some((Currency::EUR, Currency::USD)));
    assert_eq!(one.qty_e6, pieces(502), "what is owed, and what curing it may cost");
    assert!(one.reason.contains("-500"), "{}", one.reason);
    assert!(world.trouble().unwrap().contains("EUR/USD"), "{:?}", world.trouble());
}

#[test]
fn a_rescue_is_a_plan_of_its_own_and_no_other_is_made_until_its_order_ends() {
    let mut world = with_dollars(Some("1.12"));
    let asked = world.requests().remove(0);
    let rescue = world.plan();
    assert_eq!((rescue.kind, rescue.plan_id, rescue.at), (PlanKind::Rescue, asked.plan_id, asked.at));
    assert_eq!(rescue.steps.len(), 1);
    let step = &rescue.steps[0];
    assert_eq!((step.order_id, step.candidate.qty_e6), (Some(asked.order_id), asked.qty_e6));
    assert!(rescue.why.contains("-500") && rescue.why.contains("EUR/USD"), "{}", rescue.why);
    // Other prices, and a person who asks, get the same; a restart forgets nothing.
    world.say(score(a(), 0.9));
    world.say(order(&world, OrderStatus::Accepted));
    world.pass(MINUTE);
    world.restart();
    world.say(PlanNow::sample());
    world.pass(SECOND);
    assert_eq!(world.plan(), rescue);
    assert_eq!(world.requests().len(), 1);
    // Past its day it stands as long as its order does.
    world.pass(25 * 60 * MINUTE);
    assert_eq!(world.plan().plan_id, rescue.plan_id);
    world.say(order(&world, OrderStatus::Cancelled));
    world.say(state("s9"));
    world.pass(MINUTE);
    assert_ne!(
        world.all::<PlanProposed>().last().cloned().flatten().map(|plan| plan.kind),
        Some(PlanKind::Rescue)
    );
}

#[test]
fn a_debt_is_exchanged_without_targets_securities_or_a_value_of_the_fund() {
    let mut world = World::silent();
    world.say(RiskState { breaker: Breaker::Normal, ..RiskState::sample() });
    world.say(RiskHalt { halted: false, halts: vec![], at: world.now });
    world.say(rates_of(&world));
    world.say(Venue { mic: contracts::pair_venue(), ..support::venue() });
    world.say(pair(&world, "1.12"));
    for environment in ["live", "sim:1"] {
        assert!(world.requests().is_empty(), "the account of another environment is none of ours");
        for _ in 0..2 {
            let debt = PortfolioState { environment: environment.into(), ..debt_and_dollars(&world) };
            world.say(PortfolioState { nav: None, unvalued: vec!["X".into()], ..debt });
            world.pass(MINUTE + SECOND);
        }
    }
    assert_eq!(world.requests().len(), 1, "{:?}", world.trouble());
    assert_eq!(world.requests()[0].kind, OrderKind::Emergency);
}

#[test]
fn a_debt_is_sold_for_while_the_targets_are_missing_or_old() {
    for targets in [None, Some(31)] {
        let mut world = World::ready();
        world.gains.clear();
        match targets {
            None => world.clear::<TargetWeights>(""),
            Some(days) => world.say(support::targets(world.now.saturating_plus_ms(-days * DAY))),
        }
        world.say(RiskState { breaker: Breaker::Normal, ..RiskState::sample() });
        for _ in 0..2 {
            world.say(in_debt(&world, "debt"));
            world.pass(MINUTE + SECOND);
        }
        let asked = world.requests();
        assert_eq!(
            (asked.len(), asked[0].kind, asked[0].side),
            (1, OrderKind::Emergency, Side::Sell),
            "{targets:?}"
        );
    }
}

#[test]
fn an_exchange_without_a_price_of_the_pair_or_far_from_the_reference_is_waited_for() {
    for (price, why) in [(None, "trades now"), (Some("2.2"), "1 % from the reference")] {
        let world = with_dollars(price);
        assert!(world.requests().is_empty(), "{price:?}");
        assert!(world.trouble().unwrap().contains(why), "{:?}", world.trouble());
    }
}

#[test]
fn a_refused_exchange_is_not_asked_for_again_at_once() {
    let mut world = with_dollars(Some("1.12"));
    let asked = world.requests();
    world.say(contracts::OrderRefused {
        order_id: asked[0].order_id,
        isin: asked[0].isin,
        side: asked[0].side,
        code: "pending_order".into(),
        decision: contracts::Refusal::Defer,
        at: world.now,
        earliest: None,
        ..contracts::OrderRefused::sample()
    });
    world.say(debt_and_dollars(&world));
    world.pass(MINUTE);
    assert_eq!(world.requests().len(), 1);
    assert!(world.trouble().unwrap().contains("rests"), "{:?}", world.trouble());
}

#[test]
fn a_debt_while_trading_is_halted_only_tells() {
    let mut world = World::ready();
    world.say(RiskState { breaker: Breaker::Halted, ..RiskState::sample() });
    for _ in 0..2 {
        world.say(in_debt(&world, "debt"));
        world.pass(MINUTE + SECOND);
    }
    assert!(world.requests().is_empty());
    assert!(world.trouble().unwrap().contains("halted"), "{:?}", world.trouble());
}
