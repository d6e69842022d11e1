//! The small font, three columns by five rows, and how a number is set in it.

use crate::{COLUMNS, Frame};

/// First row of the small font.
const TOP: usize = 1;
/// Level of its pixels.
const LEVEL: u8 = 4;

/// Rows of a glyph, three bits each, and its width.
fn glyph(letter: char) -> ([u8; 5], usize) {
    let rows = match letter {
        '0' => [7, 5, 5, 5, 7],
        '1' => [2, 6, 2, 2, 7],
        '2' => [7, 1, 7, 4, 7],
        '3' => [7, 1, 7, 1, 7],
        '4' => [5, 5, 7, 1, 1],
        '5' => [7, 4, 7, 1, 7],
        '6' => [7, 4, 7, 5, 7],
        '7' => [7, 1, 2, 2, 2],
        '8' => [7, 5, 7, 5, 7],
        '9' => [7, 5, 7, 1, 7],
        'k' => [5, 5, 6, 5, 5],
        'M' => [5, 7, 7, 5, 5],
        '-' => [0, 0, 7, 0, 0],
        '=' => [0, 7, 0, 7, 0],
        '^' => [2, 7, 2, 2, 2],
        'v' => [2, 2, 2, 7, 2],
        '.' => return ([0, 0, 0, 0, 1], 1),
        _ => [7, 1, 2, 0, 2],
    };
    (rows, 3)
}

/// Columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    let glyphs: usize = text.chars().map(|letter| glyph(letter).1 + 1).sum();
    glyphs.saturating_sub(1)
}

/// Draws a text from a column on.
pub(crate) fn draw(frame: &mut Frame, text: &str, mut column: usize) {
    for letter in text.chars() {
        let (rows, wide) = glyph(letter);
        for (row, bits) in rows.into_iter().enumerate() {
            for place in 0..wide {
                if bits >> (wide - 1 - place) & 1 == 1 {
                    frame.set(TOP + row, column + place, LEVEL);
                }
            }
        }
        column += wide + 1;
    }
}

/// Draws a text so that it ends at the right edge.
pub(crate) fn draw_right(frame: &mut Frame, text: &str) {
    draw(frame, text, COLUMNS.saturating_sub(width(text)));
}
