//! Plain values that the examples are made of.

use ::market::{Day, Isin, Mic, Timestamp};
use ::money::{Currency, Money, Price, Quantity, Rate, Weight};

use crate::{Finite, Id};

pub(crate) fn at() -> Timestamp {
    Timestamp::from_ms(1_772_461_867_250)
}
pub(crate) fn id() -> Id {
    Id::derive(at(), &["sample"])
}
pub(crate) fn isin() -> Isin {
    "DE000SMX0015".parse().expect("a valid example")
}
pub(crate) fn mic() -> Mic {
    "XETR".parse().expect("a valid example")
}
pub(crate) fn day() -> Day {
    "2026-03-02".parse().expect("a valid example")
}
pub(crate) fn usd() -> Currency {
    Currency::USD
}
pub(crate) fn eur() -> Money {
    Money::from_e4(1_234_500, Currency::EUR)
}
pub(crate) fn price() -> Price {
    Price::from_e6(88_050_000).expect("a valid example")
}
pub(crate) fn one() -> Quantity {
    Quantity::from_e6(1_000_000).expect("a valid example")
}
pub(crate) fn rate() -> Rate {
    Rate::from_e9(892_857_143).expect("a valid example")
}
pub(crate) fn number(number: f64) -> Finite {
    Finite::new(number).expect("a valid example")
}
pub(crate) fn weight() -> Weight {
    Weight::from_e6(125_000).expect("a valid example")
}
pub(crate) fn share(e6: i64) -> Weight {
    Weight::from_e6(e6).expect("a valid example")
}
