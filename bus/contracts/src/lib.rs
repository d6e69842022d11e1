//! Message types and typed topics
