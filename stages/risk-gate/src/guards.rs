//! What stands between the fund and its next order, whatever that order is, and when it stands there no longer.
//!
//! The same figures as the checks use, put side by side for a person. Nothing is decided here.

use std::collections::BTreeMap;

use contracts::{Breaker, Cooldown, Guard, OrderStatus};
use market::{Isin, Timestamp};

use crate::{
    checks::GateSettings,
    rate_age,
    store::{Activity, spelled},
    world::{Standing, World, takes_orders, takes_orders_from},
};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// Every guard in order of precedence.
#[must_use]
pub(crate) fn all(
    world: &World,
    limits: &GateSettings,
    standing: Standing,
    halts: usize,
    loss_over: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Guard> {
    let sent = world.trades(standing.mode);
    let mut guards = vec![
        guard("halt", halts == 0, format!("{halts} open"), "none open", None),
        account(world, limits, standing, now),
        breaker(standing.breaker, loss_over),
        gap(&sent, limits, now),
        day(&sent, limits, now),
        week(&sent, limits, now),
    ];
    guards.extend(venues(world, now));
    guards.push(pending(world, standing));
    guards.push(rates(world, now));
    guards
}

fn guard(
    name: &str,
    free: bool,
    found: impl Into<String>,
    limit: impl Into<String>,
    until: Option<Timestamp>,
) -> Guard {
    Guard { guard: name.into(), free, found: found.into(), limit: limit.into(), until }
}

/// The oldest reading of the account that is traded on.
pub(crate) fn age_ms(limits: &GateSettings) -> i64 {
    i64::try_from(limits.max_snapshot_age_s).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000)
}

fn account(world: &World, limits: &GateSettings, standing: Standing, now: Timestamp) -> Guard {
    let (free, found) = match &world.portfolio {
        _ if !standing.clock_trusted => (false, "our clock went backwards less than ten minutes ago"),
        None => (false, "the account has not been read"),
        Some(portfolio) if portfolio.stale => (false, "the account could not be read for too long"),
        Some(portfolio) if now.since(portfolio.at) > age_ms(limits) => (false, "the last reading is too old"),
        Some(_) => (true, "the account is being read"),
    };
    guard("stale_state", free, found, "a recent reading", None)
}

fn breaker(state: Breaker, over: Option<Timestamp>) -> Guard {
    guard("circuit_breaker", state == Breaker::Normal, spelled(&state), "normal", over)
}

fn gap(sent: &[&Activity], limits: &GateSettings, now: Timestamp) -> Guard {
    let last = sent.iter().map(|one| one.sent).max();
    let until = last
        .map(|last| last.saturating_plus_ms(i64::from(limits.min_gap_min) * MINUTE_MS))
        .filter(|until| *until > now);
    let found = last.map_or_else(|| "no order yet".to_string(), |last| format!("last order {last}"));
    guard("min_gap", until.is_none(), found, format!("{} min", limits.min_gap_min), until)
}

fn day(sent: &[&Activity], limits: &GateSettings, now: Timestamp) -> Guard {
    let today = sent.iter().filter(|one| one.sent.day_utc() == now.day_utc()).count();
    let free = u32::try_from(today).is_ok_and(|today| today < limits.max_per_day);
    let midnight = Timestamp::from_ms((now.ms().div_euclid(DAY_MS) + 1) * DAY_MS);
    guard(
        "daily_limit",
        free,
        format!("{today} orders today"),
        limits.max_per_day.to_string(),
        (!free).then_some(midnight),
    )
}

/// How many orders the last seven days had, and when there is room for one.
pub(crate) fn week(sent: &[&Activity], limits: &GateSettings, now: Timestamp) -> Guard {
    let mut ends: Vec<Timestamp> =
        sent.iter().map(|one| one.sent.saturating_plus_ms(7 * DAY_MS)).filter(|end| *end > now).collect();
    ends.sort_unstable();
    let allowed = usize::try_from(limits.max_per_week).unwrap_or(usize::MAX);
    // So many of the oldest must be a week old before there is room for one.
    let until = ends.len().checked_sub(allowed).and_then(|over| ends.get(over)).copied();
    guard(
        "weekly_limit",
        ends.len() < allowed,
        format!("{} orders in seven days", ends.len()),
        limits.max_per_week.to_string(),
        until,
    )
}

fn venues(world: &World, now: Timestamp) -> Vec<Guard> {
    let line = |venue: &contracts::Venue| {
        // Currencies trade around the clock, and an exchange is judged by nothing else.
        let exchanges = venue.mic == contracts::pair_venue();
        let free = if exchanges { venue.open } else { takes_orders(venue, now) };
        let how = match venue.open {
            true if free => "open",
            true => "just opened, or about to close",
            false => venue.reason.as_str(),
        };
        Guard {
            guard: "market_closed".into(),
            free,
            found: format!("{} {how}", venue.mic),
            limit: if exchanges { "open" } else { "open, ten minutes from its edges" }.into(),
            until: if free { None } else { takes_orders_from(venue, now) },
        }
    };
    world.venues.values().map(line).collect()
}

fn pending(world: &World, standing: Standing) -> Guard {
    let waiting = |status: OrderStatus| {
        matches!(status, OrderStatus::Armed | OrderStatus::Sending | OrderStatus::Unknown)
    };
    let unacknowledged = world.open.values().find(|order| waiting(order.status));
    let (free, found) = match unacknowledged {
        Some(order) => (false, format!("order {} is {}", order.order_id, spelled(&order.status))),
        None if standing.approval_out => (false, "an approval is out".to_string()),
        None => (true, format!("{} orders work at the broker", world.open.len())),
    };
    guard("pending_order", free, found, "none without an answer", None)
}

fn rates(world: &World, now: Timestamp) -> Guard {
    let known = world.fx.iter().flat_map(|fx| &fx.rates);
    let old: Vec<String> = known
        .filter(|(_, rate)| !rate_age::is_usable(rate.as_of, now))
        .map(|(ccy, _)| ccy.to_string())
        .collect();
    let found = match (&world.fx, old.is_empty()) {
        (None, _) => "no rates".to_string(),
        (Some(fx), true) => format!("{} rates", fx.rates.len()),
        (Some(_), false) => format!("too old: {}", old.join(", ")),
    };
    guard("no_fx_rate", world.fx.is_some() && old.is_empty(), found, "two trading days", None)
}

/// What rests after a trade, by security; only what rests is named.
#[must_use]
pub(crate) fn cooldowns(
    world: &World,
    limits: &GateSettings,
    standing: Standing,
    now: Timestamp,
) -> Vec<Cooldown> {
    let mut isins: BTreeMap<Isin, ()> =
        world.trades(standing.mode).into_iter().filter(|one| one.filled).map(|one| (one.isin, ())).collect();
    let account = || world.portfolio.iter();
    isins.extend(account().flat_map(|account| &account.positions).map(|one| (one.isin, ())));
    isins.extend(account().flat_map(|account| &account.closed).map(|one| (one.isin, ())));
    let days = |count: u32| i64::from(count) * DAY_MS;
    let line = |isin: Isin| {
        let traded = world.traded(&isin, standing.mode);
        let rests = |since: Option<Timestamp>, count: u32| {
            since.map(|since| since.saturating_plus_ms(days(count))).filter(|until| *until > now)
        };
        // What is not held cannot be sold, so nothing of a sale rests.
        let held = world.portfolio.as_ref().and_then(|portfolio| portfolio.position(&isin));
        let is_held = held.is_some_and(|one| one.qty_e6.is_positive());
        let buy = rests(traded.last_buy, limits.buy_cooldown_days);
        let hold = rests(traded.last_buy.max(traded.last_sell), limits.min_hold_days).filter(|_| is_held);
        let again = rests(traded.last_sell, limits.sell_cooldown_days).filter(|_| is_held);
        let why: Vec<&str> = [("buy_cooldown", buy), ("min_hold", hold), ("sell_cooldown", again)]
            .into_iter()
            .filter_map(|(name, until)| until.map(|_| name))
            .collect();
        let sell_from = hold.max(again);
        (!why.is_empty()).then(|| Cooldown { isin, buy_from: buy, sell_from, why: why.join(", ") })
    };
    isins.into_keys().filter_map(line).collect()
}
