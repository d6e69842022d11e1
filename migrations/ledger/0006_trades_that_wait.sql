-- Trades of the broker that cannot be booked yet, such as those of securities that nobody knows. They are read again
-- until they can, however long that takes.
CREATE TABLE trade_unbooked (
    broker_trade_id TEXT PRIMARY KEY,
    day TEXT NOT NULL,
    what TEXT NOT NULL,
    why TEXT NOT NULL,
    seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
