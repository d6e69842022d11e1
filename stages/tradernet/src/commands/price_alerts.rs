//! `getAlertsList`, `addPriceAlert`, `togglePriceAlert`: the price alerts that the broker sends to the owner. Steward
//! itself rests nothing on them.

use money::Price;

use crate::command::decoding::Decode;
use crate::command::{NoteCommand, ReadCommand};
use crate::fault::Flaw;
use crate::ids::Ticker;
use crate::json::{Fields, Node};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::typed::{number_of, rows_of};

/// Digits kept of a price.
const PRICE_DIGITS: u32 = 6;

/// Asks for the alerts, of one ticker or of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetPriceAlerts {
    /// Which ticker.
    pub ticker: Option<Ticker>,
}

/// Holds one alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceAlert {
    /// The broker's id.
    pub id: i64,
    /// Of which security.
    pub ticker: Ticker,
    /// Prices at which it goes off; unreadable ones left out.
    pub prices: Vec<Price>,
    /// When, as written, such as `crossing`.
    pub trigger: Option<String>,
    /// Whether it went off.
    pub triggered: Option<bool>,
    /// Whether it was taken away.
    pub deleted: Option<bool>,
}

impl Decode for GetPriceAlerts {
    type Reply = Vec<PriceAlert>;

    fn params(&self) -> String {
        match &self.ticker {
            Some(ticker) => Params::new().text("ticker", ticker.as_str()).finish(),
            None => "{}".to_owned(),
        }
    }

    fn decode(&self, reply: Node<'_>) -> Result<Self::Reply, Flaw> {
        let list = reply.get("alerts");
        if !list.is_present() {
            return Err(Flaw::missing("alerts"));
        }
        rows_of(list, "alerts")?.into_iter().map(|row| alert(&row.fields())).collect()
    }
}

impl ReadCommand for GetPriceAlerts {
    const NAME: &'static str = "getAlertsList";
    const PACE: PaceClass = PaceClass::Live;
}

fn alert(row: &Fields<'_>) -> Result<PriceAlert, Flaw> {
    let prices = row.get("trigger_price").embedded(|prices| {
        let one = |node: Node<'_>| {
            let e6 = number_of(node, "trigger_price", PRICE_DIGITS).ok().flatten()?;
            Price::from_e6(e6).ok()
        };
        prices.rows().unwrap_or_default().into_iter().filter_map(one).collect()
    });
    Ok(PriceAlert {
        id: row.integer("id")?.ok_or(Flaw::missing("id"))?,
        ticker: row.need_ticker("ticker")?,
        prices,
        trigger: row.text("trigger_type"),
        triggered: row.flag("triggered")?,
        deleted: row.flag("deleted")?,
    })
}

/// Sets an alert for the moment at which the last price crosses one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddPriceAlert {
    /// Of which security.
    pub ticker: Ticker,
    /// At which price.
    pub price: Price,
}

impl Decode for AddPriceAlert {
    type Reply = ();

    fn params(&self) -> String {
        Params::new()
            .text("ticker", self.ticker.as_str())
            .texts("price", std::iter::once(self.price.to_string().as_str()))
            .text("trigger_type", "crossing")
            .text("quote_type", "ltp")
            .text("notification_type", "email")
            .integer("alert_period", 0)
            .integer("expire", 0)
            .finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<(), Flaw> {
        match reply.fields().flag("added")? {
            Some(true) => Ok(()),
            Some(false) => Err(Flaw::new("added", "is no")),
            None => Err(Flaw::missing("added")),
        }
    }
}

impl NoteCommand for AddPriceAlert {
    const NAME: &'static str = "addPriceAlert";
}

/// Takes an alert away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovePriceAlert {
    /// Which.
    pub id: i64,
}

impl Decode for RemovePriceAlert {
    type Reply = ();

    fn params(&self) -> String {
        Params::new().integer("id", self.id).flag("del", true).finish()
    }

    fn decode(&self, _reply: Node<'_>) -> Result<(), Flaw> {
        // Anything without an error; the list tells what is there.
        Ok(())
    }
}

impl NoteCommand for RemovePriceAlert {
    const NAME: &'static str = "togglePriceAlert";
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_alerts_with_their_prices_inside_a_text() {
        let read = |text: &str| GetPriceAlerts { ticker: None }.decode(Node::parse(text.as_bytes()).unwrap());
        let row = r#"{"id":901,"ticker":"NRDW.US","trigger_price":"[\"84.5\"]","trigger_type":"crossing","triggered":false,"deleted":"0"}"#;
        let found = read(&format!(r#"{{"alerts":[{row}]}}"#)).unwrap();
        assert_eq!(found[0].prices, [Price::from_e6(84_500_000).unwrap()]);
        assert_eq!((found[0].triggered, found[0].deleted), (Some(false), Some(false)));
        assert_eq!(read(r#"{"alerts":[]}"#), Ok(vec![]));
        assert_eq!(read("{}"), Err(Flaw::missing("alerts")));
        assert!(read(r#"{"alerts":[{"id":1}]}"#).is_err());
    }

    #[test]
    fn only_a_yes_is_an_alert_that_was_set() {
        let ask = AddPriceAlert {
            ticker: Ticker::parse("NRDW.US").unwrap(),
            price: Price::from_e6(84_500_000).unwrap(),
        };
        assert!(ask.params().starts_with(r#"{"ticker":"NRDW.US","price":["84.5"#), "{}", ask.params());
        let read = |text: &str| ask.decode(Node::parse(text.as_bytes()).unwrap());
        assert_eq!(read(r#"{"added":true}"#), Ok(()));
        assert!(read(r#"{"added":false}"#).is_err() && read("{}").is_err());
        assert_eq!(RemovePriceAlert { id: 901 }.params(), r#"{"id":901,"del":true}"#);
    }
}
