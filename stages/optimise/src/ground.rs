//! From what the stage has heard to a question, or why there is none yet.
//!
//! A security has a say when it is active, scored, its score rests on fresh bars, its price is recent, and its history can be compared with
//! the others'. What is held and has no say keeps its share: nothing is sold for lack of knowledge. What is new and has
//! no say gets nothing.

use std::collections::BTreeMap;

use contracts::{
    BARS_AGE_MAX_DAYS, FxRates, PortfolioState, Regime, SESSIONS_MISSED_MAX, Security, SecurityScore,
    Universe,
};
use market::{Calendars, Day, Isin, Timestamp};
use money::Currency;

use crate::{
    Settings,
    ages::{Ages, Made},
    groups::ranges,
    held::{Account, account},
    history::{Series, align},
    opinions::{Known, combined, expected, growth, preference},
    question::{Asset, Locked, Previous, Question},
    risk::risk,
};

/// Venues that close further apart than this hide correlations.
const CLOSES_APART_MS: i64 = 4 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// Everything heard.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// Latest scores.
    pub scores: &'a BTreeMap<Isin, SecurityScore>,
    /// The universe.
    pub universe: Option<&'a Universe>,
    /// The account.
    pub portfolio: Option<&'a PortfolioState>,
    /// When the last price of each security was made.
    pub prices: &'a BTreeMap<Isin, Made>,
    /// Currency rates.
    pub rates: Option<&'a FxRates>,
    /// The market.
    pub regime: Option<&'a Regime>,
    /// Now.
    pub now: Timestamp,
    /// When venues close.
    pub calendars: &'a Calendars,
}

/// Why nothing is asked, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unasked {
    /// Something is not known yet.
    Unknown(String),
    /// What the core holds is worth something by an old price or rate.
    Old(String),
}

/// A question with what was left out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    /// The question.
    pub question: Question,
    /// Who has no say, and why.
    pub excluded: BTreeMap<Isin, String>,
    /// What was noticed on the way.
    pub notes: Vec<String>,
}

impl From<String> for Unasked {
    fn from(why: String) -> Unasked {
        Unasked::Unknown(why)
    }
}

impl From<&str> for Unasked {
    fn from(why: &str) -> Unasked {
        Unasked::Unknown(why.into())
    }
}

impl Heard<'_> {
    /// The regime, from -1 to 1.
    #[must_use]
    pub fn market(&self) -> Option<f64> {
        Some(self.regime?.score?.get())
    }

    /// The regime that the owner wants to be followed; none while detection is off.
    fn followed(&self, settings: &Settings) -> Option<f64> {
        self.market().filter(|_| settings.market_regime_detection_enabled)
    }

    /// Whose bars are needed, with their currencies; an error while that is unknown.
    ///
    /// # Errors
    /// One sentence.
    pub fn wanted(&self) -> Result<BTreeMap<Isin, Currency>, String> {
        let universe = self.universe.ok_or("the universe is not known yet")?;
        account(self.portfolio, self.rates)?;
        let scored = |security: &&Security| security.active && self.score(&security.isin).is_ok();
        let wanted: BTreeMap<Isin, Currency> =
            universe.securities.iter().filter(scored).map(|security| (security.isin, security.ccy)).collect();
        if wanted.len() < 2 {
            return Err("fewer than two securities have a score".into());
        }
        Ok(wanted)
    }

    fn today(&self) -> Day {
        self.now.day_utc()
    }

    fn ages(&self) -> Ages<'_> {
        Ages { prices: self.prices, rates: self.rates, calendars: self.calendars, now: self.now }
    }

    fn score(&self, isin: &Isin) -> Result<(f64, &SecurityScore), String> {
        let score = self.scores.get(isin).ok_or("it has no score")?;
        let total = score.total.ok_or("it has no score")?.get();
        let until = score.bars_until.ok_or("its score rests on bars of an unknown day")?;
        let age = until.days_until(self.today());
        if age > BARS_AGE_MAX_DAYS {
            return Err(format!("its score rests on bars of {age} days ago"));
        }
        Ok((total, score))
    }

    /// Puts the question.
    ///
    /// # Errors
    /// Why nothing can be asked.
    pub fn question(
        &self,
        settings: &Settings,
        bars: &BTreeMap<Isin, Series>,
        previous: Option<Previous>,
        blend: f64,
    ) -> Result<Ground, Unasked> {
        let universe = self.universe.ok_or("the universe is not known yet")?;
        let account = account(self.portfolio, self.rates)?;
        self.ages().of_core(universe, &account, self.portfolio).map_err(Unasked::Old)?;
        let mut notes = Vec::new();
        let (mut candidates, mut excluded) = self.candidates(universe, &account, bars);
        let series: Vec<Series> = candidates.iter().map(|one| one.series.clone()).collect();
        let aligned = align(&series);
        for (at, why) in aligned.left_out {
            excluded.insert(candidates[at].security.isin, why);
        }
        for at in &aligned.own_currency {
            let security = candidates[*at].security;
            notes.push(format!(
                "{} is compared in {}: older rates are not known",
                security.isin, security.ccy
            ));
        }
        candidates = aligned.included.iter().map(|at| candidates[*at].clone()).collect();
        if candidates.len() < 2 {
            let first = excluded.values().next().cloned().unwrap_or_default();
            return Err(format!("fewer than two securities can be compared ({first})").into());
        }
        let apart = settings.overlapping_correlation && self.closes_apart(&candidates);
        let risk =
            risk(aligned.returns, candidates.len(), apart).ok_or("the returns say nothing about risk")?;
        for one in candidates.iter().filter(|one| one.security.allow_buy && !one.is_fresh) {
            notes.push(format!(
                "{} is not bought: its score rests on bars that missed more than {SESSIONS_MISSED_MAX} sessions",
                one.security.isin
            ));
        }
        let known: Vec<Known> = candidates.iter().map(|one| one.known).collect();
        let opinions = opinions(settings, &known, &risk.covariance, self.followed(settings), &mut notes);
        let assets = candidates.iter().zip(opinions).map(|(one, expected)| {
            Some(Asset {
                isin: one.security.isin,
                current: account.share(&one.security.isin),
                allow_buy: one.security.allow_buy && one.is_fresh,
                allow_sell: one.security.allow_sell,
                own_max: one.security.max_weight_e6.map(money::Weight::to_f64),
                own_min: one.security.min_weight_e6.map(money::Weight::to_f64),
                leaves: one.security.marked_for_exit,
                expected: expected?,
            })
        });
        let assets: Vec<Asset> = assets.collect::<Option<_>>().ok_or("an expected return is not a number")?;
        let locked = locked(&account, &assets, &excluded, universe);
        let mut parameters = settings.parameters(account.core.to_f64());
        parameters.max_position = account.of_core(parameters.max_position);
        parameters.blend = blend;
        let mut groups = Vec::new();
        for mut table in settings.tables() {
            table.cap = account.of_core(table.cap);
            let all = assets.iter().map(|asset| asset.isin).chain(locked.iter().map(|locked| locked.isin));
            let texts: Vec<(Isin, Option<String>)> = all
                .map(|isin| {
                    let security = universe.find(&isin);
                    let text = security.and_then(|security| match table.kind {
                        "country" => security.country.clone(),
                        _ => security.industry.clone(),
                    });
                    (isin, text)
                })
                .collect();
            let (found, said) = ranges(&table, &texts);
            groups.extend(found);
            notes.extend(said);
        }
        let reserve = settings.reserve(account.core.to_f64(), self.market());
        let question = Question { assets, locked, risk, groups, reserve, parameters, previous };
        Ok(Ground { question, excluded, notes })
    }

    fn candidates<'a>(
        &self,
        universe: &'a Universe,
        account: &Account,
        bars: &BTreeMap<Isin, Series>,
    ) -> (Vec<Candidate<'a>>, BTreeMap<Isin, String>) {
        let mut candidates: Vec<Candidate<'a>> = Vec::new();
        let mut excluded = BTreeMap::new();
        for security in universe.securities.iter().filter(|security| security.active) {
            match self.candidate(security, account, bars) {
                Ok(candidate) => candidates.push(candidate),
                Err(why) => drop(excluded.insert(security.isin, why)),
            }
        }
        // The order of the universe must not matter.
        candidates.sort_by_key(|candidate| candidate.security.isin);
        (candidates, excluded)
    }

    fn candidate<'a>(
        &self,
        security: &'a Security,
        account: &Account,
        bars: &BTreeMap<Isin, Series>,
    ) -> Result<Candidate<'a>, String> {
        if account.frozen.contains(&security.isin) {
            return Err("it may not be touched at present".into());
        }
        let (score, said) = self.score(&security.isin)?;
        self.ages().price(&security.isin)?;
        self.ages().rate(security.ccy)?;
        let series = bars.get(&security.isin).cloned().ok_or("its bars are not known")?;
        let growth = growth(said).ok_or("short history: its growth is not known")?;
        let dividend_yield = said.inputs.get("dividend_yield").map_or(0.0, |value| value.get());
        let known = Known {
            growth,
            dividend_yield,
            score,
            coverage: said.coverage.get(),
            preference: preference(security.priority_multiplier.map(contracts::Finite::get)),
        };
        let is_fresh = said.bars_until.is_some_and(|until| self.is_fresh(security, until));
        Ok(Candidate { security, series, known, is_fresh })
    }

    /// Whether a score whose last bar is of this day is recent enough to buy on.
    fn is_fresh(&self, security: &Security, until: Day) -> bool {
        self.calendars.completed_since(security.mic, until, self.now) <= SESSIONS_MISSED_MAX
    }

    /// Whether the venues of these securities close hours apart.
    fn closes_apart(&self, candidates: &[Candidate<'_>]) -> bool {
        let close = |candidate: &Candidate<'_>| {
            let mic = candidate.security.mic;
            let day = self.calendars.previous_session(mic, self.today())?;
            Some(self.calendars.sessions(mic, day)?.last()?.close.ms().rem_euclid(DAY_MS))
        };
        let closes: Vec<i64> = candidates.iter().filter_map(close).collect();
        let (first, last) = (closes.iter().min(), closes.iter().max());
        first.zip(last).is_some_and(|(first, last)| last - first > CLOSES_APART_MS)
    }
}

#[derive(Debug, Clone)]
struct Candidate<'a> {
    security: &'a Security,
    series: Series,
    known: Known,
    /// Its score is recent enough to buy on.
    is_fresh: bool,
}

fn opinions(
    settings: &Settings,
    known: &[Known],
    covariance: &[f64],
    regime: Option<f64>,
    notes: &mut Vec<String>,
) -> Vec<Option<f64>> {
    if settings.black_litterman {
        match combined(known, covariance, settings.target_return) {
            Some(returns) => return returns.into_iter().map(Some).collect(),
            None => notes.push("opinions and market cannot be combined: history and score are mixed".into()),
        }
    }
    expected(known, settings.target_return, regime)
}

/// What is held and has no say.
fn locked(
    account: &Account,
    assets: &[Asset],
    excluded: &BTreeMap<Isin, String>,
    universe: &Universe,
) -> Vec<Locked> {
    let held = account.shares.iter().filter(|(_, share)| share.e6() > 0);
    let has_no_say = held.filter(|(isin, _)| assets.binary_search_by_key(isin, |asset| &asset.isin).is_err());
    has_no_say
        .map(|(isin, share)| {
            let active = universe.find(isin).is_some_and(|security| security.active);
            let unknown = if active { "it has no say" } else { "not an active security" };
            let why = excluded.get(isin).map_or(unknown, String::as_str);
            Locked { isin: *isin, current: share.to_f64(), reason: format!("kept: {why}") }
        })
        .collect()
}
