//! The newest statement about everything: what has been heard, and whether it is worth planning again.

use std::{collections::BTreeMap, sync::Arc};

use contracts::{
    Bucket, Finite, FxRates, Id, OrderState, PortfolioState, Quote, Received, Regime, RiskHalt, RiskState,
    SecurityScore, TargetWeights, Universe, Venue,
};
use market::{Calendars, Isin, Mic, Timestamp};
use money::{Currency, Money, Price, Rate, Rounding, Weight};

use crate::{
    limits::{FOLLOWED_MAX, PRICE_MOVE_E6, REGIME_MOVE},
    score_news::{self, Seen},
};

/// The part of the fund that this planner works for.
pub const CORE: &str = "core";

/// A quote with the id of the message that brought it.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownQuote {
    /// What it says.
    pub quote: Quote,
    /// Its message.
    pub id: Option<Id>,
}

/// A venue's state with the time it was said, because its minutes count from then.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownVenue {
    /// What it says.
    pub venue: Venue,
    /// When it was said.
    pub said: Timestamp,
}

/// What a change is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// Not worth a run.
    Nothing,
    /// Worth a run before long.
    Change,
    /// Other holdings: worth a run soon.
    Holdings,
}

impl News {
    pub(crate) fn if_so(changed: bool) -> News {
        if changed { News::Change } else { News::Nothing }
    }
}

/// Prices and scores that the last run rested on; small moves against them are not worth another.
#[derive(Debug, Clone, Default)]
pub struct Basis {
    /// Fresh prices only.
    pub prices: BTreeMap<Isin, Price>,
    /// What plans ask of them.
    pub scores: BTreeMap<Isin, Seen>,
}

/// Everything heard.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Holdings.
    pub state: Option<PortfolioState>,
    /// Securities.
    pub universe: Option<Universe>,
    /// Prices.
    pub quotes: BTreeMap<Isin, KnownQuote>,
    /// Currency rates.
    pub rates: Option<FxRates>,
    /// Venues.
    pub venues: BTreeMap<Mic, KnownVenue>,
    /// Scores.
    pub scores: BTreeMap<Isin, SecurityScore>,
    /// Targets.
    pub targets: Option<TargetWeights>,
    /// Halts.
    pub halt: Option<RiskHalt>,
    /// Breaker and mode.
    pub risk: Option<RiskState>,
    /// The core's settings.
    pub core: Option<Bucket>,
    /// Orders that are not final.
    pub orders: BTreeMap<Id, OrderState>,
    /// The market regime.
    pub regime: Option<Regime>,
    /// When venues trade: nothing heard, but what prices age by.
    pub calendars: Arc<Calendars>,
}

impl Facts {
    /// Takes the holdings.
    pub fn hear_state(&mut self, heard: Received<PortfolioState>) -> News {
        let frozen = |state: &PortfolioState| -> Vec<Isin> {
            state.positions.iter().filter(|position| position.frozen).map(|position| position.isin).collect()
        };
        let news = match (&self.state, &heard.body) {
            (Some(old), Some(new)) if old.state_id != new.state_id => News::Holdings,
            (Some(old), Some(new)) => News::if_so(
                (old.stale, old.mode, old.nav.is_some()) != (new.stale, new.mode, new.nav.is_some())
                    || frozen(old) != frozen(new),
            ),
            (None, None) => News::Nothing,
            _ => News::Holdings,
        };
        self.state = heard.body;
        news
    }

    /// Takes a price.
    pub fn hear_quote(&mut self, heard: Received<Quote>, basis: &Basis) -> News {
        let Ok(isin) = heard.key.parse::<Isin>() else { return News::Nothing };
        let id = heard.meta.map(|meta| meta.id);
        let Some(quote) = heard.body else {
            return News::if_so(self.quotes.remove(&isin).is_some());
        };
        let old = self.quotes.get(&isin);
        if old.is_none() && self.quotes.len() >= FOLLOWED_MAX {
            return News::Nothing;
        }
        if contracts::pair_of(&isin).is_some() {
            // Exchanges follow needs, never prices.
            self.quotes.insert(isin, KnownQuote { quote, id });
            return News::Nothing;
        }
        let doubted = old.is_none_or(|old| old.quote.suspect != quote.suspect);
        let moved = basis.prices.get(&isin).is_none_or(|known| moved(*known, quote.price_e6));
        self.quotes.insert(isin, KnownQuote { quote, id });
        News::if_so(doubted || moved)
    }

    /// Takes a venue.
    pub fn hear_venue(&mut self, heard: Received<Venue>, now: Timestamp) -> News {
        let Ok(mic) = heard.key.parse::<Mic>() else { return News::Nothing };
        let Some(venue) = heard.body else { return News::if_so(self.venues.remove(&mic).is_some()) };
        let said = heard.meta.map_or(now, |meta| meta.at);
        let old = self.venues.get(&mic);
        if old.is_none() && self.venues.len() >= FOLLOWED_MAX {
            return News::Nothing;
        }
        let changed =
            old.is_none_or(|old| (old.venue.open, &old.venue.reason) != (venue.open, &venue.reason));
        self.venues.insert(mic, KnownVenue { venue, said });
        News::if_so(changed)
    }

    /// Takes a score.
    pub fn hear_score(&mut self, heard: Received<SecurityScore>, basis: &Basis) -> News {
        let Ok(isin) = heard.key.parse::<Isin>() else { return News::Nothing };
        let Some(score) = heard.body else { return News::if_so(self.scores.remove(&isin).is_some()) };
        if !self.scores.contains_key(&isin) && self.scores.len() >= FOLLOWED_MAX {
            return News::Nothing;
        }
        let changed =
            basis.scores.get(&isin).is_none_or(|old| score_news::differs(old, &score_news::seen(&score)));
        self.scores.insert(isin, score);
        News::if_so(changed)
    }

    /// Takes the targets.
    pub fn hear_targets(&mut self, heard: Received<TargetWeights>) -> News {
        let weights = |targets: &Option<TargetWeights>| -> Vec<_> {
            let all = targets.iter().flat_map(|targets| &targets.weights);
            all.map(|one| (one.isin, one.weight_e6, one.expected_return.is_some())).collect()
        };
        let changed = self.targets.is_some() != heard.body.is_some()
            || weights(&self.targets) != weights(&heard.body)
            || !wanted_groups(&self.targets).eq(wanted_groups(&heard.body));
        self.targets = heard.body;
        News::if_so(changed)
    }

    /// Takes the securities.
    pub fn hear_universe(&mut self, heard: Received<Universe>) -> News {
        let changed = self.universe != heard.body;
        self.universe = heard.body;
        News::if_so(changed)
    }

    /// Takes the currency rates.
    pub fn hear_rates(&mut self, heard: Received<FxRates>) -> News {
        let rates = |known: &Option<FxRates>| known.as_ref().map(|known| known.rates.clone());
        let changed = rates(&self.rates) != rates(&heard.body);
        self.rates = heard.body;
        News::if_so(changed)
    }

    /// Takes the halts.
    pub fn hear_halt(&mut self, heard: Received<RiskHalt>) -> News {
        let halted = |halt: &Option<RiskHalt>| halt.as_ref().map(|halt| halt.halted);
        let changed = halted(&self.halt) != halted(&heard.body);
        self.halt = heard.body;
        News::if_so(changed)
    }

    /// Takes breaker and mode.
    pub fn hear_risk(&mut self, heard: Received<RiskState>) -> News {
        let seen = |risk: &Option<RiskState>| risk.as_ref().map(|risk| (risk.breaker, risk.mode));
        let changed = seen(&self.risk) != seen(&heard.body);
        self.risk = heard.body;
        News::if_so(changed)
    }

    /// Takes a bucket; only the core is planned for.
    pub fn hear_bucket(&mut self, heard: Received<Bucket>) -> News {
        if heard.key != CORE {
            return News::Nothing;
        }
        let seen =
            |core: &Option<Bucket>| core.as_ref().map(|core| (core.status.clone(), core.min_hold_days));
        let changed = seen(&self.core) != seen(&heard.body);
        self.core = heard.body;
        News::if_so(changed)
    }

    /// Takes the regime; it moves the reserve.
    pub fn hear_regime(&mut self, heard: Received<Regime>) -> News {
        let score = |regime: &Option<Regime>| {
            regime.as_ref().and_then(|regime| regime.score).map(|score| score.get())
        };
        let moved = match (score(&self.regime), score(&heard.body)) {
            (Some(old), Some(new)) => (old - new).abs() >= REGIME_MOVE,
            (old, new) => old.is_some() != new.is_some(),
        };
        if moved || self.regime.is_none() {
            self.regime = heard.body;
        }
        News::if_so(moved)
    }

    /// What the fills of an order are worth in EUR, if their currency has a rate.
    #[must_use]
    pub fn worth_of(&self, order: &OrderState) -> Option<Money> {
        let rate = if order.ccy == Currency::EUR {
            Rate::ONE
        } else {
            self.rates.as_ref()?.rates.get(&order.ccy)?.eur_per_unit_e9
        };
        let mut worth = Money::zero(Currency::EUR);
        for fill in &order.fills {
            let value = money::value(fill.price_e6, fill.qty_e6, order.ccy, Rounding::Up).ok()?;
            worth = worth.checked_add(money::to_eur(value, rate, Rounding::Up).ok()?).ok()?;
        }
        Some(worth)
    }

    /// Takes an order's life so far; only orders that are not final stay.
    pub fn hear_order(&mut self, id: Id, order: Option<OrderState>) -> News {
        match order {
            Some(order) if !order.status.is_final() => {
                let full = self.orders.len() >= FOLLOWED_MAX;
                if !full || self.orders.contains_key(&id) {
                    self.orders.insert(id, order);
                }
                News::Nothing
            }
            Some(_) => News::if_so(self.orders.remove(&id).is_some()),
            None => {
                self.orders.remove(&id);
                News::Nothing
            }
        }
    }
}

fn moved(from: Price, to: Price) -> bool {
    let distance = (i128::from(to.e6()) - i128::from(from.e6())).abs();
    distance * 1_000_000 >= i128::from(from.e6()) * i128::from(PRICE_MOVE_E6)
}

/// Of every group its members and what the owner wants of it; where it ended up is told by the weights.
fn wanted_groups(
    targets: &Option<TargetWeights>,
) -> impl Iterator<Item = (&String, &String, &BTreeMap<Isin, Finite>, Option<Weight>)> {
    let all = targets.iter().flat_map(|targets| &targets.groups);
    all.map(|one| (&one.kind, &one.name, &one.members, one.target_e6))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Body, Finite, Sample};

    use super::*;

    fn heard<B: Body>(body: B) -> Received<B> {
        Received { key: body.key(), meta: None, body: Some(body) }
    }

    fn quote(e6: i64) -> Received<Quote> {
        heard(Quote { price_e6: Price::from_e6(e6).unwrap(), ..Quote::sample() })
    }

    #[test]
    fn a_price_is_news_from_one_percent_on() {
        let isin = Quote::sample().isin;
        let basis =
            Basis { prices: BTreeMap::from([(isin, Price::from_e6(100_000).unwrap())]), ..Basis::default() };
        let mut facts = Facts::default();
        facts.hear_quote(quote(100_000), &basis);
        for (e6, expected) in [
            (100_999, News::Nothing),
            (101_000, News::Change),
            (99_001, News::Nothing),
            (99_000, News::Change),
        ] {
            assert_eq!(facts.hear_quote(quote(e6), &basis), expected, "{e6}");
        }
        assert_eq!(facts.hear_quote(quote(100_000), &Basis::default()), News::Change);
    }

    #[test]
    fn a_score_is_news_from_one_hundredth_on() {
        let isin = SecurityScore::sample().isin;
        let score = |total| SecurityScore { total, ..SecurityScore::sample() };
        let seen = score_news::seen(&score(Finite::new(0.5)));
        let basis = Basis { scores: BTreeMap::from([(isin, seen)]), ..Basis::default() };
        let of = |total| heard(score(total));
        let mut facts = Facts::default();
        assert_eq!(facts.hear_score(of(Finite::new(0.509)), &basis), News::Nothing);
        assert_eq!(facts.hear_score(of(Finite::new(0.52)), &basis), News::Change);
        assert_eq!(facts.hear_score(of(None), &basis), News::Change);
    }

    #[test]
    fn another_wish_for_a_group_is_news_and_where_it_ended_up_is_none() {
        let mut facts = Facts::default();
        facts.hear_targets(heard(TargetWeights::sample()));
        let with = |change: fn(&mut contracts::TargetGroup)| {
            let mut targets = TargetWeights::sample();
            change(&mut targets.groups[0]);
            Facts { targets: facts.targets.clone(), ..Facts::default() }.hear_targets(heard(targets))
        };
        assert_eq!(with(|group| group.target_e6 = None), News::Change);
        assert_eq!(with(|group| group.members.clear()), News::Change);
        assert_eq!(with(|group| group.binding = None), News::Nothing);
    }

    #[test]
    fn only_another_state_id_means_other_holdings() {
        let mut facts = Facts::default();
        assert_eq!(facts.hear_state(heard(PortfolioState::sample())), News::Holdings);
        assert_eq!(facts.hear_state(heard(PortfolioState::sample())), News::Nothing);
        let later = PortfolioState { at: Timestamp::from_ms(1), ..PortfolioState::sample() };
        assert_eq!(facts.hear_state(heard(later)), News::Nothing);
        let stale = PortfolioState { stale: true, ..PortfolioState::sample() };
        assert_eq!(facts.hear_state(heard(stale)), News::Change);
        let other = PortfolioState { state_id: "x".into(), ..PortfolioState::sample() };
        assert_eq!(facts.hear_state(heard(other)), News::Holdings);
    }

    #[test]
    fn minutes_of_a_venue_are_no_news() {
        let mut facts = Facts::default();
        assert_eq!(facts.hear_venue(heard(Venue::sample()), Timestamp::ZERO), News::Change);
        let later = Venue { since_open_min: Some(91), ..Venue::sample() };
        assert_eq!(facts.hear_venue(heard(later), Timestamp::ZERO), News::Nothing);
        let shut = Venue { open: false, ..Venue::sample() };
        assert_eq!(facts.hear_venue(heard(shut), Timestamp::ZERO), News::Change);
    }
}
