//! The own orders as they are now: what counts for the pace, what is open, and when a security was last traded.
//!
//! Fed by `order/state` alone and keyed by order id, so hearing the same again changes nothing.

use std::collections::BTreeMap;

use contracts::{Id, Mode, OrderState, OrderStatus, Side};
use market::{Isin, Timestamp, Zone};

use crate::limits::DAY_MS;

const WEEK_MS: i64 = 7 * DAY_MS;

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Which.
    pub order_id: Id,
    /// Security.
    pub isin: Isin,
    /// Buy or sell.
    pub side: Side,
    /// Live or paper.
    pub mode: Mode,
    /// How far it is.
    pub status: OrderStatus,
    /// When it left; nothing for one that surely never reached the broker.
    pub sent: Option<Timestamp>,
    /// Last fill.
    pub filled: Option<Timestamp>,
    /// When it became final.
    pub ended: Option<Timestamp>,
}

impl Activity {
    /// What an order's statement says.
    #[must_use]
    pub fn of(order: &OrderState, now: Timestamp) -> Activity {
        Activity {
            order_id: order.order_id,
            isin: order.isin,
            side: order.side,
            mode: order.mode,
            status: order.status,
            sent: order.sent.filter(|_| reached_the_broker(order)),
            filled: order.fills.iter().map(|fill| fill.at).max(),
            ended: order.status.is_final().then(|| order.ended.unwrap_or(now)),
        }
    }

    /// Nobody knows yet whether the broker has it.
    #[must_use]
    pub fn is_unacknowledged(&self) -> bool {
        matches!(self.status, OrderStatus::Armed | OrderStatus::Sending | OrderStatus::Unknown)
    }
}

/// A rejection for one of these reasons says that nothing arrived; every other order counts as one.
fn reached_the_broker(order: &OrderState) -> bool {
    const NEVER: [&str; 3] = ["not_sent", "never_arrived", "state_changed"];
    let reason = order.reason.as_deref().unwrap_or_default();
    let never = NEVER.iter().any(|word| reason == *word || reason.starts_with(&format!("{word}:")));
    !(order.status == OrderStatus::Rejected && never && order.fills.is_empty())
}

/// How many orders were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Since midnight in the configured zone.
    pub today: u32,
    /// In 7 × 24 hours.
    pub week: u32,
    /// The last one.
    pub last: Option<Timestamp>,
}

/// All own orders.
#[derive(Debug, Clone, Default)]
pub struct Activities(BTreeMap<Id, Activity>);

impl Activities {
    /// Takes an order as it is now; gives it back if that is news. What is final stays final.
    pub fn note(&mut self, activity: Activity) -> Option<Activity> {
        let known = self.0.get(&activity.order_id);
        if known.is_some_and(|known| *known == activity || (known.ended.is_some() && activity.ended.is_none())) {
            return None;
        }
        self.0.insert(activity.order_id, activity.clone());
        Some(activity)
    }

    /// One order.
    #[must_use]
    pub fn find(&self, order_id: Id) -> Option<&Activity> {
        self.0.get(&order_id)
    }

    /// Whether the broker has not acknowledged some order, of any security.
    #[must_use]
    pub fn any_unacknowledged(&self) -> bool {
        self.0.values().any(Activity::is_unacknowledged)
    }

    /// Whether an order of the security is not final.
    #[must_use]
    pub fn any_open(&self, isin: &Isin) -> bool {
        self.0.values().any(|one| one.isin == *isin && one.ended.is_none())
    }

    /// The pace so far.
    #[must_use]
    pub fn counts(&self, mode: Mode, zone: &Zone, now: Timestamp) -> Counts {
        let sent: Vec<Timestamp> = self.sent(mode).collect();
        let today = now.day_in(zone);
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Counts {
            today: number(sent.iter().filter(|at| at.day_in(zone) >= today).count()),
            week: number(sent.iter().filter(|at| now.since(**at) < WEEK_MS).count()),
            last: sent.into_iter().max(),
        }
    }

    /// When time alone changes the counts next: at midnight, or when an order is a week old.
    #[must_use]
    pub fn counts_change_at(&self, mode: Mode, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
        let counts = self.counts(mode, zone, now);
        let midnight = (counts.today > 0).then(|| next_midnight(zone, now));
        let week = self.sent(mode).map(|at| at.saturating_plus_ms(WEEK_MS)).filter(|then| *then > now).min();
        [midnight, week].into_iter().flatten().min()
    }

    /// When the week's orders become one fewer.
    #[must_use]
    pub fn week_eases_at(&self, mode: Mode, now: Timestamp) -> Option<Timestamp> {
        self.sent(mode).map(|at| at.saturating_plus_ms(WEEK_MS)).filter(|then| *then > now).min()
    }

    /// When an order of the security was last sent, of one side or of either.
    #[must_use]
    pub fn last_sent(&self, mode: Mode, isin: &Isin, side: Option<Side>) -> Option<Timestamp> {
        self.of(mode, isin, side).filter_map(|one| one.sent).max()
    }

    /// When the security was last filled, of one side or of either.
    #[must_use]
    pub fn last_filled(&self, mode: Mode, isin: &Isin, side: Option<Side>) -> Option<Timestamp> {
        self.of(mode, isin, side).filter_map(|one| one.filled).max()
    }

    /// The last fill of any security: a snapshot older than this does not show it.
    #[must_use]
    pub fn last_fill(&self, mode: Mode) -> Option<Timestamp> {
        self.0.values().filter(|one| one.mode == mode).filter_map(|one| one.filled).max()
    }

    fn sent(&self, mode: Mode) -> impl Iterator<Item = Timestamp> + '_ {
        self.0.values().filter(move |one| one.mode == mode).filter_map(|one| one.sent)
    }

    fn of<'a>(&'a self, mode: Mode, isin: &'a Isin, side: Option<Side>) -> impl Iterator<Item = &'a Activity> {
        let wanted = move |one: &&Activity| {
            one.mode == mode && one.isin == *isin && side.is_none_or(|side| one.side == side)
        };
        self.0.values().filter(wanted)
    }
}

/// The first instant of the next day.
#[must_use]
pub fn next_midnight(zone: &Zone, now: Timestamp) -> Timestamp {
    let midnight = market::LocalTime::from_hm(0, 0).expect("midnight is a time");
    zone.local(now.day_in(zone).next(), midnight).max(now.saturating_plus_ms(1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    fn now() -> Timestamp {
        "2026-03-05T12:00:00Z".parse().unwrap()
    }

    fn order(number: u32, ago_ms: i64, status: OrderStatus) -> OrderState {
        let sent = now().saturating_minus_ms(ago_ms);
        OrderState {
            order_id: Id::derive(sent, &[&number.to_string()]),
            status,
            sent: Some(sent),
            fills: vec![],
            ..OrderState::sample()
        }
    }

    fn all(orders: &[OrderState]) -> Activities {
        let mut all = Activities::default();
        for order in orders {
            all.note(Activity::of(order, now()));
        }
        all
    }

    #[test]
    fn counts_days_and_weeks_up_to_their_boundary() {
        let day = 12 * 3_600_000;
        let orders = [
            order(1, day, OrderStatus::Filled),
            order(2, day + 1, OrderStatus::Filled),
            order(3, WEEK_MS - 1, OrderStatus::Filled),
            order(4, WEEK_MS, OrderStatus::Filled),
        ];
        let counts = all(&orders).counts(Mode::Live, &Zone::UTC, now());
        assert_eq!((counts.today, counts.week), (1, 3));
        assert_eq!(counts.last, orders[0].sent);
        assert_eq!(all(&orders).counts(Mode::Research, &Zone::UTC, now()), Counts::default());
        assert_eq!(all(&orders).counts_change_at(Mode::Live, &Zone::UTC, now()), Some(now().saturating_plus_ms(1)));
    }

    #[test]
    fn an_order_that_never_reached_the_broker_does_not_count() {
        for (reason, counts) in [
            ("not_sent", 0),
            ("not_sent: the account could not be read", 0),
            ("never_arrived", 0),
            ("state_changed: less cash", 0),
            ("broker: not enough money", 1),
            ("not_sentimental", 1),
        ] {
            let rejected =
                OrderState { reason: Some(reason.into()), ..order(1, 1_000, OrderStatus::Rejected) };
            assert_eq!(all(&[rejected]).counts(Mode::Live, &Zone::UTC, now()).today, counts, "{reason}");
        }
    }

    #[test]
    fn the_same_again_is_no_news_and_what_is_final_stays_final() {
        let mut all = Activities::default();
        let filled = Activity::of(&order(1, 5, OrderStatus::Filled), now());
        assert!(all.note(filled.clone()).is_some());
        assert!(all.note(filled.clone()).is_none());
        let open = Activity { ended: None, status: OrderStatus::Accepted, ..filled };
        assert!(all.note(open).is_none());
    }

    #[test]
    fn midnight_is_that_of_the_zone() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        assert_eq!(next_midnight(&zone, now()), "2026-03-05T23:00:00Z".parse().unwrap());
    }
}
