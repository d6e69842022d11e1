//! `hardware`: the board. Draws what notify decided, and turns the stop button into a halt.
//!
//! **Reads** `display/state`, `risk/halt`, `alert/{id}`, `system/health/{stage}`.
//!
//! **Publishes** `command/risk-gate/halt` while a stop button is pressed and trading is not halted yet. Releasing the
//! button resumes nothing.
//!
//! **Owns** nothing.
//!
//! **Devices** the microcontroller through the router's socket (frames, text, brightness, heartbeat, emergency
//! stop), LED1 through sysfs, and optionally a stop button on a GPIO line of the Linux side. Each may be missing:
//! the rest works on, and the health says "no board: drawing nothing".
//!
//! **Time** drawing follows the wall clock inside the edge and never wakes the stage: a simulated month without a
//! board costs nothing. The edge's one call waits for the board and holds no virtual time.
//!
//! **Refuses** to start with a line, lamp or interval outside its range; what the microcontroller answers wrongly counts as no
//! answer.
//!
//! **Limits** one request to the microcontroller at a time, at most four in a second, 200 bytes each; only the newest
//! picture is sent.
//!
//! **Deliberately does not do (yet)** LED3 and LED4, outputs, acknowledge button, clearing the emergency stop's latch,
//! flashing the sketch, recovery of a hung microcontroller, night hours.

mod board;
mod button;
mod desk;
mod edge;
mod lamp;
mod session;
mod settings;
mod stage;

pub use desk::Desk;
pub use edge::BoardEdge;
pub use session::{Heard, Session};
pub use settings::Settings;
pub use stage::{BoardEvent, Hardware, NextEvent};
