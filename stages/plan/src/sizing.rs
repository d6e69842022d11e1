//! How many pieces a trade is: whole lots, rounded down, with what they are worth in EUR.
//!
//! Sales: ⌊pieces / lot⌋ · lot, at most what is held. Purchases of a gap: ⌊EUR · rate / (price · lot)⌋ · lot, so never more
//! than the gap. Purchases of a base amount: the same, but at least one lot, which the finder then limits.
//!
//! Worked example: 400 EUR at 27 USD, lots of 5, 1.08 USD per EUR: ⌊400 · 1.08 / 135⌋ = 3 lots, 15 pieces, 375 EUR.

use limits::{Fine, SizeError};
use money::{Money, MoneyError, Price, Quantity, Rate, Rounding, multiply_divide};

/// What one piece costs and how it may be traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Of one piece, in its currency; never zero.
    pub price: Price,
    /// Units of that currency for one EUR; above zero.
    pub native_per_eur: Fine,
    /// Smallest tradable step.
    pub lot: Quantity,
}

/// A number of pieces and their worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Whole lots.
    pub quantity: Quantity,
    /// In EUR.
    pub value_eur: Fine,
}

impl Terms {
    /// Takes the rate as messages carry it.
    ///
    /// # Errors
    /// [`MoneyError`] for a rate that does not fit.
    pub fn new(price: Price, eur_per_unit: Rate, lot: Quantity) -> money::Result<Terms> {
        let native_per_eur = Fine::ONE.over(eur_per_unit.into(), Rounding::Down)?;
        Ok(Terms { price, native_per_eur, lot })
    }

    /// Gives a number of pieces its worth.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn size(&self, quantity: Quantity) -> money::Result<Size> {
        let value_eur = Fine::value(self.price, quantity)?.over(self.native_per_eur, Rounding::HalfEven)?;
        Ok(Size { quantity, value_eur })
    }

    /// Sells a part of what is held.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn sell_part(&self, held: Quantity, part: Fine) -> money::Result<Size> {
        let pieces = multiply_divide(held.e6().into(), part.e12(), Fine::SCALE, Rounding::Down)?;
        self.sell(quantity(pieces)?, held)
    }

    /// Sells about an amount of EUR, never more.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn sell_worth(&self, eur: Fine, held: Quantity) -> money::Result<Size> {
        self.sell(self.pieces(eur)?, held)
    }

    /// Sells a number of pieces as far as whole lots and the holding allow.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn sell(&self, wanted: Quantity, held: Quantity) -> money::Result<Size> {
        self.size(limits::sell_quantity(wanted, self.lot, held))
    }

    /// Buys for an amount of EUR, never for more.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn buy_within(&self, eur: Fine) -> money::Result<Size> {
        self.size(limits::round_to_lots(self.pieces(eur)?, self.lot))
    }

    /// Buys for about an amount of EUR, at least one lot.
    ///
    /// # Errors
    /// [`SizeError`].
    pub fn buy_about(&self, eur: Money) -> Result<Size, SizeError> {
        let size = limits::buy_quantity(eur, self.price, self.lot, self.native_per_eur)?;
        Ok(Size { quantity: size.quantity, value_eur: size.value_eur })
    }

    /// Pieces worth an amount of EUR, rounded down; a negative amount is none.
    fn pieces(&self, eur: Fine) -> money::Result<Quantity> {
        if !eur.is_positive() {
            return Ok(Quantity::ZERO);
        }
        let native = eur.times(self.native_per_eur, Rounding::Down)?;
        quantity(multiply_divide(native.e12(), 1, self.price.e6().into(), Rounding::Down)?)
    }
}

fn quantity(e6: i128) -> money::Result<Quantity> {
    let e6 = i64::try_from(e6).map_err(|_| MoneyError::Overflow { operation: "pieces" })?;
    Quantity::from_e6(e6)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn terms(price: &str, native_per_eur: i128, lot: &str) -> Terms {
        Terms {
            price: price.parse().unwrap(),
            native_per_eur: Fine::from_e12(native_per_eur * 10_000_000_000),
            lot: lot.parse().unwrap(),
        }
    }

    fn fine(units: i128) -> Fine {
        Fine::from_e12(units * Fine::SCALE)
    }

    fn of(units: i64) -> Quantity {
        Quantity::from_units(units).unwrap()
    }

    #[test]
    fn a_purchase_never_costs_more_than_its_amount() {
        let dollars = terms("27", 108, "5");
        let size = dollars.buy_within(fine(400)).unwrap();
        assert_eq!((size.quantity, size.value_eur), (of(15), fine(375)));
        assert_eq!(dollars.buy_within(fine(500)).unwrap().quantity, of(20));
        assert_eq!(dollars.buy_within(fine(124)).unwrap().quantity, Quantity::ZERO);
        assert_eq!(dollars.buy_within(fine(-1)).unwrap().quantity, Quantity::ZERO);
    }

    #[test]
    fn a_base_amount_buys_at_least_one_lot() {
        let euros = terms("30", 100, "10");
        assert_eq!(euros.buy_about(Money::parse("250 EUR").unwrap()).unwrap().quantity, of(10));
        assert_eq!(euros.buy_about(Money::parse("600 EUR").unwrap()).unwrap().quantity, of(20));
    }

    #[test]
    fn sales_are_rounded_down_and_never_exceed_the_holding() {
        let euros = terms("30", 100, "10");
        assert_eq!(euros.sell_part(of(57), Fine::ONE).unwrap().quantity, of(50));
        assert_eq!(
            euros.sell_part(of(57), Fine::from_e12(Fine::SCALE / 10)).unwrap().quantity,
            Quantity::ZERO
        );
        assert_eq!(euros.sell_worth(fine(1_000_000), of(57)).unwrap().quantity, of(50));
        assert_eq!(euros.sell_worth(fine(329), of(57)).unwrap().quantity, of(10));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let grain = terms("0.000001", 100, "1");
        assert!(grain.buy_within(Fine::from_e12(i128::MAX)).is_err());
        let eur = Money::from_e4(i64::MAX, money::Currency::EUR);
        assert!(grain.buy_about(eur).is_err());
    }
}
