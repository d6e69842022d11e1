//! `v10/finance/quoteSummary`: modules of what is known about a company or a fund.

use super::super::symbols::{Listed, zone};
use super::super::web::{self, Bend, Query};
use super::fundamentals::Shown;
use super::numbers::Numbers;
use super::refused;
use crate::RawReply;
use crate::core::dates::{day_at, start_of};
use crate::core::market::first_day;
use crate::core::universe::Kind;
use crate::core::world::World;
use crate::wire::json::{Json, field, object};

/// Country names as Yahoo writes them.
const COUNTRIES: [(&str, &str); 11] = [
    ("US", "United States"),
    ("DE", "Germany"),
    ("FR", "France"),
    ("NL", "Netherlands"),
    ("IT", "Italy"),
    ("DK", "Denmark"),
    ("GB", "United Kingdom"),
    ("HK", "Hong Kong"),
    ("CN", "China"),
    ("JP", "Japan"),
    ("IE", "Ireland"),
];

type Fields = Vec<(String, Json)>;

impl World {
    /// Writes the modules asked for; those a symbol does not have are left out.
    pub(super) fn quote_summary(&mut self, symbol: &str, query: &Query, bend: &Bend) -> RawReply {
        let Some(listed) = self.listed(symbol) else {
            return refused(
                404,
                "quoteSummary",
                "Not Found",
                &format!("Quote not found for symbol: {symbol}"),
            );
        };
        let numbers = Numbers::of(self, query);
        let mut modules = Fields::new();
        for module in query.list("modules") {
            match self.module(&module, &listed, &numbers, bend) {
                Ok(Some(fields)) if !bend.empty => modules.push(field(&module, Json::Object(fields))),
                Ok(_) => {}
                Err(()) => self.unmodelled_note(&format!("yahoo module {module}")),
            }
        }
        if modules.is_empty() {
            let text = format!("No fundamentals data found for symbol: {symbol}");
            return refused(404, "quoteSummary", "Not Found", &text);
        }
        let result = Json::List(vec![Json::Object(modules)]);
        web::json(200, &object([("quoteSummary", object([("result", result), ("error", Json::Null)]))]))
    }

    fn module(
        &self,
        module: &str,
        listed: &Listed,
        numbers: &Numbers,
        bend: &Bend,
    ) -> Result<Option<Fields>, ()> {
        let shown = self.shown(listed);
        Ok(match module {
            "quoteType" => Some(self.quote_type(listed)),
            "financialData" => shown.map(|shown| financial_data(&shown, listed, numbers, bend)),
            "defaultKeyStatistics" => self.key_statistics(shown.as_ref(), listed, numbers),
            "assetProfile" | "summaryProfile" => self.profile(listed),
            "summaryDetail" => self.summary_detail(shown.as_ref(), listed, numbers, bend),
            "topHoldings" => self.top_holdings(listed, numbers),
            "calendarEvents" => self.calendar_events(shown.as_ref(), listed, numbers),
            "price" => None,
            _ => return Err(()),
        })
    }

    fn quote_type(&self, listed: &Listed) -> Fields {
        vec![
            field("exchange", Json::text(listed.exchange)),
            field("quoteType", Json::text(listed.kind)),
            field("symbol", Json::text(&listed.symbol)),
            field("underlyingSymbol", Json::text(&listed.symbol)),
            field("shortName", Json::Text(listed.name.to_uppercase().chars().take(17).collect())),
            field("longName", Json::text(&listed.name)),
            field("firstTradeDateEpochUtc", Json::Int(start_of(first_day()) / 1000 + 34_200)),
            field("timeZoneFullName", Json::text(zone(listed.venue))),
            field("gmtOffSetMilliseconds", Json::Int(listed.venue.utc_offset_min(self.now) * 60_000)),
        ]
    }

    fn key_statistics(&self, shown: Option<&Shown>, listed: &Listed, numbers: &Numbers) -> Option<Fields> {
        let index = listed.security()?;
        let security = &self.market.listings[index].security;
        let today = day_at(self.shown_at(listed));
        let mut fields = vec![field("maxAge", Json::Int(1))];
        let mut number = |key: &str, value: Json| fields.push(field(key, value));
        if let Some(shown) = shown {
            number("forwardPE", numbers.float("fpe", shown.forward_pe()));
            number("priceToBook", numbers.float("pb", shown.price_to_book()));
            number("trailingEps", numbers.float("teps", shown.facts.eps));
            number("forwardEps", numbers.float("feps", shown.facts.eps_expected));
            number("bookValue", numbers.float("book", shown.facts.book_value));
            number("beta", numbers.float("beta", security.beta));
            number("enterpriseValue", numbers.int("ev", (shown.market_cap() * 1.2) as i64));
            number("sharesOutstanding", numbers.int("shares", shown.facts.shares as i64));
            if let Some(empty) = numbers.unknown() {
                number("pegRatio", empty);
            }
        } else if security.kind != Kind::Share {
            number("category", Json::text("Large Blend"));
            number("fundFamily", Json::text("Meridian"));
            number("totalAssets", numbers.int("assets", 1_250_000_000));
            number("yield", numbers.float("yield", security.dividend_yield));
        }
        if let Some(split) = self.market.listings[index].splits.iter().rev().find(|s| s.day <= today) {
            number("lastSplitFactor", Json::Text(format!("{}:{}", split.after, split.before)));
            number("lastSplitDate", numbers.int("split", start_of(split.day) / 1000));
        }
        if let Some(dividend) =
            self.market.dividends.iter().rev().find(|d| d.security == index && d.ex_day <= today)
        {
            number("lastDividendValue", numbers.decimal("dividend", dividend.amount_e6));
            number("lastDividendDate", numbers.int("divday", start_of(dividend.ex_day) / 1000));
        }
        Some(fields)
    }

    fn profile(&self, listed: &Listed) -> Option<Fields> {
        let index = listed.security().filter(|_| !self.knobs.yahoo_no_fundamentals)?;
        let security = &self.market.listings[index].security;
        if security.kind != Kind::Share {
            return None;
        }
        let country = COUNTRIES.iter().find(|(code, _)| *code == security.country).map(|(_, name)| *name);
        Some(vec![
            field("country", Json::optional(country)),
            field("sector", Json::text(security.sector)),
            field("industry", Json::text(security.industry)),
            field("fullTimeEmployees", Json::Int(8_100)),
        ])
    }

    fn summary_detail(
        &self,
        shown: Option<&Shown>,
        listed: &Listed,
        numbers: &Numbers,
        bend: &Bend,
    ) -> Option<Fields> {
        let at = self.shown_at(listed);
        let rows = self.rows(listed, day_at(at) - 20, day_at(at), at, bend);
        let before = rows.iter().rev().filter(|row| !row.gap).nth(1)?.close;
        let mut fields = vec![field("currency", Json::text(self.label(listed, bend)))];
        let mut number = |key: &str, value: Json| fields.push(field(key, value));
        number("previousClose", numbers.decimal("before", before));
        let index = listed.security();
        if let (Some(shown), Some(index)) = (shown, index) {
            number("marketCap", numbers.int("cap", shown.market_cap() as i64));
            match shown.trailing_pe() {
                Some(ratio) => number("trailingPE", numbers.float("pe", ratio)),
                None => numbers.unknown().into_iter().for_each(|empty| number("trailingPE", empty)),
            }
            number("forwardPE", numbers.float("fpe", shown.forward_pe()));
            number("dividendRate", numbers.float("rate", shown.paid_a_year));
            // Fractions here; the five-year average beside them is a percentage.
            number("dividendYield", numbers.float("yield", shown.trailing_yield()));
            number("trailingAnnualDividendYield", numbers.float("tyield", shown.trailing_yield()));
            let five = self.paid_between(index, day_at(at) - 1827, day_at(at)) / 5.0 / shown.price;
            number("fiveYearAvgDividendYield", numbers.float("five", five * 100.0));
            number("payoutRatio", numbers.float("payout", shown.payout()));
            number("beta", numbers.float("beta", self.market.listings[index].security.beta));
        }
        // The market's own ratio, which the fund that follows it carries.
        if listed.symbol == "SPY" || listed.symbol == "QXTM" {
            number("trailingPE", numbers.float("pe", 21.5));
        }
        Some(fields)
    }

    fn top_holdings(&self, listed: &Listed, numbers: &Numbers) -> Option<Fields> {
        let security = &self.market.listings[listed.security()?].security;
        if security.kind != Kind::Etf {
            return None;
        }
        let one = |name: &'static str, share: f64| object([(name, numbers.float(name, share))]);
        let weights = [
            one("technology", 0.42),
            one("healthcare", 0.14),
            one("industrials", 0.24),
            one("utilities", 0.20),
        ];
        Some(vec![field("sectorWeightings", Json::List(weights.to_vec()))])
    }

    fn calendar_events(&self, shown: Option<&Shown>, listed: &Listed, numbers: &Numbers) -> Option<Fields> {
        let (shown, index) = (shown?, listed.security()?);
        let today = day_at(self.shown_at(listed));
        let dates = vec![numbers.int("earnings", start_of(shown.facts.reported + 91) / 1000)];
        let mut fields = vec![field("earnings", object([("earningsDate", Json::List(dates))]))];
        let last = self.market.dividends.iter().rev().find(|d| d.security == index && d.ex_day <= today + 3);
        if let Some(dividend) = last {
            fields.push(field("exDividendDate", numbers.int("ex", start_of(dividend.ex_day) / 1000)));
        }
        Some(fields)
    }

    /// Writes the price-earnings-to-growth ratio as a series of one.
    pub(super) fn timeseries(&mut self, symbol: &str, query: &Query, bend: &Bend) -> RawReply {
        let wanted = query.text("type").unwrap_or("").to_owned();
        let mut series = vec![field(
            "meta",
            object([
                ("symbol", Json::List(vec![Json::text(symbol)])),
                ("type", Json::List(vec![Json::text(&wanted)])),
            ]),
        )];
        let shown = self.listed(symbol).and_then(|listed| self.shown(&listed)).filter(|_| !bend.empty);
        let growth = shown.as_ref().and_then(|shown| shown.facts.earnings_growth());
        if wanted != "trailingPegRatio" {
            self.unmodelled_note(&format!("yahoo timeseries {wanted}"));
        } else if let (Some(ratio), Some(growth)) =
            (shown.and_then(|s| s.trailing_pe()), growth.filter(|g| *g > 0.0))
        {
            let day = day_at(self.now);
            let value = Json::Decimal((ratio / (growth * 100.0) * 1e4).round() as i64, 4);
            series.push(field("timestamp", Json::List(vec![Json::Int(start_of(day) / 1000)])));
            series.push(field(
                "trailingPegRatio",
                Json::List(vec![object([
                    ("asOfDate", Json::Text(crate::core::dates::iso(day))),
                    ("periodType", Json::text("TTM")),
                    ("reportedValue", object([("raw", value.clone()), ("fmt", Json::Text(value.write()))])),
                ])]),
            ));
        }
        let result = Json::List(vec![Json::Object(series)]);
        web::json(200, &object([("timeseries", object([("result", result), ("error", Json::Null)]))]))
    }
}

fn financial_data(shown: &Shown, listed: &Listed, numbers: &Numbers, bend: &Bend) -> Fields {
    let facts = &shown.facts;
    // Prices come in the unit of the quote, pence in London.
    let price = |place: &str, major: f64| {
        numbers.decimal(place, bend.price((major * 100.0).round() as i64 * 10_000 * listed.minor))
    };
    let mut fields = vec![field("maxAge", Json::Int(86_400))];
    let mut number = |key: &str, value: Json| fields.push(field(key, value));
    number("currentPrice", price("current", shown.price));
    if let Some((key, mean)) = facts.recommendation(shown.price) {
        number("targetHighPrice", price("high", facts.target_mean * 1.2));
        number("targetLowPrice", price("low", facts.target_mean * 0.8));
        number("targetMeanPrice", price("mean", facts.target_mean));
        number("targetMedianPrice", price("median", facts.target_mean * 1.01));
        number("recommendationMean", numbers.float("rmean", mean));
        number("recommendationKey", Json::text(key));
        number("numberOfAnalystOpinions", numbers.int("opinions", facts.opinions));
    } else {
        number("recommendationKey", Json::text("none"));
    }
    number("debtToEquity", numbers.float("debt", facts.debt_to_equity_percent));
    number("currentRatio", numbers.float("ratio", facts.current_ratio));
    number("quickRatio", numbers.float("quick", facts.quick_ratio));
    number("returnOnEquity", numbers.float("roe", facts.return_on_equity));
    number("returnOnAssets", numbers.float("roa", facts.return_on_assets));
    number("revenueGrowth", numbers.float("revenue", facts.revenue_growth));
    match facts.earnings_growth() {
        Some(growth) => number("earningsGrowth", numbers.float("earnings", growth)),
        None => numbers.unknown().into_iter().for_each(|empty| number("earningsGrowth", empty)),
    }
    number("grossMargins", numbers.float("gross", facts.gross_margin));
    number("operatingMargins", numbers.float("operating", facts.operating_margin));
    number("profitMargins", numbers.float("profit", facts.profit_margin));
    number("freeCashflow", numbers.int("cash", (shown.market_cap() * 0.04) as i64));
    let major = if listed.currency == "GBp" { "GBP" } else { listed.currency };
    number("financialCurrency", Json::text(major));
    fields
}
