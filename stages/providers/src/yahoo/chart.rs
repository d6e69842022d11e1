//! `v8/finance/chart`: daily bars, dividends and splits of one symbol.
//!
//! A day's row is stamped with the opening in unix time; its date is the local one at the exchange. Rows without a
//! close are no days; a row that repeats the last day, or comes after the end asked for, is left out.

use market::{Day, Timestamp, Zone};
use serde_json::Value;

use super::{encoded, get, number::number, number::text, results};
use crate::{
    answer::{Ask, Bar, Closes, DataFault, Dividend, Service, Split},
    fetch::{Request, Response},
    units::Unit,
};

const DAY_S: i64 = 86_400;
/// A row is stamped up to this long before or after its day's opening.
const SLACK_S: i64 = 2 * 3_600;

/// Asks for the days of a symbol, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartOf {
    /// Which.
    pub symbol: String,
    /// First day.
    pub from: Day,
    /// Last day.
    pub until: Day,
}

/// Closes as they were delivered, put right where units were mixed.
type Delivered = Vec<(Day, f64)>;

/// What a chart says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Unit in which it was delivered; the values here are in the main unit.
    pub unit: Unit,
    /// Name, if it says one.
    pub name: Option<String>,
    /// Days ascending, one row each.
    pub bars: Vec<Bar>,
    /// Dividends, ascending.
    pub dividends: Vec<Dividend>,
    /// Splits, ascending.
    pub splits: Vec<Split>,
    /// When the session of the last row ends: before that its row is not final.
    pub session_ends: Option<Timestamp>,
    /// When it last traded.
    pub traded_at: Option<Timestamp>,
}

impl Chart {
    /// The closes by day.
    #[must_use]
    pub fn closes(&self) -> Closes {
        self.bars.iter().map(|bar| (bar.day, bar.close)).collect()
    }
}

impl Ask for ChartOf {
    type Answer = Chart;
    const SERVICE: Service = Service::Yahoo;

    fn request(&self) -> Request {
        let from = i64::from(self.from.epoch_days()) * DAY_S - DAY_S / 2;
        let until = i64::from(self.until.epoch_days()) * DAY_S + DAY_S;
        let request = get(
            &format!("/v8/finance/chart/{}", encoded(&self.symbol)),
            &[
                ("period1", &from.to_string()),
                ("period2", &until.to_string()),
                ("interval", "1d"),
                ("events", "div,splits,capitalGains"),
                ("includePrePost", "false"),
            ],
        );
        Request { bulk: true, ..request }
    }

    fn read(&self, reply: &Response) -> Result<Chart, DataFault> {
        let rows = results(reply, "chart")?;
        let chart = rows.first().ok_or(DataFault::Empty)?;
        let malformed = |why: &str| DataFault::malformed(why, &reply.body);
        let meta = &chart["meta"];
        let label = meta["currency"].as_str().ok_or_else(|| malformed("it names no currency"))?;
        let unit = Unit::of(label)?;
        let zone = meta["exchangeTimezoneName"].as_str().and_then(|name| Zone::named(name).ok());
        let offset_s = meta["gmtoffset"].as_i64().unwrap_or(0);
        let day_of = |stamp_s: i64| local_day(stamp_s, zone.as_ref(), offset_s);
        let (bars, delivered) = self.bars(chart, unit, &day_of, &malformed)?;
        let stamp = |value: &Value| value.as_i64()?.checked_mul(1_000).map(Timestamp::from_ms);
        Ok(Chart {
            unit,
            name: text(&meta["longName"]).or_else(|| text(&meta["shortName"])),
            dividends: dividends(&chart["events"]["dividends"], unit, &delivered, &day_of),
            splits: splits(&chart["events"]["splits"], &day_of),
            bars,
            session_ends: stamp(&meta["currentTradingPeriod"]["regular"]["end"]),
            traded_at: stamp(&meta["regularMarketTime"]),
        })
    }

    fn as_of(answer: &Chart) -> Option<Timestamp> {
        answer.traded_at
    }
}

impl ChartOf {
    /// The days, and beside them the closes as they were delivered, put right where units were mixed.
    fn bars(
        &self,
        chart: &Value,
        unit: Unit,
        day_of: &impl Fn(i64) -> Option<Day>,
        malformed: &impl Fn(&str) -> DataFault,
    ) -> Result<(Vec<Bar>, Delivered), DataFault> {
        let Some(stamps) = chart["timestamp"].as_array() else { return Ok((Vec::new(), Vec::new())) };
        let quote = &chart["indicators"]["quote"][0];
        let column = |name: &str| -> Result<Vec<Option<f64>>, DataFault> {
            let values = quote[name].as_array().ok_or_else(|| malformed("a column is missing"))?;
            if values.len() != stamps.len() {
                return Err(malformed("the columns differ in length"));
            }
            Ok(values.iter().map(number).collect())
        };
        let (open, high, low) = (column("open")?, column("high")?, column("low")?);
        let (close, volume) = (column("close")?, column("volume")?);
        let mut kept: Vec<(Day, usize, f64)> = Vec::new();
        for (at, stamp) in stamps.iter().enumerate() {
            let day = stamp.as_i64().and_then(day_of).ok_or_else(|| malformed("a stamp is no time"))?;
            let (Some(close), true) = (close[at], (self.from..=self.until).contains(&day)) else { continue };
            if kept.last().is_some_and(|(last, ..)| *last > day) {
                return Err(malformed("the days are not in order"));
            }
            // The live row repeats its day and is the newer one.
            kept.retain(|(known, ..)| *known != day);
            kept.push((day, at, close));
        }
        let mut closes: Vec<f64> = kept.iter().map(|(.., close)| *close).collect();
        let repaired = unit.repair(&mut closes);
        let mut bars = Vec::with_capacity(kept.len());
        let mut delivered = Vec::with_capacity(kept.len());
        for (place, (day, at, raw)) in kept.into_iter().enumerate() {
            let factor = closes[place] / raw;
            let scaled = |value: Option<f64>| value.and_then(|value| unit.price(value * factor));
            let Some(close) = unit.price(closes[place]) else { continue };
            delivered.push((day, closes[place]));
            bars.push(Bar {
                day,
                open: scaled(open[at]),
                high: scaled(high[at]),
                low: scaled(low[at]),
                close,
                volume: volume[at].filter(|v| (0.0..1e15).contains(v)).map(|v| v as u64),
                repaired: repaired[place],
            });
        }
        Ok((bars, delivered))
    }
}

fn local_day(stamp_s: i64, zone: Option<&Zone>, offset_s: i64) -> Option<Day> {
    match zone {
        Some(zone) => Some(Timestamp::from_ms(stamp_s.checked_mul(1_000)?).day_in(zone)),
        None => {
            let days = stamp_s.checked_add(offset_s)?.checked_add(SLACK_S)?.div_euclid(DAY_S);
            Day::from_epoch_days(i32::try_from(days).ok()?)
        }
    }
}

fn dividends(
    events: &Value,
    unit: Unit,
    closes: &[(Day, f64)],
    day_of: &impl Fn(i64) -> Option<Day>,
) -> Vec<Dividend> {
    let events = events.as_object().into_iter().flat_map(serde_json::Map::values);
    let mut found: Vec<Dividend> = events
        .filter_map(|event| {
            let ex_day = day_of(event["date"].as_i64()?)?;
            let amount = number(&event["amount"]).filter(|amount| *amount > 0.0)?;
            let before = closes.iter().rev().find(|(day, _)| *day < ex_day).or_else(|| closes.first());
            let (amount, unit_guessed) = unit.dividend(amount, before.map_or(0.0, |(_, close)| *close));
            Some(Dividend { ex_day, amount: unit.price(amount)?, unit_guessed })
        })
        .collect();
    found.sort_by_key(|dividend| dividend.ex_day);
    found
}

fn splits(events: &Value, day_of: &impl Fn(i64) -> Option<Day>) -> Vec<Split> {
    let events = events.as_object().into_iter().flat_map(serde_json::Map::values);
    let whole = |value: &Value| {
        let number = number(value)?;
        ((1.0..=1e6).contains(&number) && number.fract().abs() < f64::EPSILON).then_some(number as u32)
    };
    let mut found: Vec<Split> = events
        .filter_map(|event| {
            let (after, before) = (whole(&event["numerator"])?, whole(&event["denominator"])?);
            Some(Split { day: day_of(event["date"].as_i64()?)?, after, before })
        })
        .filter(|split| split.after != split.before)
        .collect();
    found.sort_by_key(|split| split.day);
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask() -> ChartOf {
        let day = |text: &str| text.parse().unwrap();
        ChartOf { symbol: "THMB.L".into(), from: day("2026-02-20"), until: day("2026-03-02") }
    }

    fn read(chart: Value) -> Result<Chart, DataFault> {
        let body = json!({"chart": {"result": [chart], "error": null}});
        ask().read(&Response::new(200, body.to_string()))
    }

    fn chart(stamps: Value, closes: Value) -> Value {
        json!({
            "meta": {"currency": "GBp", "exchangeTimezoneName": "Europe/London", "gmtoffset": 0,
                     "regularMarketTime": 1_772_469_300},
            "timestamp": stamps,
            "events": {"dividends": {"x": {"amount": 11.2, "date": 1_772_179_200}, "y": {"amount": 0.112, "date": 1_772_438_400}},
                       "splits": {"z": {"date": 1_772_438_400, "numerator": 4, "denominator": 1}}},
            "indicators": {"quote": [{"open": closes, "high": closes, "low": closes, "close": closes, "volume": closes}]}
        })
    }

    #[test]
    fn pence_become_pounds_and_null_rows_vanish() {
        let found =
            read(chart(json!([1_772_092_800, 1_772_179_200, 1_772_438_400]), json!([629.0, null, 642.5])))
                .unwrap();
        let closes: Vec<(String, i64)> =
            found.bars.iter().map(|bar| (bar.day.to_string(), bar.close.e6())).collect();
        assert_eq!(closes, [("2026-02-26".into(), 6_290_000), ("2026-03-02".into(), 6_425_000)]);
        assert_eq!(found.unit.currency.as_str(), "GBP");
    }

    #[test]
    fn the_live_row_replaces_its_day_and_a_row_beyond_the_end_is_left_out() {
        let stamps = json!([1_772_179_200, 1_772_438_400, 1_772_450_000, 1_772_524_800]);
        let found = read(chart(stamps, json!([629.0, 640.0, 642.5, 650.0]))).unwrap();
        assert_eq!(found.bars.iter().map(|bar| bar.close.e6()).collect::<Vec<_>>(), [6_290_000, 6_425_000]);
    }

    #[test]
    fn a_row_off_by_a_hundred_is_put_right_and_marked() {
        let found =
            read(chart(json!([1_772_092_800, 1_772_179_200, 1_772_438_400]), json!([629.0, 6.3, 64_250.0])))
                .unwrap();
        assert_eq!(
            found.bars.iter().map(|bar| (bar.close.e6(), bar.repaired)).collect::<Vec<_>>(),
            [(6_290_000, false), (6_300_000, true), (6_425_000, true)]
        );
    }

    #[test]
    fn dividends_and_splits_carry_their_day_and_unit() {
        let found = read(chart(json!([1_772_092_800, 1_772_438_400]), json!([629.0, 642.5]))).unwrap();
        let [first, second] = found.dividends.as_slice() else { panic!("{:?}", found.dividends) };
        assert_eq!((first.amount.e6(), first.unit_guessed), (112_000, false));
        assert_eq!((second.amount.e6(), second.unit_guessed), (112_000, true));
        assert_eq!((found.splits[0].day.to_string().as_str(), found.splits[0].after), ("2026-03-02", 4));
    }

    #[test]
    fn the_date_is_local_across_a_change_of_clocks() {
        for (stamp_s, day) in [(1_774_598_400, "2026-03-27"), (1_774_854_000, "2026-03-30")] {
            let zone = Zone::named("Europe/London").unwrap();
            assert_eq!(local_day(stamp_s, Some(&zone), 0).unwrap().to_string(), day);
            assert_eq!(local_day(stamp_s, None, 0).unwrap().to_string(), day, "without a zone");
        }
    }

    #[test]
    fn a_symbol_without_days_is_empty_and_not_a_fault() {
        let mut none = chart(json!([]), json!([]));
        none.as_object_mut().unwrap().remove("timestamp");
        assert_eq!(read(none).unwrap().bars, []);
    }

    #[test]
    fn columns_that_do_not_fit_are_a_fault() {
        let mut short = chart(json!([1_772_179_200, 1_772_438_400]), json!([1.0, 2.0]));
        short["indicators"]["quote"][0]["low"] = json!([1.0]);
        assert!(matches!(read(short), Err(DataFault::Malformed(_))));
        let disorder = chart(json!([1_772_438_400, 1_772_179_200]), json!([1.0, 2.0]));
        assert!(matches!(read(disorder), Err(DataFault::Malformed(_))));
        let mut no_currency = chart(json!([]), json!([]));
        no_currency["meta"]["currency"] = json!(null);
        assert!(matches!(read(no_currency), Err(DataFault::Malformed(_))));
    }
}
