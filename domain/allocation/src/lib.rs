//! How much of each: the programmes that turn expected returns and risk into weights.
//!
//! Pure functions; no clock, no files, no randomness, and the same bits for the same input: one solver
//! (Clarabel, interior point), one thread, a fixed order of assets and rows. Returns are fractions a year,
//! covariances fraction² a year, weights fractions of what is shared out. A result keeps every limit to 1e-6 or
//! it is a [`Refusal`]; no input makes a function panic or answer with something that is not a number.
//!
//! Reads and publishes nothing and owns nothing: `optimise` calls it. It knows no securities, no money and no orders.
//! Limits: a few hundred assets, dense matrices.
//!
//! | File | Says |
//! |---|---|
//! | [`limits`] | what weights must keep: bounds, groups, their sum |
//! | [`frontier`] | least risk for a return, most return for a risk, best ratio |
//! | [`ladder`] | which of these when the first is impossible |
//! | [`tail_loss`] | least mean loss on the worst days (CVaR) |
//! | [`project`] | the nearest weights that keep the limits |
//! | [`feasibility`] | whether any weights can, which limits clash, what gives way |
//! | [`refusal`] | why there is no answer, as one list of codes |
//! | `programme` | the only place that talks to the solver |

pub mod feasibility;
pub mod frontier;
pub mod ladder;
pub mod limits;
mod programme;
pub mod project;
pub mod refusal;
pub mod tail_loss;

pub use limits::{Bound, Group, Limits};
pub use refusal::Refusal;
