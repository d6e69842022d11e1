//! The market regime: the mean distance of all scored securities from their 200-day averages.
//!
//! Rule: above +3 % bull, below −3 % bear, neutral between; a label is left only when the measure has crossed zero, so
//! that it does not flicker. Fewer than three securities: unknown.

/// Securities below which nothing is said.
const SECURITIES_MIN: usize = 3;
const BAND: f64 = 0.03;

/// The next label and its measure.
#[must_use]
pub fn next(last: &str, distances: &[f64]) -> (String, Option<f64>) {
    if distances.len() < SECURITIES_MIN {
        return ("unknown".into(), None);
    }
    // The count of securities is small.
    #[allow(clippy::cast_precision_loss)]
    let mean = distances.iter().sum::<f64>() / distances.len() as f64;
    if !mean.is_finite() {
        return ("unknown".into(), None);
    }
    let label = match last {
        _ if mean > BAND => "bull",
        _ if mean < -BAND => "bear",
        "bull" if mean > 0.0 => "bull",
        "bear" if mean < 0.0 => "bear",
        _ => "neutral",
    };
    (label.into(), Some(mean))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_a_band_and_a_memory() {
        let cases = [
            ("neutral", 0.031, "bull"),
            ("neutral", 0.029, "neutral"),
            ("bull", 0.001, "bull"),
            ("bull", -0.001, "neutral"),
            ("bear", -0.001, "bear"),
            ("bear", 0.001, "neutral"),
            ("bull", -0.031, "bear"),
            ("unknown", 0.0, "neutral"),
        ];
        for (last, mean, expected) in cases {
            assert_eq!(next(last, &[mean; 3]).0, expected, "{last} {mean}");
        }
    }

    #[test]
    fn too_few_or_broken_figures_are_unknown() {
        assert_eq!(next("bull", &[0.1, 0.1]).0, "unknown");
        assert_eq!(next("bull", &[0.1, f64::NAN, 0.1]).0, "unknown");
    }
}
