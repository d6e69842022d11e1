-- The books of research mode: a copy of the account at first, then what orders on paper did to it. Its rows never
-- join real ones.
CREATE TABLE paper_begun (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL) STRICT;

CREATE TABLE paper_fill (
    trade_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL CHECK (length(order_id) = 26),
    isin TEXT CHECK (length(isin) = 12),
    ticker TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    qty_e6 INTEGER NOT NULL CHECK (qty_e6 > 0),
    price_e6 INTEGER NOT NULL CHECK (price_e6 > 0),
    ccy TEXT NOT NULL,
    fee_e4 INTEGER,
    fee_ccy TEXT,
    rate_e9 INTEGER CHECK (rate_e9 > 0),
    value_eur_e4 INTEGER,
    executed INTEGER NOT NULL,
    bucket_id TEXT NOT NULL
) STRICT;

CREATE TABLE paper_position (
    isin TEXT PRIMARY KEY CHECK (length(isin) = 12),
    bucket_id TEXT NOT NULL,
    ticker TEXT NOT NULL,
    qty_e6 INTEGER NOT NULL,
    avg_price_e6 INTEGER CHECK (avg_price_e6 >= 0),
    ccy TEXT NOT NULL,
    opened INTEGER,
    last_buy INTEGER,
    last_sell INTEGER,
    predates_ledger INTEGER NOT NULL CHECK (predates_ledger IN (0, 1)),
    cost_eur_e4 INTEGER
) STRICT;

CREATE TABLE paper_cash (ccy TEXT PRIMARY KEY, amount_e4 INTEGER NOT NULL) STRICT;

-- Flows of the account that the paper ledger has had its part of.
CREATE TABLE paper_flow (flow_id TEXT PRIMARY KEY CHECK (length(flow_id) = 26)) STRICT, WITHOUT ROWID;

CREATE TABLE paper_eod_snapshot (
    day TEXT PRIMARY KEY,
    nav_e4 INTEGER NOT NULL,
    positions_e4 INTEGER NOT NULL,
    cash_e4 INTEGER NOT NULL,
    net_flow_e4 INTEGER NOT NULL,
    nav_index REAL NOT NULL,
    stale INTEGER NOT NULL CHECK (stale IN (0, 1)),
    ended INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIEW api_paper_fill AS
SELECT trade_id, order_id, isin, CASE WHEN isin IS NULL THEN ticker END AS pair, side, qty_e6 AS qty,
       price_e6 AS price, ccy, fee_e4 AS fee, value_eur_e4 AS value_eur, executed, bucket_id, 'research' AS mode
FROM paper_fill;

CREATE VIEW api_paper_position AS
SELECT isin, bucket_id, ticker, qty_e6 AS qty, avg_price_e6 AS avg_price, ccy, opened, last_buy, last_sell,
       predates_ledger, cost_eur_e4 AS cost_eur, 'research' AS mode
FROM paper_position;

CREATE VIEW api_paper_cash AS
SELECT '*' AS bucket_id, ccy, amount_e4 AS amount, 'research' AS mode FROM paper_cash;

CREATE VIEW api_paper_nav AS
SELECT day, nav_e4 AS nav, positions_e4 AS positions, cash_e4 AS cash, net_flow_e4 AS net_flow, nav_index, stale,
       ended, 'research' AS mode
FROM paper_eod_snapshot;

-- What may be spent of the cash that the broker reported; older rows did not tell it apart.
ALTER TABLE broker_cash ADD COLUMN spendable_e4 INTEGER;
