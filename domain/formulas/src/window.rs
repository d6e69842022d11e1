//! The last N values of a growing series as one contiguous slice, without moving them.
//!
//! Every statistic over "the last N bars" is a function of a slice, so a window makes all of them
//! incremental: `push` costs two writes, and the statistic reads the slice. Running sums were
//! rejected: after a price spike has left the window its rounding error stays in the sum, and the
//! running result drifts from the full one. Reading 252 values again takes a fraction of a
//! microsecond and gives the full result bit for bit.
//!
//! The storage is mirrored: each value is written at i and at i + N, so that the last N values are
//! contiguous wherever the window starts. Memory is taken once, at construction.

/// The last `capacity` values of a series, oldest first.
#[derive(Debug, Clone)]
pub struct Window {
    mirrored: Vec<f64>,
    capacity: usize,
    next: usize,
    length: usize,
}

impl Window {
    /// Creates an empty window; a capacity of 0 holds nothing for ever.
    pub fn new(capacity: usize) -> Self {
        Self { mirrored: vec![0.0; capacity * 2], capacity, next: 0, length: 0 }
    }

    /// Appends a value; the oldest one leaves when the window is full.
    ///
    /// Any value is stored, also not a number: the statistic that reads it decides, and it leaves
    /// the window like any other.
    pub fn push(&mut self, value: f64) {
        if self.capacity == 0 {
            return;
        }
        self.mirrored[self.next] = value;
        self.mirrored[self.next + self.capacity] = value;
        // A remainder would cost more than everything else here.
        self.next = if self.next + 1 == self.capacity { 0 } else { self.next + 1 };
        self.length = (self.length + 1).min(self.capacity);
    }

    /// Returns the values held, oldest first.
    ///
    /// # Examples
    /// ```
    /// let mut window = formulas::window::Window::new(3);
    /// for value in [1.0, 2.0, 3.0, 4.0] {
    ///     window.push(value);
    /// }
    /// assert_eq!(window.as_slice(), [2.0, 3.0, 4.0]);
    /// ```
    pub fn as_slice(&self) -> &[f64] {
        let end = self.next + self.capacity;
        &self.mirrored[end - self.length..end]
    }

    /// Tells whether as many values are held as fit.
    pub fn is_full(&self) -> bool {
        self.length == self.capacity
    }
}
