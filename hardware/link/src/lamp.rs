//! LED1 of the Linux side, through sysfs. A missing LED is no trouble.

use std::{fs, io, path::PathBuf};

use leds::Lamp;

/// The three files of LED1.
#[derive(Debug)]
pub(crate) struct Led1 {
    colours: Vec<(PathBuf, u32)>,
    shown: Option<Lamp>,
}

impl Led1 {
    /// Looks for it; `None` on a machine without.
    pub(crate) fn find(leds: &std::path::Path) -> Option<Led1> {
        let colours: Vec<_> = ["red:user", "green:user", "blue:user"]
            .into_iter()
            .map(|name| leds.join(name))
            .filter(|folder| folder.is_dir())
            .map(|folder| {
                // One for plain GPIO LEDs, 255 for others; never assumed.
                let max = fs::read_to_string(folder.join("max_brightness"));
                let max = max.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1);
                (folder, max)
            })
            .collect();
        (colours.len() == 3).then_some(Led1 { colours, shown: None })
    }

    /// Shows a lamp, if it is another one than before; what cannot be written is left dark.
    pub(crate) fn show(&mut self, lamp: Lamp) {
        if self.shown == Some(lamp) {
            return;
        }
        self.shown = Some(lamp);
        for ((folder, max), lit) in self.colours.iter().zip([lamp.red, lamp.green, lamp.blue]) {
            drop(write(folder, *max, lit, lamp));
        }
    }
}

/// The kernel blinks by itself; Linux only says how.
fn write(folder: &std::path::Path, max: u32, lit: bool, lamp: Lamp) -> io::Result<()> {
    if !lit || lamp.off_ms == 0 {
        fs::write(folder.join("trigger"), "none")?;
        return fs::write(folder.join("brightness"), if lit { max } else { 0 }.to_string());
    }
    fs::write(folder.join("trigger"), "timer")?;
    fs::write(folder.join("delay_on"), lamp.on_ms.to_string())?;
    fs::write(folder.join("delay_off"), lamp.off_ms.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn lamp(red: bool, on_ms: u16, off_ms: u16) -> Lamp {
        Lamp { red, green: false, blue: false, on_ms, off_ms }
    }

    #[test]
    fn steady_and_blinking_lamps_are_written_with_the_leds_own_maximum() {
        let leds = tempfile::tempdir().unwrap();
        for name in ["red:user", "green:user", "blue:user"] {
            fs::create_dir(leds.path().join(name)).unwrap();
            fs::write(leds.path().join(name).join("max_brightness"), "255\n").unwrap();
        }
        let read = |name: &str| fs::read_to_string(leds.path().join("red:user").join(name)).unwrap();
        let mut led = Led1::find(leds.path()).unwrap();
        led.show(lamp(true, 0, 0));
        assert_eq!((read("trigger"), read("brightness")), ("none".into(), "255".into()));
        led.show(lamp(true, 250, 500));
        assert_eq!(
            (read("trigger"), read("delay_on"), read("delay_off")),
            ("timer".into(), "250".into(), "500".into())
        );
        led.show(lamp(false, 250, 500));
        assert_eq!((read("trigger"), read("brightness")), ("none".into(), "0".into()));
    }

    #[test]
    fn missing_leds_are_no_trouble() {
        let leds = tempfile::tempdir().unwrap();
        assert!(Led1::find(leds.path()).is_none());
    }
}
