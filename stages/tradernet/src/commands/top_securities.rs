//! `getTopSecurities`: what is traded most or rose most, for suggestions only. Works without a key.

use crate::command::decoding::Decode;
use crate::command::{PlainCommand, ReadCommand};
use crate::fault::Flaw;
use crate::ids::Ticker;
use crate::json::Node;
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::typed::rows_of;

/// Shares or funds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopOf {
    /// Shares.
    Shares,
    /// Funds.
    Funds,
}

/// Where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopAt {
    /// United States.
    America,
    /// Europe.
    Europe,
}

/// Asks for the top of one kind at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetTopSecurities {
    /// Shares or funds.
    pub of: TopOf,
    /// Where.
    pub at: TopAt,
    /// Those that rose most instead of those traded most.
    pub gainers: bool,
    /// How many at most.
    pub limit: u8,
}

impl Decode for GetTopSecurities {
    type Reply = Vec<Ticker>;

    fn params(&self) -> String {
        let of = if self.of == TopOf::Funds { "funds" } else { "stocks" };
        let at = if self.at == TopAt::Europe { "europe" } else { "usa" };
        Params::new()
            .text("type", of)
            .text("exchange", at)
            .integer("gainers", u8::from(self.gainers))
            .integer("limit", self.limit)
            .finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<Self::Reply, Flaw> {
        let list = reply.get("tickers");
        if !list.is_present() {
            return Err(Flaw::missing("tickers"));
        }
        let tickers = rows_of(list, "tickers")?.into_iter();
        Ok(tickers.filter_map(|node| Ticker::parse(&node.text()?).ok()).collect())
    }
}

impl ReadCommand for GetTopSecurities {
    const NAME: &'static str = "getTopSecurities";
    const PACE: PaceClass = PaceClass::Live;
}

impl PlainCommand for GetTopSecurities {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_tickers_and_leaves_out_what_is_none() {
        let ask = GetTopSecurities { of: TopOf::Funds, at: TopAt::Europe, gainers: true, limit: 5 };
        assert_eq!(ask.params(), r#"{"type":"funds","exchange":"europe","gainers":1,"limit":5}"#);
        let read = |text: &str| ask.decode(Node::parse(text.as_bytes()).unwrap());
        let found = read(r#"{"tickers":["NRDW.US","",null,["x"]]}"#).unwrap();
        assert_eq!(found, [Ticker::parse("NRDW.US").unwrap()]);
        assert_eq!(read("{}"), Err(Flaw::missing("tickers")));
    }
}
