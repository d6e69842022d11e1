//! The market as a state machine: four recurring readings, each with its own time, and what they say.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{Input, Out, Stage, Start};
use contracts::stage::ingest as topics;
use contracts::{History, Id, JobOutcome, JobRun, Quote, Security, Universe};
use market::{Calendars, Isin, Mic, Timestamp};
use money::Currency;
use tradernet::{
    Ticker,
    commands::{candles::History as Bars, cross_rates::CrossRates, quotes::Quotes},
    pacer::{PaceClass, Pacer, Shares, Turn},
};

use crate::history::{Progress, Taken, final_day, next_final};
use crate::limits::{CALENDAR_DAYS_MIN, CALENDAR_WRITTEN_DAYS, QUOTES_KEPT_MS, TICKERS_PER_CALL};
use crate::outside::{Outside, Task};
use crate::quotes::{Known, far_from, quote_of};
use crate::rates::Rates;
use crate::requests::Adding;
use crate::schedule::{grid_after, grid_from, pause_ms};
use crate::sift::Explained;
use crate::venues::{again_at, describe, last_close};
use crate::{Call, Failure, Reply, Save, Settings, admission, store};

/// The job whose progress is told.
const HISTORY: &str = "history";

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
    pub(crate) quotes_at: Timestamp,
    quotes: Reading,
    pub(crate) rates: Rates,
    rates_at: Timestamp,
    rates_reading: Reading,
    pub(crate) bars: BTreeMap<Isin, Progress>,
    pub(crate) bars_at: Timestamp,
    bars_asked: Option<Isin>,
    run: Option<Run>,
    pacer: Option<Pacer>,
    pub(crate) outside: Outside,
    pub(crate) symbols: BTreeMap<Isin, String>,
    pub(crate) splits: BTreeMap<Isin, BTreeMap<market::Day, (u32, u32)>>,
    calendars_at: Timestamp,
    /// What the portfolio holds; nothing before it was heard.
    pub(crate) held: Option<BTreeSet<Isin>>,
    /// The request that is being answered.
    pub(crate) adding: Option<Adding>,
    pub(crate) troubles: BTreeMap<String, String>,
    reported: String,
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
struct Reading {
    awaited: usize,
    failures: usize,
}

/// One run of the job `history`.
struct Run {
    run_id: Id,
    trigger: &'static str,
    started: Timestamp,
    total: BTreeSet<Isin>,
    failed: u64,
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
            Input::Replied(Reply::Found(result)) => self.found(result, out),
            Input::Replied(Reply::Master { isin, ticker, result }) => {
                self.master_came(isin, &ticker, *result, now, out);
            }
            Input::Replied(Reply::Outside { task, result }) => self.learnt(&task, *result, now, out),
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
        [venues, quotes, rates, bars, calendars, self.outside.wake_at()].into_iter().flatten().min()
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
            quotes_at: Timestamp::ZERO,
            quotes: Reading::default(),
            rates,
            rates_at: Timestamp::ZERO,
            rates_reading: Reading::default(),
            bars,
            bars_at: Timestamp::ZERO,
            bars_asked: None,
            run: None,
            pacer: None,
            outside: Outside::default(),
            symbols: loaded.symbols,
            splits: loaded.splits,
            calendars_at: Timestamp::ZERO,
            held: None,
            adding: None,
            troubles: BTreeMap::new(),
            reported: String::new(),
        };
        ingest.expect_outside(&loaded.answered);
        ingest
    }

    fn tick(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let first = !self.started;
        if first {
            self.begin(now, out);
        }
        self.describe_venues(now, out);
        if self.quotes.awaited == 0 && self.quotes_at <= now {
            self.ask_quotes(first, now, out);
        }
        if self.rates_reading.awaited == 0 && self.rates_at <= now {
            self.ask_rates(now, out);
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

    /// Writes the coming days of every venue for those who read the store.
    fn write_calendars(&mut self, now: Timestamp, out: &mut Out<Self>) {
        self.calendars_at = grid_after(now, 86_400_000);
        for mic in self.venues.keys() {
            let Some(venue) = self.calendars.venue(*mic) else { continue };
            let today = now.day_utc();
            let days = (0..CALENDAR_WRITTEN_DAYS).map(|ahead| today.plus_days(ahead)).filter_map(|day| {
                let sessions = self.calendars.sessions(*mic, day);
                let open = sessions.iter().flat_map(|sessions| sessions.iter());
                let open: Vec<String> =
                    open.map(|span| format!("[{},{}]", span.open.ms(), span.close.ms())).collect();
                let known = self.calendars.uses_rules() || day <= venue.valid_until();
                known.then(|| (day, format!("[{}]", open.join(","))))
            });
            let save = Save::Calendar { mic: *mic, days: days.collect(), valid_until: venue.valid_until() };
            out.save(save);
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

    fn describe_venues(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let due: Vec<Mic> =
            self.venues.iter().filter(|(_, then)| **then <= now).map(|(mic, _)| *mic).collect();
        for mic in due {
            let venue = describe(&self.calendars, mic, now);
            self.venues.insert(mic, again_at(&self.calendars, mic, now));
            let key = format!("venue {mic}");
            if self.calendars.state(mic, now).reason.is_unknown() {
                self.troubled(&key, &format!("{mic} counts as closed: {}", venue.reason));
            } else if self.live && venue.calendar_days_left < CALENDAR_DAYS_MIN {
                let left = venue.calendar_days_left;
                self.troubled(
                    &key,
                    &format!("the calendar of {mic} ends in {left} days; install a newer release"),
                );
            } else {
                self.troubles.remove(&key);
            }
            out.say(venue);
        }
    }

    /// Asks for the open venues' securities; at the start also for those whose last price is older than the
    /// last session.
    fn ask_quotes(&mut self, first: bool, now: Timestamp, out: &mut Out<Self>) {
        let wanted: Vec<Ticker> = self
            .universe
            .values()
            .filter(|listed| listed.security.active)
            .filter(|listed| first || self.calendars.is_open(listed.security.mic, now))
            .filter(|listed| self.time_of_price(listed, now).is_some())
            .map(|listed| listed.ticker.clone())
            .collect();
        if wanted.is_empty() {
            self.quotes_at = self.next_quotes(now);
            return;
        }
        if let Some(until) = self.must_wait(PaceClass::Live, now) {
            self.quotes_at = until;
            return;
        }
        for tickers in wanted.chunks(TICKERS_PER_CALL) {
            self.quotes.awaited += 1;
            out.call(Call::Quotes { tickers: tickers.to_vec() });
        }
    }

    /// The time that a price read now has, if it says anything new.
    fn time_of_price(&self, listed: &Listed, now: Timestamp) -> Option<Timestamp> {
        let mic = listed.security.mic;
        if self.calendars.is_open(mic, now) {
            return Some(now);
        }
        let closed = last_close(&self.calendars, mic, now)?;
        listed.known.newest().is_none_or(|newest| newest < closed).then_some(closed)
    }

    /// The next point of the grid at which some venue is open.
    fn next_quotes(&self, now: Timestamp) -> Timestamp {
        let interval = i64::from(self.settings.quote_interval_s) * 1_000;
        let next = grid_after(now, interval);
        if self.venues.keys().any(|mic| self.calendars.is_open(*mic, next)) {
            return next;
        }
        let openings = self.venues.keys().filter_map(|mic| self.calendars.state(*mic, now).next_change);
        let earliest = openings.filter(|then| *then > now).min();
        let day = now.saturating_plus_ms(86_400_000);
        grid_from(earliest.unwrap_or(day), interval).max(next)
    }

    fn quotes_came(
        &mut self,
        asked: &[Ticker],
        result: Result<Quotes, Failure>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        self.quotes.awaited = self.quotes.awaited.saturating_sub(1);
        let found = match result {
            Ok(found) => found,
            Err(failure) => {
                let pause = self.failed("quotes", &failure, now);
                self.quotes.failures += 1;
                self.quotes_at = now.saturating_plus_ms(pause_ms(self.quotes.failures, pause));
                return;
            }
        };
        self.succeeded("quotes");
        self.quotes.failures = 0;
        self.quotes_at = self.next_quotes(now);
        let mut doubts = Vec::new();
        for ticker in asked {
            match self.take_quote(ticker, &found, now) {
                Ok(Some(quote)) => {
                    if quote.suspect {
                        doubts.push(format!(
                            "the price of {ticker} jumped to {} and is suspect",
                            quote.price_e6
                        ));
                    }
                    out.save(Save::Quote(Box::new(quote.clone())));
                    out.say(quote);
                }
                Ok(None) => {}
                Err(doubt) => doubts.push(doubt),
            }
        }
        self.doubt("prices", &doubts);
    }

    fn take_quote(
        &mut self,
        ticker: &Ticker,
        found: &Quotes,
        now: Timestamp,
    ) -> Result<Option<Quote>, String> {
        let listed = self.universe.values().find(|listed| listed.ticker == *ticker);
        let Some(listed) = listed else { return Ok(None) };
        let isin = listed.security.isin;
        let Some(reading) = found.by_ticker.get(ticker) else {
            return Err(format!("the broker left out {ticker}"));
        };
        // The answer may come after the close: then the price is that of the close.
        let Some(at) = self.time_of_price(listed, now) else { return Ok(None) };
        let quote = quote_of(&listed.security, reading, at)?;
        let stopped = self.outside.verdicts.get(&isin).is_some_and(|verdict| verdict.stops());
        let close = self.bars.get(&isin).and_then(|bars| bars.closes.last_key_value());
        let close = close.map(|(_, close)| *close);
        if close.is_some_and(|close| far_from(close, quote.price_e6)) {
            // A split or an error: the past and other providers will tell.
            if let Some(bars) = self.bars.get_mut(&isin) {
                bars.look_again(now);
                self.bars_at = self.bars_at.min(now);
            }
            self.outside.hurry(&Task::Chart(isin), now);
        }
        let listed = self.universe.get_mut(&isin).expect("found above");
        let mut quote = listed.known.take(quote, close);
        quote.suspect |= stopped;
        Ok(Some(quote))
    }

    pub(crate) fn currencies(&self) -> BTreeSet<Currency> {
        let all = self.universe.values().map(|listed| listed.security.ccy);
        all.filter(|ccy| *ccy != Currency::EUR).collect()
    }

    fn ask_rates(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let interval = i64::from(self.settings.fx_interval_s) * 1_000;
        out.save(Save::QuotesBefore(now.saturating_minus_ms(QUOTES_KEPT_MS)));
        let currencies: Vec<Currency> = self.currencies().into_iter().collect();
        if currencies.is_empty() {
            self.rates_at = grid_after(now, interval);
            return;
        }
        if let Some(until) = self.must_wait(PaceClass::Live, now) {
            self.rates_at = until;
            return;
        }
        self.rates_reading.awaited = 1;
        out.call(Call::Rates { currencies });
    }

    fn rates_came(&mut self, result: Result<CrossRates, Failure>, now: Timestamp, out: &mut Out<Self>) {
        self.rates_reading.awaited = 0;
        let found = match result {
            Ok(found) => found,
            Err(failure) => {
                let pause = self.failed("rates", &failure, now);
                self.rates_reading.failures += 1;
                self.rates_at = now.saturating_plus_ms(pause_ms(self.rates_reading.failures, pause));
                return;
            }
        };
        self.succeeded("rates");
        let news = self.rates.take(&self.currencies(), &found, now);
        for (ccy, rate) in &news.taken {
            out.save(Save::Rate { ccy: *ccy, rate: *rate, at: now });
        }
        if let Some(rates) = self.rates.statement() {
            out.say(rates);
        }
        let interval = i64::from(self.settings.fx_interval_s) * 1_000;
        let next = grid_after(now, interval);
        if news.doubts.is_empty() {
            self.rates_reading.failures = 0;
            self.rates_at = next;
        } else {
            // What is missing or jumped is looked at again soon, as after a failure.
            self.rates_reading.failures += 1;
            self.rates_at = next.min(now.saturating_plus_ms(pause_ms(self.rates_reading.failures, 0)));
        }
        self.doubt("fx", &news.doubts);
    }

    fn ask_bars(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let due = self.due_bars(now);
        let Some((isin, from, until)) = due.first().copied() else {
            self.end_run(now, out);
            self.bars_at = self.next_bars(now);
            return;
        };
        if let Some(wait) = self.must_wait(PaceClass::Candles, now) {
            self.bars_at = wait;
            return;
        }
        let trigger = if self.run.is_none() && self.troubles.contains_key("bars") { "retry" } else { "due" };
        let run = self.run.get_or_insert_with(|| Run {
            run_id: Out::<Self>::derive_id(now, &[HISTORY]),
            trigger,
            started: now,
            total: BTreeSet::new(),
            failed: 0,
        });
        run.total.extend(due.iter().map(|(isin, ..)| *isin));
        let ticker = self.universe.get(&isin).expect("bars are kept per listed security").ticker.clone();
        self.bars_asked = Some(isin);
        out.call(Call::Bars { isin, ticker, from, until });
    }

    fn due_bars(&self, now: Timestamp) -> Vec<(Isin, market::Day, market::Day)> {
        let days = self.settings.history_days;
        let due = |(isin, progress): (&Isin, &Progress)| {
            let listed = self.universe.get(isin).filter(|listed| listed.security.active)?;
            let mic = listed.security.mic;
            let (from, until) = progress.wanted(final_day(&self.calendars, mic, now)?, days, now)?;
            Some((*isin, from, until))
        };
        self.bars.iter().filter_map(due).collect()
    }

    /// When the next bar becomes final or a postponed one may be asked for again.
    fn next_bars(&self, now: Timestamp) -> Timestamp {
        let closes = self.venues.keys().filter_map(|mic| next_final(&self.calendars, *mic, now));
        let again = self.bars.values().filter_map(|progress| progress.not_before);
        let day = now.saturating_plus_ms(86_400_000);
        closes.chain(again).filter(|then| *then > now).fold(day, Timestamp::min)
    }

    fn bars_came(
        &mut self,
        isin: &Isin,
        until: market::Day,
        result: Result<Bars, Failure>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        self.bars_asked = None;
        self.bars_at = now;
        let key = format!("bars of {isin}");
        match result {
            Err(failure) => {
                let pause = self.failed(&key, &failure, now);
                if let Some(run) = &mut self.run {
                    run.failed += 1;
                }
                let Some(progress) = self.bars.get_mut(isin) else { return };
                progress.failures += 1;
                progress.failed(now.saturating_plus_ms(pause_ms(progress.failures, pause)));
            }
            Ok(found) => {
                self.succeeded(&key);
                self.take_bars(isin, &found, until, now, out);
            }
        }
        self.say_run(None, now, out);
    }

    fn take_bars(
        &mut self,
        isin: &Isin,
        found: &Bars,
        until: market::Day,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let explained = Explained {
            splits: self.splits.get(isin).cloned().unwrap_or_default(),
            second: self.outside.second.get(isin).cloned().unwrap_or_default(),
        };
        let Some(progress) = self.bars.get_mut(isin) else { return };
        let taken = progress.take(&found.candles, &explained, until, now);
        let doubts = progress.doubtful.clone();
        let ticker = self.universe.get(isin).map_or_else(String::new, |listed| listed.ticker.to_string());
        let (sifted, replace) = match taken {
            Taken::Added(sifted) => (sifted, false),
            Taken::Replaced(sifted) => (sifted, true),
            Taken::PastChanged(split) => {
                if let Some((after, before)) = split {
                    out.decided(format!(
                        "The past of {ticker} was divided {after}:{before}; it is read again."
                    ));
                }
                return;
            }
            Taken::Rejected(why) => {
                self.outside.hurry(&Task::Chart(*isin), now);
                self.troubled(
                    &format!("past of {isin}"),
                    &format!("the past of {ticker} is {why}; nothing of it is used; look at it, then `steward universe refresh {isin}`"),
                );
                return;
            }
        };
        self.troubles.remove(&format!("past of {isin}"));
        let said: Vec<String> = doubts
            .iter()
            .map(|(day, doubt)| format!("the close of {ticker} on {day} is set apart: {}", doubt.word()))
            .collect();
        self.doubt(&format!("doubtful {isin}"), &said);
        if !replace {
            for (before, after, old) in &sifted.unadjusted {
                out.save(Save::Divide { isin: *isin, before: *before, after: *after, old: *old });
            }
        }
        if !sifted.believed.is_empty() {
            out.save(Save::Bars { isin: *isin, bars: sifted.believed, replace, at: now });
        }
        if !sifted.doubtful.is_empty() {
            let bars = sifted.doubtful.iter().map(|(bar, doubt)| (*bar, doubt.word())).collect();
            out.save(Save::Quarantine { isin: *isin, bars, at: now });
            self.outside.hurry(&Task::Chart(*isin), now);
        }
    }

    fn end_run(&mut self, now: Timestamp, out: &mut Out<Self>) {
        if self.run.is_none() {
            return;
        }
        self.say_run(Some(now), now, out);
        self.run = None;
        self.say_history(out);
    }

    fn say_run(&self, ended: Option<Timestamp>, now: Timestamp, out: &mut Out<Self>) {
        let Some(run) = &self.run else { return };
        let waiting = self.due_bars(now).len();
        let total = run.total.len();
        let done = total.saturating_sub(waiting);
        let outcome = match ended {
            None => JobOutcome::Running,
            Some(_) if run.failed > 0 => JobOutcome::Failed,
            Some(_) => JobOutcome::Done,
        };
        let text = match ended {
            None => format!("{done} of {total} securities read."),
            Some(_) if run.failed > 0 => {
                format!("{} reads of {total} securities failed; they are tried again.", run.failed)
            }
            Some(_) => format!("{total} securities read, {} bars kept.", self.bars_kept()),
        };
        if ended.is_some() {
            out.decided(text.clone());
        }
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        out.say(JobRun {
            stage: "ingest".into(),
            job: HISTORY.into(),
            run_id: run.run_id,
            trigger: run.trigger.into(),
            started: run.started,
            ended,
            outcome,
            done: count(done),
            total: count(total),
            text,
        });
    }

    fn bars_kept(&self) -> u64 {
        self.bars.values().map(|progress| progress.bars).fold(0, u64::saturating_add)
    }

    fn say_history(&self, out: &mut Out<Self>) {
        let complete = self.bars.iter().filter_map(|(isin, progress)| Some((*isin, progress.complete?)));
        out.say(History { complete_until: complete.collect(), bars: self.bars_kept() });
    }

    /// When the allowance permits the next request of a class; `None` means now, and it has been paid for.
    pub(crate) fn must_wait(&mut self, class: PaceClass, now: Timestamp) -> Option<Timestamp> {
        let now_ms = u64::try_from(now.ms()).unwrap_or(0);
        let pacer = self.pacer.get_or_insert_with(|| Pacer::new(&Shares::ingest(), now_ms));
        match pacer.take(class, now_ms) {
            Turn::Go => None,
            Turn::Wait { until_ms } => {
                let until = i64::try_from(until_ms).map_or(Timestamp::MAX, Timestamp::from_ms);
                Some(until.max(now.saturating_plus_ms(1)))
            }
            Turn::NotOurs => Some(Timestamp::MAX),
        }
    }

    /// Notes a failure and returns the pause that the broker asks for.
    fn failed(&mut self, what: &str, failure: &Failure, now: Timestamp) -> i64 {
        self.troubled(what, &failure.text);
        if failure.throttled
            && let (Some(pacer), Ok(now_ms)) = (&mut self.pacer, u64::try_from(now.ms()))
        {
            pacer.throttled(now_ms, u64::try_from(failure.pause_ms).ok().filter(|ms| *ms > 0), 0);
        }
        failure.pause_ms
    }

    fn succeeded(&mut self, what: &str) {
        self.troubles.remove(what);
        if let Some(pacer) = &mut self.pacer {
            pacer.answered();
        }
    }

    pub(crate) fn doubt(&mut self, what: &str, doubts: &[String]) {
        if doubts.is_empty() {
            self.troubles.remove(what);
        } else {
            self.troubled(what, &doubts.join("; "));
        }
    }

    pub(crate) fn troubled(&mut self, what: &str, text: &str) {
        self.troubles.insert(what.to_owned(), text.to_owned());
    }

    /// Tells people what is wrong now, once per change.
    fn report(&mut self, out: &mut Out<Self>) {
        let now = self.troubles.values().cloned().collect::<Vec<_>>().join(" | ");
        if now == self.reported {
            return;
        }
        if now.is_empty() {
            out.recovered();
        } else {
            out.trouble(now.clone());
        }
        self.reported = now;
    }
}
