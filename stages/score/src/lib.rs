//! Scores and market regime
