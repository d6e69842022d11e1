//! Sells part of a holding that gained far more than its own past explains.
//!
//! Rule: gain less expected gain (growth of its past, at least 0 and at most 20 % a year) → 20 to 50 % of the holding, as
//! the windfall rule of the score says; not again before a further gain of 50 % or a year. Priority: (windfall + 0.5) / 1.5.
//!
//! Worked example: 100 pieces at 50 EUR, windfall 1, 40 % to sell, lot 1 → sells 40, priority 1.0.

use contracts::Side;
use limits::Fine;
use money::Quantity;

use super::{
    No, Proposal, Report, each, overflow, percent,
    proposal::{Wish, proposal, terms},
    selling::{cut, may_sell},
};
use crate::{
    lists::Category,
    sizing::{Size, Terms},
    snapshot::{Snapshot, Usable},
};

/// Its name.
pub const NAME: &str = "profit_taking";

/// Proposes a sale for every windfall.
pub fn propose(snapshot: &Snapshot<'_>, weight: f64) -> Report {
    each(snapshot, |usable| sell(usable, weight, snapshot))
}

/// Pieces that are sold of a holding: the part as whole per cent, whole lots, rounded down.
///
/// # Errors
/// [`money::MoneyError`].
pub fn sold(held: Quantity, part: f64, terms: &Terms) -> money::Result<Size> {
    terms.sell_part(held, whole_percent(part))
}

/// A part of one as whole per cent.
#[allow(clippy::as_conversions, clippy::cast_possible_truncation)] // Clamped to 0 to 100 before.
fn whole_percent(part: f64) -> Fine {
    let percent = (part.clamp(0.0, 1.0) * 100.0).round_ties_even() as i128;
    Fine::from_e12(percent.saturating_mul(Fine::SCALE / 100))
}

/// Priority before the finder's weight.
#[must_use]
pub fn priority(windfall: f64) -> f64 {
    (windfall + 0.5) / 1.5
}

fn sell(usable: &Usable<'_>, weight: f64, snapshot: &Snapshot<'_>) -> Result<Proposal, No> {
    if usable.position.is_none() {
        return Err(("not_held", "The core does not hold it.".into()));
    }
    let Some((windfall, part)) = usable.merit.windfall else {
        return Err(("no_windfall", "How far its gain is explained is not known.".into()));
    };
    if part <= 0.0 {
        return Err(("no_windfall", "Its gain is what its past explains.".into()));
    }
    let from = snapshot.parameters.windfall_from;
    if usable.merit.excess.is_none_or(|excess| excess < from) && from > 0.0 {
        let text = format!("Its gain beyond what its past explains is below {:.0} %.", from * 100.0);
        return Err(("no_windfall", text));
    }
    let terms = terms(usable, Side::Sell)?;
    let held = may_sell(usable, terms.price, snapshot)?.qty_e6;
    let size = sold(held, part, &terms).map_err(overflow)?;
    let wish = Wish {
        side: Side::Sell,
        size: cut(size, usable, held, &terms, snapshot)?,
        limit: terms.price,
        finder: NAME,
        category: Category::ProfitTaking,
        tags: &["windfall", "profit_taking"],
        priority: priority(windfall) * weight,
        reason: reason(usable, part, snapshot),
    };
    proposal(usable, wish, snapshot)
}

/// The gain, how much of it the past does not explain, of what kind the windfall is, and what is taken.
fn reason(usable: &Usable<'_>, part: f64, snapshot: &Snapshot<'_>) -> String {
    let paid = usable.position.and_then(|position| position.avg_price_e6).filter(|paid| !paid.is_zero());
    let gain = paid.map(|paid| usable.quote.price_e6.to_f64() / paid.to_f64() - 1.0);
    let score = snapshot.full_score(usable.security.isin);
    let kind =
        score.and_then(|score| score.windfall.as_ref()).map(|windfall| windfall.reason.replace('_', " "));
    let gain = gain.map_or_else(|| "It gained".to_string(), |gain| format!("It gained {},", percent(gain)));
    let excess = usable.merit.excess.map_or_else(|| "far".to_string(), percent);
    let kind = kind.filter(|kind| !kind.is_empty()).map_or_else(String::new, |kind| format!(" ({kind})"));
    format!("{gain} {excess} more than its past explains{kind}; {:.0} % are taken.", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_per_cent_and_never_more_than_all() {
        for (part, percent) in [(0.2, 20), (0.305, 30), (0.5, 50), (7.0, 100), (-1.0, 0), (f64::NAN, 0)] {
            let expected = Fine::from_e12(percent * Fine::SCALE / 100);
            assert_eq!(whole_percent(part), expected, "{part}");
        }
    }
}
