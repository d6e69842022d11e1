//! `tickerFinder`: the broker's tickers of an ISIN, and which of them to take.

use market::Isin;
use money::Currency;

use crate::command::decoding::Decode;
use crate::command::{PlainCommand, ReadCommand};
use crate::fault::Flaw;
use crate::ids::Ticker;
use crate::json::{Fields, Node};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::typed::rows_of;

/// Markets in order of preference; any other comes after them.
const MARKETS: [&str; 3] = ["FIX", "EU", "HKEX"];

/// Asks for the listings of an ISIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindTicker {
    /// Which.
    pub isin: Isin,
}

/// Holds one listing of the ISIN asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The broker's ticker.
    pub ticker: Ticker,
    /// Market code.
    pub market: Option<String>,
    /// Price currency.
    pub currency: Option<Currency>,
    /// Listing venue.
    pub venue: Option<String>,
    /// Name.
    pub name: Option<String>,
}

impl Decode for FindTicker {
    type Reply = Vec<Listing>;

    fn params(&self) -> String {
        Params::new().text("text", self.isin.as_str()).finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<Vec<Listing>, Flaw> {
        let found = reply.get("found");
        if !found.is_present() {
            return Err(Flaw::missing("found"));
        }
        let rows = rows_of(found, "found")?;
        Ok(rows.into_iter().filter_map(|row| self.listing(&row.fields())).collect())
    }
}

impl FindTicker {
    /// Keeps a row only if it is of the very ISIN: the search also finds similar texts.
    fn listing(&self, row: &Fields<'_>) -> Option<Listing> {
        (row.isin("isin")? == self.isin).then_some(())?;
        Some(Listing {
            ticker: row.need_ticker("t").ok()?,
            market: row.text("mkt"),
            currency: row.currency("x_curr").ok().flatten(),
            venue: row.text("codesub"),
            name: row.text("n").or_else(|| row.text("nm")),
        })
    }
}

impl ReadCommand for FindTicker {
    const NAME: &'static str = "tickerFinder";
    const PACE: PaceClass = PaceClass::Live;
}

impl PlainCommand for FindTicker {}

/// Asks for the instruments that a text may mean: a ticker, a name or an ISIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindText {
    /// As a person writes it.
    pub text: String,
}

impl Decode for FindText {
    /// Every hit with a valid ISIN.
    type Reply = Vec<(Isin, Listing)>;

    fn params(&self) -> String {
        Params::new().text("text", &self.text).finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<Self::Reply, Flaw> {
        let found = reply.get("found");
        if !found.is_present() {
            return Err(Flaw::missing("found"));
        }
        let hit = |row: Node<'_>| {
            let fields = row.fields();
            let isin = fields.isin("isin")?;
            Some((isin, FindTicker { isin }.listing(&fields)?))
        };
        Ok(rows_of(found, "found")?.into_iter().filter_map(hit).collect())
    }
}

impl ReadCommand for FindText {
    const NAME: &'static str = "tickerFinder";
    const PACE: PaceClass = PaceClass::Live;
}

impl PlainCommand for FindText {}

/// Chooses a listing: the wanted currency, then the market, then the shortest ticker, then the
/// alphabet, so that the same answer always gives the same choice.
pub fn preferred(listings: &[Listing], wanted: Currency) -> Option<&Listing> {
    listings.iter().min_by_key(|listing| {
        let market = listing.market.as_deref().unwrap_or("");
        let place = MARKETS.iter().position(|known| *known == market).unwrap_or(MARKETS.len());
        (listing.currency != Some(wanted), place, listing.ticker.as_str().len(), listing.ticker.clone())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn listing(ticker: &str, market: &str, currency: Option<Currency>) -> Listing {
        let ticker = Ticker::parse(ticker).unwrap();
        Listing { ticker, market: Some(market.to_owned()), currency, venue: None, name: None }
    }

    #[test]
    fn prefers_currency_then_market_then_the_shortest_ticker() {
        let (eur, usd) = (Some(Currency::EUR), Some(Currency::USD));
        let all = [
            listing("LONGER.EU", "EU", eur),
            listing("RHNA.EU", "EU", eur),
            listing("RHNA.US", "FIX", usd),
            listing("A.ITS", "ITS", eur),
        ];
        let chosen = |wanted| preferred(&all, wanted).map(|listing| listing.ticker.to_string());
        assert_eq!(chosen(Currency::EUR).as_deref(), Some("RHNA.EU"));
        assert_eq!(chosen(Currency::USD).as_deref(), Some("RHNA.US"));
        assert_eq!(chosen(Currency::GBP).as_deref(), Some("RHNA.US"));
        assert_eq!(preferred(&[], Currency::EUR), None);
    }
}
