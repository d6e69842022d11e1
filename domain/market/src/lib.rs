//! Security ids, venues, trading calendars and time
