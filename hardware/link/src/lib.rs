//! The board: LED matrix, LEDs, stop button
