//! What becomes of other providers' answers.

use std::collections::BTreeMap;

use bus_client::Out;
use market::{Day, Fundamental, Isin, Timestamp};
use money::{Currency, Price};
use providers::{DataFault, EcbRates, Service, yahoo, yahoo_symbol};

use crate::edge::Question;
use crate::history::BarSource;
use crate::outside::{Outside, Task, Verdict, chosen, difference, verify};
use crate::{Call, Ingest, Learnt, Save};

/// Troubles of a provider in a row that a person is told of.
const TROUBLES_TOLD: u32 = 3;
/// An answer that cannot be compared with the broker's bars yet is asked for again after this.
const UNCOMPARED_MS: i64 = 600_000;
/// A split explains a difference for so many days, up to this rest.
const SPLIT_DAYS: i32 = 40;
/// Rates of more days than this are those of the bank's whole file.
const NINETY_DAYS: usize = 90;
/// See [`SPLIT_DAYS`].
const SPLIT_REST: f64 = 0.05;
/// A dividend yield that was counted from what was paid stands above one that is told for so long.
const YIELD_MS: i64 = 8 * 86_400_000;
/// Countries in Yahoo's words.
const COUNTRIES: [(&str, &str); 28] = [
    ("United States", "US"),
    ("Germany", "DE"),
    ("France", "FR"),
    ("Netherlands", "NL"),
    ("Italy", "IT"),
    ("Denmark", "DK"),
    ("United Kingdom", "GB"),
    ("Hong Kong", "HK"),
    ("China", "CN"),
    ("Japan", "JP"),
    ("Ireland", "IE"),
    ("Spain", "ES"),
    ("Portugal", "PT"),
    ("Belgium", "BE"),
    ("Austria", "AT"),
    ("Switzerland", "CH"),
    ("Sweden", "SE"),
    ("Norway", "NO"),
    ("Finland", "FI"),
    ("Greece", "GR"),
    ("Poland", "PL"),
    ("Canada", "CA"),
    ("Australia", "AU"),
    ("South Korea", "KR"),
    ("Taiwan", "TW"),
    ("Singapore", "SG"),
    ("India", "IN"),
    ("Luxembourg", "LU"),
];

/// Ticker, venue and currency at the broker.
type ListedAs = (String, market::Mic, Currency);

impl Ingest {
    /// Adds what is to be asked of the providers that are set up.
    pub(crate) fn expect_outside(&mut self, answered: &BTreeMap<String, Timestamp>) {
        let expect = |outside: &mut Outside, task: Task| {
            let known = answered.get(&task.key()).copied();
            outside.expect(task, known);
        };
        if !self.settings.ecb_url.is_empty() {
            expect(&mut self.outside, Task::Rates);
        }
        if self.settings.yahoo_url.is_empty() {
            return;
        }
        for index in &self.settings.indices {
            expect(&mut self.outside, Task::Index(index.name.clone()));
        }
        let active = self.universe.iter().filter(|(_, listed)| listed.security.active).map(|(isin, _)| *isin);
        for isin in active.collect::<Vec<_>>() {
            expect(&mut self.outside, Task::Chart(isin));
            expect(&mut self.outside, Task::Facts(isin));
            expect(&mut self.outside, Task::Peg(isin));
        }
    }

    /// Asks the next question, if one is due.
    pub(crate) fn ask_outside(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let Some(task) = self.outside.take(now) else { return };
        let (mut from, until) = self.outside.days(&task, now.day_utc(), self.settings.history_days);
        // What may take the place of a series has to reach as far back.
        if let Task::Chart(isin) = &task
            && !self.outside.answered.contains(&task)
            && let Some(first) = self.bars.get(isin).and_then(|bars| bars.first)
        {
            from = from.min(first);
        }
        let first = match &task {
            // A currency that came later has no past yet, nor has any while only today's rates were to be had.
            Task::Rates => !self.currencies().is_subset(&self.outside.whole),
            task => !self.outside.answered.contains(task),
        };
        let Some((symbol, listing)) = self.symbol_of(&task) else {
            // Without a symbol there is nothing to ask; a search may find one.
            self.outside.failed(&task, &DataFault::Unknown, now);
            self.round_came(&task, false, now, out);
            if let Task::Chart(isin) = task {
                self.outside.expect(Task::Symbol(isin), None);
            }
            return;
        };
        self.round_asks(&task, now);
        out.call(Call::Outside(Box::new(Question { task, symbol, listing, from, until, first, at: now })));
    }

    fn symbol_of(&self, task: &Task) -> Option<(String, Option<ListedAs>)> {
        match task {
            Task::Rates => Some((String::new(), None)),
            Task::Symbol(isin) => Some((isin.to_string(), Some(self.listed_as(isin)?))),
            Task::Index(name) => {
                let index = self.settings.indices.iter().find(|index| index.name == *name)?;
                Some((index.symbol.clone(), None))
            }
            Task::Chart(isin) | Task::Facts(isin) | Task::Peg(isin) | Task::Price(isin) => {
                let listed = self.listed_as(isin)?;
                let known = self.symbols.get(isin).cloned();
                let symbol = known.or_else(|| yahoo_symbol(&listed.0, listed.1))?;
                Some((symbol, Some(listed)))
            }
        }
    }

    fn listed_as(&self, isin: &Isin) -> Option<ListedAs> {
        let security = &self.universe.get(isin)?.security;
        Some((security.ticker.clone(), security.mic, security.ccy))
    }

    /// Takes an answer.
    pub(crate) fn learnt(
        &mut self,
        task: &Task,
        result: Result<Learnt, DataFault>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let answered = matches!(&result, Ok(learnt) if !matches!(learnt, Learnt::Closes(..)));
        self.take_learnt(task, result, now, out);
        self.round_came(task, answered, now, out);
    }

    fn take_learnt(
        &mut self,
        task: &Task,
        result: Result<Learnt, DataFault>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let service = task.service();
        let learnt = match result {
            Ok(learnt) => learnt,
            Err(fault) => return self.not_learnt(task, &fault, now),
        };
        if !matches!(learnt, Learnt::Closes(..)) {
            self.troubles.remove(service.name());
        }
        let used = match (task, learnt) {
            (Task::Rates, Learnt::Rates(rates)) => self.take_bank_rates(&rates, now, out),
            (Task::Chart(isin), Learnt::Chart(chart)) => self.take_chart(*isin, &chart, now, out),
            (Task::Chart(isin), Learnt::Closes(closes, fault)) => {
                return self.take_closes(*isin, closes, &fault, now);
            }
            (Task::Facts(isin), Learnt::Facts(summary)) => self.take_facts(*isin, &summary, now, out),
            (Task::Symbol(isin), Learnt::Hits(hits)) => self.take_hits(*isin, &hits, now, out),
            (Task::Symbol(isin), Learnt::Mapped(symbol)) => {
                self.take_symbol(*isin, symbol, "openfigi", now, out);
                true
            }
            (Task::Peg(isin), Learnt::Peg(value)) => {
                let value = value.and_then(|value| Fundamental::PegRatio.believe(value));
                let figures = vec![(Fundamental::PegRatio, value)];
                out.save(Save::Figures { isin: *isin, figures, words: Vec::new(), at: now });
                true
            }
            (Task::Price(isin), Learnt::Price(price)) => {
                self.take_price(*isin, &price, now);
                return self.outside.settled(task);
            }
            (Task::Index(name), Learnt::Chart(chart)) => {
                out.save(Save::Index { name: name.clone(), closes: chart.closes(), at: now });
                true
            }
            _ => true,
        };
        if used {
            let until = self.outside.answered(task, now);
            out.save(Save::Answered { key: task.key(), at: now, until });
        } else {
            self.outside.postponed(task, now, UNCOMPARED_MS);
        }
    }

    fn not_learnt(&mut self, task: &Task, fault: &DataFault, now: Timestamp) {
        let service = task.service();
        let troubles = self.outside.failed(task, fault, now);
        if let (DataFault::Unknown, Task::Chart(isin)) = (fault, task) {
            self.outside.expect(Task::Symbol(*isin), None);
        }
        // Every decision is reached without them: one failure is no news.
        if troubles >= TROUBLES_TOLD {
            self.troubled(
                service.name(),
                &format!("{} {fault}; figures and comparisons age", shown(service)),
            );
        }
    }

    /// Closes of the provider that stands in for Yahoo. Its symbol was made up here: only closes that are the broker's
    /// show that it is the right one. Yahoo is left in peace, and asked again for the rest, as after any failure.
    fn take_closes(&mut self, isin: Isin, closes: BTreeMap<Day, Price>, fault: &DataFault, now: Timestamp) {
        self.not_learnt(&Task::Chart(isin), fault, now);
        let Some(bars) = self.bars.get_mut(&isin) else { return };
        if verify(&bars.closes, &closes) != Verdict::Agrees {
            return;
        }
        self.outside.keep(isin, closes);
        if !bars.doubtful.is_empty() {
            bars.look_again(now);
            self.bars_at = self.bars_at.min(now);
        }
    }

    fn take_bank_rates(&mut self, rates: &EcbRates, now: Timestamp, out: &mut Out<Self>) -> bool {
        let wanted = self.currencies();
        let mut kept = EcbRates::default();
        for (day, rates) in &rates.days {
            let rates: BTreeMap<_, _> = rates
                .iter()
                .filter(|(ccy, _)| wanted.contains(ccy))
                .map(|(ccy, rate)| (*ccy, *rate))
                .collect();
            if !rates.is_empty() {
                kept.days.insert(*day, rates);
            }
        }
        if rates.days.len() > NINETY_DAYS {
            self.outside.whole.extend(&wanted);
        }
        if let Some((day, newest)) = kept.days.last_key_value() {
            let made = Timestamp::from_ms(i64::from(day.epoch_days()) * 86_400_000 + 15 * 3_600_000);
            let taken = self.rates.take_bank(&wanted, newest, made.min(now));
            for (ccy, rate) in &taken {
                out.save(Save::BankRate { ccy: *ccy, rate: *rate, as_of: made.min(now), at: now });
            }
            if let Some(statement) = self.rates.statement().filter(|_| !taken.is_empty()) {
                out.say(statement);
            }
        }
        out.save(Save::BankRates { rates: Box::new(kept), at: now });
        true
    }

    /// Believes a chart only when its closes are those of the broker.
    fn take_chart(&mut self, isin: Isin, chart: &yahoo::Chart, now: Timestamp, out: &mut Out<Self>) -> bool {
        let (Some(listed), Some(bars)) = (self.universe.get(&isin), self.bars.get(&isin)) else {
            return true;
        };
        if bars.complete.is_none() {
            return false;
        }
        let ticker = listed.security.ticker.clone();
        let key = format!("cross-check of {isin}");
        if chart.unit.currency != listed.security.ccy {
            let (found, ccy) = (chart.unit.currency, listed.security.ccy);
            self.troubled(
                &key,
                &format!("Yahoo quotes {ticker} in {found}, not in {ccy}; its symbol is wrong"),
            );
            self.outside.expect(Task::Symbol(isin), None);
            return true;
        }
        let is_brokers = bars.source == BarSource::Broker;
        let to_come = self.take_series(isin, chart, now, out);
        let Some(bars) = self.bars.get(&isin) else { return true };
        let closes = chart.closes();
        let verdict = verify(&bars.closes, &closes);
        match verdict {
            Verdict::Unknown => return false,
            Verdict::Differs(part) if recent_split(chart, part).is_some() => {
                // The broker's past does not show the split yet, or shows it and was not believed: look again.
                let splits = self.splits.entry(isin).or_default();
                splits.extend(chart.splits.iter().map(|split| (split.day, (split.after, split.before))));
                let (splits, dividends) = (chart.splits.clone(), Vec::new());
                out.save(Save::Actions { isin, dividends, splits, source: "yahoo", at: now });
                self.outside.keep(isin, closes);
                if let Some(bars) = self.bars.get_mut(&isin) {
                    (bars.look, bars.not_before) = (true, None);
                    self.bars_at = self.bars_at.min(now);
                }
                return false;
            }
            Verdict::Differs(part) => self.troubled(&key, &difference(&ticker, part)),
            Verdict::Agrees => {
                self.troubles.remove(&key);
                // Its own closes verify nothing.
                if is_brokers {
                    let symbol =
                        self.symbol_of(&Task::Chart(isin)).map(|(symbol, _)| symbol).unwrap_or_default();
                    out.save(Save::Symbol { isin, symbol, verified: Some(now), method: "closes" });
                }
                let splits = self.splits.entry(isin).or_default();
                splits.extend(chart.splits.iter().map(|split| (split.day, (split.after, split.before))));
                out.save(Save::Actions {
                    isin,
                    dividends: chart.dividends.clone(),
                    splits: chart.splits.clone(),
                    source: "yahoo",
                    at: now,
                });
                self.take_yield(isin, chart, now, out);
            }
        }
        self.outside.verdicts.insert(isin, verdict);
        self.outside.keep(isin, closes);
        // A second source may explain what was set apart.
        if let Some(bars) = self.bars.get_mut(&isin).filter(|bars| !bars.doubtful.is_empty()) {
            bars.look_again(now);
            self.bars_at = self.bars_at.min(now);
        }
        !to_come
    }

    /// The dividends of a year to the last close.
    fn take_yield(&mut self, isin: Isin, chart: &yahoo::Chart, now: Timestamp, out: &mut Out<Self>) {
        let Some(last) = chart.bars.last() else { return };
        let since = last.day.plus_days(-365);
        let known_since = chart.bars.first().map(|bar| bar.day);
        // A short chart does not show a whole year.
        if known_since.is_none_or(|first| first > since) {
            return;
        }
        let paid = chart.dividends.iter().filter(|dividend| dividend.ex_day > since);
        let paid: f64 = paid.map(|dividend| dividend.amount.to_f64()).sum();
        let value = Fundamental::DividendYield.believe(paid / last.close.to_f64());
        if value.is_some() {
            self.outside.yields.insert(isin, now);
        }
        let figures = vec![(Fundamental::DividendYield, value)];
        out.save(Save::Figures { isin, figures, words: Vec::new(), at: now });
    }

    fn take_facts(
        &mut self,
        isin: Isin,
        summary: &yahoo::Summary,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> bool {
        // Nothing at all is no news that every figure is gone. Funds have a kind and few figures.
        if summary.figures.is_empty() && summary.kind.is_none() {
            return true;
        }
        let figures = Fundamental::all().map(|figure| (figure, summary.figures.get(&figure).copied()));
        // The first is usually absent here and has a question of its own; the second is better counted from what was paid.
        // After a start nobody knows what was counted before, until the chart has come once.
        let chart_to_come =
            self.outside.answered.contains(&Task::Chart(isin)) && !self.outside.verdicts.contains_key(&isin);
        let counted =
            chart_to_come || self.outside.yields.get(&isin).is_some_and(|then| now.since(*then) < YIELD_MS);
        let figures = figures.filter(|(figure, value)| match figure {
            Fundamental::PegRatio => value.is_some(),
            Fundamental::DividendYield => !counted,
            _ => true,
        });
        let code = summary.country.as_deref().and_then(|country| {
            COUNTRIES.iter().find(|(name, _)| *name == country).map(|(_, code)| (*code).to_owned())
        });
        let words = [
            ("country", summary.country.clone()),
            ("country_code", code.clone()),
            ("sector", summary.sector.clone()),
            ("industry", summary.industry.clone()),
            ("quote_type", summary.kind.clone()),
            ("name", summary.name.clone()),
        ];
        let words: Vec<_> = words.into_iter().filter_map(|(field, word)| Some((field, word?))).collect();
        let figures: Vec<_> = figures.collect();
        out.save(Save::Figures { isin, figures, words, at: now });
        let Some(listed) = self.universe.get_mut(&isin) else { return true };
        let before = listed.security.clone();
        for security in [&mut listed.security, &mut listed.told] {
            security.country = security.country.take().or_else(|| code.clone());
            security.industry = security.industry.take().or_else(|| summary.industry.clone());
        }
        if listed.security != before {
            self.say_universe(out);
        }
        true
    }

    fn take_hits(
        &mut self,
        isin: Isin,
        hits: &[yahoo::Candidate],
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> bool {
        let Some(listed) = self.universe.get(&isin) else { return true };
        let venue = providers::venue_of_mic(listed.security.mic);
        let Some(hit) = venue.and_then(|venue| chosen(hits, venue.exchanges)) else { return true };
        self.take_symbol(isin, hit.symbol.clone(), "search", now, out);
        true
    }

    /// A symbol is only tried: its closes verify it, or not.
    fn take_symbol(
        &mut self,
        isin: Isin,
        symbol: String,
        method: &'static str,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        if self.symbols.get(&isin) == Some(&symbol) {
            return;
        }
        self.symbols.insert(isin, symbol.clone());
        out.save(Save::Symbol { isin, symbol, verified: None, method });
        for task in [Task::Chart(isin), Task::Facts(isin), Task::Peg(isin)] {
            self.outside.hurry(&task, now);
        }
    }

    /// A price of the second source in the security's currency; the next question to the broker is judged by it.
    fn take_price(&mut self, isin: Isin, found: &yahoo::YahooQuote, now: Timestamp) {
        let Some(listed) = self.universe.get(&isin) else { return };
        if found.unit.currency == listed.security.ccy {
            self.outside.priced(isin, found.price, found.at.min(now));
            self.quotes_at = self.quotes_at.min(now);
        }
    }
}

/// A split of the last weeks that explains a difference between a past with it and one without.
fn recent_split(chart: &yahoo::Chart, part: f64) -> Option<&providers::Split> {
    let since = chart.bars.last()?.day.plus_days(-SPLIT_DAYS);
    let explains = |split: &&providers::Split| {
        let rest = (1.0 + part) * f64::from(split.after) / f64::from(split.before);
        (rest - 1.0).abs() < SPLIT_REST
    };
    chart.splits.iter().filter(|split| split.day >= since).find(explains)
}

fn shown(service: Service) -> &'static str {
    match service {
        Service::Yahoo => "Yahoo",
        Service::Ecb => "the European Central Bank",
        Service::Frankfurter => "Frankfurter",
        Service::Stooq => "Stooq",
        Service::OpenFigi => "OpenFIGI",
    }
}
