//! `getOrdersHistory`: orders of whole days, rejected ones included.

use market::Day;

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::commands::order_rows::Orders;
use crate::exchange::RequestKind;
use crate::fault::Flaw;
use crate::json::Node;
use crate::pacer::PaceClass;
use crate::params::Params;

/// Asks for the orders of whole days, because the zone of the server is not certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetOrdersHistory {
    /// First day, from its midnight.
    pub from: Day,
    /// Last day, to its last second.
    pub till: Day,
}

impl Decode for GetOrdersHistory {
    type Reply = Orders;

    fn params(&self) -> String {
        Params::new()
            .text("from", &format!("{}T00:00:00", self.from))
            .text("till", &format!("{}T23:59:59", self.till))
            .finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<Orders, Flaw> {
        Orders::decode(reply.get("orders"), "orders")
    }
}

impl ReadCommand for GetOrdersHistory {
    const NAME: &'static str = "getOrdersHistory";
    const PACE: PaceClass = PaceClass::History;
    const KIND: RequestKind = RequestKind::BulkRead;
}
