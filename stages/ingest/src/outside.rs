//! Providers besides the broker: which question is due, at which pace, and what an answer is believed to say.
//!
//! Nothing here decides about money. An answer confirms or contradicts the broker, or tells what the broker does not
//! say: dividends, splits, fundamentals, indices, the bank's rates. What is due survives a restart, because each answer
//! leaves a row with the time until which it holds.

use std::collections::{BTreeMap, BTreeSet};

use market::{Day, Isin, Timestamp};
use money::{Currency, Price};
use providers::{DataFault, Pace, Service, Turn, yahoo};

use crate::limits::{CROSS_STOPS, CROSS_TOLD, OUTSIDE_JITTER_MS, OUTSIDE_SPACING_MS, SECOND_AGREES};
use crate::schedule::grid_after;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Days of the first question about the past of an index.
const INDEX_DAYS: i32 = 900;
/// Days of every later question about an index.
const AGAIN_DAYS: i32 = 40;
/// And about a security: its dividends of a whole year are counted.
const CHART_AGAIN_DAYS: i32 = 400;
/// Closes of a second source that are kept at hand.
const SECOND_KEPT: usize = 60;
/// A price of the second source is fresh for so long.
const PRICE_AGE_MAX_MS: i64 = 20 * 60_000;
/// And asked for again after this at the earliest.
const PRICE_AGAIN_MS: i64 = 10 * 60_000;
/// The days of the second source that verify a symbol.
const COMMON_MIN: usize = 3;

/// One thing that is asked about again and again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// Reference rates.
    Rates,
    /// Closes, dividends and splits of a security.
    Chart(Isin),
    /// Another symbol for a security whose symbol is unknown.
    Symbol(Isin),
    /// Fundamentals, analysts and profile of a security.
    Facts(Isin),
    /// Its price to earnings to growth, which has a place of its own.
    Peg(Isin),
    /// What it costs at another provider, because the broker's price is doubtful.
    Price(Isin),
    /// Closes of an index by its name.
    Index(String),
}

impl Task {
    /// The name under which the store keeps until when it is done.
    pub(crate) fn key(&self) -> String {
        match self {
            Task::Rates => "rates".into(),
            Task::Chart(isin) => format!("chart {isin}"),
            Task::Symbol(isin) => format!("symbol {isin}"),
            Task::Facts(isin) => format!("facts {isin}"),
            Task::Peg(isin) => format!("peg {isin}"),
            Task::Price(isin) => format!("price {isin}"),
            Task::Index(name) => format!("index {name}"),
        }
    }

    /// Who is asked.
    pub(crate) fn service(&self) -> Service {
        if *self == Task::Rates { Service::Ecb } else { Service::Yahoo }
    }

    /// When it is due again after an answer.
    fn next(&self, now: Timestamp) -> Timestamp {
        match self {
            // The bank publishes at 16:00 in Frankfurt: four times a day never misses it by long.
            Task::Rates => grid_after(now, 6 * HOUR_MS),
            // The whole world has closed by 22:00 UTC.
            Task::Chart(_) | Task::Index(_) => {
                grid_after(now.saturating_minus_ms(22 * HOUR_MS), DAY_MS).saturating_plus_ms(22 * HOUR_MS)
            }
            Task::Facts(isin) | Task::Peg(isin) => {
                now.saturating_plus_ms(7 * DAY_MS + i64::from(spread(isin)) * HOUR_MS)
            }
            // Only when there is a doubt.
            Task::Price(_) => Timestamp::MAX,
            Task::Symbol(_) => now.saturating_plus_ms(30 * DAY_MS),
        }
    }
}

/// Spreads the securities over hours; the same security always has the same place.
fn spread(isin: &Isin) -> u8 {
    isin.as_str().bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % 24
}

/// What the days of another provider say about the broker's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// Too few common days to say anything.
    Unknown,
    /// They agree.
    Agrees,
    /// They differ by this share at the last common day: told, or a reason to stop.
    Differs(f64),
}

impl Verdict {
    /// Whether nothing may be bought or sold on it.
    pub(crate) fn stops(&self) -> bool {
        matches!(self, Verdict::Differs(part) if part.abs() > CROSS_STOPS)
    }
}

/// Compares the last common days of two sources.
pub(crate) fn verify(broker: &BTreeMap<Day, Price>, other: &BTreeMap<Day, Price>) -> Verdict {
    let common = broker.iter().rev().filter_map(|(day, close)| {
        let other = other.get(day)?;
        Some(other.e6() as f64 / close.e6().max(1) as f64 - 1.0)
    });
    let parts: Vec<f64> = common.take(COMMON_MIN).collect();
    if parts.len() < COMMON_MIN {
        return Verdict::Unknown;
    }
    // One odd day is no wrong symbol: the middle one of three decides.
    let mut sorted = parts;
    sorted.sort_by(f64::total_cmp);
    let middle = sorted[sorted.len() / 2];
    if middle.abs() <= CROSS_TOLD { Verdict::Agrees } else { Verdict::Differs(middle) }
}

/// Chooses among candidates the one at the expected venue; never simply the first.
pub(crate) fn chosen<'a>(
    candidates: &'a [yahoo::Candidate],
    exchanges: &[&str],
) -> Option<&'a yahoo::Candidate> {
    let mut fitting = candidates.iter().filter(|hit| exchanges.contains(&hit.exchange.as_str()));
    fitting.next().filter(|_| fitting.next().is_none())
}

/// The schedule of all questions.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    due: BTreeMap<Task, Timestamp>,
    /// Tasks that were answered at least once.
    pub(crate) answered: BTreeSet<Task>,
    /// Currencies of which all of the bank's past was asked for.
    pub(crate) whole: BTreeSet<Currency>,
    /// When a dividend yield was last counted from what was paid.
    pub(crate) yields: BTreeMap<Isin, Timestamp>,
    paces: BTreeMap<Service, Pace>,
    asked: Option<Task>,
    /// Charts are not asked for before: they compare bars that the broker is still giving.
    pub(crate) charts_from: Timestamp,
    /// What is being asked was renewed meanwhile: its answer, of fewer days, does not settle it.
    renewed: bool,
    /// Closes of the second source.
    pub(crate) second: BTreeMap<Isin, BTreeMap<Day, Price>>,
    /// What the last comparison said.
    pub(crate) verdicts: BTreeMap<Isin, Verdict>,
    /// Prices of the second source, and when they were made.
    prices: BTreeMap<Isin, (Price, Timestamp)>,
    prices_wanted: BTreeMap<Isin, Timestamp>,
    /// Since when the broker's price is in doubt.
    doubted: BTreeMap<Isin, Timestamp>,
}

/// What the price of a second source says about the broker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Witness {
    /// Nothing, or nothing fresh.
    Silent,
    /// The same within a small share.
    Confirms,
    /// Something far from it, made after the doubt began.
    Contradicts,
}

impl Outside {
    /// Adds what is to be asked; what an earlier run answered is due when its answer ends.
    pub(crate) fn expect(&mut self, task: Task, known_until: Option<Timestamp>) {
        if let Some(until) = known_until {
            self.answered.insert(task.clone());
            self.due.insert(task, until);
        } else {
            self.due.entry(task).or_insert(Timestamp::ZERO);
        }
    }

    /// Asks about it as soon as its pace allows.
    pub(crate) fn hurry(&mut self, task: &Task, now: Timestamp) {
        if let Some(due) = self.due.get_mut(task) {
            *due = (*due).min(now);
        }
    }

    /// Whether it is asked about at all.
    pub(crate) fn is_expected(&self, task: &Task) -> bool {
        self.due.contains_key(task)
    }

    /// Asks about all of it again, as at first.
    pub(crate) fn renew(&mut self, task: &Task, now: Timestamp) {
        self.answered.remove(task);
        self.renewed |= self.asked.as_ref() == Some(task);
        self.hurry(task, now);
    }

    /// Asks another provider for a price, at most once in some minutes.
    fn want_price(&mut self, isin: Isin, now: Timestamp) {
        let lately = self.prices_wanted.get(&isin).is_some_and(|then| now.since(*then) < PRICE_AGAIN_MS);
        if !lately {
            self.prices_wanted.insert(isin, now);
            self.due.insert(Task::Price(isin), now);
        }
    }

    /// Takes a price of the second source.
    pub(crate) fn priced(&mut self, isin: Isin, price: Price, at: Timestamp) {
        self.prices.insert(isin, (price, at));
    }

    /// Notes whether the broker's price is in doubt.
    pub(crate) fn doubt(&mut self, isin: Isin, doubtful: bool, now: Timestamp) {
        if doubtful {
            self.doubted.entry(isin).or_insert(now);
            self.want_price(isin, now);
        } else {
            self.doubted.remove(&isin);
        }
    }

    /// What the second source says of a price. A delayed price from before a jump does not contradict the jump.
    pub(crate) fn witness(&self, isin: &Isin, price: Price, now: Timestamp) -> Witness {
        let Some((second, at)) = self.prices.get(isin).filter(|(_, at)| now.since(*at) <= PRICE_AGE_MAX_MS)
        else {
            return Witness::Silent;
        };
        let part = (price.e6() as f64 / second.e6().max(1) as f64 - 1.0).abs();
        let later = self.doubted.get(isin).is_some_and(|since| at >= since);
        match part {
            _ if part <= SECOND_AGREES => Witness::Confirms,
            _ if part > CROSS_STOPS && later => Witness::Contradicts,
            _ => Witness::Silent,
        }
    }

    /// Nothing more of a security.
    pub(crate) fn forget(&mut self, isin: &Isin) {
        self.due.retain(
            |task, _| !matches!(task, Task::Chart(of) | Task::Facts(of) | Task::Symbol(of) | Task::Peg(of) | Task::Price(of) if of == isin),
        );
        self.prices.remove(isin);
        self.doubted.remove(isin);
        self.verdicts.remove(isin);
        self.second.remove(isin);
        self.yields.remove(isin);
    }

    /// What is due and not being asked now.
    pub(crate) fn due(&self, now: Timestamp) -> impl Iterator<Item = &Task> {
        let due =
            self.due.iter().filter(move |(task, due)| **due <= now && self.asked.as_ref() != Some(*task));
        due.map(|(task, _)| task)
    }

    /// When there is something to ask.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        if self.asked.is_some() {
            return None;
        }
        let free = |task: &Task| self.paces.get(&task.service()).map_or(Timestamp::ZERO, Pace::next);
        self.due.iter().map(|(task, due)| self.opens(task, *due).max(free(task))).min()
    }

    fn opens(&self, task: &Task, due: Timestamp) -> Timestamp {
        if matches!(task, Task::Chart(_)) { due.max(self.charts_from) } else { due }
    }

    /// The question to ask now, if any.
    pub(crate) fn take(&mut self, now: Timestamp) -> Option<Task> {
        if self.asked.is_some() {
            return None;
        }
        let ready = self.due.iter().filter(|(task, due)| self.opens(task, **due) <= now);
        let mut ready: Vec<(Timestamp, Task)> = ready.map(|(task, due)| (*due, task.clone())).collect();
        ready.sort();
        let (_, task) = ready.into_iter().find(|(_, task)| {
            let pace = self.paces.entry(task.service()).or_insert_with(|| Pace::new(OUTSIDE_SPACING_MS));
            pace.next() <= now
        })?;
        // Jitter without chance: spread by the milliseconds of the clock.
        let jitter = now.ms().rem_euclid(OUTSIDE_JITTER_MS);
        let pace = self.paces.entry(task.service()).or_insert_with(|| Pace::new(OUTSIDE_SPACING_MS));
        if let Turn::Wait(_) = pace.take(now, jitter) {
            return None;
        }
        self.asked = Some(task.clone());
        self.renewed = false;
        Some(task)
    }

    /// The days to ask for.
    pub(crate) fn days(&self, task: &Task, today: Day, history_days: u32) -> (Day, Day) {
        let first = match task {
            Task::Chart(_) if self.answered.contains(task) => CHART_AGAIN_DAYS,
            _ if self.answered.contains(task) => AGAIN_DAYS,
            Task::Index(_) => INDEX_DAYS,
            _ => i32::try_from(history_days).unwrap_or(i32::MAX),
        };
        (today.plus_days(-first), today)
    }

    /// An answer came; it holds until the instant returned.
    pub(crate) fn answered(&mut self, task: &Task, now: Timestamp) -> Timestamp {
        self.asked = None;
        if let Some(pace) = self.paces.get_mut(&task.service()) {
            pace.answered();
        }
        let until = if self.renewed { now } else { task.next(now) };
        if !self.renewed {
            self.answered.insert(task.clone());
        }
        self.due.insert(task.clone(), until);
        until
    }

    /// A question that is not repeated by itself has its answer.
    pub(crate) fn settled(&mut self, task: &Task) {
        self.asked = None;
        self.due.remove(task);
        if let Some(pace) = self.paces.get_mut(&task.service()) {
            pace.answered();
        }
    }

    /// An answer came that cannot be used yet.
    pub(crate) fn postponed(&mut self, task: &Task, now: Timestamp, pause_ms: i64) {
        self.asked = None;
        if let Some(pace) = self.paces.get_mut(&task.service()) {
            pace.answered();
        }
        self.due.insert(task.clone(), now.saturating_plus_ms(pause_ms));
    }

    /// No answer came; how often in a row by now.
    pub(crate) fn failed(&mut self, task: &Task, fault: &DataFault, now: Timestamp) -> u32 {
        self.asked = None;
        if matches!(task, Task::Price(_)) {
            self.due.remove(task);
        } else {
            // Behind the others: while a provider is out, one question must not be all that is asked.
            self.due.insert(task.clone(), now);
        }
        let pace = self.paces.entry(task.service()).or_insert_with(|| Pace::new(OUTSIDE_SPACING_MS));
        match fault {
            DataFault::RateLimited { retry_after_s } => pace.refused(now, *retry_after_s),
            DataFault::Blocked | DataFault::ConsentNeeded | DataFault::SessionOver => pace.refused(now, None),
            DataFault::Outage(_) => pace.failed(now),
            DataFault::Unknown | DataFault::Empty | DataFault::Malformed(_) => {
                pace.answered();
                // What is not there today may be there tomorrow; a doubt is settled by then.
                if !matches!(task, Task::Price(_)) {
                    self.due.insert(task.clone(), now.saturating_plus_ms(DAY_MS));
                }
            }
        }
        self.paces.get(&task.service()).map_or(0, Pace::troubles)
    }

    /// Keeps the newest closes of the second source.
    pub(crate) fn keep(&mut self, isin: Isin, closes: BTreeMap<Day, Price>) {
        let kept = closes.into_iter().rev().take(SECOND_KEPT).collect();
        self.second.insert(isin, kept);
    }
}

/// What a person is told about a difference.
pub(crate) fn difference(ticker: &str, part: f64) -> String {
    let consequence =
        if part.abs() > CROSS_STOPS { "; it is not traded until they agree" } else { "; compare them" };
    format!("Yahoo's closes of {ticker} differ from the broker's by {:.0} %{consequence}", part * 100.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn isin() -> Isin {
        "DE000SMX0015".parse().unwrap()
    }

    fn closes(values: &[i64]) -> BTreeMap<Day, Price> {
        let day = |number| Day::from_epoch_days(20_000 + number).unwrap();
        (0..).map(day).zip(values.iter().map(|e6| Price::from_e6(*e6).unwrap())).collect()
    }

    #[test]
    fn one_question_at_a_time_and_at_its_pace() {
        let mut outside = Outside::default();
        outside.expect(Task::Chart(isin()), None);
        outside.expect(Task::Index("US".into()), None);
        assert_eq!(outside.take(at(1_000_000)), Some(Task::Chart(isin())));
        assert_eq!((outside.take(at(1_000_001)), outside.wake_at()), (None, None));
        outside.answered(&Task::Chart(isin()), at(1_000_010));
        assert_eq!(outside.take(at(1_001_999)), None);
        assert_eq!(outside.wake_at(), Some(at(1_002_000)));
        assert_eq!(outside.take(at(1_002_000)), Some(Task::Index("US".into())));
    }

    #[test]
    fn an_answer_from_before_a_renewal_does_not_settle_it() {
        let mut outside = Outside::default();
        let (chart, today) = (Task::Chart(isin()), "2026-03-02".parse().unwrap());
        outside.expect(chart.clone(), Some(at(500)));
        assert_eq!(outside.take(at(500)), Some(chart.clone()));
        outside.renew(&chart, at(600));
        assert_eq!(outside.answered(&chart, at(700)), at(700));
        let (from, until) = outside.days(&chart, today, 3_650);
        assert_eq!(from.days_until(until), 3_650);
        assert_eq!(outside.take(at(10_000)), Some(chart.clone()));
        assert!(outside.answered(&chart, at(10_100)) > at(10_100));
        let (from, until) = outside.days(&chart, today, 3_650);
        assert_eq!(from.days_until(until), CHART_AGAIN_DAYS);
    }

    #[test]
    fn charts_let_the_brokers_bars_go_first_and_nothing_else_waits() {
        let mut outside = Outside { charts_from: at(5_000), ..Outside::default() };
        outside.expect(Task::Chart(isin()), None);
        assert_eq!((outside.take(at(4_999)), outside.wake_at()), (None, Some(at(5_000))));
        outside.expect(Task::Index("US".into()), None);
        assert_eq!((outside.wake_at(), outside.take(at(100))), (Some(at(0)), Some(Task::Index("US".into()))));
        outside.answered(&Task::Index("US".into()), at(200));
        assert_eq!(outside.take(at(5_000)), Some(Task::Chart(isin())));
    }

    #[test]
    fn a_refusal_silences_the_whole_service_and_no_other() {
        let mut outside = Outside::default();
        outside.expect(Task::Chart(isin()), None);
        outside.expect(Task::Index("US".into()), None);
        outside.take(at(0)).unwrap();
        outside.failed(&Task::Chart(isin()), &DataFault::RateLimited { retry_after_s: None }, at(0));
        assert_eq!(outside.take(at(15 * 60_000 - 1)), None);
        outside.expect(Task::Rates, None);
        assert_eq!(outside.take(at(15 * 60_000 - 1)), Some(Task::Rates));
    }

    #[test]
    fn an_answer_of_an_earlier_run_still_holds() {
        let mut outside = Outside::default();
        outside.expect(Task::Chart(isin()), Some(at(500)));
        assert_eq!(outside.take(at(499)), None);
        assert_eq!(outside.take(at(500)), Some(Task::Chart(isin())));
        let (from, until) = outside.days(&Task::Chart(isin()), "2026-03-02".parse().unwrap(), 3_650);
        assert_eq!(from.days_until(until), CHART_AGAIN_DAYS);
    }

    #[test]
    fn the_middle_of_three_common_days_decides() {
        let broker = closes(&[1_000, 1_000, 1_000]);
        assert_eq!(verify(&broker, &closes(&[1_000, 1_000])), Verdict::Unknown);
        assert_eq!(verify(&broker, &closes(&[1_049, 1_049, 90_000])), Verdict::Agrees);
        assert!(matches!(verify(&broker, &closes(&[1_051, 1_051, 1_000])), Verdict::Differs(_)));
        assert!(!verify(&broker, &closes(&[1_199, 1_199, 1_199])).stops());
        assert!(verify(&broker, &closes(&[1_201, 1_201, 1_201])).stops());
        assert!(verify(&broker, &closes(&[100_000, 100_000, 100_000])).stops());
    }

    #[test]
    fn a_second_price_confirms_within_three_hundredths_and_contradicts_only_what_is_older_than_it() {
        let price = |e6| Price::from_e6(e6).unwrap();
        let minute = |number: i64| at(number * 60_000);
        let mut outside = Outside::default();
        assert_eq!(outside.witness(&isin(), price(1_000), minute(1)), Witness::Silent, "nobody was asked");
        outside.doubt(isin(), true, minute(10));
        assert_eq!(outside.take(minute(10)), Some(Task::Price(isin())));
        outside.settled(&Task::Price(isin()));
        outside.doubt(isin(), true, minute(19));
        assert_eq!(outside.take(minute(19)), None, "asked a moment ago");
        outside.priced(isin(), price(1_000), minute(10));
        for (e6, says) in [
            (1_029, Witness::Confirms),
            (1_031, Witness::Silent),
            (1_200, Witness::Silent),
            (1_201, Witness::Contradicts),
            (799, Witness::Contradicts),
        ] {
            assert_eq!(outside.witness(&isin(), price(e6), minute(11)), says, "{e6}");
        }
        assert_eq!(outside.witness(&isin(), price(1_201), minute(30)), Witness::Contradicts);
        assert_eq!(outside.witness(&isin(), price(1_201), minute(31)), Witness::Silent, "too old");
        outside.priced(isin(), price(1_000), minute(9));
        assert_eq!(
            outside.witness(&isin(), price(1_201), minute(11)),
            Witness::Silent,
            "from before the jump"
        );
        outside.doubt(isin(), false, minute(12));
        outside.priced(isin(), price(1_000), minute(12));
        assert_eq!(
            outside.witness(&isin(), price(1_201), minute(12)),
            Witness::Silent,
            "nothing is in doubt"
        );
    }

    #[test]
    fn the_candidate_at_the_venue_is_chosen_and_never_the_first() {
        let hit = |symbol: &str, exchange: &str| yahoo::Candidate {
            symbol: symbol.into(),
            exchange: exchange.into(),
            name: String::new(),
            kind: "EQUITY".into(),
        };
        let hits = [hit("RHNA.F", "FRA"), hit("RHNA.DE", "GER")];
        assert_eq!(chosen(&hits, &["GER"]).map(|hit| hit.symbol.as_str()), Some("RHNA.DE"));
        assert_eq!(chosen(&hits, &["PAR"]), None);
        assert_eq!(chosen(&[hit("A", "NMS"), hit("B", "NGM")], &["NMS", "NGM"]), None, "two are none");
    }
}
