//! What is held now, as shares of the core: all that is neither in a satellite nor its cash.
//!
//! Nothing is decided while any part of the core has no value: unknown is never zero.

use std::collections::BTreeMap;

use contracts::{FxRates, PortfolioState};
use market::Isin;
use money::{Currency, Money, Rounding, Weight, multiply_divide, to_eur};

/// The bucket whose weights are decided here.
const CORE: &str = "core";

/// The core with what it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// What it is worth, cash included.
    pub core: Money,
    /// What the whole fund is worth.
    pub nav: Money,
    /// Share of each holding, rounded down, at most everything.
    pub shares: BTreeMap<Isin, Weight>,
    /// What each holding is priced in.
    pub currencies: BTreeMap<Isin, Currency>,
    /// Holdings that may not be touched.
    pub frozen: Vec<Isin>,
}

impl Account {
    /// The present share of a security; what is not held has none.
    #[must_use]
    pub fn share(&self, isin: &Isin) -> f64 {
        self.shares.get(isin).map_or(0.0, |share| share.to_f64())
    }

    /// A limit that is meant of the whole fund, as a share of the core: never less than it was, never more than everything.
    #[must_use]
    pub fn of_core(&self, limit: f64) -> f64 {
        (limit * (self.nav.to_f64() / self.core.to_f64()).max(1.0)).min(1.0)
    }
}

/// Reads the account.
///
/// # Errors
/// Why it is not known: no state, a stale one, no value, or a part without a value.
pub fn account(portfolio: Option<&PortfolioState>, rates: Option<&FxRates>) -> Result<Account, &'static str> {
    let state = portfolio.ok_or("the account is not known yet")?;
    if state.stale {
        return Err("the account could not be read for too long");
    }
    let nav = state.nav.ok_or("the fund cannot be valued")?;
    let satellites = satellites(state, rates)?;
    let core = nav.checked_sub(satellites).map_err(|_| "the core cannot be valued")?;
    if !core.is_positive() {
        return Err("the core is worth nothing");
    }
    let mut values: BTreeMap<Isin, i128> = BTreeMap::new();
    let mut currencies = BTreeMap::new();
    let mut frozen = Vec::new();
    let held = |position: &&contracts::Position| position.bucket_id == CORE && !position.qty_e6.is_zero();
    for position in state.positions.iter().filter(held) {
        let value = position.value_eur.ok_or("a holding has no value")?;
        *values.entry(position.isin).or_insert(0) += i128::from(value.e4());
        currencies.insert(position.isin, position.ccy);
        if position.frozen {
            frozen.push(position.isin);
        }
    }
    let share = |value: i128| {
        // More than everything is possible with debts, less than nothing with short positions.
        let share = multiply_divide(value.max(0), 1_000_000, core.e4().into(), Rounding::Down).ok()?;
        Weight::from_e6(i64::try_from(share.min(1_000_000)).ok()?).ok()
    };
    let shares = values.into_iter().map(|(isin, value)| Some((isin, share(value)?))).collect::<Option<_>>();
    let shares = shares.ok_or("a share of the core cannot be computed")?;
    Ok(Account { core, nav, shares, currencies, frozen })
}

/// What all other buckets are worth.
fn satellites(state: &PortfolioState, rates: Option<&FxRates>) -> Result<Money, &'static str> {
    let mut sum = Money::zero(Currency::EUR);
    let mut add = |value: Money| {
        sum = sum.checked_add(value).map_err(|_| "the satellites cannot be valued")?;
        Ok::<(), &'static str>(())
    };
    let elsewhere =
        |position: &&contracts::Position| position.bucket_id != CORE && !position.qty_e6.is_zero();
    for position in state.positions.iter().filter(elsewhere) {
        add(position.value_eur.ok_or("a holding of a satellite has no value")?)?;
    }
    for cash in state.cash.iter().filter(|cash| cash.bucket_id != CORE && !cash.amount.is_zero()) {
        let ccy = cash.amount.currency();
        if ccy == Currency::EUR {
            add(cash.amount)?;
            continue;
        }
        let rate = rates.and_then(|rates| rates.rates.get(&ccy)).ok_or("a satellite's cash has no rate")?;
        let value = to_eur(cash.amount, rate.eur_per_unit_e9, Rounding::HalfEven);
        add(value.map_err(|_| "a satellite's cash cannot be valued")?)?;
    }
    Ok(sum)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Cash, Position, Sample};
    use money::Quantity;

    use super::*;

    fn eur(units: i64) -> Option<Money> {
        Some(Money::from_units(units, Currency::EUR).unwrap())
    }

    fn isin() -> Isin {
        PortfolioState::sample().positions[0].isin
    }

    fn state(value: Option<Money>, nav: Option<Money>) -> PortfolioState {
        let position = Position { value_eur: value, ..PortfolioState::sample().positions[0].clone() };
        PortfolioState { positions: vec![position], nav, ..PortfolioState::sample() }
    }

    fn known(state: &PortfolioState) -> Result<Account, &'static str> {
        account(Some(state), None)
    }

    fn share(state: &PortfolioState) -> i64 {
        known(state).unwrap().shares.get(&isin()).map_or(0, |share| share.e6())
    }

    #[test]
    fn limits_of_the_whole_fund_are_wider_in_the_core() {
        let of = |nav: i64, core: i64| {
            let account = Account {
                nav: eur(nav).unwrap(),
                core: eur(core).unwrap(),
                shares: BTreeMap::new(),
                currencies: BTreeMap::new(),
                frozen: vec![],
            };
            account.of_core(0.15)
        };
        for (nav, core, expected) in
            [(10_000, 10_000, 0.15), (10_000, 7_500, 0.20), (10_000, 1_000, 1.0), (9_000, 10_000, 0.15)]
        {
            assert!((of(nav, core) - expected).abs() < 1e-12, "{nav} {core}");
        }
    }

    #[test]
    fn a_share_is_the_value_over_the_core_rounded_down() {
        assert_eq!(share(&state(eur(100), eur(1_000))), 100_000);
        assert_eq!(share(&state(eur(1), eur(3))), 333_333);
    }

    #[test]
    fn what_is_unknown_is_never_zero() {
        for (state, expected) in [
            (None, "not known"),
            (Some(state(eur(1), None)), "cannot be valued"),
            (Some(state(eur(1), eur(0))), "worth nothing"),
            (Some(state(eur(1), eur(-5))), "worth nothing"),
            (Some(state(None, eur(1_000))), "no value"),
            (Some(PortfolioState { stale: true, ..state(eur(1), eur(1_000)) }), "too long"),
        ] {
            let why = account(state.as_ref(), None).unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
    }

    #[test]
    fn nothing_held_needs_no_value() {
        let mut none = state(None, eur(1_000));
        none.positions[0].qty_e6 = Quantity::ZERO;
        assert!(known(&none).unwrap().shares.is_empty());
    }

    #[test]
    fn more_than_everything_is_everything_and_less_than_nothing_is_nothing() {
        assert_eq!(share(&state(eur(11), eur(10))), 1_000_000);
        assert_eq!(share(&state(eur(-11), eur(10))), 0);
    }

    #[test]
    fn satellites_and_their_cash_are_not_the_core() {
        let mut with = state(eur(100), eur(1_000));
        with.positions.push(Position {
            bucket_id: "sat".into(),
            value_eur: eur(300),
            ..with.positions[0].clone()
        });
        let cash = with.cash[0].clone();
        with.cash = vec![Cash { bucket_id: "sat".into(), amount: eur(200).unwrap(), ..cash.clone() }];
        let account = known(&with).unwrap();
        assert_eq!(account.core, eur(500).unwrap());
        assert_eq!(account.shares[&isin()].e6(), 200_000, "only what the core holds counts");
        let dollars = Money::from_units(1, "USD".parse().unwrap()).unwrap();
        with.cash = vec![Cash { bucket_id: "sat".into(), amount: dollars, ..cash }];
        assert!(known(&with).unwrap_err().contains("no rate"));
    }

    #[test]
    fn what_is_frozen_is_named() {
        let mut frozen = state(eur(100), eur(1_000));
        frozen.positions[0].frozen = true;
        assert_eq!(known(&frozen).unwrap().frozen, [isin()]);
    }
}
