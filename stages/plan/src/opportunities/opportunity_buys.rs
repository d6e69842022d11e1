//! Buys a base amount of what scores high.
//!
//! Rule: score ≥ `opportunity_score` → T = clamp(1 % of the fund, smallest trade, `base_trade_amount`), in whole lots;
//! one lot may cost up to 1.5 · T. Priority: score · 1.1.
//!
//! Worked example: fund 40 000, limit 30 EUR, lot 1: T = 400 → buys 13 for 390 EUR.

use contracts::{Candidate, Side};
use limits::Fine;
use money::{Money, Rounding};

use super::{
    No, Report,
    buy_checks::{affordable, concentration, may_buy, overflow, room},
    trade::{Wish, candidate, limit},
};
use crate::snapshot::{Snapshot, Usable};

pub(super) const NAME: &str = "opportunity_buys";
const WEIGHT: f64 = 1.1;

/// Proposes a purchase for every security with a high score.
pub fn propose(snapshot: &Snapshot<'_>) -> Report {
    let mut report = Report::default();
    for usable in &snapshot.usable {
        report.note(usable.security.isin, buy(usable, snapshot));
    }
    report
}

fn buy(usable: &Usable<'_>, snapshot: &Snapshot<'_>) -> Result<Candidate, No> {
    let score = usable.score.get();
    if score < snapshot.rules.opportunity_score {
        return Err(("score_low", format!("Its score is below {}.", snapshot.rules.opportunity_score)));
    }
    may_buy(usable, snapshot)?;
    let price = limit(usable, Side::Buy)?;
    let target = base_size(snapshot)?;
    let size = limits::buy_quantity(target, price, usable.security.lot_e6, Fine::ONE).map_err(overflow)?;
    let most = target.scale(3, 2, Rounding::Down).map_err(overflow)?;
    if size.value_eur > Fine::from(most) {
        return Err(("lot_too_dear", format!("One lot costs more than {most}.")));
    }
    if size.value_eur > Fine::from(room(usable, snapshot)?) {
        return Err(concentration(usable));
    }
    if size.value_eur > Fine::from(affordable(snapshot)?) {
        return Err(("insufficient_cash", "The cash that may be used does not suffice.".into()));
    }
    let wish = Wish {
        side: Side::Buy,
        quantity: size.quantity,
        limit: price,
        finder: NAME,
        priority: score * WEIGHT,
        reason: format!("Its score is {score:.2}."),
    };
    candidate(usable, wish, snapshot)
}

fn base_size(snapshot: &Snapshot<'_>) -> Result<Money, No> {
    let (least, most) = (snapshot.rules.min_trade, snapshot.rules.base_trade);
    let hundredth = snapshot.total.scale(1, 100, Rounding::Down).map_err(overflow)?;
    Ok(Money::from_e4(hundredth.e4().clamp(least.e4(), most.e4().max(least.e4())), hundredth.currency()))
}
