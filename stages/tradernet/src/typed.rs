//! Reads the fields of one row as domain values: unknown stays `None`, never zero.
//!
//! Three strengths: `need_*` faults when the value is absent or unreadable, the plain name faults
//! only when it is unreadable, `*_or_unknown` never faults (for data that money does not hang on).

use market::{Day, Isin};
use money::{Currency, Money, Price, Quantity};

use crate::decimal::{NumberFault, scaled};
use crate::fault::Flaw;
use crate::ids::{BrokerOrderId, Ticker, TradeId};
use crate::json::{Fields, Node, Shape};
use crate::wall_time::{WallTime, parse_day};

type Field = &'static str;

impl Fields<'_> {
    /// Returns the trimmed text of a field; a number counts as its text, an empty text as unknown.
    pub(crate) fn text(&self, field: Field) -> Option<String> {
        text_of(self.get(field))
    }

    pub(crate) fn need_text(&self, field: Field) -> Result<String, Flaw> {
        self.text(field).ok_or(Flaw::missing(field))
    }

    pub(crate) fn need_ticker(&self, field: Field) -> Result<Ticker, Flaw> {
        let text = self.need_text(field)?;
        Ticker::parse(&text).map_err(|_| Flaw::new(field, "is not a ticker"))
    }

    pub(crate) fn isin(&self, field: Field) -> Option<Isin> {
        self.text(field)?.parse().ok()
    }

    /// Returns an integer of `10^-scale`; `None` when unknown.
    pub(crate) fn number(&self, field: Field, scale: u32) -> Result<Option<i64>, Flaw> {
        number_of(self.get(field), field, scale)
    }

    pub(crate) fn integer(&self, field: Field) -> Result<Option<i64>, Flaw> {
        integer_of(self.get(field), field)
    }

    pub(crate) fn integer_or_unknown(&self, field: Field) -> Option<i64> {
        self.integer(field).ok().flatten()
    }

    /// Reads `true`, `false`, 0, 1, `"0"`, `"1"`.
    pub(crate) fn flag(&self, field: Field) -> Result<Option<bool>, Flaw> {
        let node = self.get(field);
        if node.shape() == Shape::Bool {
            return Ok(Some(node.as_written() == "true"));
        }
        match self.integer(field)? {
            None => Ok(None),
            Some(0) => Ok(Some(false)),
            Some(1) => Ok(Some(true)),
            Some(_) => Err(Flaw::new(field, "is neither yes nor no")),
        }
    }

    pub(crate) fn price(&self, field: Field) -> Result<Option<Price>, Flaw> {
        let e6 = self.number(field, Price::DIGITS)?;
        let price = e6.map(Price::from_e6).transpose();
        price.map_err(|_| Flaw::new(field, "is below zero, which no price can be"))
    }

    pub(crate) fn need_price(&self, field: Field) -> Result<Price, Flaw> {
        self.price(field)?.ok_or(Flaw::missing(field))
    }

    /// Returns a price above zero; zero means "no value" in quotes.
    pub(crate) fn live_price_or_unknown(&self, field: Field) -> Option<Price> {
        self.price(field).ok().flatten().filter(|price| !price.is_zero())
    }

    pub(crate) fn quantity(&self, field: Field) -> Result<Option<Quantity>, Flaw> {
        let e6 = self.number(field, Quantity::DIGITS)?;
        e6.map(Quantity::from_e6).transpose().map_err(|_| Flaw::new(field, "is not a quantity"))
    }

    pub(crate) fn need_quantity(&self, field: Field) -> Result<Quantity, Flaw> {
        self.quantity(field)?.ok_or(Flaw::missing(field))
    }

    pub(crate) fn quantity_or_unknown(&self, field: Field) -> Option<Quantity> {
        self.quantity(field).ok().flatten()
    }

    pub(crate) fn money(&self, field: Field, currency: Currency) -> Result<Option<Money>, Flaw> {
        let e4 = self.number(field, Money::DIGITS)?;
        Ok(e4.map(|e4| Money::from_e4(e4, currency)))
    }

    pub(crate) fn need_money(&self, field: Field, currency: Currency) -> Result<Money, Flaw> {
        self.money(field, currency)?.ok_or(Flaw::missing(field))
    }

    /// Returns a currency; the broker's `RUR` is the rouble's older code.
    pub(crate) fn currency(&self, field: Field) -> Result<Option<Currency>, Flaw> {
        let Some(text) = self.text(field) else { return Ok(None) };
        let code = if text == "RUR" { "RUB" } else { text.as_str() };
        Currency::new(code)
            .map(Some)
            .map_err(|_| Flaw::new(field, "is not a currency of three capital letters"))
    }

    pub(crate) fn need_currency(&self, field: Field) -> Result<Currency, Flaw> {
        self.currency(field)?.ok_or(Flaw::missing(field))
    }

    pub(crate) fn wall_time(&self, field: Field) -> Option<WallTime> {
        WallTime::parse(&self.text(field)?)
    }

    pub(crate) fn day(&self, field: Field) -> Option<Day> {
        parse_day(&self.text(field)?)
    }

    pub(crate) fn need_day(&self, field: Field) -> Result<Day, Flaw> {
        let text = self.need_text(field)?;
        parse_day(&text).ok_or(Flaw::new(field, "is not a date"))
    }

    pub(crate) fn order_id(&self, fields: &[Field]) -> Option<BrokerOrderId> {
        fields.iter().find_map(|field| BrokerOrderId::parse(&self.text(field)?))
    }

    pub(crate) fn need_trade_id(&self, field: Field) -> Result<TradeId, Flaw> {
        TradeId::parse(&self.need_text(field)?).ok_or(Flaw::new(field, "is not a trade id"))
    }

    /// Opens a list of rows in any of its documented forms.
    pub(crate) fn rows(&self, field: Field) -> Result<Vec<Node<'_>>, Flaw> {
        rows_of(self.get(field), field)
    }
}

/// Opens a node as a list of rows, faulting when it is something else, such as text.
pub(crate) fn rows_of<'a>(node: Node<'a>, field: Field) -> Result<Vec<Node<'a>>, Flaw> {
    node.rows().ok_or(Flaw::new(field, "is not a list of rows"))
}

/// Returns the text of a node, trimmed; empty is unknown.
pub(crate) fn text_of(node: Node<'_>) -> Option<String> {
    let characters = node.characters()?;
    let text = characters.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Returns a number in units of `10^-scale`; `None` when unknown.
pub(crate) fn number_of(node: Node<'_>, field: Field, scale: u32) -> Result<Option<i64>, Flaw> {
    if !node.is_present() {
        return Ok(None);
    }
    let text = node.characters().ok_or(Flaw::new(field, "is not a number"))?;
    scaled(&text, scale).map_err(|fault| match fault {
        NumberFault::NotANumber => Flaw::new(field, "is not a number"),
        NumberFault::TooLarge => Flaw::new(field, "is too large"),
    })
}

/// Returns a whole number, also when written with padding zeros behind a point.
pub(crate) fn integer_of(node: Node<'_>, field: Field) -> Result<Option<i64>, Flaw> {
    // Two decimals are enough to see a fraction; ids above 2^53 still fit a hundredfold.
    let Some(hundredths) = number_of(node, field, 2)? else { return Ok(None) };
    if hundredths % 100 == 0 {
        Ok(Some(hundredths / 100))
    } else {
        Err(Flaw::new(field, "is not a whole number"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(text: &str) -> Fields<'_> {
        Node::parse(text.as_bytes()).unwrap().fields()
    }

    #[test]
    fn unknown_stays_unknown_and_never_becomes_zero() {
        let fields = row(r#"{"a":null,"b":"","c":"-","d":"NaN"}"#);
        for field in ["a", "b", "c", "d", "absent"] {
            assert_eq!(fields.price(field), Ok(None), "{field}");
            assert_eq!(fields.quantity(field), Ok(None), "{field}");
            assert_eq!(fields.money(field, Currency::EUR), Ok(None), "{field}");
            assert_eq!(fields.need_price(field), Err(Flaw::missing(field)), "{field}");
            assert_eq!(fields.flag(field), Ok(None), "{field}");
        }
    }

    #[test]
    fn unreadable_is_a_fault_and_not_unknown() {
        let fields = row(r#"{"a":"abc","b":[1],"c":true,"d":-1,"e":2.5}"#);
        for field in ["a", "b", "c", "d"] {
            assert!(fields.price(field).is_err(), "{field}");
        }
        assert!(fields.integer("e").is_err() && fields.flag("e").is_err());
        assert_eq!(fields.live_price_or_unknown("a"), None);
    }

    #[test]
    fn keeps_negative_cash_and_exact_digits() {
        let fields = row(r#"{"s":-3.15,"t":"1840,37","big":123456789012.3456}"#);
        let e4 = |field| fields.need_money(field, Currency::USD).map(Money::e4);
        assert_eq!(e4("s"), Ok(-31_500));
        assert_eq!(e4("t"), Ok(18_403_700));
        assert_eq!(e4("big"), Ok(1_234_567_890_123_456));
    }

    #[test]
    fn reads_flags_ids_and_currencies_in_all_forms() {
        let fields = row(
            r#"{"a":true,"b":0,"c":"1","d":7,"id":"30000000001","r":"RUR","g":"GBX","p":"100.00000000"}"#,
        );
        assert_eq!(fields.flag("a"), Ok(Some(true)));
        assert_eq!(fields.flag("b"), Ok(Some(false)));
        assert_eq!(fields.flag("c"), Ok(Some(true)));
        assert!(fields.flag("d").is_err());
        assert_eq!(fields.integer("id"), Ok(Some(30_000_000_001)));
        assert_eq!(fields.integer("p"), Ok(Some(100)));
        assert_eq!(fields.currency("r").unwrap().unwrap().as_str(), "RUB");
        assert!(fields.currency("g").is_err(), "pence must never pass as a currency");
    }
}
