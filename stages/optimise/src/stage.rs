//! The optimiser's state machine: new targets after a short settling, and only when they differ enough to matter.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{Input, NoCall, Out, Stage, Start};
use contracts::{
    Id, Meta, PortfolioState, SecurityScore, TargetWeight, TargetWeights, Universe,
    stage::optimise as contract,
};
use market::{Isin, Timestamp};
use money::Weight;
use rusqlite::{Connection, Transaction};

use crate::{
    Settings, store,
    tilt::{CAP_E6, INVESTED_E6, Share, Wish, leaves_the_band, shares},
};

/// Fewer scores than this say nothing about a market.
const SCORES_MIN: usize = 3;

/// The optimiser.
#[derive(Debug)]
pub struct Optimise {
    settle_ms: i64,
    scores: BTreeMap<Isin, SecurityScore>,
    universe: Option<Universe>,
    portfolio: Option<PortfolioState>,
    last: BTreeMap<Isin, i64>,
    wake_at: Option<Timestamp>,
    cause: Option<Meta>,
    quiet_because: Option<&'static str>,
}

impl Stage for Optimise {
    type Contract = contract::Optimise;
    type Settings = Settings;
    type Save = TargetWeights;
    type Call = NoCall;
    type Reply = ();

    fn load(start: &Start<Settings>, rows: Option<&Connection>) -> Result<Self, String> {
        start.settings.check()?;
        let last = rows
            .map(store::last_weights)
            .transpose()
            .map_err(|error| format!("the last targets cannot be read: {error}"))?;
        let last = last
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(isin, weight)| Some((isin.parse().ok()?, weight)))
            .collect();
        Ok(Optimise {
            settle_ms: start.settings.settle_ms,
            scores: BTreeMap::new(),
            universe: None,
            portfolio: None,
            last,
            wake_at: None,
            cause: None,
            quiet_because: None,
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(contract::Input::ScoreSecurity(heard)) => {
                self.cause = heard.meta.or(self.cause.take());
                match (heard.body, heard.key.parse()) {
                    (Some(score), _) => drop(self.scores.insert(score.isin, score)),
                    (None, Ok(isin)) => drop(self.scores.remove(&isin)),
                    (None, Err(_)) => {}
                }
                self.settle(now);
            }
            Input::Heard(contract::Input::MarketUniverse(heard)) => {
                self.universe = heard.body;
                self.settle(now);
            }
            Input::Heard(contract::Input::PortfolioState(heard)) => {
                self.portfolio = heard.body;
                self.settle(now);
            }
            Input::Tick => {
                self.wake_at = None;
                out.because(self.cause.as_ref());
                self.decide(now, out);
            }
            Input::Heard(contract::Input::ScoreRegime(_) | contract::Input::MarketFx(_))
            | Input::Replied(())
            | Input::Answered(_)
            | Input::Settings(_)
            | Input::Refused(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }

    fn apply(rows: &Transaction<'_>, run: TargetWeights) -> rusqlite::Result<()> {
        store::save(rows, &run)
    }
}

impl Optimise {
    fn settle(&mut self, now: Timestamp) {
        let then = now.saturating_plus_ms(self.settle_ms);
        self.wake_at = Some(self.wake_at.map_or(then, |earlier| earlier.min(then)));
    }

    fn decide(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let wishes = match self.wishes() {
            Ok(wishes) => wishes,
            Err(why) => {
                if self.quiet_because.replace(why) != Some(why) {
                    out.decided(format!("No targets: {why}."));
                }
                return;
            }
        };
        self.quiet_because = None;
        let shares = shares(&wishes);
        let new: BTreeMap<Isin, i64> = shares.iter().map(|(isin, share)| (*isin, share.weight_e6)).collect();
        let all: BTreeSet<Isin> = new.keys().chain(self.last.keys()).copied().collect();
        let moved = all
            .iter()
            .filter(|isin| leaves_the_band(weight_of(&self.last, isin), weight_of(&new, isin)))
            .count();
        if moved == 0 && !self.last.is_empty() {
            return;
        }
        let run = self.run(&shares, &wishes, now);
        out.decided(format!(
            "{} targets, {moved} of them moved; {} % invested.",
            run.weights.len(),
            new.values().sum::<i64>() / 10_000
        ));
        self.last = new;
        out.save(run.clone());
        out.say(run);
    }

    /// Securities that could be held, or why there is nothing to say yet.
    fn wishes(&self) -> Result<BTreeMap<Isin, Wish>, &'static str> {
        let universe = self.universe.as_ref().ok_or("the universe is not known yet")?;
        let active = universe.securities.iter().filter(|security| security.active && security.allow_buy);
        let wishes: BTreeMap<Isin, Wish> = active
            .filter_map(|security| {
                let score = self.scores.get(&security.isin)?.total?.get();
                let cap_e6 = security.max_weight_e6.map_or(CAP_E6, |own| own.e6().min(2 * CAP_E6));
                Some((security.isin, Wish { score, cap_e6 }))
            })
            .collect();
        if wishes.len() < SCORES_MIN {
            return Err("fewer than three securities have a score");
        }
        Ok(wishes)
    }

    fn run(
        &self,
        shares: &BTreeMap<Isin, Share>,
        wishes: &BTreeMap<Isin, Wish>,
        now: Timestamp,
    ) -> TargetWeights {
        let weights: Vec<TargetWeight> = shares
            .iter()
            .filter_map(|(isin, share)| {
                let score = wishes.get(isin)?.score;
                let cut = if share.capped { ", cut to its limit" } else { "" };
                Some(TargetWeight {
                    isin: *isin,
                    weight_e6: Weight::from_e6(share.weight_e6).ok()?,
                    current_e6: self.current(isin).unwrap_or(Weight::ZERO),
                    reason: format!("score {score:.3}{cut}"),
                })
            })
            .collect();
        let binding = shares
            .iter()
            .filter(|(_, share)| share.capped)
            .map(|(isin, share)| format!("{isin} at most {} %", share.weight_e6 / 10_000))
            .collect();
        let content: Vec<String> =
            weights.iter().map(|weight| format!("{} {}", weight.isin, weight.weight_e6.e6())).collect();
        TargetWeights {
            run_id: Id::derive(now, &["optimise", &content.join(",")]),
            at: now,
            method: "score_tilt".into(),
            why: format!(
                "{} securities have a score, {} of them are good enough; {} % may be invested.",
                wishes.len(),
                shares.len(),
                INVESTED_E6 / 10_000
            ),
            weights,
            binding,
            relaxed: Vec::new(),
        }
    }

    /// The present share of a security; unknown while its value or the fund's is.
    fn current(&self, isin: &Isin) -> Option<Weight> {
        let portfolio = self.portfolio.as_ref()?;
        let nav = portfolio.nav.filter(|nav| nav.is_positive())?.e4();
        let value = portfolio.position(isin).and_then(|position| position.value_eur)?.e4();
        let share = i128::from(value.max(0)).checked_mul(1_000_000)? / i128::from(nav);
        Weight::from_e6(i64::try_from(share).ok()?.min(1_000_000)).ok()
    }
}

fn weight_of(weights: &BTreeMap<Isin, i64>, isin: &Isin) -> i64 {
    weights.get(isin).copied().unwrap_or(0)
}
