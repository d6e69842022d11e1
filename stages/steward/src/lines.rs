//! Text for a terminal of eighty columns: a series as a line of blocks, and sentences cut at spaces.

/// Columns of the narrowest terminal that is written for.
pub const COLUMNS: usize = 80;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A series as blocks of eight heights, from its lowest to its highest value; flat ones lie in the middle.
#[must_use]
pub fn sparkline(values: &[f64], width: usize) -> String {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let (low, high) = finite.iter().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
    let count = width.min(finite.len());
    (0..count)
        .map(|at| {
            // The last value of each stretch, so that the newest is always there.
            let value = finite[(at + 1) * finite.len() / count - 1];
            let height = if high > low { (value - low) / (high - low) * 7.0 } else { 3.0 };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let block = (height.round().clamp(0.0, 7.0)) as usize;
            BLOCKS[block]
        })
        .collect()
}

/// Stands for a space at which nothing is cut.
const BOUND: char = '\u{a0}';

/// A sentence in lines of at most eighty columns, all after the first indented; a word that is too long stays whole, and a
/// figure keeps its percent sign.
#[must_use]
pub fn wrapped(first: &str, indent: usize, sentence: &str) -> Vec<String> {
    let (mut lines, mut line, mut is_empty) = (Vec::new(), first.to_string(), true);
    let sentence = sentence.replace(" %", &format!("{BOUND}%"));
    for word in sentence.split_ascii_whitespace() {
        let word = word.replace(BOUND, " ");
        let length = line.chars().count() + usize::from(!is_empty) + word.chars().count();
        if length > COLUMNS && line.chars().any(|c| !c.is_whitespace()) {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)).trim_end().to_string());
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_goes_from_lowest_to_highest_and_ends_with_the_newest() {
        assert_eq!(sparkline(&[1.0, 2.0, 3.0, 8.0], 4), "▁▂▃█");
        assert_eq!(sparkline(&[5.0; 9], 3), "▄▄▄");
        assert_eq!(sparkline(&[], 3), "");
        assert_eq!(sparkline(&[1.0, f64::NAN, 2.0], 12), "▁█");
        assert_eq!(sparkline(&[0.0, 9.0, 0.0, 9.0, 0.0], 1), "▁");
    }

    #[test]
    fn a_figure_keeps_its_percent_sign() {
        let sentence = format!("{} 14.2 %.", "x".repeat(74));
        assert_eq!(wrapped("", 2, &sentence), ["x".repeat(74), "  14.2 %.".into()]);
    }

    #[test]
    fn a_sentence_is_cut_at_spaces_and_indented() {
        assert_eq!(wrapped("  ", 4, "short"), ["  short"]);
        assert_eq!(wrapped("head ", 4, ""), ["head "]);
        let lines = wrapped("head: ", 4, &"word ".repeat(30));
        assert!(lines.len() == 2 && lines.iter().all(|line| line.chars().count() <= COLUMNS), "{lines:?}");
        assert!(lines[1].starts_with("    word"));
        let long = "x".repeat(100);
        assert_eq!(
            wrapped("", 2, &format!("a {long} b")),
            ["a".to_string(), format!("  {long}"), "  b".into()]
        );
    }
}
