//! What the broker's rows mean in the books: who is meant by a ticker, when a trade happened, how the first
//! holdings are dated.

use std::collections::BTreeMap;

use contracts::{Security, Side};
use market::{Calendars, Isin, Mic, Timestamp};
use money::{Currency, Quantity};
use tradernet::{
    Side as BrokerSide,
    commands::{positions, trades::TradeRow},
};

use crate::books::Held;
use crate::reconcile::{Account, Reported};

/// Which security a ticker of the broker names, and where it is traded.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: BTreeMap<String, (Isin, Option<Mic>)>,
}

impl Names {
    pub(crate) fn learn(&mut self, ticker: &str, isin: Isin) {
        self.known.entry(ticker.to_owned()).or_insert((isin, None));
    }

    pub(crate) fn learn_all(&mut self, securities: &[Security]) {
        for security in securities {
            self.known.insert(security.ticker.clone(), (security.isin, Some(security.mic)));
        }
    }

    pub(crate) fn isin(&self, ticker: &str) -> Option<Isin> {
        self.known.get(ticker).map(|(isin, _)| *isin)
    }

    fn mic(&self, ticker: &str) -> Option<Mic> {
        self.known.get(ticker).and_then(|(_, mic)| *mic)
    }
}

/// Takes the account out of an answer; holdings without a name are listed by their ticker.
///
/// # Errors
/// One sentence, when quantities of one security cannot be added up.
pub(crate) fn account(
    answer: &positions::Account,
    names: &mut Names,
) -> Result<(Account, Vec<String>), String> {
    let mut account = Account::default();
    let mut nameless = Vec::new();
    for row in &answer.positions {
        let ticker = row.ticker.as_str();
        let Some(isin) = names.isin(ticker).or(row.isin) else {
            nameless.push(ticker.to_owned());
            continue;
        };
        names.learn(ticker, isin);
        let before = account.held.get(&isin).map_or(Quantity::ZERO, |held: &Reported| held.qty);
        let qty = before.checked_add(row.quantity).map_err(|error| format!("{isin}: {error}"))?;
        let reported = Reported { ticker: ticker.to_owned(), qty, avg: row.average_price, ccy: row.currency };
        account.held.insert(isin, reported);
    }
    account.held.retain(|_, held| !held.qty.is_zero());
    for row in &answer.cash {
        let before = account.cash.get(&row.currency).copied();
        let sum = before.map_or(Ok(row.available), |before| before.checked_add(row.available));
        account.cash.insert(row.currency, sum.map_err(|error| error.to_string())?);
    }
    nameless.sort();
    Ok((account, nameless))
}

/// When a trade happened. The exchange's local time is turned back with the venue's zone; without one, or
/// without a time, it is our own observation, and never the future.
pub(crate) fn moment(trade: &TradeRow, names: &Names, calendars: &Calendars, now: Timestamp) -> Timestamp {
    let local = trade.exchange_at.map(|at| at.at_offset_minutes(0));
    let zone = names.mic(trade.ticker.as_str()).and_then(|mic| calendars.venue(mic)).map(market::Venue::zone);
    let utc = local.zip(zone).map(|(local, zone)| {
        let guess = local.saturating_minus_ms(zone.offset_ms(local));
        // Once more at the guess itself: the offset may differ on the day clocks change.
        local.saturating_minus_ms(zone.offset_ms(guess))
    });
    utc.unwrap_or(now).min(now)
}

/// The side as the books know it.
pub(crate) fn side(side: BrokerSide) -> Side {
    match side {
        BrokerSide::Buy => Side::Buy,
        BrokerSide::Sell => Side::Sell,
    }
}

/// A holding that was there before the books, dated by the trades that the broker still shows.
pub(crate) fn opening(reported: &Reported, trades: &[(Timestamp, Side, Quantity)]) -> Held {
    let mut dated = Held::nothing(&reported.ticker, reported.ccy);
    for (at, side, qty) in trades {
        dated = dated.after(*side, *qty, None, *at).unwrap_or(dated);
    }
    let first_buy = trades.iter().filter(|(_, side, _)| *side == Side::Buy).map(|(at, ..)| *at).min();
    Held {
        ticker: reported.ticker.clone(),
        qty: reported.qty,
        avg: reported.avg,
        ccy: reported.ccy,
        opened: dated.opened.or(first_buy),
        last_buy: dated.last_buy,
        last_sell: dated.last_sell,
        predates: true,
    }
}

/// Whether a ticker names an exchange of two currencies.
pub(crate) fn is_pair(ticker: &str) -> bool {
    ticker
        .split_once('/')
        .is_some_and(|(base, quote)| Currency::new(base).is_ok() && Currency::new(quote).is_ok())
}
