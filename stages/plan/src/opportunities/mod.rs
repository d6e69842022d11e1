//! The finders: each looks at the snapshot and proposes trades, or says for each security why not.
//!
//! A finder decides what is worth proposing and how much of it. What holds for every trade of a side is in `buying` and
//! `selling`, and how a size becomes a proposal in `proposal`. Priorities are between 0 and 1 before a finder's weight.
//!
//! Adding one: a file with `propose`, a line in [`ALL`].

pub mod averaging_down;
mod buying;
pub mod dividend_reinvestment;
pub mod opportunity_buys;
pub mod profit_taking;
mod proposal;
pub mod rebalance_buys;
pub mod rebalance_sells;
mod selling;
pub mod weight_gap;

use contracts::LeftOut;
use market::Isin;

pub use proposal::Proposal;

use crate::{
    parameters::{Parameters, Switch},
    snapshot::Snapshot,
};

/// What a finder says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Trades.
    pub found: Vec<Proposal>,
    /// Why not, at most one per security.
    pub not: Vec<LeftOut>,
}

/// One finder.
#[derive(Debug, Clone, Copy)]
pub struct Finder {
    /// Its name.
    pub name: &'static str,
    /// Where a configuration switches and weighs it.
    pub switch: fn(&Parameters) -> Switch,
    /// What it does.
    pub propose: fn(&Snapshot<'_>, f64) -> Report,
}

/// All finders; of several reasons for one security the first finder's is shown.
pub const ALL: &[Finder] = &[
    Finder { name: weight_gap::NAME, switch: |of| of.weight_based, propose: weight_gap::propose },
    Finder { name: profit_taking::NAME, switch: |of| of.profit_taking, propose: profit_taking::propose },
    Finder {
        name: rebalance_sells::NAME,
        switch: |of| of.rebalance_sells,
        propose: rebalance_sells::propose,
    },
    Finder { name: rebalance_buys::NAME, switch: |of| of.rebalance_buys, propose: rebalance_buys::propose },
    Finder { name: averaging_down::NAME, switch: |of| of.averaging_down, propose: averaging_down::propose },
    Finder {
        name: dividend_reinvestment::NAME,
        switch: |of| of.dividend_reinvestment,
        propose: dividend_reinvestment::propose,
    },
    Finder {
        name: opportunity_buys::NAME,
        switch: |of| of.opportunity_buys,
        propose: opportunity_buys::propose,
    },
];

/// Why a security is not proposed: a code and a sentence.
type No = (&'static str, String);

impl Report {
    fn note(&mut self, isin: Isin, result: Result<Proposal, No>) {
        match result {
            Ok(proposal) => self.found.push(proposal),
            Err((code, text)) => self.not.push(LeftOut { isin, code: code.into(), text }),
        }
    }
}

/// Asks one question about every usable security.
fn each(
    snapshot: &Snapshot<'_>,
    ask: impl Fn(&crate::snapshot::Usable<'_>) -> Result<Proposal, No>,
) -> Report {
    let mut report = Report::default();
    for usable in &snapshot.usable {
        report.note(usable.security.isin, ask(usable));
    }
    report
}

fn overflow(error: impl std::fmt::Display) -> No {
    ("overflow", format!("Its size cannot be computed: {error}."))
}

/// A share as per cent with one decimal, for sentences.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
