//! What a stage is: a state machine without IO, clock or randomness.

use std::{convert::Infallible, future::Future};

use contracts::{Contract, Refused, Reply, SettingsSnapshot};
use market::Timestamp;
use serde::de::DeserializeOwned;

use crate::{Config, Environment, Out};

/// A stage. The runner owns everything that can fail or wait.
pub trait Stage: Sized + 'static {
    /// What it reads and may publish, generated from `topics.toml`.
    type Contract: Contract;
    /// `[stage.NAME]` of `steward.toml`; use `#[serde(default, deny_unknown_fields)]`.
    type Settings: DeserializeOwned;
    /// A change of its rows, applied by [`Stage::apply`] inside the transaction.
    type Save;
    /// A request to the world outside the bus, performed by its [`Edge`].
    type Call: std::fmt::Debug;
    /// What came of it.
    type Reply: std::fmt::Debug;
    /// Whether a call under way keeps stepped time from moving on. A stage whose only call waits for a person
    /// says no: time would stand still until somebody comes.
    const CALLS_HOLD_TIME: bool = true;

    /// Takes its state from its rows. Start-up and recovery are this one path.
    ///
    /// # Errors
    /// One sentence, when the rows contradict each other or a setting breaks a rule.
    fn load(start: &Start<Self::Settings>, rows: Option<&rusqlite::Connection>) -> Result<Self, String>;

    /// Handles one input. Synchronous, infallible, bounded.
    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>);

    /// When time alone makes it act; it is given [`Input::Tick`] then.
    fn wake_at(&self) -> Option<Timestamp> {
        None
    }

    /// Whether a call goes before those that wait already: what was decided now must not grow old behind a question.
    fn is_urgent(_: &Self::Call) -> bool {
        false
    }

    /// False while it waits for an answer that must come before time may move on in stepped time.
    fn is_idle(&self) -> bool {
        true
    }

    /// Writes one change of its rows. Never decides anything.
    ///
    /// # Errors
    /// What SQLite says; the process then ends and starts again from its rows.
    fn apply(_rows: &rusqlite::Transaction<'_>, _save: Self::Save) -> rusqlite::Result<()> {
        Ok(())
    }
}

/// One input of a stage.
#[derive(Debug)]
pub enum Input<S: Stage> {
    /// A message of a topic it reads.
    Heard(<S::Contract as Contract>::Input),
    /// A call came back.
    Replied(S::Reply),
    /// A command it sent was answered.
    Answered(Reply),
    /// Its [`Stage::wake_at`] has come.
    Tick,
    /// Settings changed.
    Settings(SettingsSnapshot),
    /// A message was refused and changed nothing; most stages ignore this.
    Refused(Refused),
}

/// What a stage is told when it starts.
#[derive(Debug, Clone)]
pub struct Start<T> {
    /// Its own settings.
    pub settings: T,
    /// Real or simulated.
    pub environment: Environment,
    /// Instance name, for example `evaluate-2`.
    pub instance: String,
    /// The whole configuration.
    pub config: Config,
}

/// The world outside the bus. Calls are performed one after the other, after the commit that asked for them; urgent ones
/// before the others.
pub trait Edge<S: Stage> {
    /// Performs one call. Never panics; what went wrong is part of the reply.
    fn perform(&self, call: S::Call) -> impl Future<Output = S::Reply>;

    /// Waits for news that nobody asked for, such as a word on a socket; asked for again after each. Most edges have
    /// none. Never listened to while time is stepped: there only answers count, so that the same seed decides the same.
    fn news(&self) -> impl Future<Output = S::Reply> {
        std::future::pending()
    }
}

/// For stages that call nothing.
pub type NoCall = Infallible;

/// The edge of stages that call nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEdge;

impl<S: Stage<Call = NoCall>> Edge<S> for NoEdge {
    async fn perform(&self, call: NoCall) -> S::Reply {
        match call {}
    }
}
