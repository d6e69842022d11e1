//! What research mode changes: the fund is the paper ledger then, and the account is only watched.
//!
//! The ledger begins with the first reading of the account that research mode sees, and stays as it is while orders are
//! live. The account's own books, ends of days and reconciliation go on in either mode.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::Out;
use contracts::{Mode, SettingsSnapshot};
use market::Timestamp;
use money::Quantity;

use crate::analytics::performance;
use crate::books::Books;
use crate::composition::composition;
use crate::nav::{DayEnd, FundDay};
use crate::paper::PaperSave;
use crate::value::{Inputs, Valuation, rate_of, valuation};
use crate::{Portfolio, Save};

impl Portfolio {
    /// The owner's settings: another mode is another fund.
    pub(crate) fn follow(&mut self, snapshot: &SettingsSnapshot, now: Timestamp, out: &mut Out<Self>) {
        let mode = SettingsSnapshot::mode_in_force(self.settings.mode, self.simulated, Some(snapshot));
        if !std::mem::replace(&mut self.mode_known, true) {
            self.settle(now);
        }
        if mode == self.mode {
            return;
        }
        self.mode = mode;
        out.decided(match mode {
            Mode::Live => "The account is the fund from now on.",
            Mode::Research => "The paper ledger is the fund from now on.",
        });
        self.settle(now);
    }

    /// What the fund holds: on paper in research, once the paper ledger has begun.
    pub(crate) fn fund_books(&self) -> &Books {
        let on_paper = self.mode == Mode::Research && self.mode_known && self.paper.begun.is_some();
        if on_paper { &self.paper.books } else { &self.accounts.books }
    }

    /// The last end of a day of what is the fund now.
    pub(crate) fn fund_base(&self) -> Option<&DayEnd> {
        if self.mode == Mode::Research { self.paper.days.last() } else { self.days.last() }
    }

    /// Brings the paper ledger up to date and values it; nothing while orders are live.
    pub(crate) fn keep_paper(&mut self, now: Timestamp, out: &mut Out<Self>) -> Option<Valuation> {
        if self.mode == Mode::Live || !self.mode_known {
            return None;
        }
        let mut saves = Vec::new();
        if self.paper.begun.is_none() {
            let flows = self.accounts.flows.values().map(|booked| booked.flow.id);
            saves.extend(self.paper.begin(&self.accounts.books, self.accounts.cash(), flows, now));
            out.decided("The paper ledger begins as a copy of the account.");
        }
        let books = &self.accounts.books;
        let held = |isin: &market::Isin| books.get(isin).map_or(Quantity::ZERO, |held| held.qty);
        saves.extend(self.paper.pay(self.accounts.flows.values(), held));
        let (names, rates) = (&self.accounts.names, self.rates.as_ref());
        let (fills, doubts) = self.paper.book(|isin| names.ticker(isin), |ccy| rate_of(rates, ccy));
        if fills.iter().any(|save| matches!(save, PaperSave::Fill(_))) {
            self.paper.booked = Some(now);
        }
        saves.extend(fills);
        saves.into_iter().for_each(|save| out.save(Save::Paper(save)));
        if doubts.is_empty() {
            self.troubles.remove("paper");
        } else {
            self.troubles.insert("paper", doubts.join("; "));
        }
        let all = self.paper_valuation(now);
        if self.paper.days.is_empty()
            && let Some(first) = self.begun(&all, now)
        {
            out.save(Save::Paper(PaperSave::DayEnd(first.clone())));
            self.paper.days.push(first);
        }
        Some(all)
    }

    fn paper_valuation(&self, now: Timestamp) -> Valuation {
        valuation(&Inputs {
            books: &self.paper.books,
            cash: &self.paper.cash,
            spendable: &BTreeMap::new(),
            orders: &self.paper.orders,
            prices: &self.prices,
            // On paper everything settles at once.
            fills: &BTreeMap::new(),
            today: now.day_utc(),
            rates: self.rates.as_ref(),
            frozen: &BTreeSet::new(),
            nameless: &[],
        })
    }

    /// Writes the end of a day of the paper ledger, if it is the fund.
    ///
    /// # Errors
    /// What of it has no worth that is known.
    pub(crate) fn end_paper_day(
        &mut self,
        (day, ended): FundDay,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> Result<(), String> {
        // What the owner paid in before the end of the day belongs to it, as flow and as cash.
        let Some(all) = self.paper.begun.and_then(|_| self.keep_paper(now, out)) else { return Ok(()) };
        let Some(base) = self.paper.days.last().filter(|base| !base.is_end_of(day)) else { return Ok(()) };
        let end = self.closed(base, (day, ended), &all)?;
        out.save(Save::Paper(PaperSave::DayEnd(end.clone())));
        out.decided(format!("{day} ended on paper at {}.", end.nav));
        self.paper.days.push(end);
        let mut figures = performance(&self.paper.days);
        figures.extend(self.paper.days.last().map(|day| composition(day, &self.classes)).unwrap_or_default());
        out.save(Save::Figures(Mode::Research, figures));
        Ok(())
    }
}
