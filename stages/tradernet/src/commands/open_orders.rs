//! `getNotifyOrderJson`: orders of the current period, or only those that still work.

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::commands::order_rows::Orders;
use crate::fault::Flaw;
use crate::json::Node;
use crate::pacer::PaceClass;
use crate::params::Params;

/// Asks for orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetOrders {
    /// Only working orders, or all of the current period (today's).
    pub active_only: bool,
}

impl Decode for GetOrders {
    type Reply = Orders;

    fn params(&self) -> String {
        Params::new().integer("active_only", u8::from(self.active_only)).finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<Orders, Flaw> {
        Orders::decode(reply.get("result").get("orders"), "result.orders")
    }
}

impl ReadCommand for GetOrders {
    const NAME: &'static str = "getNotifyOrderJson";
    const PACE: PaceClass = PaceClass::Live;
}
