//! The account a world begins with: a history of deposits, purchases and dividends, booked like any other.

use super::calendar::Venue;
use super::dates::{civil, day_at, start_of};
use super::fixed::{E6, value_e4};
use super::market::first_day;
use super::orders::{Ask, Fate, Instrument, Order, Side, status};
use super::universe::PAIRS;
use super::world::World;

/// What an account holds when its world begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Years of saving and buying.
    Grown,
    /// One deposit shortly before the start, EUR e4; zero for none.
    Cash(i64),
}

/// Sessions between the first deposit and the start.
const HISTORY_SESSIONS: usize = 750;
/// First deposit and monthly saving, EUR e4.
const FIRST_DEPOSIT_E4: i64 = 90_000_000;
const MONTHLY_E4: i64 = 2_000_000;
/// Cash in pounds on the first morning: a custody fee nobody had money for.
const POUNDS_E4: i64 = -12_700;

/// What was bought, in the month (counted from the first deposit) in which it is first tried.
const PURCHASES: [(u32, &str, i64); 8] = [
    (1, "NRDW.US", 12),
    (2, "PRVL.US", 20),
    (3, "ALPB.EU", 15),
    (4, "MGLW.EU", 30),
    (6, "AURX.EU", 18),
    (7, "THMB.EU", 60),
    (9, "VNTX.US", 6),
    (11, "JADEP.9911.AS", 500),
];

/// Books the history of an account up to the instant a world begins.
pub(crate) fn open(world: &mut World, opening: Opening, start_ms: i64) {
    let start = day_at(start_ms);
    match opening {
        Opening::Cash(0) => {}
        Opening::Cash(amount) => world.book_transfer(start_of(start - 1), "bank", amount, "EUR"),
        Opening::Grown => grow(world, start),
    }
}

fn grow(world: &mut World, start: i32) {
    let mut day = history_start(world, start);
    let mut waiting: Vec<(u32, &str, i64)> =
        PURCHASES.iter().copied().filter(|(_, ticker, _)| world.market.find(ticker).is_some()).collect();
    world.book_transfer(start_of(day) + MORNING_MS, "bank", FIRST_DEPOSIT_E4, "EUR");
    let mut months = 0;
    let mut month = civil(day).1;
    let mut saved = true;
    // The first deposit counts as the saving of its month.
    while day < start {
        world.now = start_of(day);
        world.begin_day(day);
        if civil(day).1 != month {
            (month, months, saved) = (civil(day).1, months + 1, false);
        }
        let trading = world.market.calendar.sessions(Venue::Frankfurt, day).open().is_some();
        if trading && !saved {
            saved = true;
            world.book_transfer(start_of(day) + MORNING_MS, "bank", MONTHLY_E4, "EUR");
            waiting.retain(|(due, ticker, qty)| *due > months || !purchase(world, ticker, *qty, day));
        }
        day += 1;
    }
    world.begin_day(start);
    let excess = world.ledger.cash("GBP") - POUNDS_E4;
    if excess > 0 {
        world.book_custody(start_of(start), excess, "GBP");
    }
}

/// Bookings of the history happen at this time of day.
const MORNING_MS: i64 = 7 * 3_600_000;

/// Returns the day of the first deposit: 750 Xetra sessions back, not before the paths begin.
fn history_start(world: &World, start: i32) -> i32 {
    let mut sessions = 0;
    let mut day = start;
    while day > first_day() + 7 && sessions < HISTORY_SESSIONS {
        day -= 1;
        if world.market.calendar.sessions(Venue::Frankfurt, day).open().is_some() {
            sessions += 1;
        }
    }
    day
}

/// Buys at the day's close; false when the venue is closed or the cash does not suffice.
fn purchase(world: &mut World, ticker: &str, qty: i64, day: i32) -> bool {
    let Some(instrument) = world.find(ticker) else { return false };
    let Some(close_ms) = world.sessions_of(instrument, day).close() else { return false };
    if world.is_halted(instrument, close_ms - 1) {
        return false;
    }
    let Some(price) = world.quote_of(instrument, close_ms).map(|q| q.last_e6) else { return false };
    world.now = close_ms - 3_600_000;
    let cost = world.cost_e4(instrument, qty, price, true);
    let (_, currency) = world.lot_and_currency(instrument);
    if !fund(world, currency, cost) {
        return false;
    }
    world.now = close_ms;
    book_past(world, instrument, Side::Buy, qty, price);
    true
}

/// Exchanges euros so that a currency holds `needed`; false when the euros do not suffice.
fn fund(world: &mut World, currency: &'static str, needed: i64) -> bool {
    // A little more than needed, because rates move between the exchange and the purchase.
    let missing = needed + needed / 100 - world.ledger.cash(currency);
    if currency == "EUR" || missing <= 0 {
        return world.ledger.cash(currency) >= needed;
    }
    let Some((index, side)) = PAIRS.iter().enumerate().find_map(|(i, p)| match (p.base, p.quote) {
        ("EUR", quote) if quote == currency => Some((i, Side::Sell)),
        (base, "EUR") if base == currency => Some((i, Side::Buy)),
        _ => None,
    }) else {
        return false;
    };
    let instrument = Instrument::Pair(index);
    let Some(quote) = world.quote_of(instrument, world.now) else { return false };
    let (qty, price, euros) = if side == Side::Sell {
        let qty = (missing * 100 / quote.bid_e6 + 11).max(20);
        (qty, quote.bid_e6, value_e4(qty * E6, E6))
    } else {
        let qty = (missing / 10_000 + 11).max(20);
        (qty, quote.ask_e6, world.cost_e4(instrument, qty, quote.ask_e6, true))
    };
    if world.ledger.cash("EUR") < euros {
        return false;
    }
    book_past(world, instrument, side, qty, price);
    true
}

/// Books an order that was filled at once in the past.
fn book_past(world: &mut World, instrument: Instrument, side: Side, qty: i64, price_e6: i64) {
    let now = world.now;
    let ticker = world.static_ticker(instrument);
    let action = if side == Side::Buy { 1 } else { 3 };
    let at = world.orders.len();
    world.orders.push(Order {
        id: world.next_order_id(),
        ask: Ask {
            ticker: ticker.to_owned(),
            action,
            kind: 2,
            qty,
            limit_e6: Some(price_e6),
            stop_e6: None,
            expiration: 1,
            user_order_id: None,
        },
        ticker,
        instrument,
        side,
        created_ms: now,
        status: status::FILLED,
        previous: status::ACTIVE,
        status_ms: now,
        filled: 0,
        text: String::new(),
        triggered: true,
        fate: Fate::Ordinary,
        ahead: Vec::new(),
        look_ms: None,
        cancel_ms: None,
        expires_ms: now,
        historic: true,
    });
    world.book_fill(at, qty, price_e6, now);
}
