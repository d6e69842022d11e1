//! The market as a state machine: four recurring readings, each with its own time, and what they say.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{Input, Out, Stage, Start};
use contracts::stage::ingest as topics;
use contracts::{Security, Universe};
use market::{Calendars, Isin, Mic, Timestamp};
use money::Currency;
use tradernet::{Ticker, pacer::Pacer};

use crate::agreement::Agreement;
use crate::bars::BarsRun;
use crate::history::Progress;
use crate::jobs::{Round, Run};
use crate::outside::Outside;
use crate::pairs::Pairs;
use crate::quotes::Known;
use crate::rates::Rates;
use crate::renamed::Renaming;
use crate::requests::Adding;
use crate::told::Heard;
use crate::{Call, Reply, Save, Settings, admission, store};

/// The stage.
pub struct Ingest {
    pub(crate) live: bool,
    pub(crate) settings: Settings,
    pub(crate) calendars: Calendars,
    pub(crate) universe: BTreeMap<Isin, Listed>,
    /// The store is empty: the universe comes from the settings and is still to be written.
    fresh: bool,
    started: bool,
    pub(crate) venues: BTreeMap<Mic, Timestamp>,
    pub(crate) agreement: Agreement,
    pub(crate) quotes_at: Timestamp,
    pub(crate) quotes: Reading,
    pub(crate) pairs: Pairs,
    pub(crate) heard: Heard,
    pub(crate) rates: Rates,
    pub(crate) rates_at: Timestamp,
    pub(crate) rates_reading: Reading,
    pub(crate) bars: BTreeMap<Isin, Progress>,
    pub(crate) bars_at: Timestamp,
    pub(crate) bars_asked: Option<Isin>,
    pub(crate) run: Option<BarsRun>,
    pub(crate) rates_run: Option<Run>,
    pub(crate) rounds: BTreeMap<&'static str, Round>,
    pub(crate) pacer: Option<Pacer>,
    pub(crate) outside: Outside,
    pub(crate) symbols: BTreeMap<Isin, String>,
    /// Securities of which the broker names another ISIN.
    pub(crate) renaming: BTreeMap<Isin, Renaming>,
    pub(crate) splits: BTreeMap<Isin, BTreeMap<market::Day, (u32, u32)>>,
    pub(crate) calendars_at: Timestamp,
    /// What the portfolio holds; nothing before it was heard.
    pub(crate) held: Option<BTreeSet<Isin>>,
    /// Currencies of its cash, owed ones too.
    pub(crate) cash: BTreeSet<Currency>,
    /// The request that is being answered.
    pub(crate) adding: Option<Adding>,
    pub(crate) troubles: BTreeMap<String, String>,
    pub(crate) reported: String,
}

/// A security with its ticker understood and what is known of its price.
pub(crate) struct Listed {
    pub(crate) security: Security,
    /// The same without the owner's corrections.
    pub(crate) told: Security,
    pub(crate) ticker: Ticker,
    pub(crate) known: Known,
}

/// One kind of read: whether answers are awaited, and how often it failed in a row.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) awaited: usize,
    pub(crate) failures: usize,
}

impl Stage for Ingest {
    type Contract = topics::Ingest;
    type Settings = Settings;
    type Save = Save;
    type Call = Call;
    type Reply = Reply;

    fn load(start: &Start<Settings>, rows: Option<&rusqlite::Connection>) -> Result<Self, String> {
        let settings = start.settings.clone();
        settings.check()?;
        let live = !start.environment.is_simulated();
        if !settings.broker_url.is_empty() {
            tradernet::Place::parse(&settings.broker_url, start.environment.is_simulated())
                .map_err(|error| format!("[stage.ingest] {}", error.sentence()))?;
        }
        let rows = rows.ok_or("the stage `ingest` needs its store")?;
        let mut loaded = store::load(rows)?;
        let fresh = loaded.universe.is_empty();
        if fresh {
            // Nobody has looked at a new security of a live system yet: it is only watched.
            let listed = settings.universe.iter().map(|listed| listed.security(!live));
            loaded.universe = listed.collect::<Result<_, _>>()?;
        }
        if let Some(why) = admission::objection(&loaded.universe, live) {
            return Err(format!("the universe cannot be used: {why}"));
        }
        Ok(Ingest::from_rows(live, settings, fresh, loaded))
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(heard) => self.heard(heard, now, out),
            Input::Tick => self.tick(now, out),
            Input::Replied(Reply::Quotes { tickers, result }) => self.quotes_came(&tickers, result, now, out),
            Input::Replied(Reply::Rates(result)) => self.rates_came(result, now, out),
            Input::Replied(Reply::Bars { isin, until, result, .. }) => {
                self.bars_came(&isin, until, result, now, out);
            }
            Input::Replied(Reply::Markets(result)) => self.markets_came(result, now, out),
            Input::Replied(Reply::Found(result)) => self.found(result, out),
            Input::Replied(Reply::Master { isin, ticker, result }) => {
                self.master_came(isin, &ticker, *result, now, out);
            }
            Input::Replied(Reply::Outside { task, result }) => self.learnt(&task, *result, now, out),
            Input::Replied(Reply::Told(told)) => self.told(&told, now, out),
            Input::Replied(Reply::Following) => {}
            Input::Answered(_) | Input::Settings(_) | Input::Refused(_) => {}
        }
        self.report(out);
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let venues = self.venues.values().min().copied();
        let quotes = (self.quotes.awaited == 0).then_some(self.quotes_at);
        let rates = (self.rates_reading.awaited == 0).then_some(self.rates_at);
        let bars = self.bars_asked.is_none().then_some(self.bars_at);
        let calendars = Some(self.calendars_at);
        let markets = (self.agreement.reading.awaited == 0).then_some(self.agreement.at);
        [venues, markets, quotes, rates, bars, calendars, self.outside.wake_at()].into_iter().flatten().min()
    }

    fn apply(rows: &rusqlite::Transaction<'_>, save: Save) -> rusqlite::Result<()> {
        store::apply(rows, save)
    }
}

impl Ingest {
    fn from_rows(live: bool, settings: Settings, fresh: bool, mut loaded: store::Loaded) -> Self {
        let mut universe = BTreeMap::new();
        let mut bars = BTreeMap::new();
        for security in loaded.universe {
            let known = loaded.quotes.remove(&security.isin).unwrap_or_default();
            let progress = loaded.progress.remove(&security.isin).unwrap_or_default();
            bars.insert(security.isin, progress);
            let ticker = Ticker::parse(&security.ticker).expect("the universe was admitted");
            let told = loaded.told.remove(&security.isin).unwrap_or_else(|| security.clone());
            universe.insert(security.isin, Listed { security, told, ticker, known });
        }
        let venues = universe.values().map(|listed| (listed.security.mic, Timestamp::ZERO)).collect();
        let mut rates = Rates::default();
        rates.known = loaded.rates;
        let mut ingest = Ingest {
            live,
            settings,
            calendars: admission::calendars(live),
            universe,
            fresh,
            started: false,
            venues,
            agreement: Agreement::default(),
            quotes_at: Timestamp::ZERO,
            quotes: Reading::default(),
            pairs: Pairs::default(),
            heard: Heard::default(),
            rates,
            rates_at: Timestamp::ZERO,
            rates_reading: Reading::default(),
            bars,
            bars_at: Timestamp::ZERO,
            bars_asked: None,
            run: None,
            rates_run: None,
            rounds: BTreeMap::new(),
            pacer: None,
            outside: Outside::default(),
            symbols: loaded.symbols,
            renaming: BTreeMap::new(),
            splits: loaded.splits,
            calendars_at: Timestamp::ZERO,
            held: None,
            cash: BTreeSet::new(),
            adding: None,
            troubles: BTreeMap::new(),
            reported: String::new(),
        };
        ingest.outside.whole = loaded.whole;
        ingest.expect_outside(&loaded.answered);
        ingest
    }

    fn tick(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let first = !self.started;
        if first {
            self.begin(now, out);
        }
        self.describe_venues(now, out);
        self.follow(now, out);
        if self.quotes.awaited == 0 && self.quotes_at <= now {
            self.ask_quotes(first, now, out);
        }
        if self.rates_reading.awaited == 0 && self.rates_at <= now {
            self.ask_rates(now, out);
        }
        // After prices and rates, which must not wait for it.
        if self.agreement.reading.awaited == 0 && self.agreement.at <= now {
            self.ask_markets(now, out);
        }
        if self.bars_asked.is_none() && self.bars_at <= now {
            self.ask_bars(now, out);
        }
        if self.calendars_at <= now {
            self.write_calendars(now, out);
        }
        // What others say can wait until the broker's first bars are there to compare with.
        if !first {
            self.ask_outside(now, out);
        }
    }

    /// Says what is known from the rows; a fresh store gets its universe first.
    fn begin(&mut self, now: Timestamp, out: &mut Out<Self>) {
        self.started = true;
        if self.fresh {
            for listed in self.universe.values() {
                out.save(Save::Security(Box::new(listed.security.clone()), now));
            }
            out.decided(format!("{} securities were taken from the settings.", self.universe.len()));
        }
        self.say_universe(out);
        if self.universe.is_empty() {
            self.troubled("universe", "the universe is empty; list securities in [[stage.ingest.universe]]");
        }
        if let Some(rates) = self.rates.statement() {
            out.say(rates);
        }
        self.say_history(out);
    }

    pub(crate) fn say_universe(&self, out: &mut Out<Self>) {
        let securities = self.universe.values().map(|listed| listed.security.clone());
        out.say(Universe { securities: securities.filter(|security| security.active).collect() });
    }
}
