//! `getHloc`: daily candles in the units of today.

use super::dispatch::{Answer, Failure};
use super::json::{Json, field};
use super::order_rows::SERVER_ZONE_MS;
use super::params::Params;
use super::profile::{Profile, Style};
use crate::core::dates::{day_at, iso, parse_dotted, start_of};
use crate::core::market::Bar;
use crate::core::orders::Instrument;
use crate::core::universe::PAIRS;
use crate::core::world::World;
use crate::feeds::Bend;

const FIELDS: [&str; 6] = ["id", "timeframe", "count", "date_from", "date_to", "intervalMode"];
/// Minutes of the only timeframe imitated.
const DAILY: i64 = 1440;
/// Tickers answered in one request.
const TICKERS_MAX: usize = 100;

/// The parallel lists of one ticker.
#[derive(Default)]
struct Series {
    hloc: Vec<Json>,
    volume: Vec<Json>,
    stamps: Vec<Json>,
}

impl World {
    /// Writes daily candles of one or several tickers.
    pub(super) fn hloc(&mut self, params: &Params, style: &Style) -> Answer {
        for unknown in params.unknown(&FIELDS) {
            self.unmodelled_note(&format!("getHloc field {unknown}"));
        }
        if params.int("timeframe") != Some(DAILY) {
            self.unmodelled_note("getHloc timeframe other than 1440");
            return Err(Failure::command(0, "Timeframe is not available"));
        }
        let bound = |key: &str| params.text(key).and_then(parse_dotted);
        let (Some(from), Some(to)) = (bound("date_from"), bound("date_to")) else {
            return Err(Failure::command(5, "date_from and date_to are mandatory"));
        };
        let extra = usize::try_from(-params.int("count").unwrap_or(-1)).unwrap_or(0).saturating_sub(1);
        let tickers: Vec<String> = params.list("id").into_iter().take(TICKERS_MAX).collect();
        let mut fields: [Vec<(String, Json)>; 5] = Default::default();
        for ticker in &tickers {
            let Some(instrument) = self.find(ticker) else { continue };
            let adjusted = self.config.rules.hloc_split_adjusted && !style.tricks.hides_splits();
            let bars = self.bars_between(instrument, (from, to), extra, adjusted);
            let bend = style.tricks.bend(ticker);
            let series = series_of(&bars, style, &bend);
            fields[3].push(field(ticker, series.stamps.last().cloned().unwrap_or(Json::Int(0))));
            fields[0].push(field(ticker, Json::List(series.hloc)));
            fields[1].push(field(ticker, Json::List(series.volume)));
            fields[2].push(field(ticker, Json::List(series.stamps)));
            fields[4].push(field(ticker, self.info_row(instrument, style)));
        }
        let [hloc, volume, stamps, last, info] = fields.map(Json::Object);
        Ok(Json::Object(vec![
            field("hloc", hloc),
            field("vl", volume),
            field("xSeries", stamps),
            field("maxSeries", last),
            field("info", info),
            field("took", Json::Decimal(142, 1)),
        ]))
    }

    fn bars_between(
        &self,
        instrument: Instrument,
        (from, to): (i32, i32),
        extra: usize,
        adjusted: bool,
    ) -> Vec<Bar> {
        let to = to.min(day_at(self.now));
        match instrument {
            Instrument::Security(index) if adjusted => self.market.bars(index, from, to, extra, self.now),
            Instrument::Security(index) => self.market.bars_as_traded(index, from, to, extra, self.now),
            Instrument::Pair(index) => {
                let days = from.max(crate::core::market::first_day())..=to;
                days.filter_map(|day| self.market.pair_bar(&PAIRS[index], day, self.now)).collect()
            }
        }
    }

    /// Writes the description that comes with candles.
    pub(super) fn info_row(&self, instrument: Instrument, style: &Style) -> Json {
        let ticker = self.static_ticker(instrument);
        let (name, _) = self.name_and_market(instrument);
        let (lot, currency) = self.lot_and_currency(instrument);
        let tick = self.quote_of(instrument, self.now).map_or(0, |q| q.tick_e6);
        let details = self.listing_details(instrument);
        let code = self.exchange_code(instrument);
        Json::Object(vec![
            field("id", Json::text(ticker)),
            field("nt_ticker", Json::text(ticker)),
            field("short_name", style.name(name)),
            field("default_ticker", Json::text(code)),
            field("code_nm", Json::text(code)),
            field("currency", Json::text(currency)),
            field("min_step", style.padded(tick, 6)),
            field("lot", style.padded(lot, 0)),
            field("mkt_name", Json::optional(details.market)),
            field("firstDate", Json::text(&dotted(crate::core::market::first_day()))),
        ])
    }

    /// Returns the exchange's own code of an instrument.
    pub(super) fn exchange_code(&self, instrument: Instrument) -> &'static str {
        match instrument {
            Instrument::Security(index) => self.market.listings[index].security.exchange_code(),
            Instrument::Pair(index) => PAIRS[index].ticker,
        }
    }
}

/// Writes `DD.MM.YYYY`.
fn dotted(day: i32) -> String {
    let iso = iso(day);
    let mut parts: Vec<&str> = iso.split('-').collect();
    parts.reverse();
    parts.join(".")
}

fn series_of(bars: &[Bar], style: &Style, bend: &Bend) -> Series {
    let mut series = Series::default();
    for bar in bars {
        let noise = i64::from(style.profile == Profile::Nasty);
        let price = |units: i64| Json::Decimal(bend.price(units), 6);
        // Highs with a little float noise, as observed.
        let high = Json::Decimal(bend.price(bar.high_e6) * 100 + noise, 8);
        series.hloc.push(Json::List(vec![high, price(bar.low_e6), price(bar.open_e6), price(bar.close_e6)]));
        series.volume.push(Json::Int(bar.volume));
        series.stamps.push(Json::Int((start_of(bar.day) - SERVER_ZONE_MS) / 1000));
    }
    series
}
