-- What persons agreed to, the owner's settings as they were last heard, and since when something is owed: a restart must
-- forget none of it.

-- The newest approval of each security and side; one that ended is removed with the next.
CREATE TABLE approved_step (
    isin TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    qty_e6 INTEGER NOT NULL CHECK (qty_e6 > 0),
    price_e6 INTEGER NOT NULL CHECK (price_e6 > 0),
    ccy TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    step INTEGER NOT NULL,
    actor TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (isin, side)
) STRICT;

-- One row: the body of the last system/settings.
CREATE TABLE heard_settings (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    body TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

-- One row while a balance is negative: since when something is owed.
CREATE TABLE owed_since (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at INTEGER NOT NULL
) STRICT;
