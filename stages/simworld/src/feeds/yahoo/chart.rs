//! `v8/finance/chart`: price history with dividends and splits.

use super::super::symbols::{Listed, zone, zone_short};
use super::super::web::{self, Bend, Query};
use super::numbers::SCALE;
use super::refused;
use super::series::Row;
use crate::RawReply;
use crate::core::dates::{civil, day_at, day_of, start_of, weekday};
use crate::core::market::first_day;
use crate::core::world::World;
use crate::wire::Profile;
use crate::wire::json::{Json, field, object};

/// What Yahoo accepts as `range`, with days back from today; `max` and `ytd` are worked out.
const RANGES: [(&str, i32); 11] = [
    ("1d", 1),
    ("5d", 7),
    ("1mo", 31),
    ("3mo", 92),
    ("6mo", 183),
    ("1y", 366),
    ("2y", 731),
    ("5y", 1827),
    ("10y", 3653),
    ("ytd", -1),
    ("max", -2),
];

/// The only share whose dividends come in pounds although its price is in pence.
const PAYS_IN_POUNDS: &str = "CRWN.EU";

/// The unix seconds that a chart covers, the end excluded.
struct Span {
    from_s: i64,
    until_s: i64,
}

impl World {
    /// Writes a chart.
    pub(super) fn chart(&mut self, symbol: &str, query: &Query, bend: &Bend) -> RawReply {
        let Some(listed) = self.listed(symbol) else {
            return refused(404, "chart", "Not Found", "No data found, symbol may be delisted");
        };
        let interval = query.text("interval").unwrap_or("1d").to_owned();
        if !matches!(interval.as_str(), "1d" | "1wk" | "1mo") {
            self.unmodelled_note(&format!("yahoo chart interval {interval}"));
            let text = format!("Invalid input - interval={interval} is not supported");
            return refused(422, "chart", "Unprocessable Entity", &text);
        }
        let span = match self.span(query) {
            Ok(span) => span,
            Err(text) => return refused(400, "chart", "Bad Request", &text),
        };
        let at = self.shown_at(&listed);
        let day_of_s = |s: i64| day_at(s.saturating_mul(1000));
        let (first, last) = (day_of_s(span.from_s) - 1, day_of_s(span.until_s.saturating_sub(1)) + 1);
        let mut rows = self.rows(&listed, first, last, at, bend);
        rows.retain(|row| (span.from_s..span.until_s).contains(&row.stamp_s));
        let rows = match interval.as_str() {
            "1wk" => grouped(&rows, |day| day - weekday(day)),
            "1mo" => grouped(&rows, |day| day - civil(day).2 + 1),
            _ => self.with_live_row(&listed, rows, at, &span),
        };
        let meta = self.chart_meta(&listed, at, query, &interval, bend);
        let events = self.chart_events(&listed, &span, query, at, bend);
        let result = written(meta, events, if bend.empty { &[] } else { &rows });
        web::json(
            200,
            &object([("chart", object([("result", Json::List(vec![result])), ("error", Json::Null)]))]),
        )
    }

    fn span(&self, query: &Query) -> Result<Span, String> {
        let now_s = self.now.div_euclid(1000);
        if let (Some(from_s), until_s) = (query.int("period1"), query.int("period2").unwrap_or(now_s + 1)) {
            if from_s >= until_s {
                return Err(format!(
                    "Invalid input - start date cannot be after end date. startDate = {from_s}, endDate = {until_s}"
                ));
            }
            return Ok(Span { from_s, until_s });
        }
        let range = query.text("range").unwrap_or("1d");
        let Some((_, days)) = RANGES.iter().find(|(name, _)| *name == range) else {
            return Err(format!("Invalid input - range={range} is not supported"));
        };
        let today = day_at(self.now);
        let first = match days {
            -1 => day_of(civil(today).0, 1, 1),
            -2 => first_day(),
            // The last session, also on a weekend.
            1 => today - (weekday(today) - 4).max(0),
            days => today - days,
        };
        Ok(Span { from_s: start_of(first) / 1000, until_s: now_s + 1 })
    }

    /// During a session a live row repeats the day; now and then one comes after the end asked for.
    fn with_live_row(&self, listed: &Listed, mut rows: Vec<Row>, at: i64, span: &Span) -> Vec<Row> {
        let open = self.market.calendar.sessions(listed.venue, day_at(at)).contains(at);
        let strange = self.config.profile != Profile::Clean;
        let Some(last) = rows.last().copied().filter(|_| strange) else { return rows };
        let stamp_s = at.div_euclid(1000);
        let today = last.day == day_at(at) && open && listed.security().is_some();
        let uninvited = self.config.profile == Profile::Nasty && span.until_s > last.stamp_s + 86_400;
        if today && stamp_s > last.stamp_s && (stamp_s < span.until_s || uninvited) {
            rows.push(Row { stamp_s, gap: false, ..last });
        }
        rows
    }

    fn chart_meta(&self, listed: &Listed, at: i64, query: &Query, interval: &str, bend: &Bend) -> Json {
        let year = self.rows(listed, day_at(at) - 366, day_at(at), at, bend);
        let whole: Vec<&Row> = year.iter().filter(|row| !row.gap).collect();
        let last = whole.last().map(|row| (row.close, row.high, row.low, row.volume, row.stamp_s));
        let (close, high, low, volume, _) = last.unwrap_or_default();
        let price = |e6: i64| Json::Decimal(e6, SCALE);
        let before = whole.len().checked_sub(2).map_or(close, |i| whole[i].close);
        let offset = listed.venue.utc_offset_min(self.now) * 60;
        let zone_name = zone_short(listed.venue, offset / 60);
        let sessions = self.current_session(listed, at);
        let regular = object([
            ("timezone", Json::text(zone_name)),
            ("start", Json::Int(sessions.0 / 1000)),
            ("end", Json::Int(sessions.1 / 1000)),
            ("gmtoffset", Json::Int(offset)),
        ]);
        let label = self.label(listed, bend);
        object([
            ("currency", Json::text(label)),
            ("symbol", Json::text(&listed.symbol)),
            ("exchangeName", Json::text(listed.exchange)),
            ("fullExchangeName", Json::text(listed.exchange_name)),
            ("instrumentType", Json::text(listed.kind)),
            ("firstTradeDate", Json::Int(start_of(first_day()) / 1000 + 34_200)),
            ("regularMarketTime", Json::Int(self.last_trade_ms(listed, at) / 1000)),
            ("hasPrePostMarketData", Json::Bool(listed.exchange == "NMS" || listed.exchange == "NYQ")),
            ("gmtoffset", Json::Int(offset)),
            ("timezone", Json::text(zone_name)),
            ("exchangeTimezoneName", Json::text(zone(listed.venue))),
            ("regularMarketPrice", price(close)),
            ("fiftyTwoWeekHigh", price(whole.iter().map(|r| r.high).max().unwrap_or(close))),
            ("fiftyTwoWeekLow", price(whole.iter().map(|r| r.low).min().unwrap_or(close))),
            ("regularMarketDayHigh", price(high)),
            ("regularMarketDayLow", price(low)),
            ("regularMarketVolume", Json::Int(volume)),
            ("longName", Json::text(&listed.name)),
            ("shortName", Json::Text(listed.name.to_uppercase().chars().take(17).collect())),
            ("chartPreviousClose", price(before)),
            ("previousClose", price(before)),
            ("priceHint", Json::Int(2)),
            (
                "currentTradingPeriod",
                object([("pre", regular.clone()), ("regular", regular.clone()), ("post", regular)]),
            ),
            ("dataGranularity", Json::text(interval)),
            ("range", Json::text(query.text("range").unwrap_or(""))),
            ("validRanges", Json::List(RANGES.iter().map(|(name, _)| Json::text(name)).collect())),
        ])
    }

    /// Returns the currency label, the wrong one when a fault says so.
    pub(super) fn label(&self, listed: &Listed, bend: &Bend) -> &'static str {
        match (listed.currency, bend.swapped_label) {
            ("GBp", true) => "GBP",
            ("GBP", true) => "GBp",
            (label, _) => label,
        }
    }

    /// Returns the session of the day, or the last one.
    pub(super) fn current_session(&self, listed: &Listed, at: i64) -> (i64, i64) {
        let days = (0..14).map(|back| self.market.calendar.sessions(listed.venue, day_at(at) - back));
        days.into_iter().find_map(|s| Some((s.open()?, s.close()?))).unwrap_or((at, at))
    }

    /// Returns when a symbol last traded.
    pub(super) fn last_trade_ms(&self, listed: &Listed, at: i64) -> i64 {
        let days = (0..14).map(|back| self.market.calendar.sessions(listed.venue, day_at(at) - back));
        days.into_iter()
            .find_map(|s| s.open().filter(|open| *open <= at).and(s.close()))
            .map_or(at, |close| close.min(at))
    }

    fn chart_events(&self, listed: &Listed, span: &Span, query: &Query, at: i64, bend: &Bend) -> Json {
        let wanted = query.list("events").join("|");
        let Some(index) = listed.security() else { return Json::Null };
        let today = day_at(at);
        let stamp = |day: i32| Some(self.market.sessions(index, day).open()? / 1000);
        let inside = |day: &i32| {
            *day <= today && stamp(*day).is_some_and(|s| (span.from_s..span.until_s).contains(&s))
        };
        let security = &self.market.listings[index].security;
        let mut events = Vec::new();
        let paid: Vec<(String, Json)> = self
            .market
            .dividends
            .iter()
            .filter(|d| d.security == index && inside(&d.ex_day))
            .filter_map(|d| {
                let (n, m) = self.market.rebase(index, d.ex_day, today);
                let minor = if security.ticker == PAYS_IN_POUNDS { 1 } else { listed.minor };
                let amount = object([
                    ("amount", Json::Decimal(d.amount_e6 * minor * n / m, SCALE)),
                    ("date", Json::Int(stamp(d.ex_day)?)),
                ]);
                Some(field(&stamp(d.ex_day)?.to_string(), amount))
            })
            .collect();
        if wanted.contains("div") && !paid.is_empty() {
            events.push(field("dividends", Json::Object(paid)));
        }
        let splits =
            self.market.listings[index].splits.iter().filter(|s| inside(&s.day) && !bend.silent_splits);
        let split: Vec<(String, Json)> = splits
            .filter_map(|s| {
                let row = object([
                    ("date", Json::Int(stamp(s.day)?)),
                    ("numerator", Json::Int(s.after)),
                    ("denominator", Json::Int(s.before)),
                    ("splitRatio", Json::Text(format!("{}:{}", s.after, s.before))),
                ]);
                Some(field(&stamp(s.day)?.to_string(), row))
            })
            .collect();
        if wanted.contains("split") && !split.is_empty() {
            events.push(field("splits", Json::Object(split)));
        }
        if events.is_empty() { Json::Null } else { Json::Object(events) }
    }
}

/// Joins rows that share a key into one, stamped as the first of them.
fn grouped(rows: &[Row], key: impl Fn(i32) -> i32) -> Vec<Row> {
    let mut out: Vec<Row> = Vec::new();
    for row in rows.iter().filter(|row| !row.gap) {
        match out.last_mut() {
            Some(group) if key(group.day) == key(row.day) => {
                group.high = group.high.max(row.high);
                group.low = group.low.min(row.low);
                (group.close, group.adjusted) = (row.close, row.adjusted);
                group.volume += row.volume;
            }
            _ => out.push(*row),
        }
    }
    out
}

fn written(meta: Json, events: Json, rows: &[Row]) -> Json {
    let column = |value: fn(&Row) -> i64| {
        let cell = |row: &Row| if row.gap { Json::Null } else { Json::Decimal(value(row), SCALE) };
        Json::List(rows.iter().map(cell).collect())
    };
    let volume = rows.iter().map(|row| if row.gap { Json::Null } else { Json::Int(row.volume) }).collect();
    let mut fields = vec![field("meta", meta)];
    if rows.is_empty() {
        let nothing = || Json::List(vec![Json::Object(Vec::new())]);
        fields.push(field("indicators", object([("quote", nothing()), ("adjclose", nothing())])));
        return Json::Object(fields);
    }
    fields.push(field("timestamp", Json::List(rows.iter().map(|row| Json::Int(row.stamp_s)).collect())));
    if events != Json::Null {
        fields.push(field("events", events));
    }
    let quote = object([
        ("open", column(|row| row.open)),
        ("high", column(|row| row.high)),
        ("low", column(|row| row.low)),
        ("close", column(|row| row.close)),
        ("volume", Json::List(volume)),
    ]);
    let adjusted = object([("adjclose", column(|row| row.adjusted))]);
    fields.push(field(
        "indicators",
        object([("quote", Json::List(vec![quote])), ("adjclose", Json::List(vec![adjusted]))]),
    ));
    Json::Object(fields)
}
