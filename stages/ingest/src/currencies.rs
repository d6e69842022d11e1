//! Which currency rates are asked for, and what of an answer is believed and said.

use std::collections::BTreeSet;

use bus_client::Out;
use market::Timestamp;
use money::Currency;
use tradernet::{commands::cross_rates::CrossRates, pacer::PaceClass};

use crate::jobs::{RATES, Run};
use crate::limits::QUOTES_KEPT_MS;
use crate::schedule::{grid_after, pause_ms};
use crate::{Call, Failure, Ingest, Save};

impl Ingest {
    pub(crate) fn currencies(&self) -> BTreeSet<Currency> {
        let all = self.universe.values().map(|listed| listed.security.ccy).chain(self.cash.iter().copied());
        all.filter(|ccy| *ccy != Currency::EUR).collect()
    }

    pub(crate) fn ask_rates(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let interval = i64::from(self.settings.fx_interval_s) * 1_000;
        out.save(Save::QuotesBefore(now.saturating_minus_ms(QUOTES_KEPT_MS)));
        let currencies: Vec<Currency> = self.currencies().into_iter().collect();
        if currencies.is_empty() {
            self.rates_at = grid_after(now, interval);
            return;
        }
        if let Some(until) = self.must_wait(PaceClass::Live, now) {
            self.rates_at = until;
            return;
        }
        self.rates_reading.awaited = 1;
        let trigger = if self.rates_reading.failures == 0 { "due" } else { "retry" };
        let run = Run::begin(RATES, trigger, now);
        run.say((0, currencies.len()), None, format!("{} currencies are read.", currencies.len()), out);
        self.rates_run = Some(run);
        out.call(Call::Rates { currencies });
    }

    pub(crate) fn rates_came(
        &mut self,
        result: Result<CrossRates, Failure>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        self.rates_reading.awaited = 0;
        let found = match result {
            Ok(found) => found,
            Err(failure) => {
                let pause = self.failed("rates", &failure, now);
                self.end_rates(0, 1, now, out);
                self.rates_reading.failures += 1;
                self.rates_at = now.saturating_plus_ms(pause_ms(self.rates_reading.failures, pause));
                return;
            }
        };
        self.succeeded("rates");
        let news = self.rates.take(&self.currencies(), &found, now);
        for (ccy, rate) in &news.taken {
            out.save(Save::Rate { ccy: *ccy, rate: *rate, at: now });
        }
        if let Some(rates) = self.rates.statement() {
            out.say(rates);
        }
        let interval = i64::from(self.settings.fx_interval_s) * 1_000;
        let next = grid_after(now, interval);
        if news.doubts.is_empty() {
            self.rates_reading.failures = 0;
            self.rates_at = next;
        } else {
            // What is missing or jumped is looked at again soon, as after a failure.
            self.rates_reading.failures += 1;
            self.rates_at = next.min(now.saturating_plus_ms(pause_ms(self.rates_reading.failures, 0)));
        }
        self.doubt("fx", &news.doubts);
        self.end_rates(news.taken.len(), news.doubts.len(), now, out);
    }

    /// Says what came of a reading: so many rates are believed, so many things were wrong.
    fn end_rates(&mut self, taken: usize, wrong: usize, now: Timestamp, out: &mut Out<Self>) {
        let Some(mut run) = self.rates_run.take() else { return };
        run.failed = u64::try_from(wrong).unwrap_or(u64::MAX);
        let total = self.currencies().len();
        let text = match wrong {
            0 => format!("{taken} currencies read."),
            _ => format!("{taken} of {total} currencies read; the rest is tried again."),
        };
        run.say((taken, total), Some(now), text, out);
    }
}
