//! The end of a day: what the fund was worth, written with all it was computed from; the check of the books against
//! their own history; and the figures that follow.

use bus_client::Out;
use contracts::Mode;
use market::Timestamp;

use crate::analytics::{Figure, performance, turnover};
use crate::closing::closing;
use crate::composition::composition;
use crate::earned::{attribution, moves};
use crate::limits::{DAY_RETRY_MS, DAY_TRIES};
use crate::nav::{DayEnd, FundDay, index_now, opening};
use crate::rebuild::{Ledger, contradiction};
use crate::value::Valuation;
use crate::{Portfolio, Save};

impl Portfolio {
    /// Writes the end of the day that is over, and begins the next one.
    pub(crate) fn end_day(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let Some((day, ended)) = self.today else { return };
        let before = self.last_day.replace(day);
        self.plan_day(now);
        self.settle(now);
        if self.accounts.at().is_none() {
            return;
        }
        let on_paper = self.end_paper_day((day, ended), now, out);
        let Err(why) = self.end_account_day((day, ended), now, out).and(on_paper) else {
            self.day_tries = 0;
            self.troubles.remove("day");
            return;
        };
        self.day_tries += 1;
        if self.day_tries < DAY_TRIES {
            self.last_day = before;
            self.today = Some((day, now.saturating_plus_ms(DAY_RETRY_MS)));
            return;
        }
        self.day_tries = 0;
        let text = format!("{day} could not be valued: {why}");
        out.decided(format!("{text}."));
        self.troubles.insert("day", text);
    }

    fn end_account_day(
        &mut self,
        (day, ended): FundDay,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> Result<(), String> {
        let Some(base) = self.days.last().filter(|base| !base.is_end_of(day)) else { return Ok(()) };
        let end = self.closed(base, (day, ended), &self.valuation(now))?;
        out.save(Save::DayEnd(end.clone()));
        out.decided(format!("{day} ended at {}.", end.nav));
        self.days.push(end);
        self.look_back(out);
        let figures = self.figures();
        out.save(Save::Figures(Mode::Live, figures));
        Ok(())
    }

    /// A day as it ended.
    ///
    /// # Errors
    /// What of it has no worth that is known.
    pub(crate) fn closed(
        &self,
        base: &DayEnd,
        (day, ended): FundDay,
        all: &Valuation,
    ) -> Result<DayEnd, String> {
        let (Some((positions, cash)), Some(nav)) = (all.sums, all.nav()) else {
            return Err(match all.unvalued.as_slice() {
                [] => "its parts cannot be added up".into(),
                unvalued => format!("no price or rate for {}", unvalued.join(", ")),
            });
        };
        let net_flow = self.flow_since(base).ok_or("no rate for what was paid in or out")?;
        let stale = self.state.as_ref().is_none_or(|state| state.stale);
        let index = index_now(base, nav, net_flow);
        let closing = closing(all, &self.prices, self.rates.as_ref());
        Ok(DayEnd { day, ended, nav, positions, cash, net_flow, index, stale, opening: false, closing })
    }

    /// The row with which books begin.
    pub(crate) fn begun(&self, all: &Valuation, now: Timestamp) -> Option<DayEnd> {
        let closing = closing(all, &self.prices, self.rates.as_ref());
        opening(now, self.day(now), all.sums?, closing)
    }

    /// Computes the day once more from an earlier one; a person is told of what differs.
    fn look_back(&mut self, out: &mut Out<Self>) {
        let accounts = &self.accounts;
        let loose = accounts.loose();
        let booked = Ledger {
            fills: &accounts.fills,
            flows: &accounts.flows,
            actions: &accounts.actions,
            loose: &loose,
        };
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
