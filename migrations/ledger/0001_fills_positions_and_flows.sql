-- Fills are the truth of positions; everything the broker said last; flows; ends of days.
CREATE TABLE fill (
    fill_id TEXT PRIMARY KEY CHECK (length(fill_id) = 26),
    broker_trade_id TEXT UNIQUE,
    broker_order_id TEXT,
    order_id TEXT,
    isin TEXT CHECK (length(isin) = 12),
    ticker TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    qty_e6 INTEGER NOT NULL CHECK (qty_e6 > 0),
    price_e6 INTEGER CHECK (price_e6 >= 0),
    ccy TEXT,
    fee_e4 INTEGER,
    fee_ccy TEXT,
    rate_e9 INTEGER CHECK (rate_e9 > 0),
    value_eur_e4 INTEGER,
    executed INTEGER NOT NULL,
    settle_day TEXT,
    bucket_id TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('broker', 'import'))
) STRICT;
CREATE INDEX fill_isin ON fill (isin);

-- Trades from before the books: their quantities are part of the imported holdings.
CREATE TABLE trade_before (broker_trade_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE position (
    isin TEXT PRIMARY KEY CHECK (length(isin) = 12),
    bucket_id TEXT NOT NULL,
    ticker TEXT NOT NULL,
    qty_e6 INTEGER NOT NULL,
    avg_price_e6 INTEGER CHECK (avg_price_e6 >= 0),
    ccy TEXT NOT NULL,
    opened INTEGER,
    last_buy INTEGER,
    last_sell INTEGER,
    predates_ledger INTEGER NOT NULL CHECK (predates_ledger IN (0, 1))
) STRICT;

CREATE TABLE frozen (isin TEXT PRIMARY KEY, since INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;

CREATE TABLE broker_position (
    isin TEXT PRIMARY KEY,
    taken INTEGER NOT NULL,
    ticker TEXT NOT NULL,
    qty_e6 INTEGER NOT NULL,
    avg_price_e6 INTEGER,
    ccy TEXT NOT NULL
) STRICT;

CREATE TABLE broker_cash (ccy TEXT PRIMARY KEY, taken INTEGER NOT NULL, amount_e4 INTEGER NOT NULL) STRICT;

-- One row once the account has been read: when last.
CREATE TABLE sync (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL, nameless TEXT NOT NULL) STRICT;

CREATE TABLE cash_flow (
    id TEXT PRIMARY KEY,
    broker_txn_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    external INTEGER NOT NULL CHECK (external IN (0, 1)),
    raw_type TEXT NOT NULL,
    day TEXT NOT NULL,
    amount_e4 INTEGER NOT NULL,
    ccy TEXT NOT NULL,
    amount_eur_e4 INTEGER,
    description TEXT NOT NULL,
    seen INTEGER NOT NULL
) STRICT;
CREATE INDEX cash_flow_day ON cash_flow (day);

CREATE TABLE eod_snapshot (
    day TEXT NOT NULL,
    bucket_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    nav_e4 INTEGER NOT NULL,
    positions_e4 INTEGER NOT NULL,
    cash_e4 INTEGER NOT NULL,
    net_flow_e4 INTEGER NOT NULL,
    nav_index REAL NOT NULL,
    stale INTEGER NOT NULL CHECK (stale IN (0, 1)),
    PRIMARY KEY (day, bucket_id, revision)
) STRICT, WITHOUT ROWID;

CREATE VIEW api_fill AS
SELECT fill_id, order_id, isin, CASE WHEN isin IS NULL THEN ticker END AS pair, side, qty_e6 AS qty,
       price_e6 AS price, ccy, fee_e4 AS fee, value_eur_e4 AS value_eur, executed, bucket_id, source,
       'live' AS mode
FROM fill;

CREATE VIEW api_position AS
SELECT p.isin, p.bucket_id, p.qty_e6 AS qty, p.avg_price_e6 AS avg_price, p.ccy, p.opened, p.last_buy,
       p.last_sell, f.isin IS NOT NULL AS frozen, p.predates_ledger, 'live' AS mode
FROM position p LEFT JOIN frozen f USING (isin);

CREATE VIEW api_cash AS
SELECT '*' AS bucket_id, ccy, amount_e4 AS amount, 'live' AS mode FROM broker_cash;

CREATE VIEW api_cash_flow AS
SELECT id, day, kind, external, amount_e4 AS amount, ccy, amount_eur_e4 AS amount_eur, description FROM cash_flow;

CREATE VIEW api_nav AS
SELECT day, bucket_id, nav_e4 AS nav, positions_e4 AS positions, cash_e4 AS cash, net_flow_e4 AS net_flow,
       nav_index, stale
FROM eod_snapshot e
WHERE revision = (SELECT max(revision) FROM eod_snapshot n WHERE n.day = e.day AND n.bucket_id = e.bucket_id);
