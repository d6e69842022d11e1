//! Closes the distance between a holding and its target.
//!
//! Rule: |target − share| > `min_gap` → buy or sell the difference. A purchase is at most what the cash pays for and
//! what the limit of one security leaves; a sale is in whole lots, at most half of the holding, and only when loss,
//! holding time and pause allow it. Priority: min(1, |gap| / 5 %).
//!
//! Worked example: fund 20 000, target 8 %, share 5 %, limit 30 EUR, lot 1: gap 600 EUR → buys 20, priority 0.6.

use contracts::{Candidate, Side};
use limits::{SellCode, SellQuestion, SellTerms};
use money::{Money, Price, Quantity, Rounding, multiply_divide};

use super::{
    No, Report,
    buy_checks::{affordable, concentration, may_buy, overflow, room},
    trade::{Wish, candidate, limit, percent},
};
use crate::snapshot::{Snapshot, Usable};

pub(super) const NAME: &str = "weight_gap";
/// Gap from which on the priority is full.
const FULL_GAP_E6: f64 = 50_000.0;

/// Proposes a purchase or a sale for every security off its target.
pub fn propose(snapshot: &Snapshot<'_>) -> Report {
    let mut report = Report::default();
    for usable in &snapshot.usable {
        let gap_e6 = usable.target.e6().saturating_sub(usable.current_e6);
        let proposed = if gap_e6.saturating_abs() <= snapshot.rules.min_gap.e6() {
            Err((
                "on_target",
                format!("It is within {} of its target.", percent(snapshot.rules.min_gap.e6())),
            ))
        } else if gap_e6 > 0 {
            buy(usable, gap_e6, snapshot)
        } else {
            sell(usable, gap_e6.saturating_abs(), snapshot)
        };
        report.note(usable.security.isin, proposed);
    }
    report
}

fn buy(usable: &Usable<'_>, gap_e6: i64, snapshot: &Snapshot<'_>) -> Result<Candidate, No> {
    may_buy(usable, snapshot)?;
    let price = limit(usable, Side::Buy)?;
    let gap = worth(gap_e6, snapshot)?;
    let (room, cash) = (room(usable, snapshot)?, affordable(snapshot)?);
    let min_trade = snapshot.rules.min_trade;
    if room.e4() < min_trade.e4() {
        return Err(concentration(usable));
    }
    if cash.e4() < min_trade.e4() {
        return Err(("insufficient_cash", "The cash that may be used does not suffice.".into()));
    }
    let size = Money::from_e4(gap.e4().min(room.e4()).min(cash.e4()), gap.currency());
    let quantity = pieces(size, usable, price, Rounding::Down)?;
    let quantity = limits::round_to_lots(quantity, usable.security.lot_e6);
    let reason = format!("{} under its target of {}.", percent(gap_e6), percent(usable.target.e6()));
    candidate(usable, wish(Side::Buy, quantity, price, gap_e6, reason), snapshot)
}

fn sell(usable: &Usable<'_>, gap_e6: i64, snapshot: &Snapshot<'_>) -> Result<Candidate, No> {
    let Some(position) = usable.position else {
        return Err(("other_bucket", "The core does not hold it.".into()));
    };
    let price = limit(usable, Side::Sell)?;
    let question = SellQuestion {
        allow_sell: usable.security.allow_sell,
        price,
        avg_price: position.avg_price_e6,
        days_since_last_transaction: usable.days_since_transaction,
        days_since_last_sell: usable.days_since_sell,
    };
    let terms = SellTerms { min_hold_days: snapshot.min_hold_days, ..snapshot.rules.sell };
    if let Some(code) = limits::sell_eligibility(&question, &terms).code {
        return Err(forbidden(code));
    }
    let held = position.qty_e6;
    let wanted = if usable.target.e6() == 0 {
        held
    } else {
        pieces(worth(gap_e6, snapshot)?, usable, price, Rounding::Down)?
    };
    let part =
        multiply_divide(held.e6().into(), snapshot.rules.max_sell.e6().into(), 1_000_000, Rounding::Down);
    let part = part.ok().and_then(|e6| i64::try_from(e6).ok()).unwrap_or(0);
    let most = Quantity::from_e6(part).map_err(overflow)?;
    let quantity = limits::sell_quantity(wanted.min(most), usable.security.lot_e6, held);
    if !quantity.is_positive() {
        return Err(("max_sell", "Not even one lot of it may be sold at once.".into()));
    }
    let within = limits::max_sell::check(quantity, held, snapshot.rules.max_sell).passed
        && limits::exceeds_position::check(quantity, held).passed;
    if !within {
        return Err(("max_sell", "Too large a part of it would be sold at once.".into()));
    }
    let reason = format!("{} over its target of {}.", percent(gap_e6), percent(usable.target.e6()));
    candidate(usable, wish(Side::Sell, quantity, price, gap_e6, reason), snapshot)
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss)] // A gap is below two million; only the order of candidates depends on it.
fn wish(side: Side, quantity: Quantity, limit: Price, gap_e6: i64, reason: String) -> Wish {
    let priority = (gap_e6 as f64 / FULL_GAP_E6).min(1.0);
    Wish { side, quantity, limit, finder: NAME, priority, reason }
}

fn worth(gap_e6: i64, snapshot: &Snapshot<'_>) -> Result<Money, No> {
    snapshot.total.scale(gap_e6, 1_000_000, Rounding::Down).map_err(overflow)
}

/// How many pieces an amount of EUR is worth at a limit.
fn pieces(amount: Money, usable: &Usable<'_>, limit: Price, rounding: Rounding) -> Result<Quantity, No> {
    // 1/10⁴ EUR · 10⁹⁺⁸ / (1/10⁶ native · 1/10⁹ EUR per native) = 1/10⁶ pieces.
    let divisor = i128::from(limit.e6()).saturating_mul(usable.rate.e9().into());
    let scaled =
        multiply_divide(amount.e4().into(), 100_000_000_000_000_000, divisor, rounding).map_err(overflow)?;
    let e6 = i64::try_from(scaled).map_err(overflow)?;
    Quantity::from_e6(e6).map_err(overflow)
}

fn forbidden(code: SellCode) -> No {
    let (code, text) = match code {
        SellCode::SideNotAllowed => ("side_not_allowed", "The owner does not allow to sell it."),
        SellCode::CostBasisUnknown => ("cost_basis_unknown", "What was paid for it is not known."),
        SellCode::MaxLoss => ("max_loss", "The sale would realise too large a loss."),
        SellCode::MinHold => ("min_hold", "It was traded too recently to be sold."),
        SellCode::SellCooldown => ("sell_cooldown", "It was sold too recently to be sold again."),
    };
    (code, text.to_string())
}
