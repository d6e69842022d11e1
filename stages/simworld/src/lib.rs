//! Simulated broker, market data and clock
