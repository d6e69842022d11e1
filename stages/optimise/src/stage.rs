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
    Settings,
    held::{Account, Kept, account, kept},
    store,
    tilt::{CAP_E6, INVESTED_E6, SCORE_MIN, Share, Wish, leaves_the_band, shares},
};

/// Fewer wanted securities than this make no portfolio.
const WANTED_MIN: usize = 3;
/// Fewer scores than this say nothing about a market.
const SCORES_MIN: usize = 3;
/// Targets of this age are said anew even if they did not move.
const TARGETS_AGE_MS: i64 = 7 * 86_400_000;
/// Calendar days after which the newest bar of a score is too old to act on it.
const BARS_AGE_MAX_DAYS: i32 = 7;

/// What one run came to.
struct Found<'a> {
    wishes: &'a BTreeMap<Isin, Wish>,
    shares: BTreeMap<Isin, Share>,
    kept: BTreeMap<Isin, Kept>,
    account: &'a Account,
}

/// The optimiser.
#[derive(Debug)]
pub struct Optimise {
    settle_ms: i64,
    scores: BTreeMap<Isin, SecurityScore>,
    universe: Option<Universe>,
    portfolio: Option<PortfolioState>,
    last: BTreeMap<Isin, i64>,
    last_at: Option<Timestamp>,
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
        let last_at = rows
            .map(store::last_run)
            .transpose()
            .map_err(|error| format!("the last run cannot be read: {error}"))?
            .flatten();
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
            last_at,
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
        let totals = self.totals(now);
        let ground = self.wishes(&totals).and_then(|wishes| Ok((wishes, account(self.portfolio.as_ref())?)));
        let (wishes, account) = match ground {
            Ok(ground) => ground,
            Err(why) => {
                if self.quiet_because.replace(why) != Some(why) {
                    out.decided(format!("No targets: {why}."));
                }
                return;
            }
        };
        if wishes.values().filter(|wish| wish.score >= SCORE_MIN).count() < WANTED_MIN {
            // Targets of nothing would be an order to sell everything; a fund is not sold because data is thin.
            let why = "fewer than three securities are good enough to hold";
            if self.quiet_because.replace(why) != Some(why) {
                out.decided(format!("No new targets: {why}; the old ones stand."));
            }
            return;
        }
        self.quiet_because = None;
        let kept = kept(&account, self.universe.as_ref(), &totals, &self.last);
        let bound: i64 = kept.values().map(|kept| kept.weight_e6).sum();
        let shares = shares(&wishes, INVESTED_E6 - bound);
        let found = Found { wishes: &wishes, shares, kept, account: &account };
        let new = found.weights();
        let all: BTreeSet<Isin> = new.keys().chain(self.last.keys()).copied().collect();
        let moved = all
            .iter()
            .filter(|isin| leaves_the_band(weight_of(&self.last, isin), weight_of(&new, isin)))
            .count();
        if moved == 0 && self.last_at.is_some_and(|at| now.since(at) < TARGETS_AGE_MS) {
            return;
        }
        let run = found.run(now);
        out.decided(format!(
            "{} targets, {moved} of them moved; {} % invested.",
            run.weights.len(),
            new.values().sum::<i64>() / 10_000
        ));
        self.last = new;
        self.last_at = Some(now);
        out.save(run.clone());
        out.say(run);
    }

    /// Every total that may be acted on, in the universe or not.
    fn totals(&self, now: Timestamp) -> BTreeMap<Isin, f64> {
        let today = now.day_utc();
        let fresh = |score: &SecurityScore| {
            score.bars_until.is_some_and(|until| until.days_until(today) <= BARS_AGE_MAX_DAYS)
        };
        let fresh = self.scores.iter().filter(|(_, score)| fresh(score));
        fresh.filter_map(|(isin, score)| Some((*isin, score.total?.get()))).collect()
    }

    /// Securities that could be held, or why there is nothing to say yet.
    fn wishes(&self, totals: &BTreeMap<Isin, f64>) -> Result<BTreeMap<Isin, Wish>, &'static str> {
        let universe = self.universe.as_ref().ok_or("the universe is not known yet")?;
        let active = universe.securities.iter().filter(|security| security.active && security.allow_buy);
        let wishes: BTreeMap<Isin, Wish> = active
            .filter_map(|security| {
                let score = *totals.get(&security.isin)?;
                // The owner's own limit may only tighten.
                let cap_e6 = security.max_weight_e6.map_or(CAP_E6, |own| own.e6().min(CAP_E6));
                Some((security.isin, Wish { score, cap_e6 }))
            })
            .collect();
        if wishes.len() < SCORES_MIN {
            return Err("fewer than three securities have a score");
        }
        Ok(wishes)
    }
}

impl Found<'_> {
    /// Every target above zero.
    fn weights(&self) -> BTreeMap<Isin, i64> {
        let shares = self.shares.iter().map(|(isin, share)| (*isin, share.weight_e6));
        let kept = self.kept.iter().map(|(isin, kept)| (*isin, kept.weight_e6));
        shares.chain(kept).filter(|(_, weight)| *weight > 0).collect()
    }

    fn run(&self, now: Timestamp) -> TargetWeights {
        let weights: Vec<TargetWeight> = self
            .weights()
            .into_iter()
            .filter_map(|(isin, weight_e6)| {
                Some(TargetWeight {
                    isin,
                    weight_e6: Weight::from_e6(weight_e6).ok()?,
                    current_e6: self.account.current(&isin)?,
                    reason: self.reason(&isin)?,
                })
            })
            .collect();
        let binding = self
            .shares
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
            why: self.why(),
            weights,
            binding,
            relaxed: Vec::new(),
        }
    }

    fn reason(&self, isin: &Isin) -> Option<String> {
        if let Some(kept) = self.kept.get(isin) {
            return Some(kept.reason.clone());
        }
        let score = self.wishes.get(isin)?.score;
        let cut = if self.shares.get(isin)?.capped { ", cut to its limit" } else { "" };
        Some(format!("score {score:.3}{cut}"))
    }

    fn why(&self) -> String {
        format!(
            "{} securities have a score, {} of them are good enough; {} holdings stay as they are; {} % may be invested.",
            self.wishes.len(),
            self.shares.len(),
            self.kept.len(),
            INVESTED_E6 / 10_000
        )
    }
}

fn weight_of(weights: &BTreeMap<Isin, i64>, isin: &Isin) -> i64 {
    weights.get(isin).copied().unwrap_or(0)
}
