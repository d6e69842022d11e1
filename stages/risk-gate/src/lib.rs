//! Every check before money moves
