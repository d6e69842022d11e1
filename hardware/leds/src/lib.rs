//! What 104 pixels and one LED show: pure functions of what is to be shown and of the second.
//!
//! [`picture`] turns a [`Scene`] into a [`Picture`]: either a whole [`Frame`] of levels or a text that the
//! microcontroller scrolls by itself (scrolling by frames would need more messages than the link can take), with
//! the brightness and the lamp beside it. The same scene in the same second is always the same picture.
//!
//! **Deliberately absent** devices, time, messages; who decides what a person should see; the pages
//! that need history (sparkline, positions, allocation).

mod digits;
mod frame;
mod icons;
mod pages;
mod scene;
mod text;

pub use frame::{COLUMNS, Frame, LEVEL_MAX, ROWS};
pub use pages::{change_page, value_page};
pub use scene::{Lamp, Mood, Picture, Scene, Show, lamp, picture};
pub use text::{TEXT_MAX, transliterated};
