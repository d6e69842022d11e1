//! `getCrossRatesForDate`: reference rates, turned once into "value of one unit in the base".

use std::collections::BTreeMap;

use market::Day;
use money::{Currency, Rate};

use crate::command::decoding::Decode;
use crate::command::{PlainCommand, ReadCommand};
use crate::fault::Flaw;
use crate::json::{Node, Shape};
use crate::pacer::PaceClass;
use crate::params::Params;

/// Digits kept of the broker's rate before it is inverted.
const READ_DIGITS: u32 = 9;

/// Asks for the rates of some currencies against EUR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetCrossRates {
    /// The currencies wanted; EUR itself is not asked for.
    pub currencies: Vec<Currency>,
    /// A past day, or now.
    pub day: Option<Day>,
}

/// Holds the rates that came. They are reference rates, nobody trades at them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CrossRates {
    /// EUR for one unit of the currency.
    pub eur_per_unit: BTreeMap<Currency, Rate>,
    /// Wanted currencies without a usable rate: unknown, never 1.
    pub missing: Vec<Currency>,
}

impl Decode for GetCrossRates {
    type Reply = CrossRates;

    fn params(&self) -> String {
        let wanted = self.currencies.iter().filter(|currency| **currency != Currency::EUR);
        let params =
            Params::new().text("base_currency", "EUR").texts("currencies", wanted.map(Currency::as_str));
        match self.day {
            Some(day) => params.text("date", &day.to_string()).finish(),
            None => params.finish(),
        }
    }

    fn decode(&self, reply: Node<'_>) -> Result<CrossRates, Flaw> {
        let node = reply.get("rates");
        let empty = node.list().is_some_and(|list| list.is_empty());
        if node.shape() != Shape::Object && !empty {
            return Err(Flaw::missing("rates"));
        }
        let rates = node.fields();
        let mut found = CrossRates::default();
        for currency in &self.currencies {
            let per_eur = rates.iter().find(|(name, _)| *name == currency.as_str()).map(|(_, node)| node);
            match per_eur.and_then(eur_per_unit) {
                _ if *currency == Currency::EUR => drop(found.eur_per_unit.insert(*currency, Rate::ONE)),
                Some(rate) => drop(found.eur_per_unit.insert(*currency, rate)),
                None => found.missing.push(*currency),
            }
        }
        Ok(found)
    }
}

impl ReadCommand for GetCrossRates {
    const NAME: &'static str = "getCrossRatesForDate";
    const PACE: PaceClass = PaceClass::Live;
}

impl PlainCommand for GetCrossRates {}

/// Inverts units per EUR, rounding half to even at the ninth digit.
fn eur_per_unit(node: Node<'_>) -> Option<Rate> {
    let per_eur_e9 = crate::typed::number_of(node, "rates", READ_DIGITS).ok()??;
    if per_eur_e9 <= 0 {
        return None;
    }
    let (one_e18, divisor) = (1_000_000_000_000_000_000_i128, i128::from(per_eur_e9));
    let (quotient, rest) = (one_e18 / divisor, one_e18 % divisor);
    let up = rest * 2 > divisor || (rest * 2 == divisor && quotient % 2 == 1);
    Rate::from_e9(i64::try_from(quotient + i128::from(up)).ok()?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn inverted(text: &str) -> Option<i64> {
        eur_per_unit(Node::parse(text.as_bytes()).unwrap()).map(Rate::e9)
    }

    #[test]
    fn inverts_once_and_exactly() {
        assert_eq!(inverted("1"), Some(1_000_000_000));
        assert_eq!(inverted("1.1712"), Some(853_825_137));
        assert_eq!(inverted("\"9,1204\""), Some(109_644_314));
        assert_eq!(inverted("0.8651"), Some(1_155_935_730));
    }

    #[test]
    fn a_rate_that_is_not_above_zero_is_unknown() {
        for text in ["0", "-1", "null", "\"\"", "\"x\"", "1e15"] {
            assert_eq!(inverted(text), None, "{text}");
        }
    }

    #[test]
    fn a_missing_currency_is_named_and_never_one() {
        let command =
            GetCrossRates { currencies: vec![Currency::EUR, Currency::USD, Currency::HKD], day: None };
        assert_eq!(command.params(), r#"{"base_currency":"EUR","currencies":["USD","HKD"]}"#);
        let rates = command.decode(Node::parse(br#"{"rates":{"USD":1.25}}"#).unwrap()).unwrap();
        assert_eq!(rates.eur_per_unit.get(&Currency::USD).map(|r| r.e9()), Some(800_000_000));
        assert_eq!(rates.eur_per_unit.get(&Currency::EUR), Some(&Rate::ONE));
        assert_eq!(rates.missing, [Currency::HKD]);
    }
}
