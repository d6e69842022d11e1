//! One figure in, one score from 0 to 1 out: how good a value of an indicator is.
//!
//! Each file holds the decided curve and, where the two differ, the older one under the name `reference`, which
//! exists to reproduce reference figures only. An absent figure never enters a curve: whoever calls decides what
//! absence means (left out with its weight, or a neutral constant when figures are reproduced).

pub mod below_high;
pub mod calmness;
pub mod dividend;
pub mod earnings;
pub mod fall;
pub mod growth;
pub mod momentum;
pub mod opinion;
pub mod ratios;
pub mod solidity;
pub mod timing;
