//! Whether a negative balance is one that something may be done about.
//!
//! All of this must hold: the account was read without error; the debt is worth more than 1 EUR, because a correction
//! costs more; two readings at least 60 s apart say the same; no order is open or unresolved and no trade is unsettled that
//! explains it: sales that bring in as much on a later day are waited for, at most three trading days; the breaker is neither halted nor unknown. Otherwise it is shown and nothing is done; the gate keeps
//! purchases in that currency from passing.

use std::collections::BTreeMap;

use contracts::{Breaker, PortfolioState};
use market::{Timestamp, Weekday};
use money::{Currency, Money, Rate, Rounding};

/// Debts worth less are shown only.
const LEAST_E4: i64 = 10_000;
/// Sales are settled after so many trading days.
const SETTLES_DAYS: u32 = 3;
const DAY_MS: i64 = 24 * 60 * 60_000;
/// Time between the two readings.
const APART_MS: i64 = 60_000;

/// What is owed in each currency, in its own money, and since when it has been the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    owed: BTreeMap<Currency, Money>,
    since: Option<Timestamp>,
    /// When something was first owed, however much it has been since.
    first: Option<Timestamp>,
}

/// What the watch says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is owed that matters.
    Fine,
    /// Something is owed, and this stands in the way of doing anything about it; perhaps until then.
    Wait(String, Option<Timestamp>),
    /// Something may be done.
    Act,
}

/// What is true now.
#[derive(Debug, Clone, Copy)]
pub struct Now<'a> {
    /// The account.
    pub state: &'a PortfolioState,
    /// Whether an order of ours is open.
    pub orders_open: bool,
    /// The breaker, if the gate has spoken.
    pub breaker: Option<Breaker>,
    /// When.
    pub now: Timestamp,
}

impl Watch {
    /// Looks at the account.
    pub fn look(&mut self, at: Now<'_>, rate: impl Fn(Currency) -> Option<Rate>) -> Verdict {
        let Now { state, orders_open, breaker, now } = at;
        if state.stale {
            return Verdict::Wait("the account could not be read".into(), None);
        }
        let mut owed = BTreeMap::new();
        for (ccy, balance) in balances(state) {
            if !balance.is_negative() {
                continue;
            }
            let Some(rate) = rate(ccy) else {
                return Verdict::Wait(format!("{balance} is owed and the rate of {ccy} is not known"), None);
            };
            if matters(balance, rate) {
                owed.insert(ccy, balance);
            }
        }
        if owed != self.owed {
            self.owed = owed;
            self.since = Some(state.at);
        }
        if self.owed.is_empty() {
            self.first = None;
            return Verdict::Fine;
        }
        let first = *self.first.get_or_insert(state.at);
        let debt = self.owed.values().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        let since = self.since.unwrap_or(state.at);
        if state.at.since(since) < APART_MS {
            let until = since.saturating_plus_ms(APART_MS).max(now);
            return Verdict::Wait(format!("{debt} is owed; a second reading must say the same"), Some(until));
        }
        if orders_open || !state.open_orders.is_empty() {
            return Verdict::Wait(format!("{debt} is owed; an open order may explain it"), None);
        }
        let settled_by = after_trading_days(first, SETTLES_DAYS);
        if now < settled_by && self.is_unsettled(state) {
            let text = format!("{debt} is owed; sales that are not settled yet bring in as much");
            return Verdict::Wait(text, Some(settled_by));
        }
        match breaker {
            Some(Breaker::Normal | Breaker::SellsBlocked) => Verdict::Act,
            Some(Breaker::Halted) => Verdict::Wait(format!("{debt} is owed; trading is halted"), None),
            Some(Breaker::Unknown) | None => {
                Verdict::Wait(format!("{debt} is owed; today's loss cannot be judged"), None)
            }
        }
    }

    /// Whether sales that settle later bring in all that is owed.
    fn is_unsettled(&self, state: &PortfolioState) -> bool {
        self.owed.iter().all(|(ccy, debt)| {
            let of = state.cash.iter().filter(|cash| cash.amount.currency() == *ccy);
            let pending = Money::checked_sum(*ccy, of.filter_map(|cash| cash.pending_in));
            pending.and_then(|pending| pending.checked_add(*debt)).is_ok_and(|left| !left.is_negative())
        })
    }

    /// When something was first owed; kept in the store, so that a restart does not begin to wait anew.
    #[must_use]
    pub fn first(&self) -> Option<Timestamp> {
        self.first
    }

    /// What is owed since then, as the store knows it.
    #[must_use]
    pub fn since(first: Option<Timestamp>) -> Watch {
        Watch { first, ..Watch::default() }
    }

    /// What is owed.
    #[must_use]
    pub fn owed(&self) -> &BTreeMap<Currency, Money> {
        &self.owed
    }
}

/// The same time of day, so many days later that are neither Saturday nor Sunday.
fn after_trading_days(from: Timestamp, days: u32) -> Timestamp {
    let (mut then, mut left) = (from, days);
    while left > 0 {
        then = then.saturating_plus_ms(DAY_MS);
        if !matches!(then.day_utc().weekday(), Weekday::Saturday | Weekday::Sunday) {
            left -= 1;
        }
    }
    then
}

/// Whether a debt is worth more than 1 EUR.
#[must_use]
pub fn matters(debt: Money, rate: Rate) -> bool {
    money::to_eur(debt, rate, Rounding::Down).map_or(i64::MIN, Money::e4) < -LEAST_E4
}

/// The broker's balance of each currency: all buckets together.
#[must_use]
pub fn balances(state: &PortfolioState) -> BTreeMap<Currency, Money> {
    let mut balances: BTreeMap<Currency, Money> = BTreeMap::new();
    for cash in &state.cash {
        let ccy = cash.amount.currency();
        let known = balances.entry(ccy).or_insert(Money::zero(ccy));
        *known = known.checked_add(cash.amount).unwrap_or(cash.amount);
    }
    balances
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Cash, OpenOrder, Sample};

    use super::*;

    fn state(cents: i64, at_ms: i64) -> PortfolioState {
        let amount = Money::from_e4(cents * 100, Currency::EUR);
        PortfolioState {
            at: Timestamp::from_ms(at_ms),
            cash: vec![Cash { amount, ..PortfolioState::sample().cash[0].clone() }],
            open_orders: vec![],
            stale: false,
            ..PortfolioState::sample()
        }
    }

    fn look(watch: &mut Watch, state: &PortfolioState) -> Verdict {
        let now = Now { state, orders_open: false, breaker: Some(Breaker::Normal), now: state.at };
        watch.look(now, |ccy| (ccy == Currency::EUR).then_some(Rate::ONE))
    }

    #[test]
    fn two_readings_a_minute_apart_must_agree() {
        let mut watch = Watch::default();
        assert!(matches!(look(&mut watch, &state(-5_000, 0)), Verdict::Wait(_, Some(_))));
        assert!(matches!(look(&mut watch, &state(-5_000, 59_999)), Verdict::Wait(_, Some(_))));
        assert_eq!(look(&mut watch, &state(-5_000, 60_000)), Verdict::Act);
        assert!(matches!(look(&mut watch, &state(-5_001, 70_000)), Verdict::Wait(_, Some(_))));
    }

    #[test]
    fn a_debt_of_one_euro_is_shown_only() {
        for (cents, verdict) in [(0, Verdict::Fine), (-100, Verdict::Fine)] {
            let mut watch = Watch::default();
            look(&mut watch, &state(cents, 0));
            assert_eq!(look(&mut watch, &state(cents, 60_000)), verdict);
        }
        let mut watch = Watch::default();
        look(&mut watch, &state(-101, 0));
        assert_eq!(look(&mut watch, &state(-101, 60_000)), Verdict::Act);
    }

    #[test]
    fn what_may_explain_or_forbid_it_is_waited_for() {
        let debt = || state(-5_000, 60_000);
        let open = PortfolioState {
            open_orders: vec![OpenOrder { ..PortfolioState::sample().open_orders[0].clone() }],
            ..debt()
        };
        let stale = PortfolioState { stale: true, ..debt() };
        for (state, orders_open, breaker) in [
            (open, false, Some(Breaker::Normal)),
            (stale, false, Some(Breaker::Normal)),
            (debt(), true, Some(Breaker::Normal)),
            (debt(), false, Some(Breaker::Halted)),
            (debt(), false, Some(Breaker::Unknown)),
            (debt(), false, None),
        ] {
            let mut watch = Watch::default();
            look(&mut watch, &super::tests::state(-5_000, 0));
            let now = Now { state: &state, orders_open, breaker, now: state.at };
            assert!(matches!(watch.look(now, |_| Some(Rate::ONE)), Verdict::Wait(_, None)));
        }
    }

    #[test]
    fn what_unsettled_sales_bring_in_is_waited_for_three_trading_days() {
        // A Friday.
        let friday: Timestamp = "2026-02-27T12:00:00.000Z".parse().unwrap();
        let day = 24 * 3_600_000;
        let with = |cents: i64, pending: i64, at: Timestamp| {
            let mut state = state(cents, at.ms());
            state.cash[0].pending_in = Some(Money::from_e4(pending * 100, Currency::EUR));
            state
        };
        let mut watch = Watch::default();
        look(&mut watch, &with(-5_000, 5_000, friday));
        let wednesday = friday.saturating_plus_ms(5 * day);
        let waits = |verdict| matches!(verdict, Verdict::Wait(why, until) if why.contains("settled") && until == Some(wednesday));
        let minute = friday.saturating_plus_ms(60_000);
        assert!(waits(look(&mut watch, &with(-5_000, 5_000, minute))));
        assert_eq!(look(&mut watch.clone(), &with(-5_000, 4_999, minute)), Verdict::Act, "a cent less");
        // Another debt does not begin the days anew, and neither does a restart.
        look(&mut watch, &with(-4_000, 5_000, friday.saturating_plus_ms(day)));
        let mut watch = Watch::since(watch.first());
        look(&mut watch, &with(-4_000, 5_000, wednesday.saturating_minus_ms(120_000)));
        assert!(waits(look(&mut watch, &with(-4_000, 5_000, wednesday.saturating_minus_ms(1)))));
        assert_eq!(look(&mut watch, &with(-4_000, 5_000, wednesday)), Verdict::Act);
    }

    #[test]
    fn a_debt_without_a_rate_is_waited_for() {
        let state = state(-5_000, 60_000);
        let now = Now { state: &state, orders_open: false, breaker: Some(Breaker::Normal), now: state.at };
        assert!(matches!(Watch::default().look(now, |_| None), Verdict::Wait(_, None)));
    }
}
