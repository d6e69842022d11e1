//! What every stage stands on: the runner, the clock, the store and the two transports.
//!
//! A stage is a pure state machine ([`Stage`]); everything that can fail, wait or be reordered is here:
//!
//! * [`Engine`] does, per input: drop what is not newer → `handle` → save rows and statements in one SQLite
//!   transaction → hand out what is to be published. It has no socket and no clock, so tests drive it directly.
//! * [`run`](runner::run) joins an engine to a [`Transport`](transport::Transport), a [`Clock`] and an [`Edge`]:
//!   connect → subscribe → repeat own statements → handle inputs, until it is told to stop.
//! * [`Store`] opens a SQLite file with its pragmas, checks whose it is, and migrates it forward.
//! * [`transport::mqtt`] speaks to any MQTT 3.1.1 broker, [`transport::local`] is a seeded broker in this process that
//!   can drop, double, delay and reorder.
//!
//! **Limits** 16 384 messages that wait, 512 that are to be sent, 256 calls that wait, one call under way, packets of 260 KB;
//! beyond a limit the bus is left waiting or the process ends and starts again from its store.
//!
//! A lost, doubled, late or reordered message changes nothing: statements carry versions, owners repeat them at
//! every connect, and what must happen once hangs on a key of the domain. There is no outbox, no table of seen
//! messages and no acknowledgement, on purpose.

mod clock;
mod config;
mod engine;
mod logging;
mod out;
mod report;
pub mod runner;
mod secret;
mod seen;
mod stage;
mod statements;
mod store;
mod store_error;
pub mod transport;

pub use clock::{Clock, virtual_time, wall};
pub use config::{Bus as BusConfig, Config, ConfigError, Environment};
pub use engine::{Engine, EngineError, Node, Publication, subscription_quality};
pub use logging::start_log;
pub use out::Out;
pub use report::Report;
pub use runner::{Arguments, StartError, main, main_on, main_with};
pub use secret::{SecretError, approval_key, password};
pub use stage::{Edge, Input, NoCall, NoEdge, Stage, Start};
pub use store::{Place, Store, WriteFault, open_for_reading};
pub use store_error::StoreError;
