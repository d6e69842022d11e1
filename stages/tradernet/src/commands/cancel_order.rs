//! `delTradeOrder`: asks for a cancellation. Accepted means requested; the order may still fill.

use crate::exchange::{RawReply, RawRequest, RequestKind, TransportError};
use crate::fault::{ApiErrorKind, Retry};
use crate::ids::BrokerOrderId;
use crate::order_reply::{Doubt, OrderReply, classify};
use crate::params::Params;
use crate::sign::Keys;

const NAME: &str = "delTradeOrder";

/// Holds the request to cancel one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelOrder {
    number: i64,
}

/// Says why an order cannot be cancelled here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("order id {order_id} is not a positive number, which the cancel command needs")]
pub struct CancelFault {
    /// The id given.
    pub order_id: BrokerOrderId,
}

impl CancelOrder {
    /// Names the order to cancel.
    ///
    /// # Errors
    /// Refuses an id that is not a positive number.
    pub fn new(order_id: &BrokerOrderId) -> Result<Self, CancelFault> {
        let number = order_id.number().filter(|number| *number > 0);
        number.map(|number| Self { number }).ok_or_else(|| CancelFault { order_id: order_id.clone() })
    }
}

/// Says what became of a request to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancelled {
    /// The cancellation is on its way; wait for a final state.
    Requested {
        /// The order.
        order_id: BrokerOrderId,
    },
    /// The broker said no; read the order's state.
    RefusedByBroker {
        /// What kind of no.
        kind: ApiErrorKind,
        /// The broker's code.
        code: Option<i64>,
        /// The broker's text, redacted.
        text: String,
    },
    /// Not one byte left; it may be asked again.
    NotSent {
        /// What stopped it.
        reason: String,
    },
    /// It may have been obeyed: read the order's state before asking again.
    Unknown {
        /// Why nobody can tell.
        why: Doubt,
    },
}

impl Cancelled {
    /// Says whether the cancellation may be asked for again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Requested { .. } | Self::RefusedByBroker { .. } => Retry::Never,
            Self::NotSent { .. } => Retry::Now,
            Self::Unknown { .. } => Retry::UnknownOutcome,
        }
    }
}

/// Writes the signed request of a cancellation.
pub(crate) fn encode_cancel(cancel: &CancelOrder, keys: &Keys, unix_s: u64) -> RawRequest {
    let body = Params::new().integer("order_id", cancel.number).finish();
    keys.signed(RequestKind::Order, NAME, body.into_bytes(), unix_s)
}

/// Classifies what came back for a cancellation.
pub fn decode_cancel(answer: Result<RawReply, TransportError>) -> Cancelled {
    match classify(answer) {
        OrderReply::Accepted(order_id) => Cancelled::Requested { order_id },
        OrderReply::Refused { kind, code, text } => Cancelled::RefusedByBroker { kind, code, text },
        OrderReply::NotSent(reason) => Cancelled::NotSent { reason },
        OrderReply::Unknown(why) => Cancelled::Unknown { why },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn cancels_by_number_only() {
        let id = |text| BrokerOrderId::parse(text).unwrap();
        assert_eq!(CancelOrder::new(&id("5510020011")).unwrap().number, 5_510_020_011);
        assert!(CancelOrder::new(&id("A1")).is_err());
        assert!(CancelOrder::new(&id("-5")).is_err());
    }

    #[test]
    fn tells_requested_from_refused_and_unknown() {
        let replied = |status, body: &str| decode_cancel(Ok(RawReply::new(status, body)));
        assert!(matches!(replied(200, r#"{"order_id":7}"#), Cancelled::Requested { .. }));
        let desk = r#"{"error_message":"only by a cancellation order","error_code":12}"#;
        assert!(matches!(replied(200, desk), Cancelled::RefusedByBroker { code: Some(12), .. }));
        assert!(matches!(replied(504, ""), Cancelled::Unknown { why: Doubt::Status { status: 504 } }));
    }
}
