//! Target weights
