//! `v10/finance/quoteSummary`: fundamentals, analysts and the profile of one symbol.
//!
//! Each figure has one source of its own: the modules are never merged, because the same name is a fraction in one and
//! a percentage in another. What is missing stays missing; what lies outside its range is missing too.

use std::collections::BTreeMap;

use market::{Fundamental, Timestamp};
use serde_json::Value;

use super::{encoded, get, number::number, number::text, results};
use crate::{
    answer::{Ask, DataFault, Service},
    fetch::{Request, Response},
};

const MODULES: &str = "financialData,quoteType,defaultKeyStatistics,assetProfile,summaryDetail";
/// Fewer opinions than these are no opinion.
const OPINIONS_MIN: f64 = 3.0;

/// Asks for everything that is known of a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryOf {
    /// Which.
    pub symbol: String,
}

/// What is known of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// The figures it has, each within its range.
    pub figures: BTreeMap<Fundamental, f64>,
    /// Figures that came outside their range and were left out.
    pub refused: Vec<(Fundamental, f64)>,
    /// Country in words.
    pub country: Option<String>,
    /// Sector.
    pub sector: Option<String>,
    /// Industry.
    pub industry: Option<String>,
    /// EQUITY, ETF, MUTUALFUND and others.
    pub kind: Option<String>,
    /// Name.
    pub name: Option<String>,
}

impl Ask for SummaryOf {
    type Answer = Summary;
    const SERVICE: Service = Service::Yahoo;
    const GUARDED: bool = true;

    fn request(&self) -> Request {
        get(
            &format!("/v10/finance/quoteSummary/{}", encoded(&self.symbol)),
            &[
                ("modules", MODULES),
                ("corsDomain", "finance.yahoo.com"),
                ("formatted", "false"),
                ("symbol", &self.symbol),
                ("lang", "en-US"),
                ("region", "US"),
            ],
        )
    }

    fn read(&self, reply: &Response) -> Result<Summary, DataFault> {
        let rows = results(reply, "quoteSummary")?;
        let modules = rows.first().filter(|row| row.is_object()).ok_or(DataFault::Empty)?;
        let mut summary = Summary {
            country: text(&modules["assetProfile"]["country"]),
            sector: text(&modules["assetProfile"]["sector"]),
            industry: text(&modules["assetProfile"]["industry"]),
            kind: text(&modules["quoteType"]["quoteType"]),
            name: text(&modules["quoteType"]["longName"])
                .or_else(|| text(&modules["quoteType"]["shortName"])),
            ..Summary::default()
        };
        for (figure, value) in figures(modules) {
            match figure.believe(value) {
                Some(value) => drop(summary.figures.insert(figure, value)),
                None => summary.refused.push((figure, value)),
            }
        }
        Ok(summary)
    }
}

fn figures(modules: &Value) -> Vec<(Fundamental, f64)> {
    use Fundamental as F;
    let financial = |name: &str| number(&modules["financialData"][name]);
    let detail = |name: &str| number(&modules["summaryDetail"][name]);
    let statistics = |name: &str| number(&modules["defaultKeyStatistics"][name]);
    let percent = |value: Option<f64>| value.map(|value| value / 100.0);
    let opinions = financial("numberOfAnalystOpinions");
    let enough = opinions.is_some_and(|count| count >= OPINIONS_MIN);
    let opinion = |value: Option<f64>| value.filter(|_| enough);
    // Receipts report in another currency than they trade in: ratios per share would mix the two.
    let mixed = match (&modules["financialData"]["financialCurrency"], &modules["summaryDetail"]["currency"])
    {
        (Value::String(reported), Value::String(traded)) => {
            !reported.eq_ignore_ascii_case(traded) && modules["quoteType"]["typeDisp"].as_str() == Some("ADR")
        }
        _ => false,
    };
    let per_share = |value: Option<f64>| value.filter(|_| !mixed);
    let upside =
        || Some(financial("targetMeanPrice")? / financial("currentPrice").filter(|p| *p > 0.0)? - 1.0);
    let all = [
        (F::PeRatio, per_share(detail("trailingPE"))),
        (F::ForwardPe, per_share(detail("forwardPE").or_else(|| statistics("forwardPE")))),
        (F::PegRatio, statistics("pegRatio")),
        (F::PriceToBook, per_share(statistics("priceToBook"))),
        (F::ProfitMargin, financial("profitMargins")),
        (F::OperatingMargin, financial("operatingMargins")),
        (F::GrossMargin, financial("grossMargins")),
        (F::ReturnOnEquity, financial("returnOnEquity")),
        (F::ReturnOnAssets, financial("returnOnAssets")),
        (F::RevenueGrowth, financial("revenueGrowth")),
        (F::EarningsGrowth, financial("earningsGrowth")),
        (F::DebtToEquity, percent(financial("debtToEquity"))),
        (F::CurrentRatio, financial("currentRatio")),
        (F::QuickRatio, financial("quickRatio")),
        (F::MarketCap, detail("marketCap")),
        (F::DividendYield, detail("trailingAnnualDividendYield")),
        (F::FiveYearAvgDividendYield, percent(detail("fiveYearAvgDividendYield"))),
        (F::PayoutRatio, detail("payoutRatio")),
        (F::Beta, detail("beta").or_else(|| statistics("beta"))),
        (F::RecommendationScore, opinion(rating(&modules["financialData"]["recommendationKey"]))),
        (F::RecommendationMean, opinion(financial("recommendationMean"))),
        (F::TargetUpside, opinion(upside())),
        (F::AnalystCount, opinions),
    ];
    all.into_iter().filter_map(|(figure, value)| Some((figure, value?))).collect()
}

/// The analysts' word as a number; none and unknown words are no opinion.
fn rating(key: &Value) -> Option<f64> {
    match key.as_str()? {
        "strong_buy" => Some(1.0),
        "buy" => Some(0.8),
        "hold" => Some(0.5),
        "underperform" => Some(0.2),
        "sell" => Some(0.0),
        _ => None,
    }
}

/// Asks for the price-earnings-to-growth ratio of the last half year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PegOf {
    /// Which.
    pub symbol: String,
    /// Now.
    pub now: Timestamp,
}

impl Ask for PegOf {
    type Answer = Option<f64>;
    const SERVICE: Service = Service::Yahoo;
    const GUARDED: bool = true;

    fn request(&self) -> Request {
        let until = self.now.ms().div_euclid(1_000);
        get(
            &format!("/ws/fundamentals-timeseries/v1/finance/timeseries/{}", encoded(&self.symbol)),
            &[
                ("symbol", &self.symbol),
                ("type", "trailingPegRatio"),
                ("period1", &(until - 183 * 86_400).to_string()),
                ("period2", &until.to_string()),
            ],
        )
    }

    fn read(&self, reply: &Response) -> Result<Option<f64>, DataFault> {
        let rows = results(reply, "timeseries")?;
        let series = rows.first().and_then(|row| row["trailingPegRatio"].as_array());
        let last = series.and_then(|series| series.iter().rev().find(|entry| entry.is_object()));
        Ok(last.and_then(|entry| number(&entry["reportedValue"])))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(modules: &Value) -> Summary {
        let body = json!({"quoteSummary": {"result": [modules], "error": null}});
        SummaryOf { symbol: "NRDW".into() }.read(&Response::new(200, body.to_string())).unwrap()
    }

    fn modules() -> Value {
        json!({
            "financialData": {"currentPrice": 84.42, "targetMeanPrice": {"raw": 95.1}, "recommendationKey": "strong_buy",
                "recommendationMean": 2.1, "numberOfAnalystOpinions": 17, "debtToEquity": 41.7, "profitMargins": "Infinity",
                "earningsGrowth": -0.4, "currentRatio": {}},
            "summaryDetail": {"trailingPE": -3.0, "dividendYield": 0.0147, "trailingAnnualDividendYield": 0.0144,
                "fiveYearAvgDividendYield": 1.62, "payoutRatio": 0.28},
            "assetProfile": {"country": "United States", "sector": "Technology", "industry": ""},
            "quoteType": {"quoteType": "EQUITY", "longName": "Nordwell"}
        })
    }

    #[test]
    fn every_figure_has_its_own_unit() {
        use Fundamental as F;
        let found = read(&modules());
        let close = |figure, value: f64| {
            let known: f64 = found.figures[&figure];
            assert!((known - value).abs() < 1e-12, "{figure} {known}");
        };
        close(F::DebtToEquity, 0.417);
        close(F::FiveYearAvgDividendYield, 0.0162);
        close(F::DividendYield, 0.0144);
        close(F::RecommendationScore, 1.0);
        close(F::TargetUpside, 95.1 / 84.42 - 1.0);
        close(F::EarningsGrowth, -0.4);
        assert!(
            !found.figures.contains_key(&F::ProfitMargin) && !found.figures.contains_key(&F::CurrentRatio)
        );
        assert_eq!(found.refused, [(F::PeRatio, -3.0)], "outside its range is missing, and said");
        assert_eq!((found.country.as_deref(), found.industry), (Some("United States"), None));
    }

    #[test]
    fn two_opinions_are_none_and_three_are_some() {
        for (count, known) in [(2, false), (3, true)] {
            let mut modules = modules();
            modules["financialData"]["numberOfAnalystOpinions"] = json!(count);
            let found = read(&modules);
            assert_eq!(found.figures.contains_key(&Fundamental::RecommendationScore), known, "{count}");
            assert_eq!(found.figures.contains_key(&Fundamental::TargetUpside), known, "{count}");
        }
    }

    #[test]
    fn words_of_analysts_have_their_place_and_unknown_words_none() {
        for (word, score) in [
            ("strong_buy", Some(1.0)),
            ("buy", Some(0.8)),
            ("hold", Some(0.5)),
            ("underperform", Some(0.2)),
            ("sell", Some(0.0)),
            ("none", None),
            ("strongBuy", None),
        ] {
            assert_eq!(rating(&json!(word)), score, "{word}");
        }
    }

    #[test]
    fn nothing_at_all_is_empty() {
        let nothing = r#"{"quoteSummary":{"result":[],"error":null}}"#;
        let found = SummaryOf { symbol: "X".into() }.read(&Response::new(200, nothing));
        assert_eq!(found, Err(DataFault::Empty));
    }

    #[test]
    fn the_last_element_of_a_series_counts() {
        let ask = PegOf { symbol: "NRDW".into(), now: Timestamp::from_ms(1_772_469_300_000) };
        let read = |series: Value| {
            let body =
                json!({"timeseries": {"result": [{"meta": {}, "trailingPegRatio": series}], "error": null}});
            ask.read(&Response::new(200, body.to_string())).unwrap()
        };
        assert_eq!(
            read(json!([{"reportedValue": {"raw": 1.5}}, {"reportedValue": {"raw": 1.63}}])),
            Some(1.63)
        );
        assert_eq!((read(json!(null)), read(json!([null]))), (None, None));
    }
}
