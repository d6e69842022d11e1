//! `putTradeOrder`: places a limit order for the day, never on margin, never sent twice.

use money::{Price, Quantity};

use crate::exchange::{RawReply, RawRequest, RequestKind, TransportError};
use crate::fault::{ApiErrorKind, Retry};
use crate::ids::{BrokerOrderId, Side, Ticker};
use crate::order_reply::{Doubt, OrderReply, classify};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::sign::Keys;

const NAME: &str = "putTradeOrder";
/// The allowance orders are paid from.
pub const PACE: PaceClass = PaceClass::Orders;
/// Order type "limit"; market orders do not exist here.
const LIMIT: i32 = 2;
/// Validity "day"; a forgotten good-till-cancelled order is dangerous on an unattended device.
const DAY: i32 = 1;
/// Numbers from here on do not survive systems that keep them as doubles.
const USER_ORDER_ID_END: u64 = 1 << 53;

/// Holds what an order says, before it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderForm {
    /// What is traded.
    pub ticker: Ticker,
    /// Buy or sell.
    pub side: Side,
    /// Units, not lots.
    pub quantity: Quantity,
    /// Units in one lot.
    pub lot: Quantity,
    /// The worst price accepted.
    pub limit: Price,
    /// The number from [`crate::user_order_id`], saved before sending.
    pub user_order_id: u64,
}

/// Says why an order must not be sent, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrderFault {
    /// Options and indices cannot be ordered.
    #[error("the ticker is an option or an index, which are never ordered")]
    Ticker,
    /// Nothing or less than nothing.
    #[error("the quantity is not above zero")]
    QuantityNotPositive,
    /// The API takes whole units only.
    #[error("the quantity is not a whole number of units")]
    QuantityNotWhole,
    /// A lot that cannot be divided by.
    #[error("the lot is not above zero; an unknown lot stops the order")]
    Lot,
    /// The venue would reject it.
    #[error("the quantity is not a multiple of the lot")]
    NotWholeLots,
    /// A limit of zero is a market order in disguise.
    #[error("the limit price is not above zero")]
    Limit,
    /// The id could not be recognised later.
    #[error("the user order id is not between 1 and 2^53")]
    UserOrderId,
}

/// Holds an order ready to be sent once. It cannot be copied, and sending consumes it.
#[derive(Debug, PartialEq, Eq)]
pub struct PutOrder {
    form: OrderForm,
    units: i64,
}

impl PutOrder {
    /// Checks a form.
    ///
    /// # Errors
    /// The first broken rule in the order of [`OrderFault`].
    pub fn new(form: OrderForm) -> Result<Self, OrderFault> {
        if !form.ticker.is_orderable() {
            return Err(OrderFault::Ticker);
        }
        if !form.quantity.is_positive() {
            return Err(OrderFault::QuantityNotPositive);
        }
        if form.quantity.e6() % Quantity::SCALE != 0 {
            return Err(OrderFault::QuantityNotWhole);
        }
        if !form.quantity.is_multiple_of(form.lot).map_err(|_| OrderFault::Lot)? {
            return Err(OrderFault::NotWholeLots);
        }
        if form.limit.is_zero() {
            return Err(OrderFault::Limit);
        }
        if !(1..USER_ORDER_ID_END).contains(&form.user_order_id) {
            return Err(OrderFault::UserOrderId);
        }
        let units = form.quantity.e6() / Quantity::SCALE;
        Ok(Self { form, units })
    }

    /// Returns what the order says.
    pub fn form(&self) -> &OrderForm {
        &self.form
    }

    fn params(&self) -> String {
        // 1 and 3: never 2 or 4, the margin variants.
        let action = match self.form.side {
            Side::Buy => 1,
            Side::Sell => 3,
        };
        Params::new()
            .text("instr_name", self.form.ticker.as_str())
            .integer("action_id", action)
            .integer("order_type_id", LIMIT)
            .integer("qty", self.units)
            .decimal_e6("limit_price", self.form.limit.e6())
            .integer("expiration_id", DAY)
            .integer("user_order_id", self.form.user_order_id)
            .finish()
    }
}

/// Says what became of an order that was handed to the transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// The broker has it; a rejection may still follow.
    Accepted {
        /// The broker's id.
        order_id: BrokerOrderId,
    },
    /// The broker said no; final after one confirmation read.
    RefusedByBroker {
        /// What kind of no.
        kind: ApiErrorKind,
        /// The broker's code.
        code: Option<i64>,
        /// The broker's text, redacted.
        text: String,
    },
    /// Not one byte left.
    NotSent {
        /// What stopped it.
        reason: String,
    },
    /// It may or may not exist: never resend, ask the broker.
    Unknown {
        /// Why nobody can tell.
        why: Doubt,
    },
}

impl Placed {
    /// Says whether this order may be sent again: never, whatever happened. After `NotSent` the
    /// approval is spent too; a new order has to be asked for.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Accepted { .. } | Self::RefusedByBroker { .. } | Self::NotSent { .. } => Retry::Never,
            Self::Unknown { .. } => Retry::UnknownOutcome,
        }
    }
}

/// Writes the signed request of an order.
pub(crate) fn encode_placed(order: &PutOrder, keys: &Keys, unix_s: u64) -> RawRequest {
    keys.signed(RequestKind::Order, NAME, order.params().into_bytes(), unix_s)
}

/// Classifies what came back for an order.
pub fn decode_placed(answer: Result<RawReply, TransportError>) -> Placed {
    match classify(answer) {
        OrderReply::Accepted(order_id) => Placed::Accepted { order_id },
        OrderReply::Refused { kind, code, text } => Placed::RefusedByBroker { kind, code, text },
        OrderReply::NotSent(reason) => Placed::NotSent { reason },
        OrderReply::Unknown(why) => Placed::Unknown { why },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn form() -> OrderForm {
        OrderForm {
            ticker: Ticker::parse("NRDW.US").unwrap(),
            side: Side::Buy,
            quantity: Quantity::from_units(12).unwrap(),
            lot: Quantity::from_units(1).unwrap(),
            limit: Price::from_e6(84_500_000).unwrap(),
            user_order_id: 700_000_001,
        }
    }

    #[test]
    fn writes_the_documented_bytes() {
        assert_eq!(
            PutOrder::new(form()).unwrap().params(),
            r#"{"instr_name":"NRDW.US","action_id":1,"order_type_id":2,"qty":12,"limit_price":84.5,"expiration_id":1,"user_order_id":700000001}"#
        );
    }

    #[test]
    fn sells_with_the_plain_sale_and_never_short() {
        let order = PutOrder::new(OrderForm { side: Side::Sell, ..form() }).unwrap();
        assert!(order.params().contains(r#""action_id":3,"#));
    }

    #[test]
    fn refuses_every_order_that_must_not_be_sent() {
        let units = |n| Quantity::from_units(n).unwrap();
        let ticker = |t| Ticker::parse(t).unwrap();
        let table = [
            (OrderForm { ticker: ticker("+ABC.18SEP2026.C55"), ..form() }, OrderFault::Ticker),
            (OrderForm { ticker: ticker("SP500.IDX"), ..form() }, OrderFault::Ticker),
            (OrderForm { quantity: units(0), ..form() }, OrderFault::QuantityNotPositive),
            (OrderForm { quantity: units(-1), ..form() }, OrderFault::QuantityNotPositive),
            (
                OrderForm { quantity: Quantity::from_e6(12_000_001).unwrap(), ..form() },
                OrderFault::QuantityNotWhole,
            ),
            (OrderForm { lot: units(0), ..form() }, OrderFault::Lot),
            (OrderForm { lot: units(5), ..form() }, OrderFault::NotWholeLots),
            (OrderForm { lot: units(100), ..form() }, OrderFault::NotWholeLots),
            (OrderForm { limit: Price::ZERO, ..form() }, OrderFault::Limit),
            (OrderForm { user_order_id: 0, ..form() }, OrderFault::UserOrderId),
            (OrderForm { user_order_id: 1 << 53, ..form() }, OrderFault::UserOrderId),
        ];
        for (form, fault) in table {
            assert_eq!(PutOrder::new(form).err(), Some(fault));
        }
        let edges =
            [OrderForm { lot: units(12), ..form() }, OrderForm { user_order_id: (1 << 53) - 1, ..form() }];
        for form in edges {
            assert!(PutOrder::new(form).is_ok());
        }
    }

    fn replied(status: u16, body: &str) -> Placed {
        decode_placed(Ok(RawReply::new(status, body)))
    }

    #[test]
    fn accepts_only_an_order_id_without_any_error() {
        let order_id = BrokerOrderId::parse("5510020011").unwrap();
        for body in [
            r#"{"order_id":5510020011}"#,
            r#"{"order_id":"5510020011","code":0}"#,
            r#"{"order_id":5510020011,"error":"","errMsg":null,"order":{}}"#,
        ] {
            assert_eq!(replied(200, body), Placed::Accepted { order_id: order_id.clone() }, "{body}");
        }
    }

    #[test]
    fn a_json_error_is_a_refusal_even_with_code_zero() {
        let text = "Invalid transaction identifier, allowed values 1 - purchase, 3 - sale";
        let refused = |kind, code, text: &str| Placed::RefusedByBroker { kind, code, text: text.to_owned() };
        let body = format!(r#"{{"error":"{text}","code":0}}"#);
        assert_eq!(replied(200, &body), refused(ApiErrorKind::Rejected, Some(0), text));
        assert_eq!(replied(400, &body), refused(ApiErrorKind::Rejected, Some(0), text));
        let nothing = r#"{"order_id":0,"error":"no money"}"#;
        assert_eq!(replied(200, nothing), refused(ApiErrorKind::Rejected, None, "no money"));
        assert_eq!(replied(200, &body).retry(), Retry::Never);
        assert_eq!(replied(200, r#"{"code":12}"#), refused(ApiErrorKind::Auth, Some(12), ""));
    }

    #[test]
    fn everything_else_is_unknown() {
        let order_id = BrokerOrderId::parse("5").unwrap();
        let throttled = |retry_after| Doubt::Throttled { retry_after };
        let table = [
            (429, "", throttled(None)),
            (200, r#"{"code":429}"#, throttled(None)),
            (200, r#"{"error":"Your request limit has been exceeded"}"#, throttled(None)),
            (200, "Your request limit has been exceeded", Doubt::NotJson),
            (401, r#"{"error":"no"}"#, Doubt::Status { status: 401 }),
            (403, "<html>", Doubt::Status { status: 403 }),
            (302, r#"{"order_id":5}"#, Doubt::Status { status: 302 }),
            (500, r#"{"error":"no"}"#, Doubt::Status { status: 500 }),
            (502, "", Doubt::Status { status: 502 }),
            (400, r#"{"order_id":5}"#, Doubt::Status { status: 400 }),
            (404, "<html>", Doubt::NotJson),
            (200, "", Doubt::NotJson),
            (200, r#"{"order_id":5"#, Doubt::NotJson),
            (200, "{}", Doubt::NoOrderId),
            (200, "[]", Doubt::NoOrderId),
            (200, "5", Doubt::NoOrderId),
            (200, r#"{"order_id":0}"#, Doubt::NoOrderId),
            (200, r#"{"order_id":null}"#, Doubt::NoOrderId),
            (200, r#"{"order_id":5,"error":"late"}"#, Doubt::Contradiction { order_id }),
        ];
        for (status, body, why) in table {
            assert_eq!(replied(status, body), Placed::Unknown { why }, "{status} {body}");
        }
        assert_eq!(replied(200, "{}").retry(), Retry::UnknownOutcome);
        let named = RawReply::new(429, "").with_header("Retry-After", "9");
        let why = throttled(Some(Duration::from_secs(9)));
        assert_eq!(decode_placed(Ok(named)), Placed::Unknown { why });
    }

    #[test]
    fn a_transport_error_says_whether_the_order_may_exist() {
        let reason = || "x".to_owned();
        assert_eq!(
            decode_placed(Err(TransportError::NotSent { reason: reason() })),
            Placed::NotSent { reason: reason() }
        );
        assert_eq!(
            decode_placed(Err(TransportError::Unknown { reason: reason() })),
            Placed::Unknown { why: Doubt::NoAnswer { reason: reason() } }
        );
    }
}
