//! Universe, prices, currency rates, corporate actions and calendars
