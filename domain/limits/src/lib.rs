//! The checks that plan and risk-gate share
