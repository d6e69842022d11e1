//! Corporate actions that explain why the account and the books differ: seen twice, booked, and told.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::Out;
use market::{Isin, Timestamp};
use money::Quantity;

use crate::actions::{Action, Change, explain};
use crate::books::Held;
use crate::flows::Booked;
use crate::limits::REMOVAL_DAYS;
use crate::prices::Rebase;
use crate::{Portfolio, Save};

impl Portfolio {
    /// Books corporate actions that explain a difference, once a second reading has shown the same.
    pub(super) fn book_actions(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let Some((account, ..)) = &self.accounts.reported else { return };
        let account = account.clone();
        let recent = |booked: &&Booked| booked.flow.day.days_until(now.day_utc()) <= REMOVAL_DAYS;
        let paid_out = |booked: &Booked| {
            let action = booked.flow.kind == contracts::FlowKind::CorporateAction;
            booked.flow.isin.filter(|_| action && !booked.flow.amount.is_negative())
        };
        let paid: BTreeSet<Isin> = self.accounts.flows.values().filter(recent).filter_map(paid_out).collect();
        let books = &self.accounts.books;
        let explained: BTreeMap<Isin, (Change, Quantity)> = self
            .accounts
            .in_doubt()
            .into_iter()
            .filter_map(|isin| Some((isin, explain(&isin, books, &account, &paid)?)))
            .collect();
        let texts = explained.iter().map(|(isin, (change, left))| (*isin, format!("{change:?} {left}")));
        let confirmed = self.accounts.action_watch.observe(&texts.collect(), now);
        for (isin, (change, left)) in explained {
            if confirmed.contains_key(&isin)
                && let Err(error) = self.book_action(isin, change, left, now, out)
            {
                self.troubles
                    .insert("actions", format!("{isin}: its corporate action cannot be booked: {error}"));
            }
        }
    }

    fn book_action(
        &mut self,
        isin: Isin,
        change: Change,
        left: Quantity,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> Result<(), money::MoneyError> {
        let Some(before) = self.accounts.books.get(&isin).cloned() else { return Ok(()) };
        let mut after = before.clone();
        let mut price = None;
        match change {
            Change::Split { before: old, after: new } => {
                after = before.split(old, new, left)?;
                let rebase = Rebase { day: now.day_utc(), before: old, after: new, price: None };
                price = self.prices.split(isin, rebase);
            }
            Change::Renamed { to } => {
                let moved = self.accounts.books.get(&to).map_or_else(
                    || before.clone(),
                    |known| Held { ticker: known.ticker.clone(), ..before.clone() },
                );
                out.save(Save::Position(to, moved.clone()));
                self.accounts.books.insert(to, moved);
                self.accounts.names.rename(isin, to);
                self.prices.rename(isin, to);
                (after.qty, after.last_sell) = (Quantity::ZERO, before.last_sell);
                after.empty();
            }
            Change::Removed => {
                after.qty = Quantity::ZERO;
                after.empty();
            }
        }
        let id = Out::<Self>::derive_id(now, &["action", isin.as_str()]);
        let action = Action { id, isin, change, at: now, held: before.qty, left, price };
        out.decided(format!("{isin}: {}.", told(&action)));
        self.accounts.actions.push(action.clone());
        out.save(Save::Action(action));
        self.act_on_paper(isin, change, out);
        out.save(Save::Position(isin, after.clone()));
        self.accounts.books.insert(isin, after);
        Ok(())
    }

    /// The same on paper, after its part of what the action pays: later nothing is held that it could be a part for.
    fn act_on_paper(&mut self, isin: Isin, change: Change, out: &mut Out<Self>) {
        let books = &self.accounts.books;
        let held = |isin: &Isin| books.get(isin).map_or(Quantity::ZERO, |held| held.qty);
        let mut saves = self.paper.pay(self.accounts.flows.values(), held);
        match self.paper.act(isin, change) {
            Ok(done) => saves.extend(done),
            Err(error) => {
                let text = format!("{isin}: its corporate action cannot be booked on paper: {error}");
                // The action itself is booked and is not tried again: what is missing on paper stays in the decisions.
                out.decided(text.clone());
                let told = self.troubles.entry("paper actions").or_default();
                if !told.is_empty() {
                    told.push_str("; ");
                }
                told.push_str(&text);
            }
        }
        saves.into_iter().for_each(|save| out.save(Save::Paper(save)));
    }
}

/// A corporate action in words.
fn told(action: &Action) -> String {
    let Action { held, left, .. } = action;
    match action.change {
        Change::Split { before, after } => {
            format!("{before} became {after} in a split, {held} are {left} now")
        }
        Change::Renamed { to } => format!("it goes on as {to}"),
        Change::Removed => format!("{held} were taken over or delisted and paid in cash"),
    }
}
