//! The immutable ground of one run: money, and every security with all that is needed to trade it, or why not.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use contracts::{
    Alike, ExchangeTerms, Finite, LeftOut, Mode, PortfolioState, Position, Quote, Security, SecurityScore,
    Side, TargetWeight, TargetWeights, Universe,
};
use limits::Fine;
use market::{Isin, Timestamp};
use money::{Currency, Money, MoneyError, Rate, Rounding, Weight};

use crate::{
    approval::SKIPPED,
    dividends::Dividends,
    exchange_cost,
    facts::{CORE, Facts, KnownVenue},
    groups::{Gap, Groups, Member, ratio},
    limits::{DAY_MS, OWN_LIMIT_MAX_E6, TARGETS_AGE_MAX_MS},
    memory::Memory,
    merit::{self, Merit},
    parameters::Parameters,
    price_age,
    purses::Purses,
    rate_age,
    settings::Rules,
    target_groups::TargetGroups,
};

/// Why no run is possible at all, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoGround {
    /// Nothing is known of the account.
    #[error("the account has not been read yet")]
    NoState,
    /// The account belongs to another environment.
    #[error("the account is of environment {0}, not of this one; check who publishes portfolio/state")]
    OtherEnvironment(String),
    /// The account could not be read for too long.
    #[error("the account could not be read for too long")]
    StaleState,
    /// A part of the fund has no value.
    #[error("the fund cannot be valued: {0} lacks a price or a rate")]
    NoValue(String),
    /// There is nothing to plan with.
    #[error("the fund is worth nothing")]
    Empty,
    /// The securities are unknown.
    #[error("the universe is not known yet")]
    NoUniverse,
    /// There are no targets yet. Old ones are another matter: they are ignored.
    #[error("the targets are not known yet")]
    NoTargets,
    /// Amounts do not fit.
    #[error("the figures of the account cannot be added up: {0}")]
    Arithmetic(String),
}

/// Why a security is left out whose venue is shut while another is open.
pub const VENUE_CLOSED: &str = "venue_closed";

/// One security that may be traded as far as its data goes.
#[derive(Debug, Clone)]
pub struct Usable<'a> {
    /// What it is.
    pub security: &'a Security,
    /// Its price.
    pub quote: &'a Quote,
    /// EUR per unit of its currency.
    pub rate: Rate,
    /// Its score.
    pub score: Finite,
    /// What else its score says.
    pub merit: Merit,
    /// Its target share.
    pub target: Weight,
    /// Worth of all that is held of it.
    pub value: Money,
    /// Dividends of it that no purchase has used yet.
    pub dividends: Money,
    /// What the core holds.
    pub position: Option<&'a Position>,
    /// Whole days since the last purchase; `None` = known never, unknown counts as today.
    pub days_since_buy: Option<u32>,
    /// Whole days since the last sale; likewise.
    pub days_since_sell: Option<u32>,
    /// Whole days since the last transaction; likewise.
    pub days_since_transaction: Option<u32>,
}

/// The ground of one run.
#[derive(Debug, Clone)]
pub struct Snapshot<'a> {
    /// When.
    pub now: Timestamp,
    /// The account.
    pub state: &'a PortfolioState,
    /// Holdings and all cash.
    pub total: Money,
    /// The targets, while they are not too old.
    pub targets: Option<&'a TargetWeights>,
    /// EUR that may be planned with, all currencies together.
    pub cash: Money,
    /// The same by currency.
    pub purses: Purses,
    /// What the best sales of one plan bring in after costs, by currency; known once sales have been looked for.
    pub sales: BTreeMap<Currency, Money>,
    /// Countries and industries as they are held, against the targets of their members.
    pub groups: Groups,
    /// The groups that the targets name, if they do.
    pub target_groups: Option<TargetGroups>,
    /// What may be traded, by ISIN.
    pub usable: Vec<Usable<'a>>,
    /// What may not, by ISIN.
    pub left_out: Vec<LeftOut>,
    /// Rules of this run.
    pub rules: &'a Rules,
    /// What the planner configuration decides.
    pub parameters: &'a Parameters,
    /// Days to hold in the core.
    pub min_hold_days: u32,
    facts: &'a Facts,
}

impl<'a> Snapshot<'a> {
    /// Takes the ground from everything heard.
    ///
    /// # Errors
    /// [`NoGround`]: what is missing for any run.
    pub fn take(
        facts: &'a Facts,
        (memory, dividends): (&Memory, &Dividends),
        rules: &'a Rules,
        environment: &str,
        now: Timestamp,
    ) -> Result<Snapshot<'a>, NoGround> {
        let state = facts.state.as_ref().ok_or(NoGround::NoState)?;
        if state.environment != environment {
            return Err(NoGround::OtherEnvironment(state.environment.clone()));
        }
        if state.stale {
            return Err(NoGround::StaleState);
        }
        let total = state.nav.ok_or_else(|| NoGround::NoValue(state.unvalued.join(", ")))?;
        if !total.is_positive() {
            return Err(NoGround::Empty);
        }
        let universe = facts.universe.as_ref().ok_or(NoGround::NoUniverse)?;
        let arithmetic = |error: MoneyError| NoGround::Arithmetic(error.to_string());
        let purses = purses_of(facts, rules, state, now).map_err(arithmetic)?;
        let cash = purses.sum();
        // The owner's minimum hold of the core may only be longer than the rule.
        let own_hold = facts.core.as_ref().map_or(0, |core| u32::from(core.min_hold_days));
        let min_hold_days = rules.sell.min_hold_days.max(own_hold);
        let mut snapshot = Snapshot {
            now,
            targets: targets_in_force(facts, now),
            state,
            total,
            cash,
            purses,
            sales: BTreeMap::new(),
            groups: Groups::default(),
            target_groups: None,
            usable: Vec::new(),
            left_out: Vec::new(),
            rules,
            parameters: &rules.parameters,
            min_hold_days,
            facts,
        };
        snapshot.groups = snapshot.all_groups(universe);
        snapshot.target_groups = snapshot.groups_of_targets();
        snapshot.sort_out(universe, memory, dividends);
        Ok(snapshot)
    }

    /// EUR that may be spent on securities of a currency: its own, and what EUR can be exchanged for it.
    #[must_use]
    pub fn spendable(&self, ccy: Currency) -> Money {
        self.purses.with_exchange(ccy, self.exchange(ccy).as_ref())
    }

    /// The same, knowing what the best sales bring in.
    #[must_use]
    pub fn with_sales(self, sales: BTreeMap<Currency, Money>) -> Snapshot<'a> {
        Snapshot { sales, ..self }
    }

    /// The most that purchases in a currency can cost: what may be spent, and what the best sales bring in before them. Only
    /// EUR are ever exchanged, so a sale in another currency pays for purchases in that one alone.
    #[must_use]
    pub fn means(&self, ccy: Currency) -> Money {
        let of = |ccy| self.sales.get(&ccy).copied().unwrap_or(Money::zero(Currency::EUR));
        let own = self.purses.of(ccy).checked_add(of(ccy));
        let eur = self.purses.of(Currency::EUR).checked_add(of(Currency::EUR));
        let had = match self.exchange(ccy) {
            Some(terms) => eur.and_then(|eur| exchange_cost::had_for(eur, &terms)),
            None => Ok(Money::zero(Currency::EUR)),
        };
        own.and_then(|own| own.checked_add(had?)).unwrap_or_else(|_| self.spendable(ccy))
    }

    /// On what terms a currency is had for EUR.
    #[must_use]
    pub fn exchange(&self, ccy: Currency) -> Option<ExchangeTerms> {
        exchange_cost::terms(self.facts, self.rules, ccy, self.now)
    }

    /// Countries and industries of everything that is held or has a target.
    fn all_groups(&self, universe: &Universe) -> Groups {
        let known: BTreeMap<Isin, &Security> =
            universe.securities.iter().map(|security| (security.isin, security)).collect();
        let held = self.state.positions.iter().map(|position| {
            (position.isin, position.value_eur.unwrap_or(Money::zero(Currency::EUR)), Weight::ZERO)
        });
        let wanted = self.weights().map(|one| (one.isin, Money::zero(Currency::EUR), one.weight_e6));
        let members = held.chain(wanted).map(|(isin, value, target)| {
            let security = known.get(&isin);
            Member {
                country: security.and_then(|security| security.country.as_deref()),
                industry: security.and_then(|security| security.industry.as_deref()),
                value: value.into(),
                target: target.into(),
            }
        });
        Groups::new(members)
    }

    fn groups_of_targets(&self) -> Option<TargetGroups> {
        let held = self.state.positions.iter().filter_map(|one| Some((one.isin, one.value_eur?)));
        TargetGroups::of(self.targets?, &held.collect::<Vec<_>>())
    }

    /// How far the group of a security is from its target that is farthest over, or under, its own.
    #[must_use]
    pub fn widest_gap(&self, security: &Security, over: bool) -> Option<Gap> {
        // Without targets no group is too much or too little.
        self.targets?;
        match &self.target_groups {
            Some(groups) => groups.widest(security.isin, over),
            None => self.groups.widest(security.country.as_deref(), security.industry.as_deref(), over),
        }
    }

    /// Target share of a security; what is not listed has none.
    #[must_use]
    pub fn target(&self, isin: Isin) -> Weight {
        self.weights().find(|one| one.isin == isin).map_or(Weight::ZERO, |one| one.weight_e6)
    }

    /// What the targets expect a security to return in a year, if they list it.
    #[must_use]
    pub fn expected_return(&self, isin: Isin) -> Option<Finite> {
        self.weights().find(|one| one.isin == isin).and_then(|one| one.expected_return)
    }

    /// All targets.
    pub fn weights(&self) -> impl Iterator<Item = &'a TargetWeight> + use<'a> {
        self.targets.into_iter().flat_map(|targets| &targets.weights)
    }

    /// The pairs of securities that move most alike, as the targets name them.
    pub fn alike(&self) -> impl Iterator<Item = &'a Alike> + use<'a> {
        self.targets.into_iter().flat_map(|targets| &targets.alike)
    }

    /// How much a security moves like all that is held, weighted by size: pairs that nobody knows count as moving apart.
    #[must_use]
    pub fn likeness(&self, isin: Isin) -> f64 {
        let others = || self.state.positions.iter().filter(|one| one.isin != isin);
        let worth = |value: Option<Money>| value.map_or(0, |value| value.e4().max(0));
        let all = others().map(|one| worth(one.value_eur)).fold(0_i64, i64::saturating_add);
        let alike = self.alike().filter_map(|pair| {
            let other = match isin {
                isin if isin == pair.first => pair.second,
                isin if isin == pair.second => pair.first,
                _ => return None,
            };
            let value = others().filter(|one| one.isin == other).map(|one| worth(one.value_eur));
            let value = value.fold(0_i64, i64::saturating_add);
            Some(pair.correlation.get() * ratio(Fine::from_e12(value.into()), Fine::from_e12(all.into())))
        });
        alike.sum()
    }

    /// What is known of a security.
    #[must_use]
    pub fn security(&self, isin: Isin) -> Option<&Security> {
        self.facts.universe.as_ref().and_then(|universe| universe.find(&isin))
    }

    /// Everything that its score says.
    #[must_use]
    pub fn full_score(&self, isin: Isin) -> Option<&SecurityScore> {
        self.facts.scores.get(&isin)
    }

    /// The most that a security may be of the fund: the rule, or the owner's own limit.
    #[must_use]
    pub fn max_share(&self, isin: Isin) -> Weight {
        let own = self.security(isin).and_then(|security| security.max_weight_e6);
        let own = own.and_then(|own| Weight::from_e6(own.e6().min(OWN_LIMIT_MAX_E6)).ok());
        own.unwrap_or(self.rules.max_position)
    }

    /// Score of a security, if it is known.
    #[must_use]
    pub fn score(&self, isin: Isin) -> Option<Finite> {
        self.facts.scores.get(&isin).and_then(|score| score.total)
    }

    /// What a person calls a security.
    #[must_use]
    pub fn name(&self, isin: Isin) -> String {
        let known = self.facts.universe.as_ref().and_then(|universe| universe.find(&isin));
        known.map_or_else(|| isin.to_string(), |security| security.ticker.clone())
    }

    fn sort_out(&mut self, universe: &'a Universe, memory: &Memory, dividends: &Dividends) {
        let listed = universe.securities.iter().map(|security| security.isin);
        let held = self.state.positions.iter().map(|position| position.isin);
        let all: BTreeSet<Isin> = listed.chain(held).collect();
        let securities: BTreeMap<Isin, &Security> =
            universe.securities.iter().map(|security| (security.isin, security)).collect();
        for isin in all {
            match self.examine(isin, securities.get(&isin).copied(), memory) {
                Ok(usable) => self.usable.push(Usable { dividends: dividends.unused(isin), ..usable }),
                Err((code, text)) => {
                    self.left_out.push(LeftOut { isin, code: code.into(), text });
                }
            }
        }
        self.keep_to_open_venues();
    }

    /// While one venue is open the others wait for their turn: a plan that begins with one of theirs would keep everything
    /// else waiting. When all are shut, the plan is one for the next opening.
    fn keep_to_open_venues(&mut self) {
        let is_open = |mic| self.facts.venues.get(&mic).is_some_and(|known: &KnownVenue| known.venue.open);
        if !self.usable.iter().any(|one| is_open(one.security.mic)) {
            return;
        }
        let (open, shut): (Vec<_>, Vec<_>) = self.usable.drain(..).partition(|one| is_open(one.security.mic));
        self.usable = open;
        let closed = shut.iter().map(|one| LeftOut {
            isin: one.security.isin,
            code: VENUE_CLOSED.into(),
            text: format!("{} is closed while others are open.", one.security.mic),
        });
        self.left_out.extend(closed);
        self.left_out.sort_by_key(|one| one.isin);
    }

    fn examine(
        &self,
        isin: Isin,
        security: Option<&'a Security>,
        memory: &Memory,
    ) -> Result<Usable<'a>, (&'static str, String)> {
        let no = |code, text: &str| Err((code, text.to_string()));
        let Some(security) = security else {
            return no("unknown_security", "It is held, but not in the universe.");
        };
        if !security.active {
            return no("inactive", "It is not active.");
        }
        let positions = || self.state.positions.iter().filter(|position| position.isin == isin);
        if positions().any(|position| position.frozen) {
            return no("frozen", "Our books and the broker's differ.");
        }
        if positions().any(|position| position.qty_e6.is_negative()) {
            return no("short_position", "Less than nothing is held.");
        }
        let ordered = self.state.open_orders.iter().any(|order| order.isin == isin)
            || self.facts.orders.values().any(|order| order.isin == isin);
        if ordered {
            return no("open_order", "An order of it is open.");
        }
        if let Some(hold) = memory.block(isin, self.now) {
            if hold.code == SKIPPED {
                return Err((SKIPPED, format!("A person skipped it until {}.", hold.until)));
            }
            return Err(("blocked", format!("The last order was refused: {}.", hold.code)));
        }
        let quote = self.quote(security)?;
        let rate = self.rate(security.ccy)?;
        let venue = self.facts.venues.get(&security.mic).map(|known| known.venue.reason.as_str());
        if venue.is_none_or(|reason| matches!(reason, "unknown_venue" | "beyond_calendar")) {
            return Err(("venue_unknown", format!("Nobody knows when {} is open.", security.mic)));
        }
        let Some(score) = self.score(isin) else {
            return no("score_missing", "It has no score.");
        };
        let values = positions().filter_map(|position| position.value_eur);
        let Ok(value) = Money::checked_sum(Currency::EUR, values) else {
            return no("overflow", "Its value cannot be computed.");
        };
        let mut usable = Usable {
            security,
            quote,
            rate,
            score,
            merit: self.facts.scores.get(&isin).map(merit::of).unwrap_or_default(),
            target: self.target(isin),
            value,
            dividends: Money::zero(Currency::EUR),
            position: positions()
                .find(|position| position.bucket_id == CORE && position.qty_e6.is_positive()),
            days_since_buy: None,
            days_since_sell: None,
            days_since_transaction: None,
        };
        self.date(&mut usable, memory);
        Ok(usable)
    }

    fn quote(&self, security: &Security) -> Result<&'a Quote, (&'static str, String)> {
        let no = |code, text: &str| Err((code, text.to_string()));
        let Some(known) = self.facts.quotes.get(&security.isin) else {
            return no("no_price", "It has no price.");
        };
        let quote = &known.quote;
        if quote.price_e6.is_zero() {
            return no("no_price", "Its price is zero.");
        }
        if quote.suspect {
            return no("suspect_price", "Its price jumped too far to be believed.");
        }
        if quote.ccy != security.ccy {
            return Err((
                "wrong_currency",
                format!("Its price is in {}, not in {}.", quote.ccy, security.ccy),
            ));
        }
        if !price_age::is_good_to_plan(
            &self.facts.calendars,
            security,
            quote,
            self.rules.price_age_max_ms,
            self.now,
        ) {
            return no("stale_price", "Its price is too old, or from the future.");
        }
        Ok(quote)
    }

    fn rate(&self, ccy: Currency) -> Result<Rate, (&'static str, String)> {
        rate_of(self.facts, self.rules, ccy, self.now)
    }

    /// Days since the last trades, from the books, whoever traded and even if nothing is left, and from our own orders.
    fn date(&self, usable: &mut Usable<'_>, memory: &Memory) {
        let isin = usable.security.isin;
        let mode: Mode = self.state.mode;
        let held = self.state.positions.iter().filter(|position| position.isin == isin);
        let opened = held.clone().filter_map(|position| position.opened).max();
        let closed = self.state.closed(&isin);
        let bought = held.clone().filter_map(|position| position.last_buy).max();
        let bought = bought.max(closed.and_then(|closed| closed.last_buy));
        let sold = held.clone().filter_map(|position| position.last_sell).max();
        let sold = sold.max(closed.and_then(|closed| closed.last_sell));
        let buy = bought.max(memory.last(isin, Side::Buy, mode));
        let sell = sold.max(memory.last(isin, Side::Sell, mode));
        let any = opened.max(buy).max(sell);
        let is_held = held.clone().any(|position| !position.qty_e6.is_zero());
        let days = |at: Option<Timestamp>| match at {
            Some(at) => Some(whole_days(self.now, at)),
            // A holding without any history may have been traded today.
            None if is_held && any.is_none() => Some(0),
            None => None,
        };
        usable.days_since_buy = days(buy.max(opened));
        usable.days_since_sell = days(sell);
        usable.days_since_transaction = days(any);
    }
}

/// The targets, unless there are none or they are older than 30 days: then nothing is done to reach them.
#[must_use]
pub fn targets_in_force(facts: &Facts, now: Timestamp) -> Option<&TargetWeights> {
    facts.targets.as_ref().filter(|targets| now.since(targets.at) <= TARGETS_AGE_MAX_MS)
}

/// What may be spent of each currency now; nothing while the fund has no value.
///
/// # Errors
/// [`MoneyError`] when amounts do not fit.
pub fn purses_of(
    facts: &Facts,
    rules: &Rules,
    state: &PortfolioState,
    now: Timestamp,
) -> Result<Purses, MoneyError> {
    let Some(total) = state.nav else { return Ok(Purses::default()) };
    let rates = |ccy| rate_of(facts, rules, ccy, now).ok();
    Purses::new(&state.cash, reserve(total, rules, facts)?, rates)
}

/// Cash that is never planned with: an amount, or a part of the fund that grows as the market falls. An unknown regime
/// counts as the worst. Never less than the owner's own part.
fn reserve(total: Money, rules: &Rules, facts: &Facts) -> Result<Money, MoneyError> {
    let regime = facts.regime.as_ref().and_then(|regime| regime.score).map(|score| score.get());
    let part = rules.regime.part(regime).max(rules.reserve_share);
    let share = total.share(part, Rounding::Up)?;
    Ok(if share.covers(rules.reserve)? { share } else { rules.reserve })
}

/// A rate that is known and fresh.
pub(crate) fn rate_of(
    facts: &Facts,
    rules: &Rules,
    ccy: Currency,
    now: Timestamp,
) -> Result<Rate, (&'static str, String)> {
    if ccy == Currency::EUR {
        return Ok(Rate::ONE);
    }
    let Some(rate) = facts.rates.as_ref().and_then(|known| known.rates.get(&ccy)) else {
        return Err(("no_rate", format!("The rate of {ccy} is not known.")));
    };
    if !rate_age::is_usable(rate.as_of, now, rules.rate_age_max_ms) {
        return Err(("stale_rate", format!("The rate of {ccy} is too old, or from the future.")));
    }
    Ok(rate.eur_per_unit_e9)
}

/// Whole days since an instant; the future counts as today.
fn whole_days(now: Timestamp, then: Timestamp) -> u32 {
    u32::try_from((now.since(then) / DAY_MS).max(0)).unwrap_or(u32::MAX)
}
