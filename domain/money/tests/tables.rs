//! Tables of the rules of money: what is accepted, refused, rounded and written.
#![allow(clippy::unwrap_used)]

use std::cmp::Ordering;
use std::collections::BTreeMap;

use money::{
    Bps, Currency, Money, MoneyError, Price, Quantity, Rate, Rounding, Weight, convert, divide, to_eur, value,
};

const ROUNDINGS: [Rounding; 3] = [Rounding::HalfEven, Rounding::Up, Rounding::Down];

fn eur(text: &str) -> Money {
    Money::parse(&format!("{text} EUR")).unwrap()
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

#[test]
fn currency_is_three_upper_case_letters_and_nothing_else() {
    for text in ["EUR", "USD", "XAU", "JPY"] {
        assert_eq!(Currency::new(text).unwrap().as_str(), text);
    }
    for text in ["", "EU", "EURO", "eur", "E R", "E1R", "€", "GBp", "EUR "] {
        assert!(matches!(Currency::new(text), Err(MoneyError::InvalidCurrency { .. })), "{text}");
    }
}

#[test]
fn pence_are_refused_as_a_currency() {
    assert_eq!(Currency::new("GBX"), Err(MoneyError::PenceQuote));
}

#[test]
fn minor_digits_come_from_the_table_and_have_no_default() {
    let two = [Currency::EUR, Currency::USD, Currency::GBP, Currency::HKD, Currency::DKK, Currency::CHF];
    for currency in two {
        assert_eq!(currency.minor_digits(), Ok(2));
    }
    assert_eq!(Currency::JPY.minor_digits(), Ok(0));
    let gold = Currency::new("XAU").unwrap();
    assert_eq!(gold.minor_digits(), Err(MoneyError::UnknownMinorUnit { currency: gold }));
    assert!(Money::zero(gold).to_minor(Rounding::Up).is_err());
}

#[test]
fn currency_is_a_map_key_in_json_and_messagepack() {
    let rates = BTreeMap::from([(Currency::EUR, Rate::ONE), (Currency::USD, rate("0.8554"))]);
    let json = serde_json::to_string(&rates).unwrap();
    assert_eq!(json, r#"{"EUR":1000000000,"USD":855400000}"#);
    assert_eq!(serde_json::from_str::<BTreeMap<Currency, Rate>>(&json).unwrap(), rates);
    let bytes = rmp_serde::to_vec_named(&rates).unwrap();
    assert_eq!(rmp_serde::from_slice::<BTreeMap<Currency, Rate>>(&bytes).unwrap(), rates);
}

#[test]
fn division_rounds_ties_to_even_requirements_up_and_available_down() {
    // numerator, denominator, half-even, up, down
    let table: [(i128, i128, i128, i128, i128); 14] = [
        (0, 2, 0, 0, 0),
        (1, 2, 0, 1, 0),
        (3, 2, 2, 2, 1),
        (5, 2, 2, 3, 2),
        (-1, 2, 0, 0, -1),
        (-3, 2, -2, -1, -2),
        (-5, 2, -2, -2, -3),
        (1, 3, 0, 1, 0),
        (2, 3, 1, 1, 0),
        (-1, 3, 0, 0, -1),
        (-2, 3, -1, 0, -1),
        (6, 3, 2, 2, 2),
        (i128::MAX, 1, i128::MAX, i128::MAX, i128::MAX),
        (i128::MIN, 1, i128::MIN, i128::MIN, i128::MIN),
    ];
    for (numerator, denominator, half_even, up, down) in table {
        let got = ROUNDINGS.map(|rounding| divide(numerator, denominator, rounding).unwrap());
        assert_eq!(got, [half_even, up, down], "{numerator}/{denominator}");
    }
}

#[test]
fn division_by_zero_or_less_is_an_error() {
    for denominator in [0, -1] {
        let got = divide(1, denominator, Rounding::Up);
        assert_eq!(got, Err(MoneyError::Divisor { operation: "division" }));
    }
    assert!(eur("1").scale(1, 0, Rounding::Up).is_err());
}

#[test]
fn amounts_are_written_and_read_exactly() {
    for (e4, currency, text) in [
        (0, Currency::EUR, "0.00 EUR"),
        (123_400, Currency::EUR, "12.34 EUR"),
        (123_456, Currency::USD, "12.3456 USD"),
        (-1, Currency::EUR, "-0.0001 EUR"),
        (-120_000, Currency::HKD, "-12.00 HKD"),
        (120_000, Currency::JPY, "12 JPY"),
        (125_000, Currency::JPY, "12.5 JPY"),
        (i64::MAX, Currency::EUR, "922337203685477.5807 EUR"),
        (i64::MIN, Currency::EUR, "-922337203685477.5808 EUR"),
    ] {
        assert_eq!(Money::from_e4(e4, currency).to_string(), text);
        assert_eq!(Money::parse(text), Ok(Money::from_e4(e4, currency)));
    }
    assert_eq!(Money::parse("12 EUR"), Ok(Money::from_e4(120_000, Currency::EUR)));
}

#[test]
fn malformed_amounts_are_refused() {
    for text in [
        "",
        " ",
        "EUR",
        "12.34",
        "12.34EUR",
        "12.34  EUR",
        "12.34 eur",
        "1,5 EUR",
        "1e3 EUR",
        "NaN EUR",
        "inf EUR",
        "12.34567 EUR",
        "12.00000 EUR",
        ".5 EUR",
        "5. EUR",
        "+5 EUR",
        "--5 EUR",
        "- EUR",
        "1.2.3 EUR",
        "1 000 EUR",
        "922337203685477.5808 EUR",
        "12.34 GBX",
        "١ EUR",
    ] {
        assert!(Money::parse(text).is_err(), "{text}");
    }
}

#[test]
fn malformed_numbers_are_refused_by_every_scaled_type() {
    for text in ["", "1,5", "1e3", "1E3", "NaN", "inf", "-inf", ".5", "5.", "+5", "0x1", " 5", "5 ", "-", "."]
    {
        assert!(text.parse::<Price>().is_err(), "{text}");
        assert!(text.parse::<Quantity>().is_err(), "{text}");
        assert!(text.parse::<Rate>().is_err(), "{text}");
        assert!(text.parse::<Weight>().is_err(), "{text}");
    }
    assert!("1.0000001".parse::<Price>().is_err());
    assert!("1.0000000001".parse::<Rate>().is_err());
    assert!("9223372036854.775808".parse::<Price>().is_err());
    assert!("2147483648".parse::<Bps>().is_err());
    assert!("1.5".parse::<Bps>().is_err());
}

#[test]
fn scaled_types_are_written_and_read_exactly() {
    assert_eq!("84.5".parse::<Price>().unwrap().e6(), 84_500_000);
    assert_eq!(Price::from_e6(84_500_000).unwrap().to_string(), "84.5");
    assert_eq!(Price::from_e6(1).unwrap().to_string(), "0.000001");
    assert_eq!(Quantity::from_units(-3).unwrap().to_string(), "-3");
    assert_eq!(Quantity::from_e6(i64::MIN).unwrap().to_string(), "-9223372036854.775808");
    assert_eq!("-9223372036854.775808".parse::<Quantity>().unwrap().e6(), i64::MIN);
    assert_eq!(rate("0.8554").e9(), 855_400_000);
    assert_eq!(Rate::ONE.to_string(), "1");
    assert_eq!("0.15".parse::<Weight>().unwrap().e6(), 150_000);
    assert_eq!("-25".parse::<Bps>().unwrap(), Bps::new(-25));
    assert_eq!(Bps::new(-25).to_string(), "-25");
}

#[test]
fn ranges_hold_at_each_side_of_their_boundary() {
    assert!(Price::from_e6(-1).is_err());
    assert!(Price::from_e6(0).unwrap().is_zero());
    assert!(Rate::from_e9(0).is_err());
    assert!(Rate::from_e9(-1).is_err());
    assert_eq!(Rate::from_e9(1).unwrap().e9(), 1);
    assert!(Weight::from_e6(-1).is_err());
    assert_eq!(Weight::from_e6(0), Ok(Weight::ZERO));
    assert_eq!(Weight::from_e6(1_000_000), Ok(Weight::ONE));
    assert!(Weight::from_e6(1_000_001).is_err());
    assert!(Weight::ONE.checked_add(Weight::from_e6(1).unwrap()).is_err());
    assert!("-0.000001".parse::<Price>().is_err());
    assert!("0".parse::<Rate>().is_err());
}

#[test]
fn decoding_refuses_what_construction_refuses_with_a_sentence() {
    let price = serde_json::from_str::<Price>("-1").unwrap_err().to_string();
    assert!(price.contains("price -0.000001 is out of range: a price is zero or more"), "{price}");
    let zero = serde_json::from_str::<Rate>("0").unwrap_err().to_string();
    assert!(zero.contains("a rate is above zero"), "{zero}");
    let heavy = serde_json::from_str::<Weight>("1000001").unwrap_err().to_string();
    assert!(heavy.contains("a weight lies from 0 to 1"), "{heavy}");
    assert!(serde_json::from_str::<Price>("1.5").is_err());
    assert!(serde_json::from_str::<Price>("null").is_err());
    assert!(serde_json::from_str::<Money>(r#"{"amount_e4":1,"ccy":"eur"}"#).is_err());
    assert!(serde_json::from_str::<Money>(r#"{"amount_e4":1}"#).is_err());
    assert!(serde_json::from_str::<Money>(r#"{"amount_e4":1.0,"ccy":"EUR"}"#).is_err());
    assert!(rmp_serde::from_slice::<Price>(&rmp_serde::to_vec(&-1_i64).unwrap()).is_err());
}

#[test]
fn money_is_encoded_as_a_named_map() {
    let json = serde_json::to_string(&eur("12.34")).unwrap();
    assert_eq!(json, r#"{"amount_e4":123400,"ccy":"EUR"}"#);
    let extra = r#"{"amount_e4":123400,"ccy":"EUR","note":1}"#;
    assert_eq!(serde_json::from_str::<Money>(extra).unwrap(), eur("12.34"));
}

#[test]
fn amounts_of_two_currencies_never_meet() {
    let dollars = Money::zero(Currency::USD);
    let mismatch = MoneyError::CurrencyMismatch { left: Currency::EUR, right: Currency::USD };
    assert_eq!(eur("1").checked_add(dollars), Err(mismatch.clone()));
    assert_eq!(eur("1").checked_sub(dollars), Err(mismatch.clone()));
    assert_eq!(eur("1").checked_cmp(dollars), Err(mismatch.clone()));
    assert_eq!(eur("1").covers(dollars), Err(mismatch.clone()));
    assert_eq!(Money::checked_sum(Currency::EUR, [eur("1"), dollars]), Err(mismatch));
    assert_eq!(eur("1").checked_cmp(eur("2")), Ok(Ordering::Less));
}

#[test]
fn sum_of_nothing_is_zero() {
    assert_eq!(Money::checked_sum(Currency::USD, []), Ok(Money::zero(Currency::USD)));
}

#[test]
fn overflow_is_an_error_on_both_ends() {
    let most = Money::from_e4(i64::MAX, Currency::EUR);
    let least = Money::from_e4(i64::MIN, Currency::EUR);
    let grain = Money::from_e4(1, Currency::EUR);
    assert!(most.checked_add(grain).is_err());
    assert!(least.checked_sub(grain).is_err());
    assert!(least.checked_neg().is_err());
    assert!(most.checked_mul(2).is_err());
    assert!(most.scale(3, 2, Rounding::Down).is_err());
    assert!(most.to_minor(Rounding::Up).is_err());
    assert!(Money::from_units(i64::MAX, Currency::EUR).is_err());
    assert!(Quantity::from_units(i64::MAX).is_err());
    let high = Price::from_e6(i64::MAX).unwrap();
    let many = Quantity::from_e6(i64::MAX).unwrap();
    assert!(value(high, many, Currency::EUR, Rounding::HalfEven).is_err());
    assert!(Quantity::from_e6(i64::MIN).unwrap().checked_neg().is_err());
    assert!(many.checked_add(Quantity::from_e6(1).unwrap()).is_err());
    assert!(many.checked_sub(Quantity::from_e6(-1).unwrap()).is_err());
}

#[test]
fn minor_unit_rounds_as_told() {
    let table = [
        ("1.005", ["1.00", "1.01", "1.00"]),
        ("1.015", ["1.02", "1.02", "1.01"]),
        ("-1.005", ["-1.00", "-1.00", "-1.01"]),
        ("1.0051", ["1.01", "1.01", "1.00"]),
        ("1.01", ["1.01", "1.01", "1.01"]),
        ("0", ["0", "0", "0"]),
    ];
    for (amount, expected) in table {
        let got = ROUNDINGS.map(|rounding| eur(amount).to_minor(rounding).unwrap());
        assert_eq!(got, expected.map(eur), "{amount}");
    }
    let yen = Money::parse("12.5 JPY").unwrap();
    assert_eq!(yen.to_minor(Rounding::HalfEven).unwrap().to_string(), "12 JPY");
    assert_eq!(yen.to_minor(Rounding::Up).unwrap().to_string(), "13 JPY");
}

#[test]
fn value_is_price_times_quantity_rounded_at_the_fourth_digit() {
    let table = [
        ("84.5", "3", ["253.5", "253.5", "253.5"]),
        ("0.000001", "1", ["0", "0.0001", "0"]),
        ("0.00005", "1", ["0", "0.0001", "0"]),
        ("0.00015", "1", ["0.0002", "0.0002", "0.0001"]),
        ("10", "-0.5", ["-5", "-5", "-5"]),
        ("0", "100", ["0", "0", "0"]),
    ];
    for (price, quantity, expected) in table {
        let got = ROUNDINGS.map(|rounding| {
            value(price.parse().unwrap(), quantity.parse().unwrap(), Currency::EUR, rounding).unwrap()
        });
        assert_eq!(got, expected.map(eur), "{price} x {quantity}");
    }
}

#[test]
fn conversion_multiplies_by_eur_per_unit_and_divides_by_the_target() {
    let dollars = Money::parse("100 USD").unwrap();
    assert_eq!(to_eur(dollars, rate("0.8554"), Rounding::HalfEven), Ok(eur("85.54")));
    let pounds = convert(dollars, rate("0.8554"), rate("1.1759"), Currency::GBP, Rounding::HalfEven).unwrap();
    assert_eq!(pounds.to_string(), "72.7443 GBP");
    let up = convert(eur("1"), Rate::ONE, rate("3"), Currency::USD, Rounding::Up).unwrap();
    let down = convert(eur("1"), Rate::ONE, rate("3"), Currency::USD, Rounding::Down).unwrap();
    assert_eq!((up.e4(), down.e4()), (3334, 3333));
    assert_eq!(to_eur(eur("7"), Rate::ONE, Rounding::Up), Ok(eur("7")));
}

#[test]
fn conversion_refuses_a_false_rate_of_eur() {
    let wrong = rate("1.1");
    assert_eq!(to_eur(eur("1"), wrong, Rounding::Up), Err(MoneyError::EurRate { rate_e9: 1_100_000_000 }));
    assert!(convert(eur("1"), Rate::ONE, wrong, Currency::EUR, Rounding::Up).is_err());
    let dollars = Money::parse("1 USD").unwrap();
    assert!(convert(dollars, rate("0.9"), rate("0.8"), Currency::USD, Rounding::Up).is_err());
}

#[test]
fn lots_are_dropped_towards_zero() {
    let of = |text: &str| text.parse::<Quantity>().unwrap();
    for (quantity, lot, expected, whole) in [
        ("27", "10", "20", false),
        ("20", "10", "20", true),
        ("9.99", "1", "9", false),
        ("0", "5", "0", true),
        ("4", "5", "0", false),
        ("-27", "10", "-20", false),
        ("0.7", "0.1", "0.7", true),
    ] {
        assert_eq!(of(quantity).round_down_to(of(lot)), Ok(of(expected)), "{quantity}/{lot}");
        assert_eq!(of(quantity).is_multiple_of(of(lot)), Ok(whole), "{quantity}/{lot}");
    }
    for lot in ["0", "-1"] {
        assert!(of("5").round_down_to(of(lot)).is_err());
        assert!(of("5").is_multiple_of(of(lot)).is_err());
    }
}

#[test]
fn shares_and_basis_points_round_as_told() {
    let third = Weight::from_e6(333_333).unwrap();
    assert_eq!(eur("1").share(third, Rounding::Down), Ok(eur("0.3333")));
    assert_eq!(eur("1").share(third, Rounding::Up), Ok(eur("0.3334")));
    assert_eq!(eur("250").part(Bps::new(-25), Rounding::HalfEven), Ok(eur("-0.625")));
}

#[test]
fn floats_that_are_not_numbers_never_enter() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(Price::from_f64(number), Err(MoneyError::NotFinite { field: "price" }));
        assert!(Rate::from_f64(number).is_err());
        assert!(Weight::from_f64(number).is_err());
        assert!(Quantity::from_f64(number).is_err());
    }
}

#[test]
fn floats_outside_the_range_never_enter() {
    for number in [1e13, 1e300, f64::MAX, -1.0, f64::MIN, -0.000_001] {
        assert!(Price::from_f64(number).is_err(), "{number}");
    }
    assert!(Rate::from_f64(0.0).is_err());
    assert!(Rate::from_f64(1e-10).is_err());
    assert!(Weight::from_f64(1.000_001).is_err());
}

#[test]
fn floats_round_half_even_at_the_unit() {
    for (number, e6) in [
        (84.5, 84_500_000),
        (0.1, 100_000),
        (0.0, 0),
        (-0.0, 0),
        (5e-324, 0),
        (1.0 / 128.0, 7812),  // 7812.5 exactly
        (3.0 / 128.0, 23438), // 23437.5 exactly
        (1e12, 1_000_000_000_000_000_000),
    ] {
        assert_eq!(Price::from_f64(number).unwrap().e6(), e6, "{number}");
    }
    assert_eq!(Quantity::from_f64(-1.0 / 128.0).unwrap().e6(), -7812);
    assert_eq!(Weight::from_f64(0.15).unwrap().e6(), 150_000);
}

#[test]
fn leaving_for_statistics_gives_the_nearest_double() {
    assert_eq!(Price::from_e6(84_500_000).unwrap().to_f64().to_bits(), 84.5_f64.to_bits());
    assert_eq!(Weight::from_e6(150_000).unwrap().to_f64().to_bits(), 0.15_f64.to_bits());
    assert_eq!(eur("-12.34").to_f64().to_bits(), (-12.34_f64).to_bits());
}

#[test]
fn errors_are_sentences_that_name_field_and_rule() {
    let text = "1,5".parse::<Price>().unwrap_err().to_string();
    assert_eq!(
        text,
        "price '1,5' is not a plain decimal number; write digits and at most one point, as in 84.5"
    );
    let text = eur("1").checked_add(Money::zero(Currency::USD)).unwrap_err().to_string();
    assert_eq!(text, "amounts in EUR and USD cannot be combined; convert one of them first");
}
