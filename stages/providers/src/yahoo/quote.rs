//! `v7/finance/quote`: last prices of up to fifty symbols, for comparing with the broker's only.

use std::collections::BTreeMap;

use market::Timestamp;
use money::Price;

use super::{get, number::number, number::text, results};
use crate::{
    answer::{Ask, DataFault, Service},
    fetch::{Request, Response},
    units::Unit,
};

/// Asks for quotes; symbols that Yahoo does not know are left out of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotesOf {
    /// Which, at most fifty.
    pub symbols: Vec<String>,
}

/// One last price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YahooQuote {
    /// In the main unit.
    pub price: Price,
    /// Unit in which it was delivered.
    pub unit: Unit,
    /// When it was made.
    pub at: Timestamp,
    /// Minutes of delay, if said.
    pub delayed_min: Option<u32>,
    /// Kind of security in its words.
    pub kind: Option<String>,
}

impl Ask for QuotesOf {
    type Answer = BTreeMap<String, YahooQuote>;
    const SERVICE: Service = Service::Yahoo;
    const GUARDED: bool = true;

    fn request(&self) -> Request {
        let symbols = self.symbols.join(",");
        let query =
            [("symbols", symbols.as_str()), ("formatted", "false"), ("lang", "en-US"), ("region", "US")];
        get("/v7/finance/quote", &query)
    }

    fn read(&self, reply: &Response) -> Result<Self::Answer, DataFault> {
        let quotes = results(reply, "quoteResponse")?.into_iter().filter_map(|row| {
            let unit = Unit::of(row["currency"].as_str()?).ok()?;
            let at = Timestamp::from_ms(row["regularMarketTime"].as_i64()?.checked_mul(1_000)?);
            let quote = YahooQuote {
                price: unit.price(number(&row["regularMarketPrice"])?)?,
                unit,
                at,
                delayed_min: row["exchangeDataDelayedBy"].as_u64().and_then(|min| u32::try_from(min).ok()),
                kind: text(&row["quoteType"]),
            };
            Some((text(&row["symbol"])?, quote))
        });
        Ok(quotes.collect())
    }

    fn as_of(answer: &Self::Answer) -> Option<Timestamp> {
        answer.values().map(|quote| quote.at).max()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_price_time_or_currency_are_left_out() {
        let body = r#"{"quoteResponse":{"result":[
            {"symbol":"THMB.L","currency":"GBp","regularMarketPrice":642.5,"regularMarketTime":1772469300,"exchangeDataDelayedBy":15},
            {"symbol":"A","currency":"USD","regularMarketTime":1},{"symbol":"B","regularMarketPrice":1,"regularMarketTime":1},
            {"symbol":"C","currency":"USD","regularMarketPrice":1}],"error":null}}"#;
        let quotes = QuotesOf { symbols: vec!["THMB.L".into()] }.read(&Response::new(200, body)).unwrap();
        assert_eq!(quotes.len(), 1);
        assert_eq!((quotes["THMB.L"].price.e6(), quotes["THMB.L"].delayed_min), (6_425_000, Some(15)));
    }
}
