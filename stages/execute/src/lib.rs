//! Places approved orders and follows them to the end
