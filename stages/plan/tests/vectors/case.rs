//! Reading cases: numbers exactly, candidates by their place.

use std::collections::BTreeMap;

use limits::{Fine, Side};
use money::{Money, Price, Quantity};
use plan::lists::{Category, Item, Lists};
use serde_json::Value;

use crate::open;

/// One case.
pub struct Case {
    pub name: String,
    pub input: Value,
    pub expect: Value,
}

/// All cases of a file; none only if another folder was named and does not hold it.
pub fn all(file: &str) -> Vec<Case> {
    let Some(text) = open::text(file) else { return Vec::new() };
    let mut file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array_mut().unwrap();
    let case = |case: &mut Value| Case {
        name: case["name"].as_str().unwrap().to_string(),
        input: case["input"].take(),
        expect: case["expect"].take(),
    };
    cases.iter_mut().map(case).collect()
}

/// Says by name what is not built, and why.
pub fn not_built(file: &str, name: &str, why: &str) {
    println!("not built  {file} {name}: {why}");
}

/// Reads a number as exact decimal text in 1/10^digits, rounding what lies beyond.
pub fn scaled(value: &Value, digits: usize) -> i128 {
    let text = value.to_string();
    let (mantissa, exponent) =
        text.split_once('e').map_or((text.as_str(), 0), |(m, e)| (m, e.parse().unwrap()));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or((1, mantissa), |rest| (-1, rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let point = i32::try_from(digits).unwrap() + exponent - i32::try_from(fraction.len()).unwrap();
    let number: i128 =
        format!("{whole}{fraction}").parse().unwrap_or_else(|_| panic!("{value} is no number"));
    let power = 10_i128.pow(point.unsigned_abs());
    sign * if point >= 0 { number * power } else { (number + power / 2) / power }
}

pub fn fine(value: &Value) -> Fine {
    Fine::from_e12(scaled(value, 12))
}

pub fn eur(value: &Value) -> Money {
    Money::from_e4(i64::try_from(scaled(value, 4)).unwrap(), money::Currency::EUR)
}

pub fn price(value: &Value) -> Price {
    Price::from_e6(i64::try_from(scaled(value, 6)).unwrap()).unwrap()
}

pub fn quantity(value: &Value) -> Quantity {
    Quantity::from_e6(i64::try_from(scaled(value, 6)).unwrap()).unwrap()
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

pub fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))).unwrap()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

pub fn side(value: &Value) -> Side {
    match text(value) {
        "BUY" => Side::Buy,
        "SELL" => Side::Sell,
        other => panic!("{other} is no side"),
    }
}

/// Within 1e-9, relative or near zero absolute.
pub fn close(got: f64, expected: f64) -> bool {
    (got - expected).abs() <= 1e-9 * expected.abs().max(1.0)
}

pub fn as_f64(fine: Fine) -> f64 {
    fine.to_string().parse().unwrap()
}

/// The candidates of a case by category, with a name and a number for each.
pub struct Candidates {
    pub lists: Lists,
    /// `category#index` by number.
    pub names: Vec<String>,
    /// Everything said of it, by number.
    pub said: Vec<Value>,
    /// Symbols by number of security.
    pub symbols: Vec<String>,
}

impl Candidates {
    pub fn read(opportunities: &Value) -> Candidates {
        let mut known: BTreeMap<String, u16> = BTreeMap::new();
        let (mut names, mut said, mut symbols) = (Vec::new(), Vec::new(), Vec::new());
        let lists = Category::ALL.map(|category| {
            let list = opportunities.get(category.name()).and_then(Value::as_array);
            let mut items = Vec::new();
            for (index, one) in list.into_iter().flatten().enumerate() {
                let symbol = text(&one["symbol"]).to_string();
                let next = u16::try_from(known.len()).unwrap();
                let security = *known.entry(symbol.clone()).or_insert_with(|| {
                    symbols.push(symbol);
                    next
                });
                items.push(Item {
                    id: u16::try_from(names.len()).unwrap(),
                    security,
                    side: side(&one["side"]),
                    value: fine(&one["value_eur"]),
                    priority: number(&one["priority"]),
                });
                names.push(format!("{}#{index}", category.name()));
                said.push(one.clone());
            }
            items
        });
        let categories = opportunities.as_object().unwrap();
        for category in categories.keys() {
            assert!(Category::ALL.iter().any(|known| known.name() == category), "{category} is no category");
        }
        Candidates { lists: Lists::new(lists), names, said, symbols }
    }

    pub fn named(&self, sequence: &[Item]) -> Vec<String> {
        sequence.iter().map(|item| self.names[usize::from(item.id)].clone()).collect()
    }
}

pub fn sequences(value: &Value) -> Vec<Vec<String>> {
    serde_json::from_value(value.clone()).unwrap()
}
