//! A stop button on a GPIO line of the Linux side: normally closed to ground, so that a broken wire is a press too.

use linux_embedded_hal::sysfs_gpio::{Direction, Error, Pin};

/// The line, opened for reading.
pub(crate) struct Button {
    pin: Pin,
    steady: Steady,
}

impl Button {
    /// Claims the line.
    ///
    /// # Errors
    /// What the system says; the line does not exist, is used by somebody else, or may not be opened.
    pub(crate) fn open(line: u64) -> Result<Button, Error> {
        let pin = Pin::new(line);
        pin.export()?;
        pin.set_direction(Direction::In)?;
        Ok(Button { pin, steady: Steady::default() })
    }

    /// Whether it is pressed, bouncing left out.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn is_pressed(&mut self) -> Result<bool, Error> {
        Ok(self.steady.note(self.pin.get_value()? != 0))
    }
}

/// A contact counts once two looks in a row agree.
#[derive(Debug, Default)]
struct Steady {
    last: bool,
    steady: bool,
}

impl Steady {
    fn note(&mut self, down: bool) -> bool {
        if down == self.last {
            self.steady = down;
        }
        self.last = down;
        self.steady
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounce_is_no_press_and_a_press_is_not_released_by_a_bounce() {
        let mut steady = Steady::default();
        let looks = [true, false, true, true, false, true, false, false];
        let pressed: Vec<bool> = looks.into_iter().map(|down| steady.note(down)).collect();
        assert_eq!(pressed, [false, false, false, true, true, true, true, false]);
    }

    #[test]
    fn a_line_that_does_not_exist_is_an_error_and_no_press() {
        assert!(Button::open(9_999_999).is_err());
    }
}
