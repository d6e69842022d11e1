//! The scorer's state machine: bars are read when they are new, scores follow quotes after a short settling.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{Input, Out, Stage, Start};
use contracts::{
    Finite, History, Id, Meta, Quote, Regime, SecurityScore, Universe, stage::score as contract,
};
use market::{Day, Isin, Timestamp};
use rusqlite::{Connection, Transaction};

use crate::{
    Call, Reply, Settings,
    components::{self, short_term},
    limits::{READ_AT_ONCE, SECURITIES_MAX},
    regime,
    store::{self, Save},
};

/// How long to wait before bars are asked for again after a failure.
const RETRY_MS: i64 = 60_000;

/// What is known of one security.
#[derive(Debug, Default)]
struct Known {
    closes: Vec<f64>,
    last_bar: Option<Day>,
    complete_until: Option<Day>,
    quote: Option<Quote>,
    quote_id: Option<Id>,
    distance: Option<f64>,
}

/// The scorer.
#[derive(Debug)]
pub struct Score {
    settle_ms: i64,
    universe: BTreeSet<Isin>,
    known: BTreeMap<Isin, Known>,
    unread: BTreeSet<Isin>,
    changed: BTreeSet<Isin>,
    label: String,
    wake_at: Option<Timestamp>,
    retry_at: Option<Timestamp>,
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
            settle_ms: start.settings.settle_ms,
            universe: BTreeSet::new(),
            known: BTreeMap::new(),
            unread: BTreeSet::new(),
            changed: BTreeSet::new(),
            label: last.flatten().unwrap_or_else(|| "unknown".into()),
            wake_at: None,
            retry_at: None,
            cause: None,
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(contract::Input::MarketUniverse(heard)) => {
                self.hear_universe(heard.body, out);
                self.read(out);
                self.settle(now);
            }
            Input::Heard(contract::Input::MarketHistory(heard)) => {
                if let Some(history) = heard.body {
                    self.hear_history(&history);
                    self.read(out);
                }
            }
            Input::Heard(contract::Input::MarketQuote(heard)) => {
                if let Some(quote) = heard.body {
                    self.hear_quote(quote, heard.meta, now);
                }
            }
            Input::Replied(Reply::Bars(bars)) => self.hear_bars(bars, now, out),
            Input::Replied(Reply::Failed { isins, why }) => {
                self.unread.extend(isins);
                self.retry_at = Some(now.saturating_plus_ms(RETRY_MS));
                out.trouble(why);
            }
            Input::Tick => self.tick(now, out),
            Input::Heard(contract::Input::MarketFx(_))
            | Input::Answered(_)
            | Input::Settings(_)
            | Input::Refused(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        [self.wake_at, self.retry_at].into_iter().flatten().min()
    }

    fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
        store::apply(rows, save)
    }
}

impl Score {
    fn settle(&mut self, now: Timestamp) {
        let then = now.saturating_plus_ms(self.settle_ms);
        self.wake_at = Some(self.wake_at.map_or(then, |earlier| earlier.min(then)));
    }

    fn hear_universe(&mut self, universe: Option<Universe>, out: &mut Out<Self>) {
        let securities = universe.map(|universe| universe.securities).unwrap_or_default();
        if securities.len() > SECURITIES_MAX {
            out.trouble(format!(
                "The universe has {} securities, only the first {SECURITIES_MAX} are scored.",
                securities.len()
            ));
        }
        let new: BTreeSet<Isin> = securities
            .iter()
            .filter(|security| security.active)
            .map(|security| security.isin)
            .take(SECURITIES_MAX)
            .collect();
        for gone in self.universe.difference(&new) {
            out.clear::<SecurityScore>(gone.to_string());
            self.known.remove(gone);
        }
        self.unread.extend(new.difference(&self.universe));
        self.changed.extend(new.difference(&self.universe));
        self.universe = new;
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

    /// Asks for the bars that are new, of securities that are watched.
    fn read(&mut self, out: &mut Out<Self>) {
        let wanted: Vec<Isin> = self.unread.intersection(&self.universe).copied().collect();
        for isins in wanted.chunks(READ_AT_ONCE) {
            out.call(Call::ReadBars { isins: isins.to_vec() });
        }
        self.unread.retain(|isin| !self.universe.contains(isin));
        self.retry_at = None;
    }

    fn hear_bars(
        &mut self,
        bars: BTreeMap<Isin, (Vec<f64>, Option<Day>)>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        for (isin, (closes, last)) in bars {
            let known = self.known.entry(isin).or_default();
            (known.closes, known.last_bar) = (closes, last);
            self.changed.insert(isin);
        }
        out.recovered();
        self.settle(now);
    }

    fn tick(&mut self, now: Timestamp, out: &mut Out<Self>) {
        if self.retry_at.is_some_and(|then| then <= now) {
            self.read(out);
        }
        if self.wake_at.is_none_or(|then| then > now) {
            return;
        }
        self.wake_at = None;
        out.because(self.cause.as_ref());
        let day = now.day_utc();
        let changed: Vec<Isin> =
            std::mem::take(&mut self.changed).intersection(&self.universe).copied().collect();
        for isin in &changed {
            let score = self.score(*isin, now);
            out.save(Save::Score(day, Box::new(score.clone())));
            out.say(score);
        }
        self.say_regime(day, now, out);
        if !changed.is_empty() {
            out.decided(format!("{} securities scored; the market is {}.", changed.len(), self.label));
        }
    }

    fn score(&mut self, isin: Isin, now: Timestamp) -> SecurityScore {
        let known = self.known.entry(isin).or_default();
        let believed = known.quote.as_ref().filter(|quote| !quote.suspect);
        let bars = known.closes.len();
        // The present price stands at the end, as the close of today.
        let price = believed.map(|quote| quote.price_e6.to_f64()).filter(|price| *price > 0.0);
        known.closes.extend(price);
        let mut scored = components::score(&known.closes);
        known.distance = short_term::distance(&known.closes);
        known.closes.truncate(bars);
        if price.is_none() {
            scored.flags.push("no_price".into());
        }
        let finite = |numbers: BTreeMap<&'static str, f64>| {
            numbers
                .into_iter()
                .filter_map(|(name, number)| Some((name.to_string(), Finite::new(number)?)))
                .collect()
        };
        SecurityScore {
            isin,
            at: believed.map_or(now, |quote| quote.at),
            total: scored.total.and_then(Finite::new),
            coverage: Finite::new(scored.coverage).unwrap_or_default(),
            parts: finite(scored.parts),
            inputs: finite(scored.inputs),
            price_e6: believed.map(|quote| quote.price_e6),
            quote: known.quote_id.filter(|_| believed.is_some()),
            bars: u32::try_from(bars).unwrap_or(u32::MAX),
            bars_until: known.last_bar,
            flags: scored.flags,
        }
    }

    fn say_regime(&mut self, day: Day, now: Timestamp, out: &mut Out<Self>) {
        let distances: Vec<f64> =
            self.universe.iter().filter_map(|isin| self.known.get(isin)?.distance).collect();
        let (label, measure) = regime::next(&self.label, &distances);
        // Said with two digits: the market moves always, its regime rarely.
        let measure = measure.map(|measure| (measure * 100.0).round() / 100.0).and_then(Finite::new);
        let at = self.cause.as_ref().map_or(now, |cause| cause.at);
        let regime = Regime {
            at: Timestamp::from_ms(at.ms() - at.ms().rem_euclid(86_400_000)),
            label: label.clone(),
            score: measure,
        };
        if label != self.label {
            out.save(Save::Regime(day, regime.clone()));
            self.label = label;
        }
        out.say(regime);
    }
}
