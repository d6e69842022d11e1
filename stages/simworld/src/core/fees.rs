//! What the broker charges.

use super::fixed::{cents_e4, cents_of};

/// Fixed part of an order in securities, EUR.
const FIXED_EUR: f64 = 2.0;
/// Proportional part of an order in securities, per 1000.
const PER_MILLE_SECURITY: i128 = 2;
/// Proportional part of a currency exchange, per 1000.
const PER_MILLE_EXCHANGE: i128 = 1;
/// Smallest fee of a currency exchange, one unit of the quote currency, e4.
const EXCHANGE_MIN_E4: i64 = 10_000;

/// Factor of a fee that surprises.
pub(crate) const SURPRISE: i64 = 5;

/// Returns the tax on a trade, tenths of a percent of its value by country; Hong Kong takes it from both sides.
pub(crate) fn tax_on_trade(country: &str, currency: &str, buy: bool, value_e4: i64) -> i64 {
    let per_mille = match (country, currency) {
        (_, "HKD") => 1,
        ("GB", _) if buy => 5,
        ("FR", _) if buy => 4,
        ("IT", _) if buy => 1,
        _ => 0,
    };
    cents_e4(i128::from(value_e4) * per_mille, 7)
}

/// Returns the fee of one fill in a security: the fixed part comes with the first fill.
pub(crate) fn of_security_fill(value_e4: i64, first: bool, units_per_euro: f64) -> i64 {
    let fixed = if first { cents_of(FIXED_EUR * units_per_euro) } else { 0 };
    fixed + cents_e4(i128::from(value_e4) * PER_MILLE_SECURITY, 7)
}

/// Returns the fee of one fill of a currency pair: the order's fee so far minus what was charged already.
pub(crate) fn of_exchange_fill(order_value_e4: i64, charged_e4: i64) -> i64 {
    let due = cents_e4(i128::from(order_value_e4) * PER_MILLE_EXCHANGE, 7).max(EXCHANGE_MIN_E4);
    (due - charged_e4).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_part_is_charged_once_and_converted() {
        assert_eq!(of_security_fill(10_134_000, true, 1.17), 23_400 + 20_300);
        assert_eq!(of_security_fill(10_134_000, false, 1.17), 20_300);
        assert_eq!(of_security_fill(0, false, 1.0), 0);
    }

    #[test]
    fn an_exchange_costs_at_least_one_unit_of_the_quote_currency() {
        assert_eq!(of_exchange_fill(1_000_000, 0), 10_000);
        assert_eq!(of_exchange_fill(20_000_000, 10_000), 10_000);
        assert_eq!(of_exchange_fill(1_000_000, 10_000), 0);
    }
}
