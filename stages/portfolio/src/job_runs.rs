//! What is told of the recurring work: one statement when it begins, one when it has ended.

use bus_client::Out;
use contracts::{JobOutcome, JobRun};
use market::Timestamp;

use crate::Portfolio;

/// A reading of the account.
pub(crate) const SYNC: &str = "sync.account";
/// An existing ledger is taken over.
pub(crate) const IMPORT: &str = "import";

/// Work of `total` parts that begins.
pub(crate) fn begun(job: &str, trigger: &str, total: u64, now: Timestamp) -> JobRun {
    JobRun {
        stage: "portfolio".into(),
        job: job.into(),
        run_id: Out::<Portfolio>::derive_id(now, &["job", job]),
        trigger: trigger.into(),
        started: now,
        ended: None,
        outcome: JobOutcome::Running,
        done: 0,
        total,
        text: "Under way.".into(),
    }
}

/// The same, ended.
pub(crate) fn ended(run: JobRun, is_done: bool, text: &str, now: Timestamp) -> JobRun {
    let (outcome, done) =
        if is_done { (JobOutcome::Done, run.total) } else { (JobOutcome::Failed, run.done) };
    JobRun { ended: Some(now), outcome, done, text: text.chars().take(TEXT_MAX).collect(), ..run }
}

/// Characters of the sentence at most: the statement is small.
const TEXT_MAX: usize = 400;
