//! The stage runner, clock and transports
