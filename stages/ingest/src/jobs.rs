//! How far the stage's jobs have come, as people are told: daily bars, currency rates, dividends, business figures.

use std::collections::BTreeSet;

use bus_client::Out;
use contracts::{Id, JobOutcome, JobRun};
use market::{Isin, Timestamp};

use crate::Ingest;
use crate::outside::Task;

/// Daily bars of every security.
pub(crate) const HISTORY: &str = "history";
/// Rates of every currency.
pub(crate) const RATES: &str = "fx";
/// Dividends and splits of every security, with the comparison of its closes.
const DIVIDENDS: &str = "dividends";
/// Business figures of every security.
const FUNDAMENTALS: &str = "fundamentals";

/// One run of a job.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    job: &'static str,
    run_id: Id,
    trigger: &'static str,
    started: Timestamp,
    /// Reads that failed.
    pub(crate) failed: u64,
}

impl Run {
    pub(crate) fn begin(job: &'static str, trigger: &'static str, now: Timestamp) -> Run {
        Run { job, run_id: Out::<Ingest>::derive_id(now, &[job]), trigger, started: now, failed: 0 }
    }

    /// Says how far it is, of how many; with an end it is over.
    pub(crate) fn say(
        &self,
        (done, total): (usize, usize),
        ended: Option<Timestamp>,
        text: String,
        out: &mut Out<Ingest>,
    ) {
        let outcome = match ended {
            None => JobOutcome::Running,
            Some(_) if self.failed > 0 => JobOutcome::Failed,
            Some(_) => JobOutcome::Done,
        };
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        out.say(JobRun {
            stage: "ingest".into(),
            job: self.job.into(),
            run_id: self.run_id,
            trigger: self.trigger.into(),
            started: self.started,
            ended,
            outcome,
            done: count(done),
            total: count(total),
            text,
        });
    }
}

/// One run of questions to other providers: which securities it is about, and which were answered.
#[derive(Debug)]
pub(crate) struct Round {
    run: Run,
    total: BTreeSet<Isin>,
    answered: BTreeSet<Isin>,
}

impl Ingest {
    /// A question goes out: the first of a round begins it.
    pub(crate) fn round_asks(&mut self, task: &Task, now: Timestamp) {
        let Some((job, isin)) = job_of(task) else { return };
        let due = self.outside.due(now).filter_map(job_of).filter(|(other, _)| *other == job);
        let due: Vec<Isin> = due.map(|(_, isin)| isin).collect();
        let round = self.rounds.entry(job).or_insert_with(|| Round {
            run: Run::begin(job, "due", now),
            total: BTreeSet::new(),
            answered: BTreeSet::new(),
        });
        round.total.extend(due);
        round.total.insert(isin);
    }

    /// A question came back; the last of a round ends it.
    pub(crate) fn round_came(&mut self, task: &Task, answered: bool, now: Timestamp, out: &mut Out<Self>) {
        let Some((job, isin)) = job_of(task) else { return };
        let open = self.outside.due(now).filter_map(job_of).any(|(other, _)| other == job);
        let Some(round) = self.rounds.get_mut(job) else { return };
        if answered {
            round.answered.insert(isin);
        } else {
            round.run.failed += 1;
        }
        let (done, total) = (round.answered.len(), round.total.len());
        let text = match (open, round.run.failed) {
            (true, _) => format!("{done} of {total} securities asked about."),
            (false, 0) => format!("{total} securities asked about."),
            (false, failed) => {
                format!("{done} of {total} securities asked about; {failed} questions brought nothing.")
            }
        };
        round.run.say((done, total), (!open).then_some(now), text, out);
        if !open {
            self.rounds.remove(job);
        }
    }
}

/// The job that a question belongs to, and the security that it is about.
fn job_of(task: &Task) -> Option<(&'static str, Isin)> {
    match task {
        Task::Chart(isin) => Some((DIVIDENDS, *isin)),
        Task::Facts(isin) => Some((FUNDAMENTALS, *isin)),
        _ => None,
    }
}
