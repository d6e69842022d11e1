//! The evaluator as a state machine: the newest context per bucket, and the jobs that wait for theirs.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use tracing::warn;

use bus_client::{Input, NoCall, Out, Stage, Start};
use contracts::stage::evaluate as topics;
use contracts::{Finite, Meta, PlanContext, PlanJob, PlanResult, Received};
use market::Timestamp;

use crate::limits::{BUCKETS_MAX, REPLACED_KEPT, SEQUENCES_MAX, WAIT_MS, WAITING_MAX};
use crate::{
    rank::{said_parts, tally},
    simulate::Prepared,
};

/// There is nothing to set: the score is the same everywhere.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {}

/// The stage.
#[derive(Debug)]
pub struct Evaluate {
    worker: String,
    contexts: BTreeMap<String, Current>,
    waiting: VecDeque<Waiting>,
}

/// The newest context of a bucket. One that cannot be evaluated stays, without sums.
#[derive(Debug, Default)]
struct Current {
    context_id: Option<String>,
    prepared: Option<Prepared>,
    pool: Vec<u16>,
    replaced: VecDeque<String>,
}

#[derive(Debug)]
struct Waiting {
    job: PlanJob,
    cause: Option<Meta>,
    until: Timestamp,
}

/// What is to be done with a job now.
enum Place {
    Here,
    NotYet,
    Replaced,
}

impl Stage for Evaluate {
    type Contract = topics::Evaluate;
    type Settings = Settings;
    type Save = NoCall;
    type Call = NoCall;
    type Reply = NoCall;

    fn load(start: &Start<Settings>, _rows: Option<&rusqlite::Connection>) -> Result<Self, String> {
        Ok(Evaluate { worker: start.instance.clone(), contexts: BTreeMap::new(), waiting: VecDeque::new() })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(topics::Input::PlanContext(heard)) => self.context(heard, out),
            Input::Heard(topics::Input::PlanJob(heard)) => {
                if let Some(job) = heard.body {
                    self.job(job, heard.meta, now, out);
                }
            }
            Input::Tick => self.drop_overdue(now),
            Input::Replied(never) => match never {},
            Input::Answered(_) | Input::Settings(_) | Input::Refused(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.waiting.iter().map(|waiting| waiting.until).min()
    }

    fn apply(_rows: &rusqlite::Transaction<'_>, save: NoCall) -> rusqlite::Result<()> {
        match save {}
    }
}

impl Evaluate {
    fn context(&mut self, heard: Received<PlanContext>, out: &mut Out<Self>) {
        let known = self.contexts.contains_key(&heard.key);
        if !known && self.contexts.len() >= BUCKETS_MAX {
            warn!(bucket = %heard.key, "More buckets than can be; context ignored.");
            return;
        }
        let current = self.contexts.entry(heard.key).or_default();
        current.take(heard.body);
        self.work_off(out);
    }

    fn job(&mut self, job: PlanJob, cause: Option<Meta>, now: Timestamp, out: &mut Out<Self>) {
        let sequences = job.sequence_count();
        if sequences > SEQUENCES_MAX {
            warn!(n = job.n, sequences, "Job too large, dropped.");
            return;
        }
        match self.place(&job) {
            Place::Here => self.evaluate(&job, out),
            Place::Replaced => {}
            // Asked again while it waits: once is enough.
            Place::NotYet if self.waiting.iter().any(|waiting| waiting.job.n == job.n) => {}
            Place::NotYet if self.waiting.len() >= WAITING_MAX => {
                warn!(n = job.n, "Too many jobs wait for their context, this one is dropped.");
            }
            Place::NotYet => {
                self.waiting.push_back(Waiting { job, cause, until: now.saturating_plus_ms(WAIT_MS) });
            }
        }
    }

    fn place(&self, job: &PlanJob) -> Place {
        match self.contexts.get(&job.bucket_id) {
            Some(current) if current.context_id.as_ref() == Some(&job.context_id) => Place::Here,
            Some(current) if current.replaced.contains(&job.context_id) => Place::Replaced,
            _ => Place::NotYet,
        }
    }

    /// A new context may be the one that jobs wait for, or the end of it.
    fn work_off(&mut self, out: &mut Out<Self>) {
        for waiting in std::mem::take(&mut self.waiting) {
            match self.place(&waiting.job) {
                Place::Here => {
                    out.because(waiting.cause.as_ref());
                    self.evaluate(&waiting.job, out);
                }
                Place::NotYet => self.waiting.push_back(waiting),
                Place::Replaced => {}
            }
        }
    }

    fn drop_overdue(&mut self, now: Timestamp) {
        self.waiting.retain(|waiting| {
            let keep = waiting.until > now;
            if !keep {
                warn!(n = waiting.job.n, "The context of a job did not come, the job is dropped.");
            }
            keep
        });
    }

    fn evaluate(&self, job: &PlanJob, out: &mut Out<Self>) {
        let Some(current) = self.contexts.get(&job.bucket_id) else { return };
        let Some(prepared) = &current.prepared else { return };
        let Some(unchanged) = Finite::new(prepared.unchanged()) else { return };
        let parts = prepared.walker().parts(&[]);
        let Some(unchanged_parts) = parts.ok().and_then(|parts| said_parts(&parts)) else { return };
        let tally = tally(prepared, &current.pool, job);
        out.say(PlanResult {
            n: job.n,
            context_id: job.context_id.clone(),
            unchanged,
            unchanged_parts,
            best: tally.best,
            evaluated: tally.evaluated,
            infeasible: tally.infeasible,
            worker: self.worker.clone(),
        });
    }
}

impl Current {
    fn take(&mut self, context: Option<PlanContext>) {
        if let Some(old) = self.context_id.take() {
            self.replaced.push_back(old);
            if self.replaced.len() > REPLACED_KEPT {
                self.replaced.pop_front();
            }
        }
        self.prepared = None;
        self.pool.clear();
        let Some(context) = context else { return };
        self.replaced.retain(|old| *old != context.context_id);
        match Prepared::of(&context) {
            Ok(prepared) => {
                self.prepared = Some(prepared);
                self.pool = context.pool;
            }
            Err(why) => warn!(%why, "Context cannot be evaluated."),
        }
        self.context_id = Some(context.context_id);
    }
}
