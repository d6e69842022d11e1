//! `getOPQ`: the bundle that a web page asks for when it opens. It is full of personal data; three facts are taken and
//! the rest is not even read. Asked at most once, at a start.

use money::Currency;

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::fault::Flaw;
use crate::json::{Node, Shape};
use crate::pacer::PaceClass;

/// Asks for the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetOpening;

/// Holds what is taken of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Currency of the account.
    pub home_currency: Option<Currency>,
    /// Office of the broker; 35 is Freedom24.
    pub reception: Option<i64>,
    /// Whether the account is active.
    pub active: Option<bool>,
}

impl Decode for GetOpening {
    type Reply = Opening;

    fn params(&self) -> String {
        "{}".to_owned()
    }

    fn decode(&self, reply: Node<'_>) -> Result<Opening, Flaw> {
        let bundle = reply.get("OPQ");
        if bundle.shape() != Shape::Object {
            return Err(Flaw::missing("OPQ"));
        }
        let fields = bundle.open().ok_or(Flaw::new("OPQ", "is damaged"))?;
        Ok(Opening {
            home_currency: fields.currency("homeCurrency")?,
            reception: fields.integer("reception")?,
            active: fields.flag("active")?,
        })
    }
}

impl ReadCommand for GetOpening {
    const NAME: &'static str = "getOPQ";
    const PACE: PaceClass = PaceClass::Live;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn takes_three_facts_and_leaves_the_rest() {
        let read = |text: &str| GetOpening.decode(Node::parse(text.as_bytes()).unwrap());
        let whole =
            read(r#"{"OPQ":{"homeCurrency":"EUR","reception":"35","active":1,"userInfo":{"name":"x"}}}"#);
        let expected =
            Opening { home_currency: Some(Currency::EUR), reception: Some(35), active: Some(true) };
        assert_eq!(whole, Ok(expected));
        let bare = read(r#"{"OPQ":{}}"#).unwrap();
        assert_eq!((bare.home_currency, bare.reception, bare.active), (None, None, None));
        for wrong in [r"{}", r#"{"OPQ":null}"#, r#"{"OPQ":[]}"#, r#"{"OPQ":{"active":"maybe"}}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
