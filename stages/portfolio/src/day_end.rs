//! The end of a day: what the fund was worth, written with all it was computed from; the check of the books against
//! their own history; and the figures that follow.

use bus_client::Out;
use contracts::Mode;
use market::{Day, Timestamp};

use crate::analytics::{Figure, performance, turnover};
use crate::closing::closing;
use crate::composition::composition;
use crate::earned::{attribution, moves};
use crate::nav::{DayEnd, index_now, opening};
use crate::rebuild::{Ledger, contradiction};
use crate::value::Valuation;
use crate::{Portfolio, Save};

impl Portfolio {
    /// Writes the end of the day that is over, and begins the next one.
    pub(crate) fn end_day(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let Some((day, ended)) = self.today else { return };
        self.last_day = Some(day);
        self.plan_day(now);
        self.settle(now);
        let all = self.valuation(now);
        if self.accounts.at().is_none() {
            return;
        }
        self.end_paper_day((day, ended), now, out);
        let Some(end) = self.days.last().and_then(|base| self.closed(base, (day, ended), &all)) else {
            return;
        };
        out.save(Save::DayEnd(end.clone()));
        out.decided(format!("{day} ended at {}.", end.nav));
        self.days.push(end);
        self.look_back(out);
        let figures = self.figures();
        out.save(Save::Figures(Mode::Live, figures));
    }

    /// A day as it ended; nothing while the worth of anything is unknown.
    pub(crate) fn closed(
        &self,
        base: &DayEnd,
        (day, ended): (Day, Timestamp),
        all: &Valuation,
    ) -> Option<DayEnd> {
        let (positions, cash) = all.sums?;
        let (nav, net_flow) = (all.nav()?, self.flow_since(base)?);
        let stale = self.state.as_ref().is_none_or(|state| state.stale);
        let index = index_now(base, nav, net_flow);
        let closing = closing(all, &self.prices, self.rates.as_ref());
        Some(DayEnd { day, ended, nav, positions, cash, net_flow, index, stale, opening: false, closing })
    }

    /// The row with which books begin.
    pub(crate) fn begun(&self, all: &Valuation, now: Timestamp) -> Option<DayEnd> {
        let closing = closing(all, &self.prices, self.rates.as_ref());
        opening(now, self.day(now), all.sums?, closing)
    }

    /// Computes the day once more from an earlier one; a person is told of what differs.
    fn look_back(&mut self, out: &mut Out<Self>) {
        let accounts = &self.accounts;
        let booked = Ledger { fills: &accounts.fills, flows: &accounts.flows, actions: &accounts.actions };
        match contradiction(&self.days, &booked) {
            None => drop(self.troubles.remove("history")),
            Some(text) => {
                out.decided(format!("The books contradict their history: {text}."));
                self.troubles.insert("history", text);
            }
        }
    }

    fn figures(&self) -> Vec<Figure> {
        let accounts = &self.accounts;
        let moved = moves(accounts.fills.values(), accounts.flows.values());
        let mut all = performance(&self.days);
        all.extend(attribution(&self.days, &moved, &accounts.actions));
        all.extend(turnover(&self.days, accounts.fills.values()));
        all.extend(self.days.last().map(|day| composition(day, &self.classes)).unwrap_or_default());
        all
    }
}
