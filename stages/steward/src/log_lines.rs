//! One readable log of many programs: time, name, text; a colour per name on a terminal.

use std::{
    fs::{self, File},
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use bus_client::wall;
use market::Timestamp;

use crate::Fault;

/// Width of the column of names: `evaluate-16`.
const NAME_WIDTH: usize = 11;
/// The file is moved aside when it has grown beyond this.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Colours of names, as the terminal numbers them; red is kept for trouble.
const COLOURS: [u8; 6] = [32, 33, 34, 35, 36, 92];

/// Where the lines go.
#[derive(Debug)]
pub struct Log {
    /// Standard error: nothing, lines of trouble only, or all.
    shown: Shown,
    colour: bool,
    file: Mutex<Option<Kept>>,
}

/// What of the log is shown on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Nothing.
    Nothing,
    /// Warnings and errors.
    Trouble,
    /// Everything.
    All,
}

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Log {
    /// Shows lines on standard error.
    #[must_use]
    pub fn shown(shown: Shown) -> Log {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Log { shown, colour, file: Mutex::new(None) }
    }

    /// Writes all lines to a file as well, beginning anew.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn kept_in(self, path: &Path) -> Result<Log, Fault> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|error| Fault::file(folder, "created", error))?;
        let file = File::create(path).map_err(|error| Fault::file(path, "created", error))?;
        Ok(Log { file: Mutex::new(Some(Kept { path: path.into(), file, bytes: 0 })), ..self })
    }

    /// Writes one line of a program.
    pub fn line(&self, name: &str, text: &str) {
        let now = wall();
        let text = without_time(text);
        let wanted = match self.shown {
            Shown::Nothing => false,
            Shown::Trouble => is_trouble(text),
            Shown::All => true,
        };
        if wanted {
            crate::print::note(&layout(now, name, text, self.colour));
        }
        let mut kept = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_mut() {
            kept.write(&layout(now, name, text, false));
        }
    }
}

impl Kept {
    /// A log that cannot be written must not stop the run.
    fn write(&mut self, line: &str) {
        if self.bytes > FILE_BYTES_MAX {
            drop(fs::rename(&self.path, self.path.with_extension("log.1")));
            if let Ok(file) = File::create(&self.path) {
                self.file = file;
                self.bytes = 0;
            }
        }
        self.bytes += line.len() as u64 + 1;
        drop(writeln!(self.file, "{line}"));
    }
}

/// Whether a person should see the line in any case: warnings, errors, and what the supervisor itself says.
fn is_trouble(text: &str) -> bool {
    text.split_whitespace().next().is_some_and(|word| matches!(word, "WARN" | "ERROR"))
        || text.starts_with("panicked at")
}

/// The text without a time of its own at its beginning; the line has one already.
fn without_time(text: &str) -> &str {
    match text.split_once(' ') {
        Some((first, rest))
            if first.len() > 19 && first.ends_with('Z') && first.as_bytes().get(10) == Some(&b'T') =>
        {
            rest.trim_start_matches(' ')
        }
        _ => text,
    }
}

fn layout(now: Timestamp, name: &str, text: &str, colour: bool) -> String {
    let stamp = now.to_string();
    let time = stamp.get(11..23).unwrap_or(&stamp);
    if !colour {
        return format!("{time} {name:NAME_WIDTH$} {text}");
    }
    let hue = if is_trouble(text) { 31 } else { colour_of(name) };
    format!("{time} \u{1b}[{hue}m{name:NAME_WIDTH$}\u{1b}[0m {text}")
}

fn colour_of(name: &str) -> u8 {
    let sum = name.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    COLOURS[sum % COLOURS.len()]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_ms(1_772_461_867_250);

    #[test]
    fn a_line_has_time_name_and_text() {
        assert_eq!(layout(AT, "plan", " INFO Ready.", false), "14:31:07.250 plan         INFO Ready.");
        assert_eq!(layout(AT, "evaluate-16", "x", false), "14:31:07.250 evaluate-16 x");
    }

    #[test]
    fn colours_are_per_name_and_red_for_trouble() {
        assert!(layout(AT, "plan", "x", true).contains("\u{1b}["));
        assert_ne!(colour_of("plan"), 31);
        assert!(layout(AT, "plan", "ERROR x", true).contains("\u{1b}[31m"));
    }

    #[test]
    fn trouble_is_told_from_the_rest() {
        for (text, expected) in
            [(" WARN x", true), ("ERROR x", true), (" INFO a WARN in the text", false), ("", false)]
        {
            assert_eq!(is_trouble(text), expected, "{text}");
        }
    }

    #[test]
    fn a_time_at_the_beginning_is_not_said_twice() {
        assert_eq!(without_time("2026-11-21T10:49:48.828442Z  INFO Stopped."), "INFO Stopped.");
        for text in [" INFO x", "", "2026-11-21T10:49:48Z", "Zebras are here"] {
            assert_eq!(without_time(text), text);
        }
    }

    #[test]
    fn the_file_keeps_all_lines_without_colours() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log/steward.log");
        let log = Log::shown(Shown::Nothing).kept_in(&path).unwrap();
        log.line("plan", "one");
        log.line("score", "two");
        let text = fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(!text.contains('\u{1b}'));
    }
}
