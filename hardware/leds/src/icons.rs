//! Whole-matrix icons: `#` is level 4.

const HALTED: [&str; 8] = [
    "....##.##....",
    "....##.##....",
    "....##.##....",
    "....##.##....",
    "....##.##....",
    "....##.##....",
    "....##.##....",
    "....##.##....",
];
const ERROR: [&str; 8] = [
    ".............",
    "...##...##...",
    "....##.##....",
    ".....###.....",
    ".....###.....",
    "....##.##....",
    "...##...##...",
    ".............",
];
const NO_DATA: [&str; 8] = [
    ".....###.....",
    "....#...#....",
    "........#....",
    ".......#.....",
    "......#......",
    "......#......",
    ".............",
    "......#......",
];

/// Level of an icon's pixels.
const LEVEL: u8 = 4;

/// Trading is stopped.
pub(crate) fn halted() -> crate::Frame {
    drawn(&HALTED)
}

/// A person must look.
pub(crate) fn error() -> crate::Frame {
    drawn(&ERROR)
}

/// Nothing is known.
pub(crate) fn no_data() -> crate::Frame {
    drawn(&NO_DATA)
}

fn drawn(lines: &[&str; 8]) -> crate::Frame {
    let mut frame = crate::Frame::default();
    for (row, line) in lines.iter().enumerate() {
        for (column, _) in line.bytes().enumerate().filter(|(_, mark)| *mark == b'#') {
            frame.set(row, column, LEVEL);
        }
    }
    frame
}
