//! Buys a base amount of what is good.
//!
//! Rule: quality ≥ 0.7 → T = clamp(1 % of the fund, smallest trade, `base_trade_amount`), in whole lots; one lot may cost
//! up to 1.5 · T. Priority: quality.
//!
//! Worked example: fund 40 000, limit 30 EUR, lot 1: T = 400 → buys 13 for 390 EUR.

use contracts::Side;

use super::{
    No, Proposal, Report,
    buying::{about, base_size, may_buy},
    each,
    proposal::{Wish, proposal, terms},
};
use crate::{
    lists::Category,
    snapshot::{Snapshot, Usable},
};

/// Its name.
pub const NAME: &str = "opportunity_buys";

/// Proposes a purchase for every security of high quality.
pub fn propose(snapshot: &Snapshot<'_>, weight: f64) -> Report {
    each(snapshot, |usable| buy(usable, weight, snapshot))
}

/// Whether a quality is enough.
#[must_use]
pub fn is_good(quality: f64, least: f64) -> bool {
    quality >= least
}

fn buy(usable: &Usable<'_>, weight: f64, snapshot: &Snapshot<'_>) -> Result<Proposal, No> {
    let Some(quality) = usable.merit.quality else {
        return Err(("quality_unknown", "How good it is is not known.".into()));
    };
    let least = snapshot.parameters.opportunity_quality;
    if !is_good(quality, least) {
        return Err(("quality_low", format!("Its quality is below {least}.")));
    }
    may_buy(usable, snapshot)?;
    let terms = terms(usable, Side::Buy)?;
    let wish = Wish {
        side: Side::Buy,
        size: about(base_size(snapshot)?, &terms, usable, snapshot)?,
        limit: terms.price,
        finder: NAME,
        category: Category::OpportunityBuys,
        tags: &["quality", "opportunity"],
        priority: quality * weight,
        reason: format!("Its quality is {quality:.2}."),
    };
    proposal(usable, wish, snapshot)
}
