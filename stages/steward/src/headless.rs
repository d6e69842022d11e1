//! Follows a run without a screen: counts, prints one line per day, and judges how it ended.

use std::time::{Duration, Instant};

use bus_client::{Config, virtual_time, wall};
use contracts::{AskTruth, Id, Outcome};
use serde_json::Value;

use crate::{
    Fault,
    bus::{self, Bus, Event},
    launch::stop_signal,
    print,
    progress::{Progress, STUCK_AFTER},
    supervisor::{Change, Supervisor},
    tally::Tally,
};

/// How often is looked whether a day is over or time stands still.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long stages may finish their work after the end of time.
const SETTLE_MAX: Duration = Duration::from_secs(10);

/// How a run went.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What was counted.
    pub(crate) tally: Tally,
    /// When every stage worked, after the beginning.
    pub(crate) healthy_after: Option<Duration>,
    /// The simulator's own books.
    pub(crate) truth: Value,
    /// Why it ended before its time.
    pub(crate) trouble: Option<String>,
    /// A person ended it.
    pub(crate) stopped: bool,
}

enum Phase {
    Running,
    Settling(Instant),
    Asking(Id, Instant),
}

struct Follower<'a> {
    bus: Bus,
    stages: &'a [String],
    begun: Instant,
    tally: Tally,
    healthy_after: Option<Duration>,
    progress: Progress,
    phase: Phase,
    truth: Value,
    ends: bool,
}

/// Follows until simulated time has ended (if `ends`), something is wrong, or a person wants an end.
///
/// # Errors
/// When the bus cannot be opened.
pub(crate) async fn follow(
    supervisor: &mut Supervisor,
    config: &Config,
    stages: &[String],
    begun: Instant,
    ends: bool,
) -> Result<Ended, Fault> {
    let mut stop = std::pin::pin!(stop_signal()?);
    let mut follower = Follower {
        bus: Bus::open(config, bus::everything(config))?,
        stages,
        begun,
        tally: Tally::default(),
        healthy_after: None,
        progress: Progress::new(begun),
        phase: Phase::Running,
        truth: Value::Null,
        ends,
    };
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        let trouble = tokio::select! {
            biased;
            () = &mut stop => return Ok(follower.ended(None, true)),
            change = supervisor.next() => match change {
                Change::GivenUp { sentence, .. } => Some(sentence),
                _ => None,
            },
            _ = looks.tick() => match follower.look() {
                Some(Over::Well) => return Ok(follower.ended(None, false)),
                Some(Over::Badly(why)) => Some(why),
                None => None,
            },
            event = follower.bus.next() => {
                follower.hear(event);
                None
            }
        };
        if trouble.is_some() {
            return Ok(follower.ended(trouble, false));
        }
    }
}

/// That a run is over.
enum Over {
    Well,
    Badly(String),
}

impl Follower<'_> {
    fn hear(&mut self, event: Event) {
        let Event::Message(message) = event else { return };
        let Some(address) = message.address else { return };
        self.tally.hear(&address, &message.payload);
        if self.healthy_after.is_none() && self.tally.is_healthy(self.stages) {
            self.healthy_after = Some(self.begun.elapsed());
        }
        if let Phase::Asking(id, _) = self.phase
            && let Some(reply) = bus::reply_to(id, &address, &message.payload)
            && reply.outcome == Outcome::Done
        {
            self.truth = reply.data;
        }
        if let Some(clock) = &self.tally.clock
            && let Some(line) = self.progress.line(&self.tally, virtual_time(clock, wall()))
        {
            print::data(&line);
        }
    }

    fn look(&mut self) -> Option<Over> {
        let now = Instant::now();
        let over = self.ends && self.tally.clock.as_ref().is_some_and(|clock| clock.ended);
        match self.phase {
            Phase::Running if over => self.phase = Phase::Settling(now),
            Phase::Running if self.ends && self.progress.is_stuck(&self.tally, now) => {
                return Some(Over::Badly(self.why_stuck()));
            }
            Phase::Settling(since)
                if self.tally.is_settled(&self.followers()) || now.duration_since(since) > SETTLE_MAX =>
            {
                match self.bus.command(AskTruth { actor: bus::NAME.into() }) {
                    Ok(id) => self.phase = Phase::Asking(id, now),
                    Err(fault) => return Some(Over::Badly(fault.to_string())),
                }
            }
            Phase::Asking(..) if !self.truth.is_null() => {
                self.progress.last_line(&self.tally).iter().for_each(|line| print::data(line));
                return Some(Over::Well);
            }
            Phase::Asking(_, since) if now.duration_since(since) > bus::REPLY_MAX => {
                let sentence =
                    "simworld did not say what its own books are, so nothing is proven; look at its log";
                return Some(Over::Badly(sentence.into()));
            }
            _ => {}
        }
        None
    }

    /// The stages that follow the clock: all but its owner.
    fn followers(&self) -> Vec<String> {
        self.stages.iter().filter(|name| *name != "simworld").cloned().collect()
    }

    fn why_stuck(&self) -> String {
        let said = self.tally.said_by("simworld").map_or_else(
            || "simworld has said nothing".to_string(),
            |health| health.last_error.clone().unwrap_or_else(|| "simworld names no reason".into()),
        );
        format!(
            "virtual time has not moved for {} s ({said}); look at the log of the stage named, or start again with --fresh",
            STUCK_AFTER.as_secs()
        )
    }

    fn ended(self, trouble: Option<String>, stopped: bool) -> Ended {
        Ended { tally: self.tally, healthy_after: self.healthy_after, truth: self.truth, trouble, stopped }
    }
}
