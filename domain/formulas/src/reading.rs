//! A value with the honesty to say that it rests on too little history.
//!
//! A 52-week high of twenty bars or a 200-bar average of fifty is a number, but not the number its
//! name promises. Such a reading is marked partial, and the score parts that use it are absent.

/// An indicator value and whether it rests on less history than its name promises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The value, always finite.
    pub value: f64,
    /// True when fewer bars were available than the definition asks for.
    pub is_partial: bool,
}

impl Reading {
    /// Returns the value only if it rests on enough history.
    ///
    /// # Examples
    /// ```
    /// use formulas::reading::Reading;
    /// assert_eq!(Reading { value: 7.0, is_partial: false }.complete(), Some(7.0));
    /// assert_eq!(Reading { value: 7.0, is_partial: true }.complete(), None);
    /// ```
    pub fn complete(self) -> Option<f64> {
        (!self.is_partial).then_some(self.value)
    }
}
