//! `getHloc`: daily candles. The order inside a candle is high, low, open, close; a day begins at
//! midnight in Moscow, so its date is the UTC date twelve hours later.

use std::collections::BTreeMap;

use market::{Day, Timestamp};
use money::{Price, Quantity};

use crate::command::decoding::Decode;
use crate::command::{PlainCommand, ReadCommand};
use crate::commands::tickers::Tickers;
use crate::exchange::RequestKind;
use crate::fault::Flaw;
use crate::ids::Ticker;
use crate::json::{Fields, Node, Shape};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::typed::{integer_of, number_of};

/// Minutes in the only timeframe asked for; shorter ones have no use here.
const TIMEFRAME_MINUTES: i32 = 1_440;
/// Half a day: adding three hours only would misdate 2011 to 2014, when Moscow kept UTC+4.
const HALF_DAY_MS: i64 = 12 * 3_600 * 1_000;
/// Latest moment a candle may claim, the year 2200; beyond lies nonsense such as milliseconds.
const UNIX_S_MAX: i64 = 7_258_118_400;

/// Asks for daily candles of up to eight tickers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetDailyCandles {
    /// What to ask for.
    pub tickers: Tickers<8>,
    /// First day wanted.
    pub from: Day,
    /// Last day wanted.
    pub to: Day,
}

/// Holds the candles that came, and what did not come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DailyCandles {
    /// Candles by ticker, days ascending.
    pub by_ticker: BTreeMap<Ticker, History>,
    /// Requested tickers without a list in the reply.
    pub missing: Vec<Ticker>,
}

/// Holds the candles of one ticker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Candles inside the wanted days, one a day, ascending.
    pub candles: Vec<Candle>,
    /// Candles left out because a value was missing, unreadable or not above zero, or because the
    /// parallel lists differed in length.
    pub dropped: usize,
}

/// Holds one day. Whether the day was over is for the caller to say, who knows the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candle {
    /// Trading day.
    pub day: Day,
    /// Opening price.
    pub open: Price,
    /// Highest price, at least open and close.
    pub high: Price,
    /// Lowest price, at most open and close.
    pub low: Price,
    /// Closing price.
    pub close: Price,
    /// Units traded.
    pub volume: Option<Quantity>,
}

impl Decode for GetDailyCandles {
    type Reply = DailyCandles;

    fn params(&self) -> String {
        Params::new()
            .text("id", &self.tickers.joined())
            .integer("count", -1)
            .integer("timeframe", TIMEFRAME_MINUTES)
            .text("date_from", &dotted(self.from, "00:00"))
            .text("date_to", &dotted(self.to, "23:59"))
            .text("intervalMode", "ClosedRay")
            .finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<DailyCandles, Flaw> {
        let hloc = reply.get("hloc");
        // An empty map arrives as `[]` from servers that know no difference.
        let empty = hloc.list().is_some_and(|list| list.is_empty());
        if hloc.shape() != Shape::Object && !empty {
            return Err(Flaw::missing("hloc"));
        }
        let prices =
            if empty { Fields::default() } else { hloc.open().ok_or(Flaw::new("hloc", "is damaged"))? };
        let (volumes, times) = (reply.get("vl").fields(), reply.get("xSeries").fields());
        let mut found = DailyCandles::default();
        for ticker in self.tickers.iter() {
            let name = ticker.as_str();
            let Some(rows) = prices.get(name).list() else {
                found.missing.push(ticker.clone());
                continue;
            };
            let series = Series {
                rows,
                volumes: volumes.get(name).list().unwrap_or_default(),
                times: times.get(name).list().unwrap_or_default(),
            };
            found.by_ticker.insert(ticker.clone(), series.between(self.from, self.to));
        }
        Ok(found)
    }
}

impl ReadCommand for GetDailyCandles {
    const NAME: &'static str = "getHloc";
    const PACE: PaceClass = PaceClass::Candles;
    const KIND: RequestKind = RequestKind::BulkRead;
}

impl PlainCommand for GetDailyCandles {}

/// Holds the three parallel lists of one ticker.
struct Series<'a> {
    rows: Vec<Node<'a>>,
    volumes: Vec<Node<'a>>,
    times: Vec<Node<'a>>,
}

impl Series<'_> {
    fn between(&self, from: Day, to: Day) -> History {
        let length = self.rows.len().min(self.times.len());
        let longest = self.rows.len().max(self.times.len());
        let mut dropped = longest - length;
        let mut by_day = BTreeMap::new();
        for index in 0..length {
            match self.candle(index) {
                Some(candle) => drop(by_day.insert(candle.day, candle)),
                None => dropped += 1,
            }
        }
        let candles = by_day.into_values().filter(|candle| (from..=to).contains(&candle.day)).collect();
        History { candles, dropped }
    }

    fn candle(&self, index: usize) -> Option<Candle> {
        let values = self.rows.get(index)?.list()?;
        let price = |place: usize| price_of(*values.get(place)?);
        let (high, low, open, close) = (price(0)?, price(1)?, price(2)?, price(3)?);
        let volume =
            self.volumes.get(index).and_then(|node| number_of(*node, "vl", Quantity::DIGITS).ok()?);
        Some(Candle {
            day: trading_day(*self.times.get(index)?)?,
            open,
            // Highs and lows carry noise of the sender's floats; open and close do not.
            high: high.max(open).max(close),
            low: low.min(open).min(close),
            close,
            volume: volume.and_then(|e6| Quantity::from_e6(e6).ok()).filter(|units| !units.is_negative()),
        })
    }
}

fn price_of(node: Node<'_>) -> Option<Price> {
    let e6 = number_of(node, "hloc", Price::DIGITS).ok()??;
    Price::from_e6(e6).ok().filter(|price| !price.is_zero())
}

fn trading_day(node: Node<'_>) -> Option<Day> {
    let unix_s = integer_of(node, "xSeries").ok()??;
    let plausible = (1..=UNIX_S_MAX).contains(&unix_s);
    plausible.then(|| Timestamp::from_ms(unix_s * 1_000 + HALF_DAY_MS).day_utc())
}

fn dotted(day: Day, time: &str) -> String {
    format!("{:02}.{:02}.{:04} {time}", day.day(), day.month(), day.year())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn midnight_in_moscow_dates_the_day_in_every_era() {
        let day = |unix_s: &str| trading_day(Node::parse(unix_s.as_bytes()).unwrap()).map(|d| d.to_string());
        // 21:00 UTC the day before (UTC+3), 20:00 UTC in 2011 to 2014 (UTC+4), and a turn of the year.
        assert_eq!(day("1772398800").as_deref(), Some("2026-03-02"));
        assert_eq!(day("1325361600").as_deref(), Some("2012-01-01"));
        assert_eq!(day("1767214800").as_deref(), Some("2026-01-01"));
        assert_eq!(day("\"1772398800\"").as_deref(), Some("2026-03-02"));
        for nonsense in ["0", "-1", "1772398800000", "null", "\"x\"", "1.5"] {
            assert_eq!(day(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn writes_the_days_as_the_api_wants_them() {
        let command = GetDailyCandles {
            tickers: Tickers::new(vec![Ticker::parse("NRDW.US").unwrap()]).unwrap(),
            from: Day::from_ymd(2026, 3, 1).unwrap(),
            to: Day::from_ymd(2026, 12, 31).unwrap(),
        };
        assert_eq!(
            command.params(),
            r#"{"id":"NRDW.US","count":-1,"timeframe":1440,"date_from":"01.03.2026 00:00","date_to":"31.12.2026 23:59","intervalMode":"ClosedRay"}"#
        );
    }
}
