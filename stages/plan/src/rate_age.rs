//! Whether a currency rate is recent enough to plan by, and what a plan says of rates that are not of the last day.
//!
//! Days on which no rates are made do not count: weekends and the closing days of the central bank. Older than 24 hours: the
//! plan says so. Older than the setting, at most 48 hours, or of the future: nothing is planned in that currency.
//!
//! Worked example: a rate of Friday 16:00 is 24 hours old on Monday at 16:00.

use std::collections::BTreeSet;

use contracts::{FxRate, PlanContext};
use market::{Timestamp, rate_age_ms};
use money::Currency;

use crate::{
    facts::Facts,
    limits::{RATE_AGE_MAX_MS, RATE_OLD_MS},
};

/// Whether a rate may be planned by.
#[must_use]
pub fn is_usable(made: Timestamp, now: Timestamp, most_ms: i64) -> bool {
    rate_age_ms(made, now).is_some_and(|age| age <= most_ms.min(RATE_AGE_MAX_MS))
}

/// One sentence that names the currencies whose rates are older than a day, among those of the cash, of what is held and of
/// what could be traded.
#[must_use]
pub fn warning(facts: &Facts, context: &PlanContext, now: Timestamp) -> Option<String> {
    let rates = &facts.rates.as_ref()?.rates;
    let state = facts.state.iter();
    let held = state.clone().flat_map(|state| &state.positions).map(|one| one.ccy);
    let cash = state.flat_map(|state| &state.cash).filter(|cash| !cash.amount.is_zero());
    let all = held.chain(cash.map(|cash| cash.amount.currency()));
    let all: BTreeSet<Currency> = all.chain(context.candidates.iter().map(|one| one.ccy)).collect();
    let is_old = |rate: &FxRate| rate_age_ms(rate.as_of, now).is_none_or(|age| age > RATE_OLD_MS);
    let old: Vec<String> = all
        .into_iter()
        .filter(|ccy| *ccy != Currency::EUR && rates.get(ccy).is_some_and(is_old))
        .map(|ccy| ccy.to_string())
        .collect();
    match old.as_slice() {
        [] => None,
        [one] => Some(format!("The rate of {one} is more than a day old.")),
        more => Some(format!("The rates of {} are more than a day old.", more.join(", "))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Candidate, FxRates, PortfolioState, Sample};

    use super::*;
    use crate::limits::HOUR_MS;

    /// A Friday.
    fn friday() -> Timestamp {
        "2026-03-06T16:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_rate_is_usable_for_two_days_that_count() {
        let monday = friday().saturating_plus_ms(72 * HOUR_MS);
        for (after_ms, usable) in
            [(0, true), (24 * HOUR_MS, true), (24 * HOUR_MS + 1, false), (-80 * HOUR_MS, false)]
        {
            let now = monday.saturating_plus_ms(after_ms);
            assert_eq!(is_usable(friday(), now, RATE_AGE_MAX_MS), usable, "{after_ms}");
        }
        assert!(!is_usable(friday(), monday, 23 * HOUR_MS), "a stricter setting counts");
        let later = monday.saturating_plus_ms(24 * HOUR_MS + 1);
        assert!(!is_usable(friday(), later, 1_000 * HOUR_MS), "a looser one does not");
    }

    #[test]
    fn a_rate_of_more_than_a_day_is_told_where_its_currency_matters() {
        let usd = Currency::USD;
        let mut rates = FxRates::sample();
        rates.rates.values_mut().for_each(|rate| rate.as_of = friday());
        let state = PortfolioState { cash: vec![], ..PortfolioState::sample() };
        let facts = Facts { rates: Some(rates), state: Some(state), ..Facts::default() };
        let context = |ccy| {
            let candidate = Candidate { ccy, ..PlanContext::sample().candidates[0].clone() };
            PlanContext { candidates: vec![candidate], ..PlanContext::sample() }
        };
        let monday = friday().saturating_plus_ms(72 * HOUR_MS);
        let later = monday.saturating_plus_ms(1);
        assert_eq!(warning(&facts, &context(usd), monday), None);
        let said = warning(&facts, &context(usd), later);
        assert_eq!(said.as_deref(), Some("The rate of USD is more than a day old."));
        assert_eq!(warning(&facts, &context(Currency::EUR), later), None, "nobody asks for dollars");
        assert_eq!(
            warning(&Facts::default(), &context(usd), later),
            None,
            "unknown rates are another matter"
        );
    }
}
