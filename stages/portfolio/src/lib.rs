//! Positions, cash, cash flows, valuation
