//! What is held now, and what of it keeps its share whatever the scores say.
//!
//! A holding that was not chosen by its score is sold down to zero, unless that would go against a permission or against
//! what is known. It keeps its present share when it is not an active security of the universe, when nobody has scored
//! it, or when it scores well but must not be bought. When it scores badly and must not be sold, its share only ever
//! shrinks. Nothing is decided at all while a holding has no value: unknown is never zero.

use std::collections::BTreeMap;

use contracts::{PortfolioState, Universe};
use market::Isin;
use money::{Rounding, Weight, multiply_divide};

use crate::tilt::SCORE_MIN;

/// Every holding with its share of the fund.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    shares: BTreeMap<Isin, Weight>,
}

impl Account {
    /// The present share of a security; what is not held has none. Always known: see [`account`].
    #[must_use]
    pub fn current(&self, isin: &Isin) -> Option<Weight> {
        Some(self.shares.get(isin).copied().unwrap_or(Weight::ZERO))
    }
}

/// A holding that is not left to its score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its target, in millionths.
    pub weight_e6: i64,
    /// Why.
    pub reason: String,
}

/// Reads the shares of the account; rounded down, all buckets together.
///
/// # Errors
/// Why they are not known: no state, a stale one, no value, or a holding without a value.
pub fn account(portfolio: Option<&PortfolioState>) -> Result<Account, &'static str> {
    let state = portfolio.ok_or("the account is not known yet")?;
    if state.stale {
        return Err("the account could not be read for too long");
    }
    let nav = state.nav.ok_or("the fund cannot be valued")?;
    if !nav.is_positive() {
        return Err("the fund is worth nothing");
    }
    let mut values: BTreeMap<Isin, i128> = BTreeMap::new();
    for position in state.positions.iter().filter(|position| !position.qty_e6.is_zero()) {
        let value = position.value_eur.ok_or("a holding has no value")?;
        *values.entry(position.isin).or_insert(0) += i128::from(value.e4());
    }
    let share = |value: i128| {
        // More than the whole fund is possible with debts, less than nothing with short positions.
        let share = multiply_divide(value.max(0), 1_000_000, nav.e4().into(), Rounding::Down).ok()?;
        Weight::from_e6(i64::try_from(share.min(1_000_000)).ok()?).ok()
    };
    let shares = values
        .into_iter()
        .map(|(isin, value)| Some((isin, share(value)?)))
        .collect::<Option<_>>()
        .ok_or("a share of the fund cannot be computed")?;
    Ok(Account { shares })
}

/// The holdings that keep a share, by ISIN; those that their score decides are not among them.
#[must_use]
pub fn kept(
    account: &Account,
    universe: Option<&Universe>,
    totals: &BTreeMap<Isin, f64>,
    last: &BTreeMap<Isin, i64>,
) -> BTreeMap<Isin, Kept> {
    let held = account.shares.iter().filter(|(_, share)| share.e6() > 0);
    held.filter_map(|(isin, share)| {
        let security = universe.and_then(|universe| universe.find(isin)).filter(|known| known.active);
        let current = share.e6();
        let stays = |reason: String| Some((*isin, Kept { weight_e6: current, reason }));
        let Some(security) = security else { return stays("kept: not an active security".into()) };
        let Some(total) = totals.get(isin) else { return stays("kept: it has no score".into()) };
        match (*total >= SCORE_MIN, security.allow_buy, security.allow_sell) {
            (true, true, _) | (false, _, true) => None,
            (true, false, _) => stays(format!("kept: score {total:.3}, but it must not be bought")),
            (false, _, false) => {
                let weight_e6 = last.get(isin).map_or(current, |last| current.min(*last));
                let reason = format!("shrinking: score {total:.3}, but it must not be sold");
                Some((*isin, Kept { weight_e6, reason }))
            }
        }
    })
    .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Position, Sample, Security};
    use money::{Currency, Money, Quantity};

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

    fn position(change: impl Fn(&mut Position)) -> PortfolioState {
        let mut state = state(eur(100), eur(1_000));
        change(&mut state.positions[0]);
        state
    }

    #[test]
    fn a_share_is_the_value_over_the_fund() {
        let known = account(Some(&state(eur(100), eur(1_000)))).unwrap();
        assert_eq!(known.current(&isin()).map(Weight::e6), Some(100_000));
        let thirds = account(Some(&state(eur(1), eur(3)))).unwrap();
        assert_eq!(thirds.current(&isin()).map(Weight::e6), Some(333_333), "rounded down");
    }

    #[test]
    fn the_buckets_of_a_security_are_added() {
        let mut state = state(eur(100), eur(1_000));
        state.positions.push(Position { bucket_id: "other".into(), ..state.positions[0].clone() });
        assert_eq!(account(Some(&state)).unwrap().current(&isin()).map(Weight::e6), Some(200_000));
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
            let why = account(state.as_ref()).unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
    }

    #[test]
    fn nothing_held_needs_no_value() {
        let none = position(|position| (position.qty_e6, position.value_eur) = (Quantity::ZERO, None));
        assert_eq!(account(Some(&none)), Ok(Account::default()));
    }

    #[test]
    fn more_than_everything_is_everything_and_less_than_nothing_is_nothing() {
        let share = |value| account(Some(&state(value, eur(10)))).unwrap().current(&isin());
        assert_eq!(share(eur(11)), Some(Weight::ONE));
        assert_eq!(share(eur(-11)), Some(Weight::ZERO));
    }

    /// What becomes of a holding of 10 % with a score and permissions.
    fn check(total: Option<f64>, buy: bool, sell: bool, last: Option<i64>, expected: Option<i64>) {
        let account = account(Some(&state(eur(100), eur(1_000)))).unwrap();
        let security = Security { isin: isin(), allow_buy: buy, allow_sell: sell, ..Security::sample() };
        let universe = Universe { securities: vec![security] };
        let totals = total.map(|total| (isin(), total)).into_iter().collect();
        let last = last.map(|last| (isin(), last)).into_iter().collect();
        let kept = kept(&account, Some(&universe), &totals, &last);
        let weight = kept.get(&isin()).map(|kept| kept.weight_e6);
        assert_eq!(weight, expected, "{total:?} buy {buy} sell {sell} {kept:?}");
    }

    #[test]
    fn a_holding_keeps_what_permissions_and_knowledge_demand() {
        check(Some(0.5), true, true, None, None);
        check(Some(0.399), true, true, None, None);
        check(None, true, true, None, Some(100_000));
        check(Some(0.5), false, true, None, Some(100_000));
        check(Some(0.399), false, true, None, None);
        check(Some(0.5), true, false, None, None);
        check(Some(0.399), true, false, None, Some(100_000));
    }

    #[test]
    fn what_must_not_be_sold_only_shrinks() {
        check(Some(0.3), true, false, Some(80_000), Some(80_000));
        check(Some(0.3), true, false, Some(120_000), Some(100_000));
    }

    #[test]
    fn what_is_not_in_the_universe_or_not_active_stays() {
        let account = account(Some(&state(eur(100), eur(1_000)))).unwrap();
        let idle = Security { isin: isin(), active: false, ..Security::sample() };
        for securities in [vec![], vec![idle]] {
            let universe = Universe { securities };
            let totals = BTreeMap::from([(isin(), 0.9)]);
            let kept = kept(&account, Some(&universe), &totals, &BTreeMap::new());
            assert_eq!(kept.get(&isin()).map(|kept| kept.weight_e6), Some(100_000));
        }
    }
}
