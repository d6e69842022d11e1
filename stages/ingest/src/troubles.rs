//! What is wrong now and how people are told; and when the broker allows the next request.

use bus_client::Out;
use market::Timestamp;
use tradernet::pacer::{PaceClass, Pacer, Shares, Turn};

use crate::{Failure, Ingest};

impl Ingest {
    /// When the allowance permits the next request of a class; `None` means now, and it has been paid for.
    pub(crate) fn must_wait(&mut self, class: PaceClass, now: Timestamp) -> Option<Timestamp> {
        let now_ms = u64::try_from(now.ms()).unwrap_or(0);
        let pacer = self.pacer.get_or_insert_with(|| Pacer::new(&Shares::ingest(), now_ms));
        match pacer.take(class, now_ms) {
            Turn::Go => None,
            Turn::Wait { until_ms } => {
                let until = i64::try_from(until_ms).map_or(Timestamp::MAX, Timestamp::from_ms);
                Some(until.max(now.saturating_plus_ms(1)))
            }
            Turn::NotOurs => Some(Timestamp::MAX),
        }
    }

    /// Notes a failure and returns the pause that follows from it.
    pub(crate) fn failed(&mut self, what: &str, failure: &Failure, now: Timestamp) -> i64 {
        self.troubled(what, &failure.text);
        if !failure.throttled {
            return failure.pause_ms;
        }
        let (Some(pacer), Ok(now_ms)) = (&mut self.pacer, u64::try_from(now.ms())) else {
            return failure.pause_ms;
        };
        let named = u64::try_from(failure.pause_ms).ok().filter(|ms| *ms > 0);
        // Jitter without chance: spread by the milliseconds of the clock.
        let until = pacer.throttled(now_ms, named, now.ms().rem_euclid(401) - 200);
        i64::try_from(until.saturating_sub(now_ms)).unwrap_or(i64::MAX)
    }

    pub(crate) fn succeeded(&mut self, what: &str) {
        self.troubles.remove(what);
        if let Some(pacer) = &mut self.pacer {
            pacer.answered();
        }
    }

    pub(crate) fn doubt(&mut self, what: &str, doubts: &[String]) {
        if doubts.is_empty() {
            self.troubles.remove(what);
        } else {
            self.troubled(what, &doubts.join("; "));
        }
    }

    pub(crate) fn troubled(&mut self, what: &str, text: &str) {
        self.troubles.insert(what.to_owned(), text.to_owned());
    }

    /// Tells people what is wrong now, once per change.
    pub(crate) fn report(&mut self, out: &mut Out<Self>) {
        let now = self.troubles.values().cloned().collect::<Vec<_>>().join(" | ");
        if now == self.reported {
            return;
        }
        if now.is_empty() {
            out.recovered();
        } else {
            out.trouble(now.clone());
        }
        self.reported = now;
    }
}
