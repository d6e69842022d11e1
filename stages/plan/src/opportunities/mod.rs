//! The finders: each looks at the snapshot and proposes trades, or says for each security why not.
//!
//! Adding one: a file with `propose`, a line in [`ALL`].

mod buy_checks;
mod opportunity_buys;
mod trade;
mod weight_gap;

use contracts::{Candidate, LeftOut};

use crate::snapshot::Snapshot;

/// What a finder says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Trades.
    pub found: Vec<Candidate>,
    /// Why not, at most one per security.
    pub not: Vec<LeftOut>,
}

/// One finder.
pub type Finder = fn(&Snapshot<'_>) -> Report;

/// All finders with their names; of several reasons for one security the first finder's is shown.
pub const ALL: &[(&str, Finder)] =
    &[(weight_gap::NAME, weight_gap::propose), (opportunity_buys::NAME, opportunity_buys::propose)];

/// Why a security is not proposed: a code and a sentence.
type No = (&'static str, String);

impl Report {
    fn note(&mut self, isin: market::Isin, result: Result<Candidate, No>) {
        match result {
            Ok(candidate) => self.found.push(candidate),
            Err((code, text)) => self.not.push(LeftOut { isin, code: code.into(), text }),
        }
    }
}
