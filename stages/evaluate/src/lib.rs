//! Simulates and scores sequences
