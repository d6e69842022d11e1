//! `checkAllowedTickerAndBanOnTrade`: whether this account may trade an instrument.

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::fault::Flaw;
use crate::ids::{Side, Ticker};
use crate::json::Node;
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::redact::{TEXT_CHARS_MAX, redacted};
use crate::typed::{integer_of, rows_of};

/// Asks whether an instrument may be traded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckAllowed {
    /// Which.
    pub ticker: Ticker,
}

/// Holds the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeAllowed {
    /// Whether it may be traded at all.
    pub allowed: bool,
    /// Validities an order may have (1 day, 2 day with extended hours, 3 until cancelled).
    pub validities: Vec<i64>,
    /// Which side is restricted.
    pub restricted: Restricted,
    /// The broker's words about a restriction.
    pub restriction: Option<String>,
    /// Whether a recommendation blocks trading.
    pub blocked: bool,
}

/// Says which side is restricted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restricted {
    /// None.
    Nothing,
    /// Only this one.
    Only(Side),
    /// The broker named a restriction nobody knows: both.
    Everything,
}

impl TradeAllowed {
    /// Tells whether an order of this side may be sent; any doubt is a no.
    pub fn permits(&self, side: Side) -> bool {
        self.allowed && !self.blocked && !self.restricted.covers(side)
    }
}

impl Restricted {
    fn covers(self, side: Side) -> bool {
        match self {
            Self::Nothing => false,
            Self::Only(restricted) => restricted == side,
            Self::Everything => true,
        }
    }
}

impl Decode for CheckAllowed {
    type Reply = TradeAllowed;

    fn params(&self) -> String {
        Params::new().text("ticker", self.ticker.as_str()).flag("checkBan", true).finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<TradeAllowed, Flaw> {
        let fields = reply.fields();
        let validities = rows_of(fields.get("allowedExpires"), "allowedExpires")?;
        Ok(TradeAllowed {
            allowed: fields.flag("allowed")?.ok_or(Flaw::missing("allowed"))?,
            validities: validities
                .into_iter()
                .filter_map(|node| integer_of(node, "allowedExpires").transpose())
                .collect::<Result<_, _>>()?,
            restricted: match fields.text("operation").as_deref() {
                None => Restricted::Nothing,
                Some("B") => Restricted::Only(Side::Buy),
                Some("S") => Restricted::Only(Side::Sell),
                Some(_) => Restricted::Everything,
            },
            restriction: fields.text("restriction").map(|text| redacted(&text, TEXT_CHARS_MAX)),
            blocked: blocked(rows_of(fields.get("recommendations"), "recommendations")?)?,
        })
    }
}

fn blocked(recommendations: Vec<Node<'_>>) -> Result<bool, Flaw> {
    let flags = recommendations.into_iter().map(|row| row.fields().flag("trading_blocked"));
    Ok(flags.collect::<Result<Vec<_>, _>>()?.contains(&Some(true)))
}

impl ReadCommand for CheckAllowed {
    const NAME: &'static str = "checkAllowedTickerAndBanOnTrade";
    const PACE: PaceClass = PaceClass::Live;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn permits_only_what_nothing_forbids() {
        let table = [
            (r#"{"allowed":1,"allowedExpires":[1,3,2]}"#, true, true),
            (r#"{"allowed":0}"#, false, false),
            (r#"{"allowed":1,"operation":"B"}"#, false, true),
            (r#"{"allowed":1,"operation":"S"}"#, true, false),
            (r#"{"allowed":1,"operation":"X"}"#, false, false),
            (r#"{"allowed":true,"recommendations":[{"title":"t","trading_blocked":1}]}"#, false, false),
            (r#"{"allowed":"1","recommendations":{"title":"t","trading_blocked":"0"}}"#, true, true),
        ];
        for (body, buy, sell) in table {
            let command = CheckAllowed { ticker: Ticker::parse("NRDW.US").unwrap() };
            let answer = command.decode(Node::parse(body.as_bytes()).unwrap()).unwrap();
            assert_eq!((answer.permits(Side::Buy), answer.permits(Side::Sell)), (buy, sell), "{body}");
        }
    }

    #[test]
    fn an_answer_without_the_word_is_no_answer() {
        let command = CheckAllowed { ticker: Ticker::parse("NRDW.US").unwrap() };
        for body in ["{}", r#"{"allowed":null}"#, r#"{"allowed":2}"#, r#"{"allowed":"yes"}"#] {
            assert!(command.decode(Node::parse(body.as_bytes()).unwrap()).is_err(), "{body}");
        }
    }
}
