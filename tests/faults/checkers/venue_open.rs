//! A security's order reaches the broker only while its venue trades. Judged by the calendars themselves, not by what a
//! stage says about them, and with as much slack as the stages' clock was ever wrong: the gate keeps ten minutes from
//! both ends of a session, and no clock here is wrong by that much.

use std::{collections::BTreeMap, sync::OnceLock};

use contracts::Universe;
use market::{Calendars, Timestamp};

use crate::witness::Witness;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    static CALENDARS: OnceLock<Calendars> = OnceLock::new();
    if witness.orders.is_empty() {
        return None;
    }
    let calendars = CALENDARS.get_or_init(Calendars::embedded);
    let universe: Universe = witness.rig.statement("")?;
    let venues: BTreeMap<&str, _> =
        universe.securities.iter().map(|one| (one.ticker.as_str(), one.mic)).collect();
    // Exchanges of currency have no venue here: pairs trade when banks do.
    let traded = witness.orders.iter().filter_map(|order| Some((order, *venues.get(order.ticker)?)));
    for (order, mic) in traded {
        let at = Timestamp::from_ms(order.created_ms);
        if !calendars.is_open(mic, at) {
            return Some(format!(
                "order {} of {} arrived at {at}, when {mic} was closed",
                order.id, order.ticker
            ));
        }
    }
    None
}
