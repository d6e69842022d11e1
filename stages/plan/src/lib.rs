//! Opportunities, sequences, the next trade
