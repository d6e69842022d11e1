//! Which exchanges bring every short currency back, without making another one short.
//!
//! Short is a balance below zero, and a trading currency below the reserve of each currency. Negative ones come first, then
//! the largest shortage in EUR, then by code. Sources are the currencies above their reserve, largest excess first. A
//! source is asked for whole units of the pair's base and keeps a buffer for the price moving; an exchange of less than one
//! unit or of less than one EUR is none. Between GBP and HKD there is no pair: what is missing goes over EUR, one leg now
//! and the other once that one is filled.
//!
//! Worked example: 1 000 EUR and −50 USD, reserve 5 EUR, 0.90 EUR per USD: 55.56 USD are missing, so 51 EUR are sold.

use std::collections::{BTreeMap, BTreeSet};

use limits::{Fine, FxPair, Side};
use money::{Currency, MoneyError, Rounding};
use thiserror::Error;

/// Slack against amounts that miss a whole unit by dust.
const DUST: Fine = Fine::from_e12(1_000);
/// What remains below this is nothing.
const REMAINS: Fine = Fine::from_e12(1_000_000);

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoExchange {
    /// A currency has no rate.
    #[error("the rate of {0} is not known; nothing is exchanged")]
    NoRate(Currency),
    /// Amounts do not fit.
    #[error("the exchange cannot be computed: {0}")]
    Arithmetic(#[from] MoneyError),
}

/// What is known.
#[derive(Debug, Clone)]
pub struct Balances {
    /// Cash of each currency.
    pub balances: BTreeMap<Currency, Fine>,
    /// Currencies that securities trade in.
    pub trading: BTreeSet<Currency>,
    /// What each currency keeps, in EUR.
    pub reserve_eur: Fine,
    /// EUR for one unit.
    pub eur_per_unit: BTreeMap<Currency, Fine>,
    /// Margin for the price moving, for example 0.02.
    pub buffer: Fine,
    /// Smallest exchange worth making, in EUR.
    pub least_eur: Fine,
}

/// One exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// The pair.
    pub pair: FxPair,
    /// Buy or sell the base.
    pub side: Side,
    /// Whole units of the base.
    pub units: i64,
    /// What is given.
    pub source: Currency,
    /// What is got.
    pub target: Currency,
    /// The currency that the second leg is for.
    pub then: Option<Currency>,
}

/// All exchanges and what they leave open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they were found.
    pub legs: Vec<Leg>,
    /// What is still missing of each currency.
    pub remaining: BTreeMap<Currency, Fine>,
    /// What sales must bring in, in EUR: for balances that began below zero only.
    pub sale_need_eur: Fine,
}

impl Plan {
    const NOTHING: Plan = Plan { legs: Vec::new(), remaining: BTreeMap::new(), sale_need_eur: Fine::ZERO };
}

/// Plans the exchanges.
///
/// # Errors
/// [`NoExchange`].
pub fn plan(known: &Balances) -> Result<Plan, NoExchange> {
    let all: BTreeSet<Currency> = known.balances.keys().chain(&known.trading).copied().collect();
    let mut desk = Desk { known, left: BTreeMap::new(), reserves: BTreeMap::new(), plan: Plan::NOTHING };
    for ccy in all {
        let reserve = known.reserve_eur.over(known.rate(ccy)?, Rounding::HalfEven)?;
        desk.reserves.insert(ccy, reserve);
        desk.left.insert(ccy, known.balances.get(&ccy).copied().unwrap_or(Fine::ZERO));
    }
    for (ccy, was_negative) in desk.needs()? {
        desk.serve(ccy, was_negative)?;
    }
    Ok(desk.plan)
}

impl Balances {
    fn rate(&self, ccy: Currency) -> Result<Fine, NoExchange> {
        self.eur_per_unit.get(&ccy).copied().filter(|rate| rate.is_positive()).ok_or(NoExchange::NoRate(ccy))
    }
}

/// The state while planning.
struct Desk<'a> {
    known: &'a Balances,
    left: BTreeMap<Currency, Fine>,
    reserves: BTreeMap<Currency, Fine>,
    plan: Plan,
}

impl Desk<'_> {
    /// Short currencies in the order in which they are served, and whether they began below zero.
    fn needs(&self) -> Result<Vec<(Currency, bool)>, NoExchange> {
        let mut needs = Vec::new();
        for (ccy, balance) in &self.left {
            let reserve = self.reserve(*ccy);
            let negative = balance.e12() < 0;
            if negative || (self.known.trading.contains(ccy) && *balance < reserve) {
                let short =
                    reserve.checked_sub(*balance)?.times(self.known.rate(*ccy)?, Rounding::HalfEven)?;
                needs.push((!negative, std::cmp::Reverse(short), *ccy));
            }
        }
        needs.sort();
        Ok(needs.into_iter().map(|(class, _, ccy)| (ccy, !class)).collect())
    }

    fn serve(&mut self, need: Currency, was_negative: bool) -> Result<(), NoExchange> {
        let mut miss = self.reserve(need).checked_sub(self.balance(need))?;
        for (source, avail) in self.sources(need)? {
            if miss <= DUST {
                break;
            }
            let Some(leg) = self.leg(source, need, avail, miss)? else { continue };
            self.take(source, need, &leg)?;
            miss = miss.checked_sub(leg.receive)?;
            self.plan.legs.push(leg.leg(None));
        }
        if miss > DUST {
            miss = self.over_eur(need, miss)?;
        }
        if miss > REMAINS {
            self.plan.remaining.insert(need, miss);
            if was_negative {
                let eur = miss.times(self.known.rate(need)?, Rounding::HalfEven)?;
                self.plan.sale_need_eur = self.plan.sale_need_eur.checked_add(eur)?;
            }
        }
        Ok(())
    }

    /// Currencies with something to spare, largest excess in EUR first.
    fn sources(&self, need: Currency) -> Result<Vec<(Currency, Fine)>, NoExchange> {
        let mut sources = Vec::new();
        for (ccy, balance) in &self.left {
            let avail = balance.checked_sub(self.reserve(*ccy))?;
            if *ccy != need && avail.is_positive() {
                let eur = avail.times(self.known.rate(*ccy)?, Rounding::HalfEven)?;
                sources.push((std::cmp::Reverse(eur), *ccy, avail));
            }
        }
        sources.sort();
        Ok(sources.into_iter().map(|(_, ccy, avail)| (ccy, avail)).collect())
    }

    /// An exchange of at most what is to spare for at most what is missing; none where there is no pair or it is too small.
    fn leg(
        &self,
        source: Currency,
        target: Currency,
        avail: Fine,
        miss: Fine,
    ) -> Result<Option<Found>, NoExchange> {
        let Some((pair, side)) = FxPair::between(source, target) else { return Ok(None) };
        let rate = self.known.rate(source)?.over(self.known.rate(target)?, Rounding::HalfEven)?;
        let margin = Fine::ONE.checked_add(self.known.buffer)?;
        let whole = |amount: Fine, rounding: Rounding| amount.to_units(rounding);
        let (units, spend, receive) = match side {
            Side::Buy => {
                let most = avail.over(margin, Rounding::HalfEven)?.times(rate, Rounding::HalfEven)?;
                let units = whole(miss.checked_sub(DUST)?, Rounding::Up)?
                    .min(whole(most.checked_add(DUST)?, Rounding::Down)?);
                let bought = units_of(units);
                (units, bought.over(rate, Rounding::HalfEven)?, bought)
            }
            Side::Sell => {
                let wanted = miss.times(margin, Rounding::HalfEven)?.over(rate, Rounding::HalfEven)?;
                let units = whole(wanted.checked_sub(DUST)?, Rounding::Up)?
                    .min(whole(avail.checked_add(DUST)?, Rounding::Down)?);
                let sold = units_of(units);
                (units, sold, sold.times(rate, Rounding::HalfEven)?.over(margin, Rounding::HalfEven)?)
            }
        };
        let worth = receive.times(self.known.rate(target)?, Rounding::HalfEven)?;
        let is_worth_it = units >= 1 && worth >= self.known.least_eur;
        Ok(is_worth_it.then_some(Found { pair, side, units, source, target, spend, receive }))
    }

    fn take(&mut self, source: Currency, target: Currency, leg: &Found) -> Result<(), NoExchange> {
        let (given, got) =
            (self.balance(source).checked_sub(leg.spend)?, self.balance(target).checked_add(leg.receive)?);
        self.left.insert(source, given);
        self.left.insert(target, got);
        Ok(())
    }

    /// The first leg of an exchange that has no pair of its own; gives what is missing once the second is made.
    fn over_eur(&mut self, need: Currency, miss: Fine) -> Result<Fine, NoExchange> {
        let Some(source) = partner(need) else { return Ok(miss) };
        let avail = self.balance(source).checked_sub(self.reserve(source))?;
        if !avail.is_positive() {
            return Ok(miss);
        }
        let margin = Fine::ONE.checked_add(self.known.buffer)?;
        let rate = self.known.rate(need)?;
        let eur = miss.times(rate, Rounding::HalfEven)?.times(margin, Rounding::HalfEven)?;
        let Some(leg) = self.leg(source, Currency::EUR, avail, eur)? else { return Ok(miss) };
        self.left.insert(source, self.balance(source).checked_sub(leg.spend)?);
        self.plan.legs.push(leg.leg(Some(need)));
        let counted = leg.receive.over(margin, Rounding::HalfEven)?.over(rate, Rounding::HalfEven)?;
        Ok(miss.checked_sub(counted)?)
    }

    fn balance(&self, ccy: Currency) -> Fine {
        self.left.get(&ccy).copied().unwrap_or(Fine::ZERO)
    }

    fn reserve(&self, ccy: Currency) -> Fine {
        self.reserves.get(&ccy).copied().unwrap_or(Fine::ZERO)
    }
}

/// A leg with its amounts.
#[derive(Debug, Clone, Copy)]
struct Found {
    pair: FxPair,
    side: Side,
    units: i64,
    source: Currency,
    target: Currency,
    spend: Fine,
    receive: Fine,
}

impl Found {
    fn leg(&self, then: Option<Currency>) -> Leg {
        let Found { pair, side, units, source, target, .. } = *self;
        Leg { pair, side, units, source, target, then }
    }
}

fn units_of(units: i64) -> Fine {
    Fine::from_e12(i128::from(units).saturating_mul(Fine::SCALE))
}

/// The currency without a pair with this one.
fn partner(ccy: Currency) -> Option<Currency> {
    match ccy.as_str() {
        "GBP" => Currency::new("HKD").ok(),
        "HKD" => Currency::new("GBP").ok(),
        _ => None,
    }
}
