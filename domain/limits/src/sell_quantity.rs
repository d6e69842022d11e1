//! Quantities in whole lots, and how much of a holding a sale takes.

use money::Quantity;

/// Gives the lot that is in force: at least one piece.
#[must_use]
pub fn effective_lot(min_lot: Quantity) -> Quantity {
    let one = Quantity::from_units(1).expect("one piece fits");
    min_lot.max(one)
}

/// Drops what exceeds whole lots, towards zero.
#[must_use]
pub fn round_to_lots(quantity: Quantity, min_lot: Quantity) -> Quantity {
    quantity.round_down_to(effective_lot(min_lot)).expect("a lot in force is positive")
}

/// Rounds a wanted sale to lots and limits it to the whole lots that are held.
///
/// Nothing held means nothing to sell. A negative wish stays negative; the gate refuses it.
#[must_use]
pub fn sell_quantity(wanted: Quantity, min_lot: Quantity, holdings: Quantity) -> Quantity {
    let sold = round_to_lots(wanted, min_lot).min(round_to_lots(holdings, min_lot));
    assert!(sold <= holdings.max(wanted), "a sale is rounded down, never up");
    sold
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    #[test]
    fn sells_nothing_when_nothing_is_held() {
        assert_eq!(sell_quantity(of("27"), of("10"), of("0")), of("0"));
    }

    #[test]
    fn sells_nothing_below_one_lot() {
        assert_eq!(sell_quantity(of("9"), of("10"), of("100")), of("0"));
        assert_eq!(sell_quantity(of("100"), of("10"), of("9")), of("0"));
    }

    #[test]
    fn a_lot_below_one_counts_as_one() {
        for lot in ["0", "-5", "0.5"] {
            assert_eq!(effective_lot(of(lot)), of("1"));
        }
    }
}
