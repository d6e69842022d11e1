//! What is shown when, by precedence and by the second.

use crate::{Frame, change_page, icons, transliterated, value_page};

/// An icon stays this long before its text, s.
const ICON_S: u64 = 3;
/// A page stays this long, s.
const PAGE_S: u64 = 8;
/// Milliseconds per column of a text.
const STEP_MS: u8 = 50;
/// The same for what is urgent.
const URGENT_STEP_MS: u8 = 30;
/// Brightness by day, and while every venue is closed.
const BRIGHT: u8 = 4;
const DIM: u8 = 2;

/// How things are, at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// All is well.
    Calm,
    /// An order is under way.
    Working,
    /// Venues are closed.
    Waiting,
    /// Trading is stopped.
    Halted,
    /// A person must look.
    Alarm,
}

/// Everything that decides what is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// How things are; unknown until somebody said so.
    pub mood: Option<Mood>,
    /// One line.
    pub text: String,
    /// Value of the fund in whole units of its currency.
    pub value: Option<i64>,
    /// Today's change, as a fraction.
    pub change: Option<f64>,
    /// A stage is in trouble.
    pub degraded: bool,
    /// A stage is gone.
    pub gone: bool,
}

/// What the matrix is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Show {
    /// These pixels.
    Frame(Frame),
    /// This text, scrolled by the microcontroller until something else comes.
    Text {
        /// In the letters of its font.
        text: String,
        /// Milliseconds per column.
        step_ms: u8,
    },
}

/// One coloured LED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lamp {
    /// Red part.
    pub red: bool,
    /// Green part.
    pub green: bool,
    /// Blue part.
    pub blue: bool,
    /// Lit for this long; 0 for ever.
    pub on_ms: u16,
    /// Then dark for this long; 0 for steady.
    pub off_ms: u16,
}

/// Everything that is shown in one second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The matrix.
    pub show: Show,
    /// Ceiling of its levels.
    pub brightness: u8,
    /// The LED on the Linux side.
    pub lamp: Lamp,
}

/// The picture of a scene in a second.
#[must_use]
pub fn picture(scene: &Scene, second: u64) -> Picture {
    let show = match scene.mood {
        Some(Mood::Alarm) => icon_then_text(icons::error(), &scene.text, URGENT_STEP_MS, second),
        Some(Mood::Halted) => icon_then_text(icons::halted(), &scene.text, STEP_MS, second),
        Some(Mood::Working) => text(&scene.text, STEP_MS),
        Some(Mood::Calm | Mood::Waiting) => page(scene, second),
        None => Show::Frame(icons::no_data()),
    };
    let brightness = if scene.mood == Some(Mood::Waiting) { DIM } else { BRIGHT };
    Picture { show, brightness, lamp: lamp(scene) }
}

fn text(text: &str, step_ms: u8) -> Show {
    Show::Text { text: transliterated(text), step_ms }
}

fn icon_then_text(icon: Frame, words: &str, step_ms: u8, second: u64) -> Show {
    let scrolled = transliterated(words);
    if second % (ICON_S + seconds(&scrolled, step_ms)) < ICON_S {
        Show::Frame(icon)
    } else {
        Show::Text { text: scrolled, step_ms }
    }
}

/// Whole seconds of one pass: six columns per letter, after the thirteen of the matrix. Never none.
fn seconds(scrolled: &str, step_ms: u8) -> u64 {
    let columns = u64::try_from(13 + 6 * scrolled.len()).unwrap_or(u64::MAX);
    columns.saturating_mul(step_ms.into()).div_ceil(1_000).max(1)
}

/// The pages that have something to say, one after the other.
fn page(scene: &Scene, second: u64) -> Show {
    let pages: Vec<Frame> =
        [scene.value.map(value_page), scene.change.map(change_page)].into_iter().flatten().collect();
    let turn = usize::try_from(second / PAGE_S).unwrap_or(0);
    let page = turn.checked_rem(pages.len()).and_then(|turn| pages.into_iter().nth(turn));
    page.map_or_else(|| text(&scene.text, STEP_MS), Show::Frame)
}

/// What the LED on the Linux side says: the worst first.
#[must_use]
pub fn lamp(scene: &Scene) -> Lamp {
    let dark = Lamp { red: false, green: false, blue: false, on_ms: 0, off_ms: 0 };
    if scene.gone {
        Lamp { red: true, ..dark }
    } else if matches!(scene.mood, Some(Mood::Halted | Mood::Alarm)) {
        Lamp { red: true, on_ms: 250, off_ms: 250, ..dark }
    } else if scene.degraded || scene.mood.is_none() {
        Lamp { red: true, green: true, on_ms: 500, off_ms: 500, ..dark }
    } else {
        Lamp { green: true, on_ms: 100, off_ms: 4_900, ..dark }
    }
}
