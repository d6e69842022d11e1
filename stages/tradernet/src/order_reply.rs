//! The four classes of answer to a command that changes something, shared by placing and
//! cancelling. Whatever is not surely an acceptance or a refusal is unknown.

use std::time::Duration;

use crate::envelope::{ApiError, api_error, retry_after};
use crate::exchange::{RawReply, TransportError};
use crate::fault::ApiErrorKind;
use crate::ids::BrokerOrderId;
use crate::json::Node;

/// Says why nobody can tell whether the broker obeyed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The request left, no whole reply came.
    #[error("no whole reply came back ({reason})")]
    NoAnswer {
        /// What was seen.
        reason: String,
    },
    /// Throttled: almost surely not accepted, still to be confirmed.
    #[error("the broker asked for fewer requests")]
    Throttled {
        /// The pause it named, if it did.
        retry_after: Option<Duration>,
    },
    /// A status that says nothing about the order.
    #[error("status {status} says nothing about the order")]
    Status {
        /// HTTP status.
        status: u16,
    },
    /// The reply was not JSON.
    #[error("the reply was not JSON")]
    NotJson,
    /// The reply named no order.
    #[error("the reply named neither an order nor an error")]
    NoOrderId,
    /// The reply named both an order and an error.
    #[error("the reply named order {order_id} and an error at once")]
    Contradiction {
        /// The order it named.
        order_id: BrokerOrderId,
    },
}

/// Holds the verdict common to placing and cancelling.
pub(crate) enum OrderReply {
    Accepted(BrokerOrderId),
    Refused { kind: ApiErrorKind, code: Option<i64>, text: String },
    NotSent(String),
    Unknown(Doubt),
}

/// Classifies what came back; the order of the rules is the contract.
pub(crate) fn classify(answer: Result<RawReply, TransportError>) -> OrderReply {
    let reply = match answer {
        Ok(reply) => reply,
        Err(TransportError::NotSent { reason }) => return OrderReply::NotSent(reason),
        Err(TransportError::Unknown { reason }) => return OrderReply::Unknown(Doubt::NoAnswer { reason }),
    };
    let status = reply.status;
    if status == 429 {
        return OrderReply::Unknown(Doubt::Throttled { retry_after: retry_after(&reply) });
    }
    // 401 and 403 come from firewalls too, 5xx from gateways behind which the order went on.
    if !(200..300).contains(&status) && !(400..500).contains(&status) || matches!(status, 401 | 403) {
        return OrderReply::Unknown(Doubt::Status { status });
    }
    let Some(node) = Node::parse(&reply.body) else { return OrderReply::Unknown(Doubt::NotJson) };
    let order_id = node.fields().order_id(&["order_id"]);
    match (api_error(node), order_id) {
        (Some(error), order_id) => refused(error, order_id, retry_after(&reply)),
        (None, _) if status >= 400 => OrderReply::Unknown(Doubt::Status { status }),
        (None, Some(order_id)) => OrderReply::Accepted(order_id),
        (None, None) => OrderReply::Unknown(Doubt::NoOrderId),
    }
}

fn refused(error: ApiError, order_id: Option<BrokerOrderId>, retry_after: Option<Duration>) -> OrderReply {
    // An error beside a real order id could mean either; only asking the broker tells.
    if let Some(order_id) = order_id {
        return OrderReply::Unknown(Doubt::Contradiction { order_id });
    }
    if error.kind == ApiErrorKind::RateLimited {
        return OrderReply::Unknown(Doubt::Throttled { retry_after });
    }
    OrderReply::Refused { kind: error.kind, code: error.code, text: error.text }
}
