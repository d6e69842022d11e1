//! One file per part of a score. Each part is 0 to 1, 0.5 means neutral; `None` means that there was no data.

pub mod long_term;
pub mod opportunity;
pub mod short_term;
pub mod stability;

use std::collections::BTreeMap;

use crate::limits::BARS_MIN;

/// A part: its figure, and the figures it came from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Part {
    /// 0 to 1.
    pub value: Option<f64>,
    /// By name.
    pub inputs: BTreeMap<&'static str, f64>,
}

impl Part {
    /// A part from its inputs; absent inputs are left out.
    #[must_use]
    pub fn new(value: Option<f64>, inputs: &[(&'static str, Option<f64>)]) -> Part {
        let inputs =
            inputs.iter().filter_map(|(name, number)| number.map(|number| (*name, number))).collect();
        Part { value: value.filter(|value| value.is_finite()).map(|value| value.clamp(0.0, 1.0)), inputs }
    }
}

/// Weight of each part in the total. Parts without a source of data count as neutral with their full weight, so that a
/// score does not rise because nothing is known.
pub const WEIGHTS: [(&str, f64); 7] = [
    ("long_term", 0.25),
    ("fundamentals", 0.20),
    ("stability", 0.15),
    ("opportunity", 0.15),
    ("dividends", 0.12),
    ("short_term", 0.08),
    ("opinion", 0.05),
];

/// What a part without data counts as.
pub const NEUTRAL: f64 = 0.5;

/// A score before it becomes a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scored {
    /// 0 to 1; absent without enough bars.
    pub total: Option<f64>,
    /// Share of the weight for which there was data.
    pub coverage: f64,
    /// By name.
    pub parts: BTreeMap<&'static str, f64>,
    /// All inputs.
    pub inputs: BTreeMap<&'static str, f64>,
    /// What was missing.
    pub flags: Vec<String>,
}

/// Scores one security from its daily closes (oldest first) with the present price as the last of them.
#[must_use]
pub fn score(closes: &[f64]) -> Scored {
    let computed = [
        ("long_term", long_term::part(closes)),
        ("stability", stability::part(closes)),
        ("opportunity", opportunity::part(closes)),
        ("short_term", short_term::part(closes)),
    ];
    let mut scored = Scored::default();
    let mut total = 0.0;
    for (name, weight) in WEIGHTS {
        let part = computed.iter().find(|(known, _)| *known == name).map(|(_, part)| part);
        let value = part.and_then(|part| part.value);
        match value {
            Some(value) => {
                scored.coverage += weight;
                scored.parts.insert(name, value);
            }
            None => {
                scored.flags.push(format!("no_{name}"));
                scored.parts.insert(name, NEUTRAL);
            }
        }
        total += weight * value.unwrap_or(NEUTRAL);
        scored.inputs.extend(part.into_iter().flat_map(|part| part.inputs.clone()));
    }
    if closes.len() < BARS_MIN {
        scored.flags.push("too_few_bars".into());
    } else {
        scored.total = Some(total.clamp(0.0, 1.0));
    }
    scored
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rising(bars: usize) -> Vec<f64> {
        (0..bars).map(|bar| 100.0 * 1.0003_f64.powi(i32::try_from(bar).unwrap_or(0))).collect()
    }

    #[test]
    fn the_weights_are_a_whole() {
        let sum: f64 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn too_few_bars_have_no_total() {
        assert_eq!(score(&rising(BARS_MIN - 1)).total, None);
        assert!(score(&rising(BARS_MIN)).total.is_some());
    }

    #[test]
    fn every_input_gives_finite_figures_or_none() {
        let flat = vec![50.0; 300];
        let jump: Vec<f64> = (0..300).map(|bar| if bar % 2 == 0 { 1e-6 } else { 1e9 }).collect();
        for closes in [vec![], vec![1.0], flat, jump, vec![0.0; 300], vec![f64::NAN; 300], rising(2_520)] {
            let scored = score(&closes);
            assert!(scored.total.is_none_or(|total| (0.0..=1.0).contains(&total)));
            assert!(scored.parts.values().chain(scored.inputs.values()).all(|number| number.is_finite()));
            assert!((0.0..=1.0).contains(&scored.coverage));
        }
    }

    #[test]
    fn what_has_no_source_is_neutral_and_said() {
        let scored = score(&rising(300));
        assert_eq!(scored.parts.get("fundamentals"), Some(&NEUTRAL));
        assert!(scored.flags.contains(&"no_fundamentals".to_string()));
        assert!(scored.coverage < 0.7);
    }
}
