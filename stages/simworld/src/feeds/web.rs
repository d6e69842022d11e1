//! Queries in, plain answers out: what all imitated services share, and how a fault bends their numbers.

use crate::RawReply;
use crate::core::faults::Effect;
use crate::wire::json::Json;
use crate::wire::percent_decode;

/// The parameters after the question mark.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(key, value)| (percent_decode(key), percent_decode(value))).collect())
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(super) fn int(&self, key: &str) -> Option<i64> {
        self.text(key)?.parse().ok()
    }

    pub(super) fn list(&self, key: &str) -> Vec<String> {
        let text = self.text(key).unwrap_or("");
        text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    }
}

fn reply(status: u16, kind: &str, body: String) -> RawReply {
    RawReply { status, headers: vec![("Content-Type".into(), kind.into())], body: body.into_bytes() }
}

pub(super) fn text(status: u16, body: &str) -> RawReply {
    reply(status, "text/plain;charset=utf-8", body.to_owned())
}

pub(super) fn html(status: u16, body: &str) -> RawReply {
    reply(status, "text/html; charset=utf-8", body.to_owned())
}

pub(super) fn xml(body: String) -> RawReply {
    reply(200, "text/xml", body)
}

pub(super) fn json(status: u16, body: &Json) -> RawReply {
    reply(status, "application/json;charset=utf-8", body.write())
}

/// How a fault changes numbers on their way out; the truth stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bend {
    /// Factor on prices, numerator and denominator.
    pub(crate) price: (i64, i64),
    /// Pounds are labelled pence and the other way round.
    pub(crate) swapped_label: bool,
    /// The quote never moves.
    pub(crate) frozen: bool,
    /// Nothing but the envelope.
    pub(crate) empty: bool,
    /// Splits are not reported.
    pub(crate) silent_splits: bool,
}

impl Bend {
    /// Returns what an effect bends; most bend nothing.
    pub(crate) fn of(effect: Option<&Effect>) -> Self {
        let mut bend =
            Self { price: (1, 1), swapped_label: false, frozen: false, empty: false, silent_splits: false };
        match effect {
            Some(Effect::Spike { factor, .. }) => {
                bend.price = crate::core::faults::ratio(factor).unwrap_or((1, 1))
            }
            Some(Effect::WrongCurrency) => bend.swapped_label = true,
            Some(Effect::WrongUnit) => bend.price = (1, 100),
            Some(Effect::StalePrice) => bend.frozen = true,
            Some(Effect::EmptyOk) => bend.empty = true,
            Some(Effect::SplitUnannounced) => bend.silent_splits = true,
            _ => {}
        }
        bend
    }

    /// Bends a price.
    pub(crate) fn price(&self, e6: i64) -> i64 {
        let (n, d) = self.price;
        i64::try_from(i128::from(e6) * i128::from(n) / i128::from(d)).unwrap_or(i64::MAX)
    }
}
