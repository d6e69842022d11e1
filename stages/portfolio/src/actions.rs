//! Corporate actions, recognised from the account itself: what the broker shows explains itself or stays a
//! difference.
//!
//! A **split** changes quantity and average by the same ratio of small whole numbers; a fraction of a unit may be
//! missing, it was paid in cash. A **renamed** security is gone, and an unknown one is there under the same
//! ticker, or with the same quantity and average. A **removed** one is gone, and cash of a corporate action
//! names it. Nothing else is believed: no trade of the broker could look like the first two, and the third has
//! its money. A difference explained like this is still confirmed by a second reading before it is booked.

use std::collections::BTreeSet;

use contracts::Id;
use market::{Isin, Timestamp};
use money::{MoneyError, Price, Quantity, Rounding, multiply_divide};

use crate::books::{Books, Held};
use crate::reconcile::{Account, Reported};

/// Largest side of a ratio.
const SIDE_MAX: i64 = 100;
/// Averages of the broker are compared to one in this many.
const AVERAGE_PARTS: i128 = 1_000;

/// What happened to a security.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// So many units became so many.
    Split {
        /// Units before.
        before: i64,
        /// Units after.
        after: i64,
    },
    /// It goes on under another ISIN.
    Renamed {
        /// Its new ISIN.
        to: Isin,
    },
    /// It was taken over or delisted, and paid in cash.
    Removed,
}

/// A corporate action in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Key.
    pub id: Id,
    /// Which security.
    pub isin: Isin,
    /// What happened.
    pub change: Change,
    /// When it was booked.
    pub at: Timestamp,
    /// Units before.
    pub held: Quantity,
    /// Units after; under the new name if it was renamed.
    pub left: Quantity,
    /// The last price before, in the new units: what quotes from before are compared with.
    pub price: Option<Price>,
}

/// Finds what explains a difference, if anything does.
pub(crate) fn explain(
    isin: &Isin,
    ours: &Books,
    account: &Account,
    paid_out: &BTreeSet<Isin>,
) -> Option<(Change, Quantity)> {
    let held = ours.get(isin).filter(|held| held.qty.is_positive())?;
    match account.held.get(isin) {
        Some(theirs) if theirs.qty.is_positive() => {
            let (before, after) = ratio(held, theirs)?;
            Some((Change::Split { before, after }, theirs.qty))
        }
        Some(_) => None,
        None => match renamed(held, ours, account) {
            Some((to, left)) => Some((Change::Renamed { to }, left)),
            None => paid_out.contains(isin).then_some((Change::Removed, Quantity::ZERO)),
        },
    }
}

/// The smallest ratio that explains both the quantity and the average.
fn ratio(held: &Held, theirs: &Reported) -> Option<(i64, i64)> {
    let (ours, new) = (i128::from(held.avg?.e6()), i128::from(theirs.avg?.e6()));
    let (qty, left) = (i128::from(held.qty.e6()), i128::from(theirs.qty.e6()));
    if ours == 0 || new == 0 || held.ccy != theirs.ccy {
        return None;
    }
    let unit = i128::from(Quantity::SCALE);
    let fits = |before: i64, after: i64| {
        let (before, after) = (i128::from(before), i128::from(after));
        // Average times units stays: ours · before = new · after.
        let same_cost = ((ours * before - new * after) * AVERAGE_PARTS).abs() <= ours * before;
        let exact = qty * after;
        let whole = exact / before / unit * unit;
        same_cost && (exact == left * before || left == whole)
    };
    let pairs = (2..=2 * SIDE_MAX).flat_map(|sum| (1..sum).map(move |before| (before, sum - before)));
    pairs
        .filter(|(before, after)| before != after && *before <= SIDE_MAX && *after <= SIDE_MAX)
        .find(|(before, after)| fits(*before, *after))
}

fn renamed(held: &Held, ours: &Books, account: &Account) -> Option<(Isin, Quantity)> {
    let unknown = account.held.iter().filter(|(isin, theirs)| {
        theirs.qty == held.qty && ours.get(isin).is_none_or(|known| known.qty.is_zero())
    });
    let mut alike = unknown.filter(|(_, theirs)| {
        let same_average = theirs.avg.is_some() && theirs.avg == held.avg;
        theirs.ccy == held.ccy && (theirs.ticker == held.ticker || same_average)
    });
    let (isin, theirs) = alike.next()?;
    alike.next().is_none().then_some((*isin, theirs.qty))
}

/// A price in the units after a split.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub(crate) fn rebased(price: Price, before: i64, after: i64) -> Result<Price, MoneyError> {
    let e6 = multiply_divide(price.e6().into(), before.into(), after.into(), Rounding::HalfEven)?;
    Price::from_e6(i64::try_from(e6).map_err(|_| MoneyError::Overflow { operation: "price after a split" })?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use money::Currency;

    use super::*;

    const OLD: &str = "DE000SMX0015";
    const NEW: &str = "DE000SMX0023";

    fn isin(text: &str) -> Isin {
        text.parse().unwrap()
    }

    fn qty(e6: i64) -> Quantity {
        Quantity::from_e6(e6).unwrap()
    }

    fn books(e6: i64, avg: i64) -> Books {
        let held = Held {
            qty: qty(e6),
            avg: Some(Price::from_e6(avg).unwrap()),
            ..Held::nothing("RHNA.EU", Currency::EUR)
        };
        BTreeMap::from([(isin(OLD), held)])
    }

    fn account(key: &str, ticker: &str, e6: i64, avg: Option<i64>) -> Account {
        let avg = avg.map(|avg| Price::from_e6(avg).unwrap());
        let reported = Reported { ticker: ticker.into(), qty: qty(e6), avg, ccy: Currency::EUR };
        Account { held: BTreeMap::from([(isin(key), reported)]), ..Account::default() }
    }

    fn found(books: &Books, account: &Account, paid: &[&str]) -> Option<(Change, Quantity)> {
        explain(&isin(OLD), books, account, &paid.iter().map(|text| isin(text)).collect())
    }

    #[test]
    fn quantity_and_average_that_change_by_the_same_ratio_are_a_split() {
        let table = [
            (6_000_000, 100_000_000, 24_000_000, 25_000_000, Some((1, 4))),
            (6_000_000, 100_000_001, 9_000_000, 66_666_667, Some((2, 3))),
            (30_000_000, 4_000_000, 3_000_000, 40_000_000, Some((10, 1))),
            // Two and a half: the half was paid in cash.
            (25_000_000, 4_000_000, 2_000_000, 40_000_000, Some((10, 1))),
            // Three would be too many for a tenth, and one too few.
            (25_000_000, 4_000_000, 3_000_000, 40_000_000, None),
            (25_000_000, 4_000_000, 1_000_000, 40_000_000, None),
            // The quantity doubled, the average stayed: a purchase that no trade explains.
            (6_000_000, 100_000_000, 12_000_000, 100_000_000, None),
            (6_000_000, 100_000_000, 12_000_000, 51_000_000, None),
        ];
        for (ours, avg, left, new, expected) in table {
            let found = found(&books(ours, avg), &account(OLD, "RHNA.EU", left, Some(new)), &[]);
            let split = expected.map(|(before, after)| (Change::Split { before, after }, qty(left)));
            assert_eq!(found, split, "{ours} at {avg} became {left} at {new}");
        }
    }

    #[test]
    fn without_an_average_nothing_is_a_split() {
        assert_eq!(
            found(&books(6_000_000, 1_000_000), &account(OLD, "RHNA.EU", 24_000_000, None), &[]),
            None
        );
    }

    #[test]
    fn the_same_holding_under_another_isin_was_renamed_another_one_was_not() {
        let ours = books(6_000_000, 100_000_000);
        let to = Some((Change::Renamed { to: isin(NEW) }, qty(6_000_000)));
        assert_eq!(found(&ours, &account(NEW, "RHNA.EU", 6_000_000, None), &[]), to, "same ticker");
        assert_eq!(found(&ours, &account(NEW, "RHN2.EU", 6_000_000, Some(100_000_000)), &[]), to);
        assert_eq!(found(&ours, &account(NEW, "RHN2.EU", 6_000_000, Some(99_000_000)), &[]), None);
        assert_eq!(found(&ours, &account(NEW, "RHN2.EU", 5_000_000, Some(100_000_000)), &[]), None);
    }

    #[test]
    fn what_is_gone_was_removed_only_if_it_was_paid() {
        let ours = books(6_000_000, 100_000_000);
        assert_eq!(found(&ours, &Account::default(), &[OLD]), Some((Change::Removed, Quantity::ZERO)));
        assert_eq!(found(&ours, &Account::default(), &[NEW]), None);
        assert_eq!(found(&ours, &Account::default(), &[]), None);
    }
}
