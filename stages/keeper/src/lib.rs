//! Settings, job history, health, backup
