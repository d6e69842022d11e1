//! Properties of sizes, sales and exchanges for arbitrary figures.
#![allow(clippy::unwrap_used)]

use limits::{
    Costs, Fine, FxNeed, Side, buy_quantity, commission, commission_fine, cross_rate, exceeds_position,
    fx_order, max_loss, max_sell, sell_quantity,
};
use money::{Currency, Money, Price, Quantity, Rate, Rounding, Weight};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_sale_is_whole_lots_and_never_more_than_held(wanted in 0..=i64::MAX, lot in any::<i32>(), held in 0..=i64::MAX) {
        let [wanted, lot, held] = [wanted, lot.into(), held].map(|e6| Quantity::from_e6(e6).unwrap());
        let sold = sell_quantity(wanted, lot, held);
        prop_assert!(sold <= held && sold <= wanted);
        prop_assert!(exceeds_position::check(sold, held).passed);
    }

    #[test]
    fn a_purchase_of_several_lots_stays_within_its_target(
        target in 1..1_000_000_000_000_i64, price in 1..1_000_000_000_000_i64, lot in 0..1_000_i64, rate in 1..1_000_000_i64
    ) {
        let target = Money::from_e4(target, Currency::EUR);
        let rate = Fine::from_e12(i128::from(rate) * 1_000_000_000);
        let price = Price::from_e6(price).unwrap();
        let Ok(size) = buy_quantity(target, price, Quantity::from_units(lot).unwrap(), rate) else { return Ok(()) };
        prop_assert!(size.lots >= 1 && size.quantity.is_positive());
        if size.lots > 1 {
            let tolerance = Fine::from_e12(1_000_000);
            prop_assert!(size.value_eur <= Fine::from(target).checked_add(tolerance).unwrap());
        }
    }

    #[test]
    fn a_larger_loss_never_passes_where_a_smaller_one_fails(
        paid in 1..=i64::MAX, price in 0..=i64::MAX, limit in 0..=1_000_000_i64
    ) {
        let (paid, limit) = (Price::from_e6(paid).unwrap(), Weight::from_e6(limit).unwrap());
        let here = max_loss::check(Price::from_e6(price).unwrap(), Some(paid), limit).passed;
        let lower = max_loss::check(Price::from_e6(price / 2).unwrap(), Some(paid), limit).passed;
        prop_assert!(here || !lower);
    }

    #[test]
    fn half_of_a_holding_may_always_go(position in 0..=i64::MAX) {
        let half = Weight::from_e6(500_000).unwrap();
        let held = Quantity::from_e6(position).unwrap();
        prop_assert!(max_sell::check(Quantity::from_e6(position / 2).unwrap(), held, half).passed);
        let more = Quantity::from_e6(position / 2).unwrap().checked_add(Quantity::from_e6(1).unwrap()).unwrap();
        prop_assert!(!max_sell::check(more, held, half).passed);
    }

    #[test]
    fn a_commission_is_never_rounded_in_our_favour(value in 0..1_000_000_000_000_i64, rate in 1_000_000..10_000_000_000_i64) {
        let costs = Costs { fixed_eur: Money::from_e4(20_000, Currency::EUR), percent: Weight::from_e6(2_000).unwrap() };
        let (value, rate) = (Money::from_e4(value, Currency::USD), Rate::from_e9(rate).unwrap());
        let charged = commission(value, &costs, rate).unwrap();
        let exact = commission_fine(value.into(), &costs, rate, Rounding::Down).unwrap();
        prop_assert!(Fine::from(charged) >= exact);
    }

    #[test]
    fn an_exchange_brings_what_is_needed_and_is_covered(
        need in 1..10_000_000_000_i64, from in 10_000_000..10_000_000_000_i64, to in 10_000_000..10_000_000_000_i64,
        pair in prop::sample::select(vec![
            (Currency::EUR, Currency::USD), (Currency::USD, Currency::EUR), (Currency::EUR, Currency::HKD),
        ])
    ) {
        let rate = cross_rate(Rate::from_e9(from).unwrap(), Rate::from_e9(to).unwrap()).unwrap();
        let request = FxNeed {
            source: pair.0, target: pair.1, need: Money::from_e4(need, pair.1).into(), target_per_source: rate,
            available: Money::from_e4(i64::MAX / 2, pair.0).into(), buffer: Weight::from_e6(20_000).unwrap(),
            lot: Quantity::ZERO,
        };
        let Ok(order) = fx_order(&request) else { return Ok(()) };
        let tolerance = Fine::from_e12(1_000_000);
        prop_assert!(order.receive.checked_add(tolerance).unwrap() >= request.need);
        prop_assert!(order.spend <= request.available);
        prop_assert!(order.side == Side::Buy || order.spend == Fine::from(order.quantity));
    }
}
