//! Dividends wait for a purchase however long ago they were paid, less their tax, whatever restarts meanwhile.
#![allow(clippy::unwrap_used)]

mod support;

use contracts::{Flow, FlowKind, Id, Sample, SecurityScore, Side, TargetWeights};
use money::Weight;
use support::*;

/// A flow of B, as it is said on the day it is paid.
fn paid(world: &World, name: &str, kind: FlowKind, units: i64) -> Flow {
    Flow {
        id: Id::derive(world.now, &[name]),
        kind,
        day: world.now.day_utc(),
        amount: eur(units),
        amount_eur: Some(eur(units)),
        isin: Some(b()),
        ..Flow::sample()
    }
}

/// Nothing speaks for B but what it pays.
fn say_all(world: &mut World) {
    world.say_all();
    let mut targets = TargetWeights { at: world.now, ..targets(world.now) };
    targets.weights.iter_mut().filter(|one| one.isin == b()).for_each(|one| one.weight_e6 = Weight::ZERO);
    world.say(targets);
    let mut pays = SecurityScore { bars_until: Some(world.now.day_utc()), ..score(b(), 0.62) };
    pays.inputs.insert("dividend_yield".into(), number(0.05));
    world.say(pays);
}

/// Why B would be bought, if it would be.
fn reason(world: &World) -> Option<String> {
    let candidates = &world.context.as_ref().unwrap().candidates;
    let bought = candidates.iter().find(|one| (one.isin, one.side) == (b(), Side::Buy))?;
    Some(bought.reason.clone())
}

#[test]
fn a_dividend_of_last_month_is_spent_less_its_tax_after_a_restart() {
    let mut world = World::silent();
    let (dividend, tax) =
        (paid(&world, "paid", FlowKind::Dividend, 400), paid(&world, "tax", FlowKind::Tax, -100));
    world.say(dividend.clone());
    world.say(tax.clone());
    // The statements end after a week.
    world.pass(8 * DAY);
    world.clear::<Flow>(&dividend.id.to_string());
    world.clear::<Flow>(&tax.id.to_string());
    world.pass(22 * DAY);
    world.restart();
    say_all(&mut world);
    world.pass(SECOND);
    assert_eq!(reason(&world).unwrap(), "It paid 300.00 EUR in dividends that no purchase has used yet.");
}

#[test]
fn dividends_of_every_quarter_add_up_to_the_smallest_trade() {
    let mut world = World::silent();
    for (quarter, enough) in [(1, false), (2, false), (3, false), (4, true)] {
        let dividend = paid(&world, "paid", FlowKind::Dividend, 70);
        world.say(dividend.clone());
        world.clear::<Flow>(&dividend.id.to_string());
        world.restart();
        say_all(&mut world);
        world.pass(SECOND);
        assert_eq!(reason(&world).is_some(), enough, "quarter {quarter}");
        world.pass(91 * DAY);
        world.restart();
    }
}
