//! Eight rows of thirteen levels.

/// Rows, from the top.
pub const ROWS: usize = 8;
/// Columns, from the left.
pub const COLUMNS: usize = 13;
/// Brightest level; 5 to 7 look the same.
pub const LEVEL_MAX: u8 = 7;

/// One whole picture of the matrix, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame([u8; ROWS * COLUMNS]);

impl Default for Frame {
    fn default() -> Self {
        Frame([0; ROWS * COLUMNS])
    }
}

impl Frame {
    /// The levels, row by row.
    #[must_use]
    pub fn levels(&self) -> &[u8; ROWS * COLUMNS] {
        &self.0
    }

    /// Sets one pixel; outside the matrix nothing happens, and a level too high is the highest.
    pub fn set(&mut self, row: usize, column: usize, level: u8) {
        if column >= COLUMNS {
            return;
        }
        if let Some(pixel) = self.0.get_mut(row * COLUMNS + column) {
            *pixel = level.min(LEVEL_MAX);
        }
    }

    /// A frame from eight lines of thirteen digits; anything else is dark.
    #[must_use]
    pub fn drawn(lines: &str) -> Frame {
        let mut frame = Frame::default();
        for (row, line) in lines.lines().enumerate() {
            for (column, digit) in line.bytes().enumerate() {
                frame.set(row, column, if digit.is_ascii_digit() { digit - b'0' } else { 0 });
            }
        }
        frame
    }

    /// Eight lines of thirteen digits.
    #[must_use]
    pub fn lines(&self) -> String {
        let row = |row: &[u8]| row.iter().map(|level| char::from(b'0' + level)).collect::<String>() + "\n";
        self.0.chunks(COLUMNS).map(row).collect()
    }

    /// As the sketch takes it: two pixels per character, `0x30 + 8 · left + right`, 52 characters.
    #[must_use]
    pub fn packed(&self) -> String {
        self.0
            .chunks(2)
            .map(|two| char::from(two.iter().fold(0, |sum, level| sum * 8 + level) + 0x30))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_two_pixels_into_one_character() {
        let mut frame = Frame::default();
        assert_eq!(frame.packed(), "0".repeat(52));
        frame.set(0, 0, 7);
        frame.set(7, 12, 4);
        assert_eq!(frame.packed(), format!("h{}4", "0".repeat(50)));
    }

    #[test]
    fn outside_is_ignored_and_too_bright_is_brightest() {
        let mut frame = Frame::default();
        frame.set(0, COLUMNS, 7);
        frame.set(ROWS, 0, 7);
        assert_eq!(frame, Frame::default());
        frame.set(0, 0, 200);
        assert_eq!(frame.levels()[0], LEVEL_MAX);
    }
}
