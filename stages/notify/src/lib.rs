//! Alerts, the display and the outside view
