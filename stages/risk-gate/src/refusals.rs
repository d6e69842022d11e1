//! Orders that the broker refused: one makes its security rest for an hour, three in a day halt everything. A broker
//! that says no again and again knows something that we do not.

use std::collections::BTreeMap;

use contracts::{OrderState, OrderStatus};
use market::{Isin, Timestamp};

/// Refusals in one day that halt.
pub(crate) const HALT_AT: usize = 3;
/// Minutes that a security rests after one.
pub(crate) const REST_MIN: u32 = 60;
const KEPT_MS: i64 = 2 * 86_400_000;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerRefusal {
    /// Which order.
    pub order_id: String,
    /// Security.
    pub isin: Isin,
    /// When.
    pub at: Timestamp,
    /// The broker's words.
    pub text: String,
}

/// Reads a refusal out of an order; one of our own is none.
#[must_use]
pub(crate) fn of(order: &OrderState) -> Option<BrokerRefusal> {
    let text = order.reason.as_deref().and_then(|reason| reason.strip_prefix("broker: "))?;
    (order.status == OrderStatus::Rejected && order.sent.is_some()).then(|| BrokerRefusal {
        order_id: order.order_id.to_string(),
        isin: order.isin,
        at: order.ended.unwrap_or(order.created),
        text: text.to_string(),
    })
}

/// Those of the last two days.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals(BTreeMap<String, BrokerRefusal>);

impl Refusals {
    pub(crate) fn new(rows: Vec<BrokerRefusal>) -> Refusals {
        Refusals(rows.into_iter().map(|one| (one.order_id.clone(), one)).collect())
    }

    /// Takes one; false when it is known.
    pub(crate) fn note(&mut self, one: BrokerRefusal, now: Timestamp) -> bool {
        self.0.retain(|_, known| now.since(known.at) < KEPT_MS);
        self.0.insert(one.order_id.clone(), one).is_none()
    }

    /// Whether the security rests.
    pub(crate) fn rests(&self, isin: &Isin, now: Timestamp) -> bool {
        let rest_ms = i64::from(REST_MIN) * 60_000;
        self.0.values().any(|one| one.isin == *isin && now.since(one.at) < rest_ms)
    }

    /// How many came on the day of `at`.
    pub(crate) fn on_the_day(&self, at: Timestamp) -> usize {
        self.0.values().filter(|one| one.at.day_utc() == at.day_utc()).count()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    fn order(status: OrderStatus, reason: Option<&str>) -> OrderState {
        OrderState { status, reason: reason.map(str::to_string), ..OrderState::sample() }
    }

    #[test]
    fn only_the_brokers_own_no_counts() {
        assert!(
            of(&order(OrderStatus::Rejected, Some("broker: no money")))
                .is_some_and(|one| one.text == "no money")
        );
        assert!(of(&order(OrderStatus::Rejected, Some("not_sent: halted"))).is_none());
        assert!(of(&order(OrderStatus::Rejected, None)).is_none());
        assert!(of(&order(OrderStatus::Expired, Some("broker: x"))).is_none());
        let unsent = OrderState { sent: None, ..order(OrderStatus::Rejected, Some("broker: x")) };
        assert!(of(&unsent).is_none());
    }

    #[test]
    fn each_counts_once_and_on_its_day() {
        let one = of(&order(OrderStatus::Rejected, Some("broker: x"))).unwrap();
        let mut all = Refusals::default();
        assert!(all.note(one.clone(), one.at) && !all.note(one.clone(), one.at));
        assert_eq!(all.on_the_day(one.at), 1);
        assert_eq!(all.on_the_day(one.at.saturating_plus_ms(86_400_000)), 0);
        assert!(all.rests(&one.isin, one.at.saturating_plus_ms(3_599_999)));
        assert!(!all.rests(&one.isin, one.at.saturating_plus_ms(3_600_000)));
    }
}
