//! The gate of an exchange of currencies: a short list, the first failure decides.
//!
//! invalid_order → stale_state → stale_price → no_fx_rate → circuit_breaker → market_closed →
//! pending_order → duplicate_window → insufficient_source → mode. Blocked sells do not stop an
//! exchange, and no frequency, holding or concentration limits apply: an exchange is not a trade.

use std::collections::BTreeMap;

use contracts::{Breaker, Mode, Side};
use limits::frequency::{check_gap, remaining_s};
use limits::{Finding, Fine, FxPair};
use money::{Currency, Money, MoneyError, Price, Quantity, Rate, Rounding};

use super::code::Code;
use super::inputs::GateSettings;
use super::{Answer, Verdict, cash, conclude, no_fx_rate, pending_order, stale};

/// One intended exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeOrder {
    /// The pair to trade; `None` for one that is not traded.
    pub pair: Option<FxPair>,
    /// Whether the base is bought or sold; `None` for any other text.
    pub side: Option<Side>,
    /// Units of the base currency, whole ones.
    pub quantity: Quantity,
    /// Limit price of one unit of the base in the quote currency; `None` for one that is not a price.
    pub price: Option<Price>,
}

/// The state of the fund as far as it matters for an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeState {
    /// Whether orders are live; `None` = unset, which is not live.
    pub mode: Option<Mode>,
    /// Age of the snapshot; `None` = unknown.
    pub snapshot_age_s: Option<u64>,
    /// Age of the pair's price; `None` = unknown.
    pub price_age_s: Option<u64>,
    /// The daily-loss breaker; `Halted` while any halt is open.
    pub breaker: Breaker,
    /// Whether the pair is tradable now.
    pub tradable: bool,
    /// Whether an order of the pair is open; `None` = unknown, which counts as open.
    pub pending_order: Option<bool>,
    /// Since the last submission for the pair; `None` = never.
    pub since_submission_s: Option<u64>,
    /// Spendable cash per currency, negative kept; absent = none.
    pub balances: BTreeMap<Currency, Money>,
    /// Cash reserved by open buys per currency; absent = none.
    pub pending_buy_value: BTreeMap<Currency, Money>,
    /// EUR per unit of each currency, EUR included.
    pub eur_per_unit: BTreeMap<Currency, Rate>,
}

/// An exchange whose pair, side and price make sense.
struct Exchange<'a> {
    pair: FxPair,
    side: Side,
    quantity: Quantity,
    price: Price,
    state: &'a ExchangeState,
    settings: &'a GateSettings,
}

/// A check of an exchange.
type Judge = fn(&Exchange<'_>) -> Answer;

/// The checks after the first, in order of precedence.
const CHECKS: [(Code, Judge); 8] = [
    (Code::StaleState, |case| stale::fresh(case.state.snapshot_age_s, case.settings.max_snapshot_age_s)),
    (Code::StalePrice, |case| stale::fresh(case.state.price_age_s, case.settings.max_price_age_s)),
    (Code::NoFxRate, rates),
    (Code::CircuitBreaker, breaker),
    (Code::MarketClosed, tradable),
    (Code::PendingOrder, |case| pending_order::none_open(case.state.pending_order)),
    (Code::DuplicateWindow, duplicate_window),
    (Code::InsufficientSource, source),
];

/// Judges an exchange: the first check that fails decides, and all before it leave their evidence.
#[must_use]
pub fn exchange_gate(order: &ExchangeOrder, state: &ExchangeState, settings: &GateSettings) -> Verdict {
    let well_formed = match (order.pair, order.side, order.price) {
        (Some(pair), Some(side), Some(price))
            if FxPair::ALL.contains(&pair) && is_whole(order.quantity) && !price.is_zero() =>
        {
            Some(Exchange { pair, side, quantity: order.quantity, price, state, settings })
        }
        _ => None,
    };
    let limit = "a traded pair, buy or sell, whole units and a price above 0";
    let found = if well_formed.is_some() { "well-formed" } else { "malformed" };
    let first = Finding::new(well_formed.is_some(), found, limit);
    let rest = well_formed.iter().flat_map(|case| CHECKS.iter().map(|(code, judge)| (*code, judge(case))));
    conclude(std::iter::once((Code::InvalidOrder, first.into())).chain(rest), Vec::new(), state.mode)
}

fn is_whole(quantity: Quantity) -> bool {
    quantity.is_positive() && limits::round_to_lots(quantity, Quantity::ZERO) == quantity
}

/// Passes when the rates of both currencies are known.
fn rates(case: &Exchange<'_>) -> Answer {
    let base = no_fx_rate::known(&case.state.eur_per_unit, case.pair.base);
    let quote = no_fx_rate::known(&case.state.eur_per_unit, case.pair.quote);
    let found = format!("{}, {}", base.found, quote.found);
    Finding::new(base.passed && quote.passed, found, format!("{}, {}", base.limit, quote.limit)).into()
}

/// Passes unless trading is halted or the loss of the day is unknown.
fn breaker(case: &Exchange<'_>) -> Answer {
    let (passed, found) = match case.state.breaker {
        Breaker::Normal => (true, "normal"),
        Breaker::SellsBlocked => (true, "sells_blocked"),
        Breaker::Halted => (false, "halted"),
        Breaker::Unknown => (false, "unknown"),
    };
    Finding::new(passed, found, "normal or sells_blocked").into()
}

/// Passes when the pair is tradable now.
fn tradable(case: &Exchange<'_>) -> Answer {
    let found = if case.state.tradable { "tradable" } else { "not tradable now" };
    Finding::new(case.state.tradable, format!("{} {found}", case.pair), "tradable").into()
}

/// Passes when the last submission for the pair is old enough.
fn duplicate_window(case: &Exchange<'_>) -> Answer {
    let (since, minutes) = (case.state.since_submission_s, case.settings.duplicate_window_min);
    Answer { finding: check_gap(since, minutes), code: None, wait_s: Some(remaining_s(since, minutes)) }
}

/// Passes when the currency to give covers the exchange; a purchase leaves the buffer.
fn source(case: &Exchange<'_>) -> Answer {
    let limit = "an amount that can be computed";
    covered(case).unwrap_or_else(|error| Finding::new(false, error, limit)).into()
}

fn covered(case: &Exchange<'_>) -> money::Result<Finding> {
    let (currency, required) = match case.side {
        Side::Buy => {
            let spend = Fine::value(case.price, case.quantity)?;
            (case.pair.quote, spend.times(Fine::one_plus(case.settings.fx_buffer)?, Rounding::Up)?)
        }
        Side::Sell => (case.pair.base, case.quantity.into()),
    };
    let state = case.state;
    let rate = *state.eur_per_unit.get(&currency).ok_or(MoneyError::Divisor { operation: "exchange" })?;
    let reserve = (case.settings.reserve_eur, rate);
    let available = cash::spendable(&state.balances, &state.pending_buy_value, currency, reserve)?;
    let found = format!("{} available", available.to_money(currency, Rounding::Down)?);
    let limit = format!("{} required", required.to_money(currency, Rounding::Up)?);
    Ok(Finding::new(cash::covers(available, required)?, found, limit))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::checks::Decision;

    fn order(side: Side) -> ExchangeOrder {
        ExchangeOrder {
            pair: Some(FxPair { base: Currency::EUR, quote: Currency::USD }),
            side: Some(side),
            quantity: "100".parse().unwrap(),
            price: Some("1.1".parse().unwrap()),
        }
    }

    fn state() -> ExchangeState {
        let money = |text: &str| Money::parse(text).unwrap();
        ExchangeState {
            mode: Some(Mode::Live),
            snapshot_age_s: Some(20),
            price_age_s: Some(60),
            breaker: Breaker::Normal,
            tradable: true,
            pending_order: Some(false),
            since_submission_s: None,
            // A reserve of 5 EUR is 6.25 USD here: 100 · 1.1 · 1.02 + 6.25 USD, 100 + 5 EUR.
            balances: BTreeMap::from([
                (Currency::EUR, money("105 EUR")),
                (Currency::USD, money("118.45 USD")),
            ]),
            pending_buy_value: BTreeMap::new(),
            eur_per_unit: BTreeMap::from([
                (Currency::EUR, Rate::ONE),
                (Currency::USD, "0.8".parse().unwrap()),
            ]),
        }
    }

    fn judge(side: Side, change: impl FnOnce(&mut ExchangeOrder, &mut ExchangeState)) -> Verdict {
        let (mut order, mut state) = (order(side), state());
        change(&mut order, &mut state);
        exchange_gate(&order, &state, &GateSettings::default())
    }

    #[test]
    fn just_enough_of_the_source_passes_with_all_its_evidence() {
        for side in [Side::Buy, Side::Sell] {
            let verdict = judge(side, |_, _| ());
            assert_eq!((verdict.decision, verdict.code), (Decision::Allow, None), "{:#?}", verdict.evidence);
            assert_eq!(verdict.evidence.len(), 10);
        }
    }

    #[test]
    fn each_check_refuses_in_its_turn() {
        type Change = fn(&mut ExchangeOrder, &mut ExchangeState);
        let table: [(Change, Code, Decision); 19] = [
            (|order, _| order.pair = None, Code::InvalidOrder, Decision::Block),
            (|order, _| order.side = None, Code::InvalidOrder, Decision::Block),
            (|order, _| order.price = None, Code::InvalidOrder, Decision::Block),
            (|order, _| order.quantity = Quantity::ZERO, Code::InvalidOrder, Decision::Block),
            (|order, _| order.quantity = "1.5".parse().unwrap(), Code::InvalidOrder, Decision::Block),
            (|_, state| state.snapshot_age_s = None, Code::StaleState, Decision::Defer),
            (|_, state| state.snapshot_age_s = Some(301), Code::StaleState, Decision::Defer),
            (|_, state| state.price_age_s = None, Code::StalePrice, Decision::Defer),
            (|_, state| state.price_age_s = Some(1801), Code::StalePrice, Decision::Defer),
            (|_, state| state.eur_per_unit.clear(), Code::NoFxRate, Decision::Defer),
            (
                |_, state| state.eur_per_unit.retain(|currency, _| *currency == Currency::EUR),
                Code::NoFxRate,
                Decision::Defer,
            ),
            (|_, state| state.breaker = Breaker::Halted, Code::CircuitBreaker, Decision::Defer),
            (|_, state| state.breaker = Breaker::Unknown, Code::CircuitBreaker, Decision::Defer),
            (|_, state| state.tradable = false, Code::MarketClosed, Decision::Defer),
            (|_, state| state.pending_order = Some(true), Code::PendingOrder, Decision::Defer),
            (|_, state| state.pending_order = None, Code::PendingOrder, Decision::Defer),
            (|_, state| state.since_submission_s = Some(299), Code::DuplicateWindow, Decision::Defer),
            (|_, state| state.balances.clear(), Code::InsufficientSource, Decision::Block),
            (
                |_, state| {
                    for (currency, amount) in &mut state.balances {
                        let grain = Money::from_e4(1, *currency);
                        *amount = amount.checked_sub(grain).unwrap();
                    }
                },
                Code::InsufficientSource,
                Decision::Block,
            ),
        ];
        for (change, code, decision) in table {
            for side in [Side::Buy, Side::Sell] {
                let verdict = judge(side, change);
                assert_eq!((verdict.code, verdict.decision), (Some(code), decision));
                assert_eq!(verdict.evidence.iter().filter(|evidence| !evidence.passed).count(), 1);
            }
        }
    }

    #[test]
    fn blocked_sells_and_an_old_submission_do_not_stop_an_exchange() {
        let verdict = judge(Side::Sell, |_, state| {
            state.breaker = Breaker::SellsBlocked;
            state.since_submission_s = Some(300);
        });
        assert_eq!(verdict.decision, Decision::Allow);
    }

    #[test]
    fn an_exchange_in_research_is_simulated() {
        for mode in [Some(Mode::Research), None] {
            assert_eq!(judge(Side::Buy, |_, state| state.mode = mode).decision, Decision::Simulate);
        }
    }
}
