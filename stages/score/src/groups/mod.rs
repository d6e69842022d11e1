//! One file per group of a score. A group has parts, each 0 to 1 with a weight; what is unknown is left out with its
//! weight, because unknown is not bad.
//!
//! Every group also has the form of the old system ([`Rules::Reference`]): constants in place of what is missing,
//! three decimals, and its curves. It exists to reproduce figures only.

pub mod dividends;
pub mod fundamentals;
pub mod long_term;
pub mod opinion;
pub mod opportunity;
pub mod short_term;
pub mod stability;
pub mod technicals;

use formulas::rounding::round_to;

use crate::{business::Business, rolling::Measures};

/// Which arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// The one that decides.
    Decided,
    /// The old one.
    Reference,
}

impl Rules {
    /// What stands for a missing part: nothing, or in the old arithmetic a constant.
    #[must_use]
    pub fn or(self, value: Option<f64>, constant: f64) -> Option<f64> {
        match self {
            Rules::Decided => value,
            Rules::Reference => value.or(Some(constant)),
        }
    }
}

/// What every group looks at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Figures of the price.
    pub measures: &'a Measures,
    /// Figures of the business; in the old arithmetic it matters whether there are any at all.
    pub business: Option<&'a Business>,
    /// Growth a year that is wanted.
    pub target: f64,
    /// Price to earnings of the market.
    pub market_pe: f64,
    /// Which arithmetic.
    pub rules: Rules,
}

impl View<'_> {
    /// The figures of the business, all unknown without any.
    #[must_use]
    pub fn business(&self) -> Business {
        self.business.copied().unwrap_or_default()
    }
}

/// A part of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Part {
    /// Name.
    pub name: &'static str,
    /// Share of the group.
    pub weight: f64,
    /// 0 to 1, unknown without data.
    pub value: Option<f64>,
}

/// A group of at most three parts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Group {
    /// Name.
    pub name: &'static str,
    /// A part without a name is none.
    pub parts: [Part; 3],
    /// 0 to 1, unknown while all parts are.
    pub value: Option<f64>,
}

impl Group {
    /// Puts a group together.
    #[must_use]
    pub fn new<const N: usize>(
        name: &'static str,
        rules: Rules,
        parts: [(&'static str, f64, Option<f64>); N],
    ) -> Group {
        let mut group = Group { name, ..Group::default() };
        let (mut sum, mut weights) = (0.0, 0.0);
        for (slot, (name, weight, value)) in group.parts.iter_mut().zip(parts) {
            let value = value.filter(|value| value.is_finite());
            *slot = Part { name, weight, value };
            if let Some(value) = value {
                sum += weight * value;
                weights += weight;
            }
        }
        group.value = match rules {
            Rules::Decided => (weights > 0.0).then(|| (sum / weights).clamp(0.0, 1.0)),
            Rules::Reference => Some(round_to(sum.min(1.0), 3)),
        };
        group
    }

    /// A part by its name.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<f64> {
        self.parts.iter().find(|part| part.name == name)?.value
    }

    /// Share of the group's weight for which there was data.
    #[must_use]
    pub fn known(&self) -> f64 {
        let all: f64 = self.parts.iter().map(|part| part.weight).sum();
        let known: f64 = self.parts.iter().filter(|part| part.value.is_some()).map(|part| part.weight).sum();
        if all > 0.0 { known / all } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_left_out_with_its_weight() {
        let group =
            Group::new("x", Rules::Decided, [("a", 0.6, Some(0.8)), ("b", 0.3, None), ("c", 0.1, Some(0.1))]);
        assert!(group.value.is_some_and(|value| (value - 0.49 / 0.7).abs() < 1e-12));
        assert!((group.known() - 0.7).abs() < 1e-12);
        assert_eq!((group.part("a"), group.part("b"), group.part("d")), (Some(0.8), None, None));
    }

    #[test]
    fn nothing_known_is_no_group_and_not_a_number_is_nothing_known() {
        for value in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            let group = Group::new("x", Rules::Decided, [("a", 1.0, value)]);
            assert_eq!((group.value, group.known()), (None, 0.0));
        }
    }
}
