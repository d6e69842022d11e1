-- The universe, what the owner allows with it, prices, bars and currency rates.
CREATE TABLE security (
    security_id INTEGER PRIMARY KEY,
    isin TEXT NOT NULL UNIQUE CHECK (length(isin) = 12),
    name TEXT NOT NULL,
    product_type TEXT NOT NULL,
    country TEXT,
    industry_raw TEXT,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    status TEXT NOT NULL DEFAULT 'listed' CHECK (status IN ('listed', 'suspended', 'delisted', 'unknown')),
    lot_e6 INTEGER NOT NULL CHECK (lot_e6 > 0),
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;

-- What the owner says stands apart from what providers say.
CREATE TABLE security_user (
    security_id INTEGER PRIMARY KEY REFERENCES security,
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    allow_buy INTEGER NOT NULL DEFAULT 0 CHECK (allow_buy IN (0, 1)),
    allow_sell INTEGER NOT NULL DEFAULT 0 CHECK (allow_sell IN (0, 1)),
    priority_multiplier REAL NOT NULL DEFAULT 1.0 CHECK (priority_multiplier BETWEEN 0.1 AND 3.0),
    min_target REAL CHECK (min_target BETWEEN 0.0 AND 0.2),
    max_target REAL CHECK (max_target BETWEEN 0.0 AND 0.3),
    marked_for_exit INTEGER NOT NULL DEFAULT 0 CHECK (marked_for_exit IN (0, 1)),
    added_by TEXT NOT NULL,
    updated INTEGER NOT NULL
) STRICT;

CREATE TABLE listing (
    security_id INTEGER NOT NULL REFERENCES security,
    mic TEXT NOT NULL CHECK (length(mic) = 4),
    currency TEXT NOT NULL,
    traded INTEGER NOT NULL CHECK (traded IN (0, 1)),
    tick_e6 INTEGER CHECK (tick_e6 > 0),
    PRIMARY KEY (security_id, mic, currency)
) STRICT;
CREATE UNIQUE INDEX listing_traded ON listing (security_id) WHERE traded = 1;

CREATE TABLE symbol_alias (
    source TEXT NOT NULL,
    symbol TEXT NOT NULL,
    security_id INTEGER NOT NULL REFERENCES security,
    PRIMARY KEY (source, symbol)
) STRICT;

CREATE TABLE quote (
    security_id INTEGER NOT NULL REFERENCES security,
    ts INTEGER NOT NULL,
    price_e6 INTEGER NOT NULL CHECK (price_e6 > 0),
    bid_e6 INTEGER,
    ask_e6 INTEGER,
    source TEXT NOT NULL,
    suspect INTEGER NOT NULL CHECK (suspect IN (0, 1)),
    PRIMARY KEY (security_id, ts)
) STRICT, WITHOUT ROWID;
CREATE INDEX quote_ts ON quote (ts);

-- EUR itself has no row: it is one by definition.
CREATE TABLE fx_rate (
    ccy TEXT NOT NULL CHECK (length(ccy) = 3 AND ccy <> 'EUR'),
    day TEXT NOT NULL,
    source TEXT NOT NULL,
    eur_per_unit_e9 INTEGER NOT NULL CHECK (eur_per_unit_e9 > 0),
    as_of INTEGER NOT NULL,
    PRIMARY KEY (ccy, day, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE fx_latest (
    ccy TEXT PRIMARY KEY CHECK (length(ccy) = 3 AND ccy <> 'EUR'),
    eur_per_unit_e9 INTEGER NOT NULL CHECK (eur_per_unit_e9 > 0),
    as_of INTEGER NOT NULL,
    fetched INTEGER NOT NULL,
    source TEXT NOT NULL
) STRICT;

CREATE TABLE daily_price (
    security_id INTEGER NOT NULL REFERENCES security,
    day TEXT NOT NULL,
    source TEXT NOT NULL,
    open_e6 INTEGER NOT NULL CHECK (open_e6 > 0),
    high_e6 INTEGER NOT NULL,
    low_e6 INTEGER NOT NULL CHECK (low_e6 > 0),
    close_e6 INTEGER NOT NULL CHECK (close_e6 > 0),
    volume INTEGER,
    quality TEXT NOT NULL CHECK (quality IN ('ok', 'suspect', 'corrected')),
    is_final INTEGER NOT NULL CHECK (is_final IN (0, 1)),
    fetched INTEGER NOT NULL,
    PRIMARY KEY (security_id, day, source),
    CHECK (high_e6 >= max(open_e6, close_e6) AND low_e6 <= min(open_e6, close_e6))
) STRICT, WITHOUT ROWID;

CREATE VIEW api_universe AS
SELECT s.isin, s.name, s.product_type, s.country, s.industry_raw AS industries, s.currency, l.mic, a.symbol,
       s.lot_e6 AS lot, l.tick_e6 AS tick, u.active, u.allow_buy, u.allow_sell, u.priority_multiplier,
       u.min_target, u.max_target, u.marked_for_exit, s.status
FROM security s
JOIN security_user u USING (security_id)
JOIN listing l ON l.security_id = s.security_id AND l.traded = 1
LEFT JOIN symbol_alias a ON a.security_id = s.security_id AND a.source = 'broker';

CREATE VIEW api_bar AS
SELECT s.isin, p.day, p.open_e6 AS open, p.high_e6 AS high, p.low_e6 AS low, p.close_e6 AS close, p.volume,
       p.quality, p.is_final
FROM daily_price p
JOIN security s USING (security_id)
WHERE p.source = 'broker';

CREATE VIEW api_fx AS
SELECT ccy, day, eur_per_unit_e9 AS eur_per_unit, source, as_of FROM fx_rate;
