//! Which daily bars are asked for next, what of an answer is kept, and how far the job has come.

use std::collections::BTreeSet;

use bus_client::Out;
use contracts::History;
use market::{Isin, Timestamp};
use tradernet::{commands::candles::History as Bars, pacer::PaceClass};

use crate::history::{BarSource, Progress, Taken, final_day, next_final};
use crate::jobs::{HISTORY, Run};
use crate::limits::CHARTS_WAIT_MS;
use crate::outside::Task;
use crate::schedule::pause_ms;
use crate::sift::Explained;
use crate::{Call, Failure, Ingest, Save};

/// One run of the job `history`, and the securities that it is about.
pub(crate) struct BarsRun {
    run: Run,
    total: BTreeSet<Isin>,
}

impl Ingest {
    pub(crate) fn ask_bars(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let due = self.due_bars(now);
        let Some((isin, from, until)) = due.first().copied() else {
            self.end_run(now, out);
            self.bars_at = self.next_bars(now);
            self.outside.charts_from = now;
            return;
        };
        if let Some(wait) = self.must_wait(PaceClass::Candles, now) {
            self.bars_at = wait;
            return;
        }
        let trigger = if self.run.is_none() && self.troubles.contains_key("bars") { "retry" } else { "due" };
        if self.run.is_none() {
            self.outside.charts_from = now.saturating_plus_ms(CHARTS_WAIT_MS);
        }
        let fresh = || BarsRun { run: Run::begin(HISTORY, trigger, now), total: BTreeSet::new() };
        let run = self.run.get_or_insert_with(fresh);
        run.total.extend(due.iter().map(|(isin, ..)| *isin));
        let ticker = self.universe.get(&isin).expect("bars are kept per listed security").ticker.clone();
        self.bars_asked = Some(isin);
        out.call(Call::Bars { isin, ticker, from, until });
    }

    fn due_bars(&self, now: Timestamp) -> Vec<(Isin, market::Day, market::Day)> {
        let days = self.settings.history_days;
        let due = |(isin, progress): (&Isin, &Progress)| {
            let listed = self.universe.get(isin).filter(|listed| listed.security.active)?;
            let mic = listed.security.mic;
            let (from, until) = progress.wanted(final_day(&self.calendars, mic, now)?, days, now)?;
            Some((*isin, from, until))
        };
        self.bars.iter().filter_map(due).collect()
    }

    /// When the next bar becomes final or a postponed one may be asked for again.
    fn next_bars(&self, now: Timestamp) -> Timestamp {
        let closes = self.venues.keys().filter_map(|mic| next_final(&self.calendars, *mic, now));
        let again = self.bars.values().filter_map(|progress| progress.not_before);
        let day = now.saturating_plus_ms(86_400_000);
        closes.chain(again).filter(|then| *then > now).fold(day, Timestamp::min)
    }

    pub(crate) fn bars_came(
        &mut self,
        isin: &Isin,
        until: market::Day,
        result: Result<Bars, Failure>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        self.bars_asked = None;
        self.bars_at = now;
        let key = format!("bars of {isin}");
        match result {
            Err(failure) => {
                let pause = self.failed(&key, &failure, now);
                if let Some(run) = &mut self.run {
                    run.run.failed += 1;
                }
                let Some(progress) = self.bars.get_mut(isin) else { return };
                progress.failures += 1;
                if progress.source == BarSource::Broker {
                    progress.failed(now.saturating_plus_ms(pause_ms(progress.failures, pause)));
                } else {
                    progress.probed = Some(until);
                }
            }
            Ok(found) => {
                self.succeeded(&key);
                self.take_bars(isin, &found, until, now, out);
            }
        }
        self.consider_second(*isin, until, now);
        self.say_run(None, now, out);
    }

    fn take_bars(
        &mut self,
        isin: &Isin,
        found: &Bars,
        until: market::Day,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let explained = self.explained(isin);
        let Some(progress) = self.bars.get_mut(isin) else { return };
        if progress.source != BarSource::Broker {
            return self.take_back(*isin, &found.candles, until, now, out);
        }
        let taken = progress.take(&found.candles, &explained, until, now);
        self.keep_bars(*isin, taken, now, out);
    }

    /// What may explain a jump of a security. A series is no witness of itself.
    pub(crate) fn explained(&self, isin: &Isin) -> Explained {
        let is_brokers = self.bars.get(isin).is_some_and(|bars| bars.source == BarSource::Broker);
        let second = self.outside.second.get(isin).filter(|_| is_brokers);
        Explained {
            splits: self.splits.get(isin).cloned().unwrap_or_default(),
            second: second.cloned().unwrap_or_default(),
        }
    }

    pub(crate) fn ticker_of(&self, isin: &Isin) -> String {
        self.universe.get(isin).map_or_else(String::new, |listed| listed.ticker.to_string())
    }

    /// Stores what came of an answer, and tells people what is wrong with it.
    pub(crate) fn keep_bars(&mut self, isin: Isin, taken: Taken, now: Timestamp, out: &mut Out<Self>) {
        let Some(progress) = self.bars.get(&isin) else { return };
        let source = progress.source;
        let doubts = progress.doubtful.clone();
        let ticker = self.ticker_of(&isin);
        let (sifted, replace) = match taken {
            Taken::Added(sifted) => (sifted, false),
            Taken::Replaced(sifted) => (sifted, true),
            Taken::PastChanged(split) => {
                if let Some((after, before)) = split {
                    out.decided(format!(
                        "The past of {ticker} was divided {after}:{before}; it is read again."
                    ));
                }
                return;
            }
            Taken::Rejected(why) => {
                self.outside.hurry(&Task::Chart(isin), now);
                self.troubled(
                    &format!("past of {isin}"),
                    &format!("the past of {ticker} is {why}; nothing of it is used; look at it, then `steward universe refresh {isin}`"),
                );
                return;
            }
        };
        self.troubles.remove(&format!("past of {isin}"));
        let said: Vec<String> = doubts
            .iter()
            .map(|(day, doubt)| format!("the close of {ticker} on {day} is set apart: {}", doubt.word()))
            .collect();
        self.doubt(&format!("doubtful {isin}"), &said);
        if !replace {
            for (before, after, old) in &sifted.unadjusted {
                out.save(Save::Divide { isin, source, before: *before, after: *after, old: *old });
            }
        }
        if !sifted.believed.is_empty() {
            out.save(Save::Bars { isin, source, bars: sifted.believed, replace, at: now });
        }
        if !sifted.doubtful.is_empty() {
            let bars = sifted.doubtful.iter().map(|(bar, doubt)| (*bar, doubt.word())).collect();
            out.save(Save::Quarantine { isin, source, bars, at: now });
            self.outside.hurry(&Task::Chart(isin), now);
        }
    }

    fn end_run(&mut self, now: Timestamp, out: &mut Out<Self>) {
        if self.run.is_none() {
            return;
        }
        self.say_run(Some(now), now, out);
        self.run = None;
        self.say_history(out);
    }

    fn say_run(&self, ended: Option<Timestamp>, now: Timestamp, out: &mut Out<Self>) {
        let Some(BarsRun { run, total }) = &self.run else { return };
        let waiting = self.due_bars(now).len();
        let total = total.len();
        let done = total.saturating_sub(waiting);
        let text = match ended {
            None => format!("{done} of {total} securities read."),
            Some(_) if run.failed > 0 => {
                format!("{} reads of {total} securities failed; they are tried again.", run.failed)
            }
            Some(_) => format!("{total} securities read, {} bars kept.", self.bars_kept()),
        };
        if ended.is_some() {
            out.decided(text.clone());
        }
        run.say((done, total), ended, text, out);
    }

    fn bars_kept(&self) -> u64 {
        self.bars.values().map(|progress| progress.bars).fold(0, u64::saturating_add)
    }

    pub(crate) fn say_history(&self, out: &mut Out<Self>) {
        let complete = self.bars.iter().filter_map(|(isin, progress)| Some((*isin, progress.complete?)));
        out.say(History { complete_until: complete.collect(), bars: self.bars_kept() });
    }
}
