//! Properties that hold for all amounts: no silent overflow, no lost digit, no lost sign.
#![allow(clippy::unwrap_used)]

use money::{
    Currency, Money, Price, Quantity, Rate, Rounding, Weight, convert, divide, format_scaled, parse_scaled,
    value,
};
use proptest::prelude::*;

fn currencies() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec![Currency::EUR, Currency::USD, Currency::JPY, Currency::HKD])
}

fn roundings() -> impl Strategy<Value = Rounding> {
    prop::sample::select(vec![Rounding::HalfEven, Rounding::Up, Rounding::Down])
}

proptest! {
    #[test]
    fn addition_is_associative_and_commutative(a in any::<i32>(), b in any::<i32>(), c in any::<i32>()) {
        let [a, b, c] = [a, b, c].map(|e4| Money::from_e4(e4.into(), Currency::EUR));
        let left = a.checked_add(b).unwrap().checked_add(c).unwrap();
        let right = a.checked_add(b.checked_add(c).unwrap()).unwrap();
        prop_assert_eq!(left, right);
        prop_assert_eq!(a.checked_add(b), b.checked_add(a));
        prop_assert_eq!(Money::checked_sum(Currency::EUR, [c, a, b]), Ok(left));
    }

    #[test]
    fn no_operation_overflows_silently(a in any::<i64>(), b in any::<i64>()) {
        let [x, y] = [a, b].map(|e4| Money::from_e4(e4, Currency::USD));
        let exact = |wide: i128| i64::try_from(wide).ok().map(|e4| Money::from_e4(e4, Currency::USD));
        let (wide_a, wide_b) = (i128::from(a), i128::from(b));
        prop_assert_eq!(x.checked_add(y).ok(), exact(wide_a + wide_b));
        prop_assert_eq!(x.checked_sub(y).ok(), exact(wide_a - wide_b));
        prop_assert_eq!(x.checked_mul(b).ok(), exact(wide_a * wide_b));
        prop_assert_eq!(x.checked_neg().ok(), exact(-wide_a));
    }

    #[test]
    fn value_equals_wide_arithmetic_or_is_an_error(price in 0..=i64::MAX, quantity in any::<i64>()) {
        let worth = value(
            Price::from_e6(price).unwrap(),
            Quantity::from_e6(quantity).unwrap(),
            Currency::EUR,
            Rounding::Down,
        );
        let wide = (i128::from(price) * i128::from(quantity)).div_euclid(100_000_000);
        prop_assert_eq!(worth.ok().map(|money| i128::from(money.e4())), i64::try_from(wide).ok().map(i128::from));
    }

    #[test]
    fn rounding_stays_within_one_unit_and_in_order(n in any::<i64>(), d in 1..=i64::MAX) {
        let (n, d) = (i128::from(n), i128::from(d));
        let down = divide(n, d, Rounding::Down).unwrap();
        let even = divide(n, d, Rounding::HalfEven).unwrap();
        let up = divide(n, d, Rounding::Up).unwrap();
        prop_assert!(down <= even && even <= up && up - down <= 1);
        prop_assert!(down * d <= n && n <= up * d);
        prop_assert!(2 * (even * d - n).abs() <= d);
    }

    #[test]
    fn money_survives_text_json_and_messagepack(e4 in any::<i64>(), currency in currencies()) {
        let money = Money::from_e4(e4, currency);
        prop_assert_eq!(Money::parse(&money.to_string()), Ok(money));
        let json = serde_json::to_vec(&money).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Money>(&json).unwrap(), money);
        let named = rmp_serde::to_vec_named(&money).unwrap();
        prop_assert_eq!(rmp_serde::from_slice::<Money>(&named).unwrap(), money);
        let compact = rmp_serde::to_vec(&money).unwrap();
        prop_assert_eq!(rmp_serde::from_slice::<Money>(&compact).unwrap(), money);
    }

    #[test]
    fn scaled_types_survive_text_json_and_messagepack(
        price in 0..=i64::MAX, quantity in any::<i64>(), rate in 1..=i64::MAX, weight in 0..=1_000_000_i64
    ) {
        macro_rules! round_trip {
            ($value:expr, $type:ty) => {{
                let value: $type = $value.unwrap();
                prop_assert_eq!(value.to_string().parse::<$type>(), Ok(value));
                let json = serde_json::to_vec(&value).unwrap();
                prop_assert_eq!(serde_json::from_slice::<$type>(&json).unwrap(), value);
                let bytes = rmp_serde::to_vec_named(&value).unwrap();
                prop_assert_eq!(rmp_serde::from_slice::<$type>(&bytes).unwrap(), value);
            }};
        }
        round_trip!(Price::from_e6(price), Price);
        round_trip!(Quantity::from_e6(quantity), Quantity);
        round_trip!(Rate::from_e9(rate), Rate);
        round_trip!(Weight::from_e6(weight), Weight);
    }

    #[test]
    fn any_scale_survives_text(scaled in any::<i64>(), digits in 0..=9_u32) {
        let text = format_scaled(scaled, digits, 0);
        prop_assert_eq!(parse_scaled(&text, digits, "number"), Ok(scaled));
    }

    #[test]
    fn arbitrary_text_never_panics(text in ".{0,24}") {
        let _ = Money::parse(&text);
        let _ = text.parse::<Price>();
        let _ = Currency::new(&text);
    }

    #[test]
    fn arbitrary_doubles_never_panic_and_round_to_the_nearest(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        if let Ok(quantity) = Quantity::from_f64(number) {
            prop_assert!((quantity.to_f64() - number).abs() <= 0.000_000_6 + number.abs() * 1e-15);
        }
        let _ = Rate::from_f64(number);
        let _ = Weight::from_f64(number);
    }

    #[test]
    fn doubles_of_scaled_integers_return_unchanged(e6 in -4_000_000_000_000_000_i64..4_000_000_000_000_000) {
        let quantity = Quantity::from_e6(e6).unwrap();
        prop_assert_eq!(Quantity::from_f64(quantity.to_f64()), Ok(quantity));
    }

    #[test]
    fn conversion_there_and_back_loses_at_most_what_was_rounded(
        e4 in 0..1_000_000_000_000_i64, rate in 10_000_000..100_000_000_000_i64, rounding in roundings()
    ) {
        let rate = Rate::from_e9(rate).unwrap();
        let dollars = Money::from_e4(e4, Currency::USD);
        let euros = convert(dollars, rate, Rate::ONE, Currency::EUR, rounding).unwrap();
        let back = convert(euros, Rate::ONE, rate, Currency::USD, rounding).unwrap();
        let grain = Rate::ONE.e9() / rate.e9() + 2;
        prop_assert!((back.e4() - e4).abs() <= grain);
    }

    #[test]
    fn lots_never_add_pieces(quantity in any::<i64>(), lot in 1..=i64::MAX) {
        let quantity = Quantity::from_e6(quantity).unwrap();
        let lot = Quantity::from_e6(lot).unwrap();
        let whole = quantity.round_down_to(lot).unwrap();
        prop_assert!(whole.is_multiple_of(lot).unwrap());
        prop_assert!(whole.e6().unsigned_abs() <= quantity.e6().unsigned_abs());
        prop_assert!(quantity.e6().abs_diff(whole.e6()) < lot.e6().unsigned_abs());
    }
}
