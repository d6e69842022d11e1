//! What the broker's rows mean in the books: who is meant by a ticker, when a trade happened, how the first
//! holdings are dated.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{Security, Side};
use market::{Calendars, Isin, Mic, Timestamp};
use money::{Currency, Money, Quantity, Rounding, value};
use tradernet::{
    Side as BrokerSide,
    commands::{positions, trades::TradeRow},
};

use crate::books::{Held, Traded};
use crate::reconcile::{Account, Reported};

/// Which security a ticker of the broker names, and where it is traded.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: BTreeMap<String, (Isin, Option<Mic>)>,
    /// The first part of a ticker, as texts of the account statement write it; `None` where two securities share it.
    short: BTreeMap<String, Option<Isin>>,
}

impl Names {
    pub(crate) fn learn(&mut self, ticker: &str, isin: Isin) {
        self.known.entry(ticker.to_owned()).or_insert((isin, None));
        self.learn_short(ticker, isin);
    }

    fn learn_short(&mut self, ticker: &str, isin: Isin) {
        let short = ticker.split('.').next().unwrap_or(ticker).to_owned();
        let before = self.short.entry(short).or_insert(Some(isin));
        if *before != Some(isin) {
            *before = None;
        }
    }

    /// A security goes on under another ISIN: its ticker means the new one from now on.
    pub(crate) fn rename(&mut self, from: Isin, to: Isin) {
        let names = self.known.values_mut().map(|(isin, _)| isin);
        for isin in names.chain(self.short.values_mut().flatten()).filter(|isin| **isin == from) {
            *isin = to;
        }
    }

    /// The security that a text of the account statement begins with, such as `NRDW dividend`.
    pub(crate) fn named(&self, comment: &str) -> Option<Isin> {
        let word = comment.split_whitespace().next()?;
        self.isin(word).or_else(|| self.short.get(word).copied().flatten())
    }

    /// The venues of these securities, or of all where none of them is known.
    pub(crate) fn venues(&self, held: &BTreeSet<Isin>) -> BTreeSet<Mic> {
        let of = |wanted: &dyn Fn(&Isin) -> bool| -> BTreeSet<Mic> {
            self.known.values().filter(|(isin, _)| wanted(isin)).filter_map(|(_, mic)| *mic).collect()
        };
        let venues = of(&|isin| held.contains(isin));
        if venues.is_empty() { of(&|_| true) } else { venues }
    }

    pub(crate) fn learn_all(&mut self, securities: &[Security]) {
        for security in securities {
            self.known.insert(security.ticker.clone(), (security.isin, Some(security.mic)));
            self.learn_short(&security.ticker, security.isin);
        }
    }

    pub(crate) fn isin(&self, ticker: &str) -> Option<Isin> {
        self.known.get(ticker).map(|(isin, _)| *isin)
    }

    /// The broker's ticker of a security.
    pub(crate) fn ticker(&self, isin: &Isin) -> Option<String> {
        self.known.iter().find(|(_, (known, _))| known == isin).map(|(ticker, _)| ticker.clone())
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
        let failed = |error: money::MoneyError| error.to_string();
        let zero = Money::zero(row.currency);
        let (incoming, outgoing) = (row.receivable.unwrap_or(zero), row.payable.unwrap_or(zero));
        let spendable = row.available.checked_sub(outgoing).map_err(failed)?;
        let known = account.spendable.entry(row.currency).or_insert(zero);
        *known = known.checked_add(spendable).map_err(failed)?;
        let under_way = incoming.checked_sub(outgoing).map_err(failed)?;
        if !under_way.is_zero() {
            let known = account.under_way.entry(row.currency).or_insert(zero);
            *known = known.checked_add(under_way).map_err(failed)?;
        }
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
        dated =
            dated.after(&Traded { side: *side, qty: *qty, price: None, eur: None, at: *at }).unwrap_or(dated);
    }
    let first_buy = trades.iter().filter(|(_, side, _)| *side == Side::Buy).map(|(at, ..)| *at).min();
    let cost = reported.avg.and_then(|avg| value(avg, reported.qty, reported.ccy, Rounding::HalfEven).ok());
    Held {
        ticker: reported.ticker.clone(),
        qty: reported.qty,
        avg: reported.avg,
        // What was bought for foreign money before the books began was so at rates that nobody knows here.
        cost_eur: cost.filter(|cost| cost.currency() == Currency::EUR),
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
