//! Stands in for `plan`, and wants everything: sensible orders, greedy ones, wrong ones, at any moment. What it must not
//! do is for the gate to find out.

use std::collections::BTreeMap;

use contracts::{
    Grounds, Id, OrderKind, OrderRequested, PortfolioState, Quote, Sample, Side, Universe, pair_of,
    pair_venue,
};
use market::Isin;
use money::{Currency, Money, Price, Quantity};

use crate::rig::Rig;

/// Asks for one order, if there is anything to ask for.
pub fn ask(rig: &mut Rig) {
    let (Some(state), Some(universe)) = (rig.statement::<PortfolioState>(""), rig.statement::<Universe>(""))
    else {
        return;
    };
    let quotes: BTreeMap<Isin, Quote> =
        rig.statements::<Quote>().into_iter().map(|quote| (quote.isin, quote)).collect();
    if rig.exchanges.chance(200) {
        ask_exchange(rig, &state, &quotes);
        return;
    }
    let wanted = usize::try_from(rig.dice.roll(universe.securities.len() as u64)).unwrap_or(0);
    let Some(security) = universe.securities.get(wanted) else { return };
    let Some(quote) = quotes.get(&security.isin) else { return };
    let held = state.position(&security.isin).map_or(0, |position| position.qty_e6.e6() / 1_000_000);
    let lot = (security.lot_e6.e6() / 1_000_000).max(1);
    let sells = held > 0 && rig.dice.chance(450);
    let side = if sells { Side::Sell } else { Side::Buy };
    let kind = match rig.dice.roll(10) {
        0..=5 => OrderKind::Normal,
        6 | 7 => OrderKind::Manual,
        _ => OrderKind::Emergency,
    };
    let last = quote.price_e6.e6();
    let tick = security.tick_e6.map_or(10_000, Price::e6).max(1);
    let units = units(rig, &state, security.ccy, last, held, lot, side);
    let mut limit = match side {
        Side::Buy => quote.ask_e6.map_or(last, Price::e6) + last / 500,
        Side::Sell => quote.bid_e6.map_or(last, Price::e6) - last / 500,
    };
    // A limit that a wrong price would make, and one that is never reached.
    match rig.dice.roll(20) {
        0 => limit = limit * 3 / 2,
        1 => limit = if side == Side::Buy { last - last / 120 } else { last + last / 120 },
        _ => {}
    }
    limit -= limit % tick;
    let (Ok(qty_e6), Ok(limit_price_e6)) = (Quantity::from_units(units), Price::from_e6(limit)) else {
        return;
    };
    let stale = rig.dice.chance(40);
    let stop_loss = rig.dice.chance(50);
    let wish = wish(rig, &state, quote);
    let state_id = if stale { "another".into() } else { wish.state_id.clone() };
    let (mic, ccy) = (security.mic, security.ccy);
    say(rig, OrderRequested { kind, side, mic, ccy, qty_e6, limit_price_e6, state_id, stop_loss, ..wish });
}

/// What every request has in common; which way and how much is left open.
fn wish(rig: &Rig, state: &PortfolioState, quote: &Quote) -> OrderRequested {
    let at = rig.stage_now();
    let number = rig.asked.len().to_string();
    let sample = OrderRequested::sample();
    OrderRequested {
        order_id: Id::derive(at, &["proposer", &number]),
        plan_id: Id::derive(at, &["plan", &number]),
        step: 1,
        bucket_id: "core".into(),
        isin: quote.isin,
        value_eur: Money::zero(Currency::EUR),
        fee_eur: Money::zero(Currency::EUR),
        state_id: state.state_id.clone(),
        at,
        reason: "Because it wants to.".into(),
        stop_loss: false,
        grounds: Grounds { quote_price_e6: quote.price_e6, quote_at: quote.at, ..sample.grounds },
        ..sample
    }
}

fn say(rig: &mut Rig, request: OrderRequested) {
    rig.asked.insert(request.order_id.to_string(), rig.now());
    rig.say_as("plan", request);
}

/// Asks for an exchange: mostly a small one at a sensible price, sometimes of money that is not there.
fn ask_exchange(rig: &mut Rig, state: &PortfolioState, quotes: &BTreeMap<Isin, Quote>) {
    let pairs: Vec<(&Quote, (Currency, Currency))> =
        quotes.values().filter_map(|quote| Some((quote, pair_of(&quote.isin)?))).collect();
    let dice = &mut rig.exchanges;
    let place = usize::try_from(dice.roll(pairs.len() as u64)).unwrap_or(0);
    let Some((quote, (base, ccy))) = pairs.get(place).copied() else { return };
    let side = if dice.chance(500) { Side::Sell } else { Side::Buy };
    let last = quote.price_e6.e6();
    let step = if [base, ccy].contains(&Currency::HKD) { 10 } else { 100 };
    let limit = match side {
        Side::Buy => quote.ask_e6.map_or(last, Price::e6) * 1_001 / 1_000 / step * step,
        Side::Sell => (quote.bid_e6.map_or(last, Price::e6) * 999 / 1_000 / step + 1) * step,
    };
    let units = if dice.chance(150) { dice.between(1_000, 20_000) } else { dice.between(5, 300) };
    let kind = if dice.chance(300) { OrderKind::Emergency } else { OrderKind::Normal };
    let (Ok(qty_e6), Ok(limit_price_e6)) = (Quantity::from_units(units), Price::from_e6(limit)) else {
        return;
    };
    let wish = wish(rig, state, quote);
    say(rig, OrderRequested { kind, side, mic: pair_venue(), ccy, qty_e6, limit_price_e6, ..wish });
}

/// How many: mostly what makes sense, sometimes far too many, sometimes no whole lot.
fn units(
    rig: &mut Rig,
    state: &PortfolioState,
    ccy: Currency,
    last: i64,
    held: i64,
    lot: i64,
    side: Side,
) -> i64 {
    let whole = |units: i64| (units / lot).max(1) * lot;
    let cash = state.cash_in(ccy).map_or(0, |cash| cash.amount.e4()).max(0);
    let affordable = i64::try_from(i128::from(cash) * 100 / i128::from(last.max(1))).unwrap_or(0);
    match (rig.dice.roll(10), side) {
        (0, Side::Sell) => held + lot,
        (1, Side::Sell) => held,
        (2, _) => whole(1) + 1,
        (_, Side::Sell) => whole(held / 3),
        // All the money there is, and a little more.
        (0, Side::Buy) => whole(affordable + affordable / 30 + lot),
        (1, Side::Buy) => whole(affordable),
        (_, Side::Buy) => whole(
            i64::try_from(i128::from(rig.dice.between(200, 1_500)) * 1_000_000 / i128::from(last.max(1)))
                .unwrap_or(1),
        ),
    }
}
