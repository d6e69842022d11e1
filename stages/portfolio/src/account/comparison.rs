//! A reading against our books: what differs is confirmed by a second look, frozen, and said by currency.

use std::collections::BTreeSet;

use bus_client::Out;
use contracts::{Id, Reconciliation};
use market::{Isin, Timestamp};
use money::{Currency, Money, Price, Quantity, Rounding, value};

use crate::cash_book;
use crate::flows::unknown_codes;
use crate::reconcile::{Ours, averages, called, differences, order_of, pair};
use crate::settlements;
use crate::value::rate_of;
use crate::{Portfolio, Save, Snapshot};

/// The reasons of a difference, one by one.
fn reasons(text: &str) -> impl Iterator<Item = &str> {
    text.split("; ")
}

impl Portfolio {
    /// Compares the books with the broker and with the orders, and freezes what is confirmed to differ.
    pub(super) fn compare(
        &mut self,
        notes: &[(Isin, String)],
        snapshot: &Snapshot,
        at_once: bool,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        self.link_orders(out);
        self.book_actions(now, out);
        self.compare_cash(now, out);
        let in_doubt = self.accounts.in_doubt();
        self.prices.confirm(&in_doubt);
        let mut foreign = notes.to_vec();
        foreign.extend(self.foreign_orders(snapshot));
        let accounts = &mut self.accounts;
        let Some((account, ..)) = &accounts.reported else { return };
        let ours = Ours {
            books: &accounts.books,
            fills: &accounts.fills,
            before: &accounts.before,
            orders: &self.orders,
            today: now.day_utc(),
        };
        let found = differences(&ours, account, &foreign);
        let averages = accounts.average_watch.observe(&averages(&accounts.books, account), now);
        let seen = accounts.watch.observe(&found, now);
        let confirmed = if at_once { found.clone() } else { seen };
        for (isin, text) in &confirmed {
            // Another reason is another difference, and halts anew; one reason less does not.
            let known = accounts.frozen.get(isin);
            let said_before =
                known.filter(|(_, known)| reasons(text).all(|one| reasons(known).any(|old| old == one)));
            let since = said_before.map_or(now, |(since, _)| *since);
            if known.is_none_or(|(_, known)| known != text) {
                accounts.frozen.insert(*isin, (since, text.clone()));
                out.save(Save::Frozen(*isin, Some((since, text.clone()))));
                out.decided(format!("{} is frozen: {text}.", called(isin)));
            }
        }
        let gone: Vec<Isin> =
            accounts.frozen.keys().filter(|isin| !found.contains_key(isin)).copied().collect();
        for isin in gone {
            accounts.frozen.remove(&isin);
            out.save(Save::Frozen(isin, None));
            out.decided(format!("{} is free again: books and broker agree.", called(&isin)));
        }
        let averages: Vec<String> = averages.into_values().collect();
        self.tell("averages", (!averages.is_empty()).then(|| averages.join("; ")));
        if self.accounts.frozen.is_empty() {
            self.troubles.remove("frozen");
        } else {
            let all = self
                .accounts
                .frozen
                .iter()
                .map(|(isin, (_, text))| format!("{} is frozen: {text}", called(isin)));
            self.troubles.insert("frozen", all.collect::<Vec<_>>().join("; "));
        }
        self.say_reconciliation(now, out);
    }

    /// Compares cash, and remembers what is confirmed to differ.
    fn compare_cash(&mut self, now: Timestamp, out: &mut Out<Self>) {
        self.tell(
            "settlements",
            settlements::told(&self.accounts.loose(), &self.accounts.flows, now.day_utc()),
        );
        self.tell("codes", unknown_codes(self.accounts.flows.values(), now.day_utc()));
        let ours = self.accounts.cash_of_books();
        let Some((account, ..)) = &self.accounts.reported else { return };
        let Some(ours) = ours else {
            self.troubles.insert("cash", "the cash of the books cannot be added up".into());
            return;
        };
        let today = now.day_utc();
        let (fills, rates) = (&self.accounts.fills, self.rates.as_ref());
        let found = cash_book::differences(&ours, &account.cash, |ccy| {
            cash_book::tolerance(fills, ccy, rate_of(rates, ccy), today)
        });
        self.accounts.purse = cash_book::careful(&ours, &account.cash);
        let confirmed = self.accounts.cash_watch.observe(&found, now);
        for (ccy, text) in &confirmed {
            if self.accounts.cash_off.get(ccy) != Some(text) {
                out.decided(format!("Cash in {ccy} differs: {text}."));
            }
        }
        // What was confirmed once stays so until it is gone.
        self.accounts.cash_off.retain(|ccy, _| found.contains_key(ccy));
        self.accounts.cash_off.extend(confirmed);
        let off_by = |ccy: &Currency| {
            let e4 = |purse: &cash_book::Purse| purse.get(ccy).map_or(0, |amount| amount.e4());
            e4(&ours).saturating_sub(e4(&account.cash))
        };
        let known = std::mem::take(&mut self.accounts.cash_since);
        let since = |ccy: &Currency| {
            let by = off_by(ccy);
            known.get(ccy).filter(|(_, known)| *known == by).copied().unwrap_or((now, by))
        };
        self.accounts.cash_since = self.accounts.cash_off.keys().map(|ccy| (*ccy, since(ccy))).collect();
        if self.accounts.cash_off.is_empty() {
            self.troubles.remove("cash");
        } else {
            let all = self.accounts.cash_off.iter().map(|(ccy, text)| format!("cash in {ccy}: {text}"));
            self.troubles.insert("cash", all.collect::<Vec<_>>().join("; "));
        }
    }

    /// Working orders at the broker that are none of ours, by security.
    fn foreign_orders(&self, snapshot: &Snapshot) -> Vec<(Isin, String)> {
        let ours = |row: &tradernet::commands::order_rows::OrderRow| {
            self.orders.values().any(|order| {
                order.broker_order_id.as_deref() == Some(row.order_id.as_str())
                    || row.carries(order.user_order_id)
            })
        };
        let foreign = snapshot.orders.rows.iter().filter(|row| row.is_active() && !ours(row));
        let foreign = foreign
            .map(|row| (Some(&row.ticker), format!("order {} at the broker is not ours", row.order_id)));
        let unreadable = snapshot.orders.unreadable.iter();
        let unreadable =
            unreadable.map(|row| (row.ticker.as_ref(), format!("an order cannot be read: {}", row.flaw)));
        foreign
            .chain(unreadable)
            .filter_map(|(ticker, text)| {
                let ticker = ticker?.as_str();
                Some((self.accounts.names.isin(ticker).or_else(|| pair(ticker))?, text))
            })
            .collect()
    }

    /// Joins booked trades to our orders as soon as these are known.
    pub(crate) fn link_orders(&mut self, out: &mut Out<Self>) {
        for (trade_id, fill) in self.accounts.fills.iter_mut().filter(|(_, fill)| fill.order_id.is_none()) {
            let order: Option<Id> = order_of(&self.orders, trade_id, fill.broker_order_id.as_deref());
            if let Some(order_id) = order {
                fill.order_id = order;
                out.save(Save::OrderOf { trade_id: trade_id.clone(), order_id });
            }
        }
    }

    /// Per currency: cash and the securities in doubt at one price, ours against theirs.
    fn say_reconciliation(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let Some((account, ..)) = &self.accounts.reported else { return };
        let cash_of_books = self.accounts.cash_of_books();
        let held = self.accounts.books.values().map(|held| held.ccy);
        let currencies: BTreeSet<Currency> = account
            .cash
            .keys()
            .copied()
            .chain(held)
            .chain(account.held.values().map(|held| held.ccy))
            .chain(self.accounts.cash_off.keys().copied())
            .collect();
        for currency in currencies {
            let cash = account.cash.get(&currency).copied().unwrap_or(Money::zero(currency));
            let (mut books, mut broker, mut agrees) = (cash, cash, true);
            // Since when it differs as it does, securities and cash: figures move with prices and payments.
            let mut since = self.accounts.cash_since.get(&currency).map(|(since, _)| *since);
            if self.accounts.cash_off.contains_key(&currency) {
                agrees = false;
                let ours = cash_of_books.as_ref().and_then(|purse| purse.get(&currency)).copied();
                books = ours.unwrap_or(Money::zero(currency));
            }
            for (isin, (from, _)) in &self.accounts.frozen {
                let ours = self.accounts.books.get(isin);
                let theirs = account.held.get(isin);
                let ccy = ours.map(|held| held.ccy).or(theirs.map(|held| held.ccy));
                let exchanged =
                    contracts::pair_of(isin).is_some_and(|(base, quote)| ![base, quote].contains(&currency));
                if exchanged || ccy.is_some_and(|ccy| ccy != currency) {
                    continue;
                }
                agrees = false;
                since = since.max(Some(*from));
                let price = self.price_for_doubt(isin);
                let add = |sum: Money, qty: Option<Quantity>| {
                    let worth = value(price, qty.unwrap_or(Quantity::ZERO), currency, Rounding::HalfEven);
                    worth.and_then(|worth| sum.checked_add(worth)).unwrap_or(sum)
                };
                books = add(books, ours.map(|held| held.qty));
                broker = add(broker, theirs.map(|held| held.qty));
            }
            let fresh = Reconciliation { currency, at: now, books, broker, agrees };
            let last = self.accounts.said.get(&currency);
            // An unchanged comparison keeps its time: it is no news.
            let same = last.filter(|last| Reconciliation { at: now, ..(*last).clone() } == fresh);
            // A difference that a person has looked at halts no second time for a price or a payment since.
            let at = since.or(same.map(|last| last.at)).unwrap_or(now);
            let fresh = Reconciliation { at, ..fresh };
            out.say(fresh.clone());
            self.accounts.said.insert(currency, fresh);
        }
    }

    /// A price that makes a difference visible: the last one, the average, or one.
    fn price_for_doubt(&self, isin: &Isin) -> Price {
        let average = || self.accounts.books.get(isin).and_then(|held| held.avg);
        let last = self.prices.get(isin).map(|known| known.price);
        last.or_else(average).unwrap_or_else(|| Price::from_e6(Price::SCALE).expect("one is a price"))
    }
}
