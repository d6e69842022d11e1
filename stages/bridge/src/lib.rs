//! HTTP API and live events
