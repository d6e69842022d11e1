//! Check 23: the cash of the currency pays for the buy, its fee and a margin.
//!
//! required = (quantity · price · (1 + percent) + fixed / r) · (1 + cost margin), rounded up
//! available = balance − reserved by open buys − reserve / r, rounded down, r = EUR per unit
//!
//! When another currency than EUR falls short but free EUR cover the rest with a buffer, an exchange
//! comes first: `needs_fx`. Worked example: 10 pieces at 50 EUR with 2 EUR and 0.2 % and a margin of
//! 1 % require 508.03 EUR; with 5 EUR reserved a balance of 513.03 EUR is just enough.

use std::collections::BTreeMap;

use limits::commission::eur_in_native;
use limits::{Costs, Finding, Fine, commission_fine};
use money::{Currency, Money, MoneyError, Rate, Rounding};

use super::code::Code;
use super::{Answer, Case};

/// The tolerance of both comparisons, 10⁻⁹; it absorbs the directed rounding in 1/10¹².
const TOLERANCE: Fine = Fine::from_e12(1_000);

/// Passes when the cash at hand covers what the buy requires.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    weigh(case).unwrap_or_else(|error| {
        let limit = "an amount that can be computed";
        Answer {
            finding: Finding::new(false, error, limit),
            code: Some(Code::InsufficientCash),
            wait_s: None,
        }
    })
}

/// Reads an amount of a currency; absent is nothing, another currency under its name is an error.
pub(super) fn amount_of(amounts: &BTreeMap<Currency, Money>, currency: Currency) -> money::Result<Money> {
    amounts
        .get(&currency)
        .map_or(Ok(Money::zero(currency)), |amount| Money::zero(currency).checked_add(*amount))
}

fn weigh(case: &Case<'_>) -> money::Result<Answer> {
    let currency = case.currency;
    let rate =
        *case.state.eur_per_unit.get(&currency).ok_or(MoneyError::Divisor { operation: "exchange" })?;
    let required = required(case, rate)?;
    let available = free(case, currency, rate)?;
    let limit = format!("{} required", shown(required, currency, Rounding::Up)?);
    let found = format!("{} available{}", shown(available, currency, Rounding::Down)?, owner(case, currency));
    if covers(available, required)? {
        return Ok(Finding::new(true, found, limit).into());
    }
    if currency == Currency::EUR {
        return Ok(Finding::new(false, found, limit).into());
    }
    let short_eur = required
        .checked_sub(available)?
        .times(rate.into(), Rounding::Up)?
        .times(Fine::one_plus(case.settings.fx_buffer)?, Rounding::Up)?;
    let free_eur = free(case, Currency::EUR, Rate::ONE)?;
    let code = if covers(free_eur, short_eur)? { Code::NeedsFx } else { Code::InsufficientCash };
    let free_text = shown(free_eur, Currency::EUR, Rounding::Down)?;
    let found = format!("{found}, {free_text} free{}", owner(case, Currency::EUR));
    let limit = format!("{limit}, {} to exchange", shown(short_eur, Currency::EUR, Rounding::Up)?);
    Ok(Answer { finding: Finding::new(false, found, limit), code: Some(code), wait_s: None })
}

/// Computes what the buy takes with fee and margin, rounded up.
fn required(case: &Case<'_>, rate: Rate) -> money::Result<Fine> {
    let settings = case.settings;
    let costs = Costs { fixed_eur: settings.fixed_eur, percent: settings.percent };
    let value = Fine::value(case.price, case.quantity)?;
    let fee = commission_fine(value, &costs, rate, Rounding::Up)?;
    value.checked_add(fee)?.times(Fine::one_plus(settings.cost_margin)?, Rounding::Up)
}

/// Computes what may be spent of a currency, rounded down.
fn free(case: &Case<'_>, currency: Currency, rate: Rate) -> money::Result<Fine> {
    let (state, reserve_eur) = (case.state, case.settings.reserve_eur);
    spendable(&state.balances, &state.pending_buy_value, currency, (reserve_eur, rate))
}

/// Computes balance − pending − reserve of a currency, the reserve in EUR with the rate to turn it by.
pub(super) fn spendable(
    balances: &BTreeMap<Currency, Money>,
    pending: &BTreeMap<Currency, Money>,
    currency: Currency,
    (reserve_eur, rate): (Money, Rate),
) -> money::Result<Fine> {
    let balance = Fine::from(amount_of(balances, currency)?);
    let reserve = eur_in_native(reserve_eur, rate, Rounding::Up)?;
    balance.checked_sub(amount_of(pending, currency)?.into())?.checked_sub(reserve)
}

/// Tells whether an amount reaches what is required, within the tolerance.
pub(super) fn covers(available: Fine, required: Fine) -> money::Result<bool> {
    Ok(available.checked_add(TOLERANCE)? >= required)
}

fn shown(amount: Fine, currency: Currency, rounding: Rounding) -> money::Result<Money> {
    amount.to_money(currency, rounding)
}

fn owner(case: &Case<'_>, currency: Currency) -> String {
    let bucket = case.state.limiting_bucket.get(&currency);
    bucket.map_or_else(String::new, |bucket| format!(" in bucket {bucket}"))
}
