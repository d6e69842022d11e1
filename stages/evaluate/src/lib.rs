//! Simulates and scores sequences of trades; any number of instances, here or on other machines.
//!
//! **Reads** `plan/context/{bucket_id}` (everything there is to know) and `plan/job/{n}` (shared among all instances).
//! **Publishes** `plan/result/{n}`: the best sequences of the job and how many were tried.
//! **Owns** no store: a restart loses nothing that `plan` does not ask for again.
//!
//! **Refuses** a sequence, by name, never by panic: [`Infeasible`]. A job for a context that has been replaced is
//! dropped; a job whose context is not here yet waits, within [`limits`].
//!
//! **Invariants.** A sequence's score depends on its context and on nothing else: not on the instance, the job it came
//! in, or the order of messages. Cash moves in integers; floats only make the score ([`score`]).
//!
//! **Limits** are in [`limits`]. Nothing is allocated per sequence.
//!
//! **Deliberately does not do**: choose, remember, read prices, know a bucket's rules, or talk to anything but the bus.
//! It looks at every sequence it is given: no beam, no early stop, no sampling of prices.

pub mod limits;
mod rank;
pub mod score;
mod simulate;
mod stage;
pub mod start;

pub use rank::{Ranking, Tally, tally};
pub use simulate::{Infeasible, Outcome, Parts, Prepared, Walker, in_eur};
pub use stage::{Evaluate, Settings};
pub use start::{BadContext, Start};
