//! The scorer's state machine: facts are read when they are new, scores follow changes after a short settling, each
//! security at most once in 15 minutes, and once a minute while facts are missing for its total.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{Input, Out, Stage, Start};
use contracts::{
    Finite, History, Id, Meta, PortfolioState, Quote, Regime, SecurityScore, TargetWeights, Universe,
    stage::score as contract,
};
use market::{Day, Isin, Timestamp};
use money::Quantity;
use rusqlite::{Connection, Transaction};

use crate::{
    Call, Closes, Facts, Reply, Settings,
    holding::Shares,
    limits::{BARS_AGE_MAX_DAYS, READ_AT_ONCE, SECURITIES_MAX},
    regime::{self, Regions},
    series::Series,
    statement::{self, Basis},
    store::{self, Save},
};

/// How long to wait before facts are asked for again after a failure, and before a score without a total is made anew.
const RETRY_MS: i64 = 60_000;
/// How often facts are read again without being told: figures of a business change without a new bar.
const REREAD_MS: i64 = 6 * 3_600_000;

/// Completed days from Monday to Friday without a new value of the regime after which a person is told.
const SILENT_WEEKDAYS: usize = 3;
/// Reasons in a statement about the regime: what its size allows.
const REASONS_MAX: usize = 12;

/// What is known of one security.
#[derive(Debug, Default)]
struct Known {
    series: Series,
    facts: Facts,
    has_facts: bool,
    complete_until: Option<Day>,
    quote: Option<Quote>,
    quote_id: Option<Id>,
    scored: Option<Timestamp>,
    /// Whether the last score had a total; without one nobody can do anything with the security.
    has_total: bool,
}

/// What a person should know of, each until it is over.
#[derive(Debug, Default)]
struct Troubles {
    misled: Option<String>,
    unread: Option<String>,
    crowd: Option<String>,
    silent_market: Option<String>,
}

/// Pieces, last purchase, last sale.
type Traded = (Quantity, Option<Timestamp>, Option<Timestamp>);

/// The scorer.
#[derive(Debug)]
pub struct Score {
    own: Settings,
    settings: Settings,
    settings_hash: String,
    universe: Universe,
    watched: BTreeSet<Isin>,
    known: BTreeMap<Isin, Known>,
    unread: BTreeSet<Isin>,
    changed: BTreeSet<Isin>,
    state: Option<PortfolioState>,
    targets: Option<TargetWeights>,
    /// Of the indices, once they were read.
    closes: Option<BTreeMap<String, Closes>>,
    indices_asked: bool,
    regime: Option<Regime>,
    label: String,
    troubles: Troubles,
    /// The first day on which this process could know the market.
    began: Option<Day>,
    wake_at: Option<Timestamp>,
    retry_at: Option<Timestamp>,
    reread_at: Option<Timestamp>,
    cause: Option<Meta>,
}

impl Stage for Score {
    type Contract = contract::Score;
    type Settings = Settings;
    type Save = Save;
    type Call = Call;
    type Reply = Reply;

    fn load(start: &Start<Settings>, rows: Option<&Connection>) -> Result<Self, String> {
        start.settings.check()?;
        let last = rows
            .map(store::last_regime)
            .transpose()
            .map_err(|error| format!("the regime cannot be read: {error}"))?;
        Ok(Score {
            own: start.settings.clone(),
            settings: start.settings.clone(),
            settings_hash: start.settings.hash(),
            universe: Universe { securities: Vec::new() },
            watched: BTreeSet::new(),
            known: BTreeMap::new(),
            unread: BTreeSet::new(),
            changed: BTreeSet::new(),
            state: None,
            targets: None,
            closes: None,
            indices_asked: false,
            regime: None,
            label: last.flatten().unwrap_or_else(|| "unknown".into()),
            troubles: Troubles::default(),
            began: None,
            wake_at: None,
            retry_at: None,
            reread_at: None,
            cause: None,
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(contract::Input::MarketUniverse(heard)) => {
                self.hear_universe(heard.body, out);
                self.read(now, out);
                self.settle(now);
            }
            Input::Heard(contract::Input::MarketHistory(heard)) => {
                if let Some(history) = heard.body {
                    self.hear_history(&history);
                    self.read(now, out);
                }
            }
            Input::Heard(contract::Input::MarketQuote(heard)) => {
                if let Some(quote) = heard.body {
                    self.hear_quote(quote, heard.meta, now);
                }
            }
            // What is held and wanted changes sell score and fit, never a total: it waits for the next score, except for
            // what is newly held or held no longer. The targets of countries say how much each region of the market counts.
            Input::Heard(contract::Input::PortfolioState(heard)) => {
                self.hear_state(heard.body, now, out);
            }
            Input::Heard(contract::Input::TargetWeights(heard)) => {
                self.targets = heard.body;
                self.say_regime(now, out);
            }
            Input::Replied(Reply::Facts(facts)) => self.hear_facts(facts, now, out),
            Input::Replied(Reply::Indices(closes)) => {
                self.closes = Some(closes);
                if self.unread.is_empty() {
                    self.troubles.unread = None;
                }
                self.say_regime(now, out);
            }
            Input::Replied(Reply::Failed { isins, why }) => {
                // Nobody asks for the closes of no security: it was the indices that could not be read.
                self.indices_asked &= !isins.is_empty();
                self.unread.extend(isins);
                self.retry_at = Some(now.saturating_plus_ms(RETRY_MS));
                self.troubles.unread = Some(why);
                self.tell_troubles(out);
            }
            Input::Settings(snapshot) => {
                let (settings, wrong) = self.own.with(&snapshot, &self.settings);
                self.troubles.misled = wrong.map(|why| {
                    format!("What was set is not followed: {why}; that stays as it was, the rest counts.")
                });
                self.tell_troubles(out);
                self.hear_settings(settings, now, out);
            }
            Input::Tick => self.tick(now, out),
            Input::Heard(contract::Input::MarketFx(_)) | Input::Answered(_) | Input::Refused(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        [self.wake_at, self.retry_at, self.reread_at].into_iter().flatten().min()
    }

    fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
        store::apply(rows, save)
    }
}

impl Score {
    fn settle(&mut self, now: Timestamp) {
        let then = now.saturating_plus_ms(self.settings.settle_ms);
        self.wake_at = Some(self.wake_at.map_or(then, |earlier| earlier.min(then)));
    }

    fn hear_universe(&mut self, universe: Option<Universe>, out: &mut Out<Self>) {
        let universe = universe.unwrap_or(Universe { securities: Vec::new() });
        let before = std::mem::replace(&mut self.universe, universe);
        let securities = &self.universe.securities;
        self.troubles.crowd = (securities.len() > SECURITIES_MAX).then(|| {
            format!(
                "The universe has {} securities, only the first {SECURITIES_MAX} are scored.",
                securities.len()
            )
        });
        self.tell_troubles(out);
        let new: BTreeSet<Isin> = securities
            .iter()
            .filter(|security| security.active)
            .map(|security| security.isin)
            .take(SECURITIES_MAX)
            .collect();
        for gone in self.watched.difference(&new) {
            out.clear::<SecurityScore>(gone.to_string());
            self.known.remove(gone);
        }
        self.unread.extend(new.difference(&self.watched));
        // Country, kind or permissions may have changed, of those whose entry did.
        let is_another = |isin: &&Isin| before.find(isin) != self.universe.find(isin);
        self.changed.extend(new.iter().filter(is_another));
        self.watched = new;
    }

    fn hear_history(&mut self, history: &History) {
        for (isin, day) in &history.complete_until {
            let known = self.known.entry(*isin).or_default();
            if known.complete_until != Some(*day) {
                known.complete_until = Some(*day);
                self.unread.insert(*isin);
            }
        }
    }

    fn hear_quote(&mut self, quote: Quote, meta: Option<Meta>, now: Timestamp) {
        let known = self.known.entry(quote.isin).or_default();
        self.changed.insert(quote.isin);
        known.quote_id = meta.as_ref().map(|meta| meta.id);
        known.quote = Some(quote);
        self.cause = meta;
        self.settle(now);
    }

    fn hear_state(&mut self, state: Option<PortfolioState>, now: Timestamp, out: &mut Out<Self>) {
        // What was traded last tells one holding from the next as its age does.
        let held = |state: &Option<PortfolioState>| -> BTreeMap<Isin, Traded> {
            let positions = state.iter().flat_map(|state| &state.positions);
            positions
                .map(|position| (position.isin, (position.qty_e6, position.last_buy, position.last_sell)))
                .collect()
        };
        let (before, after) = (held(&self.state), held(&state));
        self.state = state;
        let both: BTreeSet<Isin> = before.keys().chain(after.keys()).copied().collect();
        let turned: BTreeSet<Isin> =
            both.into_iter().filter(|isin| before.get(isin) != after.get(isin)).collect();
        if !turned.is_empty() {
            self.changed.extend(&turned);
            self.unread.extend(turned.intersection(&self.watched));
            self.read(now, out);
            self.settle(now);
        }
    }

    fn hear_settings(&mut self, settings: Settings, now: Timestamp, out: &mut Out<Self>) {
        if settings == self.settings {
            return;
        }
        self.settings_hash = settings.hash();
        self.settings = settings;
        self.changed.extend(&self.watched);
        self.say_regime(now, out);
        self.settle(now);
    }

    /// Asks for the facts that are new, of securities that are watched, and for the indices with them.
    fn read(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let wanted: Vec<Isin> = self.unread.intersection(&self.watched).copied().collect();
        for isins in wanted.chunks(READ_AT_ONCE) {
            out.call(Call::ReadFacts { isins: isins.to_vec() });
        }
        if !wanted.is_empty() {
            self.reread_at = Some(now.saturating_plus_ms(REREAD_MS));
        }
        if !(wanted.is_empty() && self.indices_asked) {
            out.call(Call::ReadIndices { indices: self.settings.indices.clone() });
            self.indices_asked = true;
        }
        self.unread.retain(|isin| !self.watched.contains(isin));
        self.retry_at = None;
    }

    fn hear_facts(&mut self, facts: BTreeMap<Isin, Facts>, now: Timestamp, out: &mut Out<Self>) {
        for (isin, facts) in facts {
            let known = self.known.entry(isin).or_default();
            let series = Series::new(&facts);
            // The bars live on in the series; kept twice they would be the largest thing in memory.
            let facts = Facts { bars: Vec::new(), ..facts };
            let same = known.has_facts
                && known.facts == facts
                && (known.series.bars, known.series.last, known.series.rolling.last(), known.series.doubt)
                    == (series.bars, series.last, series.rolling.last(), series.doubt);
            (known.series, known.facts, known.has_facts) = (series, facts, true);
            if !same {
                self.changed.insert(isin);
            }
        }
        if self.indices_asked {
            self.troubles.unread = None;
        }
        self.tell_troubles(out);
        self.settle(now);
    }

    /// One trouble hides another only until it is over.
    fn tell_troubles(&self, out: &mut Out<Self>) {
        let Troubles { misled, unread, crowd, silent_market } = &self.troubles;
        match [misled, unread, crowd, silent_market].into_iter().flatten().next() {
            Some(sentence) => out.trouble(sentence.clone()),
            None => out.recovered(),
        }
    }

    fn tick(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let is_due = |then: Option<Timestamp>| then.is_some_and(|then| then <= now);
        if is_due(self.reread_at) {
            self.unread.extend(&self.watched);
            self.read(now, out);
        }
        if is_due(self.retry_at) {
            self.read(now, out);
        }
        if self.wake_at.is_none_or(|then| then > now) {
            return;
        }
        self.wake_at = None;
        out.because(self.cause.as_ref());
        let due = self.due(now);
        let shares = Shares::new(self.state.as_ref(), self.targets.as_ref(), &self.universe);
        for isin in &due {
            if let Some(score) = self.score(*isin, &shares, now) {
                out.save(Save::Score(now.day_utc(), Box::new(score.clone())));
                out.say(score);
            }
        }
        if !due.is_empty() {
            out.decided(format!("{} securities scored; the market is {}.", due.len(), self.label));
        }
    }

    /// Changed securities whose turn it is; the others wait for theirs.
    fn due(&mut self, now: Timestamp) -> Vec<Isin> {
        let interval_ms = self.settings.interval_s.saturating_mul(1_000);
        let pause = |known: &Known| if known.has_total { interval_ms } else { interval_ms.min(RETRY_MS) };
        let turn = |known: &Known| known.scored.map(|last| last.saturating_plus_ms(pause(known)));
        let mut due = Vec::new();
        let mut next: Option<Timestamp> = None;
        for isin in std::mem::take(&mut self.changed).intersection(&self.watched) {
            let Some(known) = self.known.get(isin).filter(|known| known.has_facts) else { continue };
            match turn(known) {
                Some(then) if then > now => {
                    self.changed.insert(*isin);
                    next = Some(next.map_or(then, |earlier| earlier.min(then)));
                }
                _ => due.push(*isin),
            }
        }
        self.wake_at = next;
        due
    }

    fn score(&mut self, isin: Isin, shares: &Shares, now: Timestamp) -> Option<SecurityScore> {
        let security = self.universe.find(&isin)?;
        let known = self.known.get_mut(&isin)?;
        known.scored = Some(now);
        let id = known.quote_id;
        let believed = known.quote.as_ref().filter(|quote| !quote.suspect && quote.price_e6.e6() > 0);
        let score = statement::state(&Basis {
            security,
            series: &known.series,
            facts: &known.facts,
            quote: believed.map(|quote| (quote, id)),
            state: self.state.as_ref(),
            shares,
            settings: &self.settings,
            settings_hash: &self.settings_hash,
            now,
        });
        known.has_total = score.total.is_some();
        Some(score)
    }

    /// Says the regime once the indices are read; before, nothing is known that could be unknown.
    fn say_regime(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let Some(closes) = &self.closes else { return };
        let settings = &self.settings;
        let Regions { weights, left_out } = Regions::of(&settings.indices, self.targets.as_ref());
        let found = regime::replay(
            closes,
            &weights,
            settings.market_regime_bull_threshold,
            settings.market_regime_bear_threshold,
        );
        let mut reasons: Vec<String> = weights
            .keys()
            .filter(|region| !found.regions.contains_key(*region))
            .map(|region| format!("the index of {region} has fewer than 200 closes or none of this week"))
            .collect();
        reasons.extend(left_out);
        if settings.indices.is_empty() {
            reasons.push("no index is named in `[stage.score.indices]`".into());
        }
        reasons.truncate(REASONS_MAX);
        let today = now.day_utc();
        let fresh = found.until.is_some_and(|until| until.days_until(today) <= BARS_AGE_MAX_DAYS);
        let label = found.label.filter(|_| fresh).map_or("unknown", regime::word);
        let finite = |value: Option<f64>| value.filter(|_| fresh).and_then(Finite::new);
        let day = found.until.unwrap_or(today);
        let said = Regime {
            at: midnight(day),
            label: label.into(),
            score: finite(found.score),
            smoothed: finite(found.smoothed),
            regions: found
                .regions
                .iter()
                .filter_map(|(region, distance)| Some((region.clone(), Finite::new(*distance)?)))
                .collect(),
            since: found.since.filter(|_| fresh),
            until: found.until,
            high_volatility: found.high_volatility && fresh,
            reasons,
        };
        self.look_at_the_market(found.until, today, out);
        self.label = label.into();
        if self.regime.as_ref() != Some(&said) {
            out.save(Save::Regime(day, Box::new(said.clone()), found.distance));
            out.say(said.clone());
            self.regime = Some(said);
        }
    }

    /// A market of which nothing new is heard is told to a person before it counts as unknown.
    fn look_at_the_market(&mut self, until: Option<Day>, today: Day, out: &mut Out<Self>) {
        let began = *self.began.get_or_insert(today);
        let silent = !self.settings.indices.is_empty()
            && weekdays_between(until.unwrap_or(began), today) >= SILENT_WEEKDAYS;
        let last = until.map_or("there never was one".into(), |until| format!("the last is of {until}"));
        self.troubles.silent_market = silent.then(|| {
            format!(
                "The market regime has had no new value for three trading days: {last}. After a week it counts as unknown, and more cash is kept. Look whether ingest still reads the closes of the indices."
            )
        });
        self.tell_troubles(out);
    }
}

/// Days from Monday to Friday after one day and before the other.
fn weekdays_between(after: Day, before: Day) -> usize {
    let days = (1..after.days_until(before)).map(|day| after.plus_days(day));
    days.filter(|day| !day.weekday().is_weekend()).take(SILENT_WEEKDAYS).count()
}

fn midnight(day: Day) -> Timestamp {
    let epoch = Timestamp::ZERO.day_utc();
    Timestamp::from_ms(i64::from(epoch.days_until(day)) * 86_400_000)
}
