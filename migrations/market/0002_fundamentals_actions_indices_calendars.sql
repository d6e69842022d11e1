-- What providers say beside prices: fundamentals and analysts, corporate actions, indices, calendars; doubtful bars apart
-- from believed ones; where each series comes from; and what the owner says against the providers.

ALTER TABLE security ADD COLUMN previous_isin TEXT CHECK (length(previous_isin) = 12);
ALTER TABLE security ADD COLUMN last_full_sync INTEGER;
ALTER TABLE security ADD COLUMN sync_failures INTEGER NOT NULL DEFAULT 0 CHECK (sync_failures >= 0);

ALTER TABLE security_user ADD COLUMN min_lot_override_e6 INTEGER CHECK (min_lot_override_e6 > 0);
ALTER TABLE security_user ADD COLUMN note TEXT;
ALTER TABLE security_user ADD COLUMN deactivated_reason TEXT;

-- A field said by the owner wins over every provider.
CREATE TABLE security_override (
    security_id INTEGER NOT NULL REFERENCES security,
    field TEXT NOT NULL CHECK (field IN
        ('name', 'country', 'industry', 'mic', 'product_type', 'currency', 'yahoo_symbol')),
    value TEXT NOT NULL CHECK (value <> ''),
    updated INTEGER NOT NULL,
    PRIMARY KEY (security_id, field)
) STRICT, WITHOUT ROWID;

-- Who said what of a field of a security, and when: the newest of the best source is shown.
CREATE TABLE security_fact (
    security_id INTEGER NOT NULL REFERENCES security,
    field TEXT NOT NULL,
    source TEXT NOT NULL,
    value TEXT NOT NULL,
    as_of INTEGER NOT NULL,
    PRIMARY KEY (security_id, field, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE security_industry (
    security_id INTEGER NOT NULL REFERENCES security,
    industry TEXT NOT NULL,
    weight REAL NOT NULL CHECK (weight > 0.0 AND weight <= 1.0),
    PRIMARY KEY (security_id, industry)
) STRICT, WITHOUT ROWID;

ALTER TABLE symbol_alias ADD COLUMN mic TEXT CHECK (length(mic) = 4);
ALTER TABLE symbol_alias ADD COLUMN valid_from TEXT;
ALTER TABLE symbol_alias ADD COLUMN valid_to TEXT;
-- NULL: never compared with the broker's prices; such a symbol feeds no cross-check.
ALTER TABLE symbol_alias ADD COLUMN verified INTEGER;
ALTER TABLE symbol_alias ADD COLUMN method TEXT;

-- A series is of one source; a change of source reloads it as a whole. No row means the broker.
CREATE TABLE price_series (
    security_id INTEGER PRIMARY KEY REFERENCES security,
    source TEXT NOT NULL,
    -- Everything up to this day has been asked for, so that a restart goes on behind it.
    filled_until TEXT,
    -- Days before the first one that the source has.
    begins TEXT,
    updated INTEGER NOT NULL
) STRICT;

-- A bar that nobody may use until a second source, the next session or a corporate action explains it.
CREATE TABLE price_quarantine (
    security_id INTEGER NOT NULL REFERENCES security,
    day TEXT NOT NULL,
    source TEXT NOT NULL,
    open_e6 INTEGER NOT NULL,
    high_e6 INTEGER NOT NULL,
    low_e6 INTEGER NOT NULL,
    close_e6 INTEGER NOT NULL,
    volume INTEGER,
    reason TEXT NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (security_id, day, source)
) STRICT, WITHOUT ROWID;

-- Key of an action: who it concerns, what, and the day; so the same news never counts twice.
CREATE TABLE corporate_action (
    security_id INTEGER NOT NULL REFERENCES security,
    kind TEXT NOT NULL CHECK (kind IN ('split', 'dividend', 'merger', 'rename', 'delist')),
    ex_day TEXT NOT NULL,
    -- Of a split: `ratio_num` new for `ratio_den` old.
    ratio_num INTEGER CHECK (ratio_num > 0),
    ratio_den INTEGER CHECK (ratio_den > 0),
    -- Of a dividend: 1/1 000 000 of the security's currency per share, split-adjusted like the prices.
    amount_e6 INTEGER CHECK (amount_e6 > 0),
    unit_guessed INTEGER NOT NULL DEFAULT 0 CHECK (unit_guessed IN (0, 1)),
    source TEXT NOT NULL,
    -- The stored bars of the security already contain it.
    applied INTEGER NOT NULL CHECK (applied IN (0, 1)),
    updated INTEGER NOT NULL,
    PRIMARY KEY (security_id, kind, ex_day),
    CHECK (kind <> 'split' OR (ratio_num IS NOT NULL AND ratio_den IS NOT NULL)),
    CHECK (kind <> 'dividend' OR amount_e6 IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- One row per field and the time it speaks of. NULL: the source was asked and does not know, or what it said lies
-- outside the believable range. Names, units and ranges: domain/market/src/fundamental.rs. Fractions are fractions (0.0185, never 1.85) and debt to equity is a ratio.
CREATE TABLE fundamental (
    security_id INTEGER NOT NULL REFERENCES security,
    field TEXT NOT NULL,
    as_of INTEGER NOT NULL,
    value REAL,
    source TEXT NOT NULL,
    PRIMARY KEY (security_id, field, as_of)
) STRICT, WITHOUT ROWID;

CREATE TABLE index_price (
    name TEXT NOT NULL,
    day TEXT NOT NULL,
    close REAL NOT NULL CHECK (close > 0.0),
    source TEXT NOT NULL,
    fetched INTEGER NOT NULL,
    PRIMARY KEY (name, day)
) STRICT, WITHOUT ROWID;

-- `open_intervals`: JSON list of [open, close] in milliseconds since 1970.
CREATE TABLE calendar_day (
    mic TEXT NOT NULL CHECK (length(mic) = 4),
    day TEXT NOT NULL,
    open_intervals TEXT NOT NULL,
    closed INTEGER NOT NULL CHECK (closed IN (0, 1)),
    PRIMARY KEY (mic, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE calendar_span (
    mic TEXT PRIMARY KEY CHECK (length(mic) = 4),
    valid_until TEXT NOT NULL,
    release TEXT NOT NULL
) STRICT;

-- Answers of providers that may be used again, and their refusals; dropping all of it loses nothing but time.
CREATE TABLE response (
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    etag TEXT,
    fetched INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX response_expires ON response (expires);

DROP VIEW api_universe;
CREATE VIEW api_universe AS
SELECT s.isin,
       coalesce((SELECT value FROM security_override o WHERE o.security_id = s.security_id AND field = 'name'), s.name)
           AS name,
       coalesce((SELECT value FROM security_override o
                 WHERE o.security_id = s.security_id AND field = 'product_type'), s.product_type) AS product_type,
       coalesce((SELECT value FROM security_override o
                 WHERE o.security_id = s.security_id AND field = 'country'), s.country) AS country,
       coalesce((SELECT value FROM security_override o
                 WHERE o.security_id = s.security_id AND field = 'industry'), s.industry_raw) AS industries,
       coalesce((SELECT value FROM security_override o
                 WHERE o.security_id = s.security_id AND field = 'currency'), s.currency) AS currency,
       coalesce((SELECT value FROM security_override o
                 WHERE o.security_id = s.security_id AND field = 'mic'), l.mic) AS mic,
       a.symbol, coalesce(u.min_lot_override_e6, s.lot_e6) AS lot, l.tick_e6 AS tick, u.active, u.allow_buy, u.allow_sell,
       u.priority_multiplier, u.min_target, u.max_target, u.marked_for_exit, s.status, s.previous_isin, u.note,
       u.deactivated_reason, s.last_full_sync
FROM security s
JOIN security_user u USING (security_id)
JOIN listing l ON l.security_id = s.security_id AND l.traded = 1
LEFT JOIN symbol_alias a ON a.security_id = s.security_id AND a.source = 'broker' AND a.valid_to IS NULL;

DROP VIEW api_bar;
CREATE VIEW api_bar AS
SELECT s.isin, p.day, p.open_e6 AS open, p.high_e6 AS high, p.low_e6 AS low, p.close_e6 AS close, p.volume,
       p.quality, p.is_final
FROM daily_price p
JOIN security s USING (security_id)
WHERE p.source = coalesce((SELECT source FROM price_series r WHERE r.security_id = p.security_id), 'broker');

-- Only complete months: a later month has begun in the series, and the first month is left out because it may have
-- begun before the series did. Prices in 1/1 000 000.
CREATE VIEW api_month AS
WITH month AS (
    SELECT isin, substr(day, 1, 7) AS year_month, avg(close) AS average, min(low) AS min, max(high) AS max,
           max(day) AS last_day
    FROM api_bar WHERE quality <> 'suspect' AND is_final = 1
    GROUP BY isin, substr(day, 1, 7)
),
span AS (SELECT isin, min(year_month) AS first, max(year_month) AS last FROM month GROUP BY isin)
SELECT m.isin, m.year_month, m.average, m.min, m.max, b.close AS last_close
FROM month m
JOIN span USING (isin)
JOIN api_bar b ON b.isin = m.isin AND b.day = m.last_day
WHERE m.year_month > span.first AND m.year_month < span.last;

CREATE VIEW api_action AS
SELECT s.isin, c.kind, c.ex_day, c.ratio_num, c.ratio_den, c.amount_e6 AS amount, c.applied, c.source, c.unit_guessed
FROM corporate_action c JOIN security s USING (security_id);

-- The newest value of every field; NULL values are shown, they say that nobody knows.
CREATE VIEW api_fundamental AS
SELECT s.isin, f.field, f.value, f.as_of, f.source
FROM fundamental f JOIN security s USING (security_id)
WHERE f.as_of = (SELECT max(g.as_of) FROM fundamental g WHERE g.security_id = f.security_id AND g.field = f.field);

CREATE VIEW api_index AS SELECT name AS "index", day, close FROM index_price;

CREATE VIEW api_calendar AS SELECT mic, day, open_intervals, closed FROM calendar_day;

CREATE VIEW api_quarantine AS
SELECT s.isin, q.day, q.source, q.close_e6 AS close, q.reason, q.seen
FROM price_quarantine q JOIN security s USING (security_id);

-- Everything that is told of a security, by whom and when, for people.
CREATE VIEW api_fact AS
SELECT s.isin, f.field, f.source, f.value, f.as_of FROM security_fact f JOIN security s USING (security_id)
UNION ALL
SELECT s.isin, o.field, 'manual', o.value, o.updated FROM security_override o JOIN security s USING (security_id);
