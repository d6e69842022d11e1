//! How a reading of the account becomes books: what is believed, and what is booked of it.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::Out;
use contracts::{Id, Reconciliation, Side};
use market::{Calendars, Day, Isin, Mic, Timestamp};
use money::{Currency, Quantity, Rate, Rounding, to_eur, value};
use tradernet::commands::{
    cash_flows::{UnreadableFlow, dedupe_keys},
    trades::TradeRow,
};

use crate::actions::Action;
use crate::books::{Books, Fill, Held, Origin, Traded};
use crate::cash_book::{self, Parts, Purse};
use crate::dividends::{Dividend, dividends};
use crate::flows::{Booked, book, decide_transfers, unreadable};
use crate::import::{self, Names};
use crate::limits::FLOW_OVERLAP_DAYS;
use crate::nav::end_of;
use crate::reconcile::{Account, Doubtful, Reported, Watch, order_of};
use crate::settlements;
use crate::store::Loaded;
use crate::unbooked::Unbooked;
use crate::value::rate_of;
use crate::{Portfolio, Save, Snapshot};

mod comparison;
mod corporate;

/// Everything known of the account, ours and theirs.
pub(crate) struct Accounts {
    pub(crate) books: Books,
    pub(crate) fills: BTreeMap<String, Fill>,
    before: BTreeSet<String>,
    /// Trades that cannot be booked yet.
    unbooked: BTreeMap<String, Unbooked>,
    pub(crate) frozen: BTreeMap<Isin, (Timestamp, String)>,
    reported: Option<(Account, Timestamp, Vec<String>)>,
    pub(crate) flows: BTreeMap<String, Booked>,
    pub(crate) dividends: BTreeMap<Id, Dividend>,
    pub(crate) names: Names,
    /// When the books began.
    pub(crate) begun: Option<Timestamp>,
    /// What was held then, as far as no imported ledger explains it.
    pub(crate) openings: Books,
    /// Lines of imported ledgers, and the securities they are about.
    pub(crate) csv_fills: BTreeSet<Id>,
    pub(crate) csv_isins: BTreeSet<Isin>,
    /// Corporate actions in the books, oldest first.
    pub(crate) actions: Vec<Action>,
    calendars: Calendars,
    doubtful: Doubtful,
    watch: Watch<Isin>,
    action_watch: Watch<Isin>,
    average_watch: Watch<Isin>,
    /// Cash with which the books began.
    opening: Purse,
    /// Cash that may be counted on.
    purse: Purse,
    cash_watch: Watch<Currency>,
    /// Confirmed differences of cash.
    cash_off: BTreeMap<Currency, String>,
    /// By how much each differs, in 1/10 000, and since when by that much.
    cash_since: BTreeMap<Currency, (Timestamp, i64)>,
    said: BTreeMap<Currency, Reconciliation>,
}

impl Accounts {
    pub(crate) fn from_rows(loaded: Loaded, calendars: Calendars) -> Self {
        let mut names = Names::default();
        loaded.books.iter().for_each(|(isin, held)| names.learn(&held.ticker, *isin));
        let dividends = dividends(loaded.flows.values()).into_iter().map(|one| (one.id, one)).collect();
        let mut accounts = Accounts {
            books: loaded.books,
            fills: loaded.fills,
            before: loaded.before,
            unbooked: loaded.unbooked,
            frozen: loaded.frozen,
            reported: loaded.account,
            flows: loaded.flows,
            dividends,
            names,
            begun: loaded.begun,
            openings: loaded.openings,
            csv_fills: loaded.csv_fills,
            csv_isins: loaded.csv_isins,
            actions: loaded.actions,
            calendars,
            doubtful: Doubtful::default(),
            watch: Watch::default(),
            action_watch: Watch::default(),
            average_watch: Watch::default(),
            opening: loaded.cash_opening,
            purse: Purse::new(),
            cash_watch: Watch::default(),
            cash_off: BTreeMap::new(),
            cash_since: BTreeMap::new(),
            said: BTreeMap::new(),
        };
        let broker = accounts.reported.as_ref().map(|(account, ..)| account.cash.clone()).unwrap_or_default();
        accounts.purse =
            accounts.cash_of_books().map_or(Purse::new(), |ours| cash_book::careful(&ours, &broker));
        accounts
    }

    /// Cash as the books have it; unknown if it cannot be added up.
    pub(crate) fn cash_of_books(&self) -> Option<Purse> {
        let loose = self.loose();
        let parts = Parts { opening: &self.opening, fills: &self.fills, flows: &self.flows, loose: &loose };
        cash_book::cash(&parts).ok()
    }

    /// Settlements that no trade explains.
    pub(crate) fn loose(&self) -> BTreeSet<String> {
        settlements::loose(&self.fills, &self.before, &self.flows, self.begun)
    }

    /// When a day of a fund with these books ends, if it is one.
    pub(crate) fn end_of(&self, day: Day, books: &Books) -> Option<Timestamp> {
        let held = books.iter().filter(|(_, held)| !held.qty.is_zero()).map(|(isin, _)| *isin);
        end_of(&self.calendars, &self.names.venues(&held.collect()), day)
    }

    pub(crate) fn is_open(&self, mic: Mic, now: Timestamp) -> bool {
        self.calendars.is_open(mic, now)
    }

    /// Securities of which the broker shows another number than the books.
    fn in_doubt(&self) -> BTreeSet<Isin> {
        let Some((account, ..)) = &self.reported else { return BTreeSet::new() };
        let theirs = |isin: &Isin| account.held.get(isin).map_or(Quantity::ZERO, |theirs| theirs.qty);
        let differing = self.books.iter().filter(|(isin, held)| held.qty != theirs(isin));
        differing.map(|(isin, _)| *isin).collect()
    }

    pub(crate) fn is_held(&self, isin: &Isin) -> bool {
        self.books.get(isin).is_some_and(|held| !held.qty.is_zero())
    }

    /// When the account was last read and believed.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        self.reported.as_ref().map(|(_, at, _)| *at)
    }

    /// The day up to which trades were seen and booked: that of the newest one, of the beginning, or of the oldest
    /// that waits; nothing before the first reading. However long nothing is traded, a trade that is told late lies
    /// behind it.
    pub(crate) fn trades_seen(&self) -> Option<Day> {
        let read = self.at()?;
        let newest = self.fills.values().map(|fill| fill.executed).max().or(self.begun);
        let seen = newest.map_or(read, |newest| newest.min(read)).day_utc();
        let waits = self.unbooked.values().map(|trade| trade.day).min();
        Some(waits.map_or(seen, |waits| waits.min(seen)))
    }

    /// What the broker lets be spent of it.
    pub(crate) fn spendable(&self) -> &Purse {
        static NOTHING: Purse = Purse::new();
        self.reported.as_ref().map_or(&NOTHING, |(account, ..)| &account.spendable)
    }

    /// Cash that books and broker both know.
    pub(crate) fn cash(&self) -> &Purse {
        &self.purse
    }

    /// Holdings of the broker that nobody can name.
    pub(crate) fn nameless(&self) -> &[String] {
        self.reported.as_ref().map_or(&[], |(_, _, nameless)| nameless)
    }

    /// When a difference is to be looked at again.
    pub(crate) fn again_at(&self, now: Timestamp) -> Option<Timestamp> {
        let watches =
            [self.watch.again_at(now), self.action_watch.again_at(now), self.cash_watch.again_at(now)];
        watches.into_iter().flatten().min()
    }
}

/// What the trades of a reading would change.
#[derive(Default)]
struct Booking {
    books: Books,
    fills: Vec<Fill>,
    /// Differences found on the way.
    notes: Vec<(Isin, String)>,
    /// Trades that cannot be booked yet.
    unbooked: Vec<Unbooked>,
    /// Holdings that the books cannot begin with, for people.
    not_begun: Vec<String>,
}

impl Portfolio {
    /// Takes a reading; false when it is not believed yet and the last one stays.
    pub(crate) fn take(&mut self, snapshot: &Snapshot, now: Timestamp, out: &mut Out<Self>) -> bool {
        let (mut account, nameless) = match import::account(&snapshot.account, &mut self.accounts.names) {
            Ok(read) => read,
            Err(why) => {
                self.troubles.insert("account", why);
                return false;
            }
        };
        let first = self.accounts.reported.is_none();
        if first {
            account.count_under_way(None);
        }
        // A line of the statement that is read again and understood then would count on top of the cash of the beginning.
        let is_read_again = |line: &UnreadableFlow| {
            line.day.is_none_or(|day| day.days_until(now.day_utc()) <= FLOW_OVERLAP_DAYS)
        };
        if first && snapshot.unreadable.iter().any(is_read_again) {
            self.tell("flows", unreadable(&snapshot.unreadable));
            return false;
        }
        let booking = if first { self.import(&account, snapshot, now) } else { self.book(snapshot, now) };
        let before = self.accounts.reported.as_ref().map(|(account, ..)| account);
        let explained = !first && account.equals(&booking.books) && !account.cash.is_empty();
        let doubtful =
            account.shrank_from(before) && !explained && !contracts::mutants::is("accept_empty_account");
        // However often it comes, nothing is no beginning: all that is there would differ from it for ever.
        let nothing_to_begin_with = doubtful && first;
        if doubtful && (!self.accounts.doubtful.count(&account, now) || nothing_to_begin_with) {
            let held = account.held.len();
            let text = if nothing_to_begin_with {
                "the broker shows neither a holding nor a currency; the books begin once it shows either"
                    .into()
            } else {
                format!("the broker shows only {held} holdings and no trade explains it; it is asked again")
            };
            self.troubles.insert("account", text);
            return false;
        }
        self.accounts.doubtful.forget();
        if doubtful {
            self.troubles
                .insert("account", "the broker insists that less is there; what differs is frozen".into());
        } else {
            self.troubles.remove("account");
        }
        self.accept((account, nameless), &booking, snapshot, now, out);
        self.compare(&booking.notes, snapshot, doubtful, now, out);
        true
    }

    /// The first reading of all: what is held becomes the beginning of the books.
    fn import(&self, account: &Account, snapshot: &Snapshot, now: Timestamp) -> Booking {
        let mut booking = Booking::default();
        let names = &self.accounts.names;
        let mut dated: BTreeMap<Isin, Vec<(Timestamp, Side, Quantity)>> = BTreeMap::new();
        for trade in &snapshot.trades {
            if let Some(isin) = names.isin(trade.ticker.as_str()) {
                let at = import::moment(trade, names, &self.accounts.calendars, now);
                dated.entry(isin).or_default().push((at, import::side(trade.side), trade.quantity));
            }
        }
        for (isin, reported) in &account.held {
            let trades = dated.entry(*isin).or_default();
            trades.sort_by_key(|(at, ..)| *at);
            let held = import::opening(reported, trades);
            let (side, qty) = match reported.qty.is_negative() {
                false => (Side::Buy, Ok(reported.qty)),
                true => (Side::Sell, reported.qty.checked_neg()),
            };
            let Ok(qty) = qty else {
                booking.not_begun.push(format!("{isin}: its quantity cannot be booked"));
                continue;
            };
            booking.fills.push(Fill {
                fill_id: Out::<Self>::derive_id(now, &["import", isin.as_str()]),
                trade_id: None,
                broker_order_id: None,
                order_id: None,
                isin: Some(*isin),
                ticker: reported.ticker.clone(),
                side,
                qty,
                price: reported.avg,
                ccy: Some(reported.ccy),
                amount: held.cost(),
                fee: None,
                rate: None,
                value_eur: held.cost_eur,
                executed: held.opened.unwrap_or(now),
                booked: now,
                settle_day: None,
                origin: Origin::Import,
                in_opening: true,
            });
            booking.books.insert(*isin, held);
        }
        // What was sold before the books began is not held, but its dates count.
        for trade in &snapshot.trades {
            let (Some(isin), Some(ccy)) = (names.isin(trade.ticker.as_str()), trade.currency) else {
                continue;
            };
            if booking.books.contains_key(&isin) {
                continue;
            }
            let trades = dated.entry(isin).or_default();
            trades.sort_by_key(|(at, ..)| *at);
            let nothing =
                Reported { ticker: trade.ticker.as_str().to_owned(), qty: Quantity::ZERO, avg: None, ccy };
            let mut gone = import::opening(&nothing, trades);
            gone.empty();
            booking.books.insert(isin, gone);
        }
        booking
    }

    /// What the trades of a reading add to the books; each is booked once, by the broker's id.
    fn book(&self, snapshot: &Snapshot, now: Timestamp) -> Booking {
        let accounts = &self.accounts;
        let mut booking = Booking { books: accounts.books.clone(), ..Booking::default() };
        let mut trades: Vec<(Timestamp, &TradeRow)> = snapshot
            .trades
            .iter()
            .map(|trade| (import::moment(trade, &accounts.names, &accounts.calendars, now), trade))
            .collect();
        trades.sort_by(|(at, one), (then, other)| (at, &one.trade_id).cmp(&(then, &other.trade_id)));
        let mut new = BTreeSet::new();
        let by_order = |one: &TradeRow| {
            let known = accounts.fills.values().chain(&booking.fills);
            contracts::mutants::is("book_by_order_id")
                && one.order_id.is_some()
                && known
                    .clone()
                    .any(|fill| fill.broker_order_id == one.order_id.as_ref().map(ToString::to_string))
        };
        let trades: Vec<_> = trades.into_iter().filter(|(_, trade)| !by_order(trade)).collect();
        for (at, trade) in trades {
            let id = trade.trade_id.as_str();
            if let Some(known) = accounts.fills.get(id) {
                if (known.qty, known.price) != (trade.quantity, Some(trade.price))
                    && let Some(isin) = known.isin
                {
                    booking.notes.push((isin, format!("trade {id} is not what it was when it was booked")));
                }
            } else if !accounts.before.contains(id) && new.insert(id) {
                match self
                    .fill(trade, at, &mut booking.books, |ccy, day| self.rate_on(ccy, day, snapshot, now))
                {
                    Ok(fill) => booking.fills.push(Fill { booked: now, ..fill }),
                    Err(why) => booking.unbooked.push(Unbooked::new(trade, why, now)),
                }
            }
        }
        booking
    }

    /// The rate of the day on which something happened: of today the last one heard, of an earlier day that day's own.
    /// Where no history of rates is there, today's is the nearest that is known.
    fn rate_on(&self, ccy: Currency, day: Day, snapshot: &Snapshot, now: Timestamp) -> Option<Rate> {
        let dated = snapshot.rates.get(&(ccy, day)).copied().filter(|_| day < now.day_utc());
        dated.or_else(|| rate_of(self.rates.as_ref(), ccy))
    }

    fn fill(
        &self,
        trade: &TradeRow,
        executed: Timestamp,
        books: &mut Books,
        rate_on: impl Fn(Currency, Day) -> Option<Rate>,
    ) -> Result<Fill, String> {
        let (id, ticker) = (trade.trade_id.as_str(), trade.ticker.as_str());
        if !trade.quantity.is_positive() {
            return Err(format!("its quantity is {}", trade.quantity));
        }
        let isin = if import::is_pair(ticker) {
            None
        } else {
            Some(self.accounts.names.isin(ticker).ok_or(format!("nobody knows `{ticker}`"))?)
        };
        let side = import::side(trade.side);
        let known = isin.and_then(|isin| books.get(&isin).cloned());
        let ccy = trade.currency.or(known.as_ref().map(|held| held.ccy));
        let day = trade.exchange_at.map_or(executed.day_utc(), tradernet::WallTime::day);
        let rate = ccy.and_then(|ccy| rate_on(ccy, day));
        let amount =
            trade.amount.or_else(|| value(trade.price, trade.quantity, ccy?, Rounding::HalfEven).ok());
        let eur = amount.zip(rate).and_then(|(worth, rate)| to_eur(worth, rate, Rounding::HalfEven).ok());
        if let Some(isin) = isin {
            let ccy = ccy.ok_or("its currency is unknown")?;
            let mut held = known.unwrap_or_else(|| Held::nothing(ticker, ccy));
            if held.ccy != ccy {
                if !held.qty.is_zero() {
                    return Err(format!("it is in {ccy}, the holding in {}", held.ccy));
                }
                // Nothing of it is left, so it may come back on another listing; only its dates stay.
                held =
                    Held { last_buy: held.last_buy, last_sell: held.last_sell, ..Held::nothing(ticker, ccy) };
            }
            let traded = Traded { side, qty: trade.quantity, price: Some(trade.price), eur, at: executed };
            books.insert(isin, held.after(&traded).map_err(|error| error.to_string())?);
        }
        let broker_order_id = trade.order_id.as_ref().map(|id| id.as_str().to_owned());
        Ok(Fill {
            fill_id: Out::<Self>::derive_id(executed, &["trade", id]),
            trade_id: Some(id.to_owned()),
            order_id: order_of(&self.orders, id, broker_order_id.as_deref()),
            broker_order_id,
            isin,
            ticker: ticker.to_owned(),
            side,
            qty: trade.quantity,
            price: Some(trade.price),
            ccy,
            amount,
            fee: trade.commission,
            rate,
            value_eur: eur,
            executed,
            booked: executed,
            settle_day: trade.settles_on,
            origin: Origin::Broker,
            in_opening: false,
        })
    }

    fn accept(
        &mut self,
        (mut account, nameless): (Account, Vec<String>),
        booking: &Booking,
        snapshot: &Snapshot,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let first = self.accounts.reported.is_none();
        if first {
            for trade in &snapshot.trades {
                let id = trade.trade_id.as_str().to_owned();
                if self.accounts.before.insert(id.clone()) {
                    out.save(Save::Before(id));
                }
            }
            self.accounts.opening.clone_from(&account.cash);
            self.accounts.begun = Some(now);
            out.save(Save::Begun(now));
            let held = booking.books.iter().filter(|(_, held)| !held.qty.is_zero());
            self.accounts.openings = held.map(|(isin, held)| (*isin, held.clone())).collect();
            for amount in account.cash.values() {
                out.save(Save::CashOpening(*amount, now));
            }
            out.decided(format!("{} holdings were taken over into the books.", booking.fills.len()));
        }
        for fill in &booking.fills {
            out.save(Save::Fill(Box::new(fill.clone())));
            if let Some(id) = &fill.trade_id {
                self.accounts.fills.insert(id.clone(), fill.clone());
                if let Some(waited) = self.accounts.unbooked.remove(id) {
                    out.save(Save::NoLongerUnbooked(waited.trade_id));
                }
            }
        }
        for (isin, held) in &booking.books {
            if self.accounts.books.get(isin) != Some(held) {
                out.save(Save::Position(*isin, held.clone()));
            }
        }
        self.accounts.books.clone_from(&booking.books);
        self.take_flows(snapshot, if first { Timestamp::ZERO } else { now }, now, out);
        self.forget_what_is_told_no_more(snapshot, out);
        for trade in &booking.unbooked {
            let known = self.accounts.unbooked.get(&trade.trade_id);
            if known.is_none_or(|known| known.why != trade.why) {
                let seen = known.map_or(trade.seen, |known| known.seen);
                let trade = Unbooked { seen, ..trade.clone() };
                out.save(Save::Unbooked(trade.clone()));
                self.accounts.unbooked.insert(trade.trade_id.clone(), trade);
            }
        }
        let mut troubles = booking.not_begun.clone();
        troubles.extend(self.accounts.unbooked.values().map(Unbooked::told));
        troubles
            .extend(nameless.iter().map(|ticker| format!("the broker holds `{ticker}`, which nobody knows")));
        if troubles.is_empty() {
            self.troubles.remove("books");
        } else {
            self.troubles.insert("books", troubles.join("; "));
        }
        if let Some(ours) = self.accounts.cash_of_books() {
            account.count_under_way(Some(&ours));
        }
        out.save(Save::Account(account.clone(), now, nameless.clone()));
        self.accounts.reported = Some((account, now, nameless));
    }

    /// A trade that waits lies behind the day from which trades are asked for: one that is not there was taken back.
    fn forget_what_is_told_no_more(&mut self, snapshot: &Snapshot, out: &mut Out<Self>) {
        let told: BTreeSet<&str> = snapshot.trades.iter().map(|trade| trade.trade_id.as_str()).collect();
        let waiting = &mut self.accounts.unbooked;
        let gone: Vec<String> = waiting.keys().filter(|id| !told.contains(id.as_str())).cloned().collect();
        for id in gone {
            waiting.remove(&id);
            out.decided(format!("Trade {id}, which could not be booked, is no longer told by the broker."));
            out.save(Save::NoLongerUnbooked(id));
        }
    }

    fn take_flows(&mut self, snapshot: &Snapshot, seen: Timestamp, now: Timestamp, out: &mut Out<Self>) {
        let (mut new, mut keys) = (Vec::new(), BTreeSet::new());
        for (key, flow) in dedupe_keys(&snapshot.flows).into_iter().zip(&snapshot.flows) {
            if !self.accounts.flows.contains_key(&key) && keys.insert(key.clone()) {
                let rate = self.rate_on(flow.amount.currency(), flow.day, snapshot, now);
                new.push(book(&key, flow, self.accounts.names.named(&flow.comment), rate, seen));
            }
        }
        self.tell("flows", unreadable(&snapshot.unreadable));
        decide_transfers(&self.accounts.flows, &mut new);
        for booked in new {
            out.save(Save::Flow(Box::new(booked.clone())));
            self.accounts.flows.insert(booked.key.clone(), booked);
        }
        for (trade_id, fill_id, fee) in
            cash_book::late_fees(&self.accounts.fills, self.accounts.flows.values())
        {
            out.save(Save::Fee { fill_id, fee });
            if let Some(fill) = self.accounts.fills.get_mut(&trade_id) {
                fill.fee = Some(fee);
            }
        }
        self.join_dividends(out);
    }

    /// Joins dividends, taxes and reversals anew, and writes what changed.
    pub(crate) fn join_dividends(&mut self, out: &mut Out<Self>) {
        for dividend in dividends(self.accounts.flows.values()) {
            if self.accounts.dividends.get(&dividend.id) != Some(&dividend) {
                out.save(Save::Dividend(dividend.clone()));
                self.accounts.dividends.insert(dividend.id, dividend);
            }
        }
    }
}
