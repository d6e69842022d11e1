//! Settings of `[stage.hardware]`.

use std::path::PathBuf;

use serde::Deserialize;

/// As written in `steward.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Socket of the board's router.
    pub router_socket: PathBuf,
    /// Folder of the system's LEDs; LED1 is `red:user`, `green:user`, `blue:user` in it.
    pub leds: PathBuf,
    /// Legacy number of the GPIO line of a stop button, normally closed to ground: open is pressed, or a broken wire.
    pub stop_button_gpio: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            router_socket: "/var/run/arduino-router.sock".into(),
            leds: "/sys/class/leds".into(),
            stop_button_gpio: None,
        }
    }
}
