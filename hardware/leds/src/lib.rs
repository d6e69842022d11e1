//! State in, frame out
