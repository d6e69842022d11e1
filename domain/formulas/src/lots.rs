//! A holding from its fills: how long it has been held, what was put in, and when something was taken out last.
//!
//! Definition: the holding begins with the first purchase after nothing was held. Sales take the oldest pieces first.
//! Mean day bought = Σ(day·quantity)/Σ quantity over what is left. Gain since then, with what sales and dividends brought:
//! (held·price + sold + dividends − bought)/bought. Units: days since any fixed day, pieces, money of one currency.
//! No fills, nothing left, more sold than held, a price or quantity that is not a positive number: `None`.
//!
//! Allocates one entry per purchase that is not sold yet.

use crate::finite::{all_finite, finite};

/// What is left below this share of a purchase is rounding.
const NOTHING: f64 = 1e-9;

/// One purchase (quantity above zero) or sale (below).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fill {
    /// When.
    pub day: i32,
    /// Pieces, signed.
    pub quantity: f64,
    /// Of one piece.
    pub price: f64,
}

/// The last time something was taken out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taken {
    /// When.
    pub day: i32,
    /// Gain of the sold pieces over the average cost at that time.
    pub gain: f64,
}

/// A holding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Holding {
    /// Pieces left.
    pub quantity: f64,
    /// First purchase.
    pub opened: i32,
    /// Mean day on which what is left was bought.
    pub mean_day: f64,
    /// Paid for all purchases since it was opened.
    pub bought: f64,
    /// Brought by all sales since then.
    pub sold: f64,
    /// Last sale since then.
    pub taken: Option<Taken>,
}

/// Reads the fills, oldest first.
///
/// # Examples
/// ```
/// use formulas::lots::{Fill, holding};
/// let fill = |day, quantity, price| Fill { day, quantity, price };
/// // 10 at 100, 10 at 120, 10 sold at 150: the first ten are gone, what is left was bought on day 50.
/// let held = holding(&[fill(0, 10.0, 100.0), fill(50, 10.0, 120.0), fill(80, -10.0, 150.0)]).unwrap();
/// assert_eq!((held.quantity, held.opened, held.mean_day), (10.0, 0, 50.0));
/// assert!((held.taken.unwrap().gain - (150.0 - 110.0) / 110.0).abs() < 1e-12);
/// // Worth 1 600 now, 1 500 brought before, 30 of dividends, 2 200 paid.
/// assert!((held.gain(160.0, 30.0).unwrap() - 930.0 / 2_200.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn holding(fills: &[Fill]) -> Option<Holding> {
    let mut lots: Vec<(i32, f64)> = Vec::new();
    let mut held: Option<Holding> = None;
    let mut cost = 0.0;
    for fill in fills {
        if !(fill.price > 0.0 && all_finite(&[fill.price, fill.quantity]) && fill.quantity.abs() > 0.0) {
            return None;
        }
        let (pieces, worth) = (fill.quantity.abs(), fill.quantity.abs() * fill.price);
        if fill.quantity > 0.0 {
            let now = held.get_or_insert(Holding {
                quantity: 0.0,
                opened: fill.day,
                mean_day: 0.0,
                bought: 0.0,
                sold: 0.0,
                taken: None,
            });
            lots.push((fill.day, pieces));
            now.quantity += pieces;
            now.bought += worth;
            cost += worth;
            continue;
        }
        let now = held.as_mut()?;
        let left = now.quantity - pieces;
        let rounding = NOTHING * now.quantity;
        if left < -rounding {
            return None;
        }
        let average = cost / now.quantity;
        now.taken = Some(Taken { day: fill.day, gain: finite(fill.price / average - 1.0)? });
        now.sold += worth;
        now.quantity = left;
        cost -= average * pieces;
        take(&mut lots, pieces);
        if left <= rounding {
            (held, cost) = (None, 0.0);
            lots.clear();
        }
    }
    let mut held = held?;
    let days: f64 = lots.iter().map(|(day, pieces)| f64::from(*day) * pieces).sum();
    held.mean_day = finite(days / lots.iter().map(|(_, pieces)| pieces).sum::<f64>())?;
    all_finite(&[held.quantity, held.bought, held.sold]).then_some(held)
}

/// Takes pieces away, oldest first.
fn take(lots: &mut Vec<(i32, f64)>, mut pieces: f64) {
    lots.retain_mut(|(_, left)| {
        let taken = left.min(pieces);
        pieces -= taken;
        *left -= taken;
        *left > 0.0
    });
}

impl Holding {
    /// The gain at a price, with what was received since it was opened.
    #[must_use]
    pub fn gain(&self, price: f64, received: f64) -> Option<f64> {
        if price > 0.0 && self.bought > 0.0 {
            finite((self.quantity * price + self.sold + received - self.bought) / self.bought)
        } else {
            None
        }
    }

    /// Days it has been held on average, at least 0.
    #[must_use]
    pub fn days(&self, today: i32) -> f64 {
        (f64::from(today) - self.mean_day).max(0.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fill(day: i32, quantity: f64, price: f64) -> Fill {
        Fill { day, quantity, price }
    }

    #[test]
    fn nothing_left_is_no_holding_and_a_new_purchase_begins_another() {
        assert_eq!(holding(&[]), None);
        let mut fills = vec![fill(0, 10.0, 100.0), fill(5, -10.0, 90.0)];
        assert_eq!(holding(&fills), None);
        fills.push(fill(9, 2.0, 80.0));
        let held = holding(&fills).unwrap();
        assert_eq!((held.opened, held.sold, held.taken), (9, 0.0, None), "the first holding is over");
    }

    #[test]
    fn more_purchases_make_it_younger_and_sales_too() {
        let mean = |fills: &[Fill]| holding(fills).unwrap().mean_day;
        let once = [fill(0, 10.0, 100.0), fill(100, 30.0, 100.0)];
        assert!((mean(&once) - 75.0).abs() < 1e-12);
        let sold = [once[0], once[1], fill(120, -5.0, 100.0)];
        assert!((mean(&sold) - 3_000.0 / 35.0).abs() < 1e-12, "the oldest five are gone");
        assert!((holding(&once).unwrap().days(100) - 25.0).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_is_nothing() {
        for broken in [
            vec![fill(0, -1.0, 100.0)],
            vec![fill(0, 1.0, 100.0), fill(1, -2.0, 100.0)],
            vec![fill(0, 1.0, 0.0)],
            vec![fill(0, 0.0, 100.0)],
            vec![fill(0, f64::NAN, 100.0)],
            vec![fill(0, 1e308, 1e308)],
        ] {
            assert_eq!(holding(&broken), None, "{broken:?}");
        }
        let held = holding(&[fill(0, 1.0, 100.0)]).unwrap();
        assert_eq!((held.gain(0.0, 0.0), held.gain(f64::NAN, 0.0)), (None, None));
    }
}
