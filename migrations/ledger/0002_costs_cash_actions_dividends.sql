-- Cost in EUR, cash of the books, corporate actions, dividends, when a day ended, what was imported.
ALTER TABLE fill ADD COLUMN amount_e4 INTEGER;
ALTER TABLE fill ADD COLUMN csv INTEGER NOT NULL DEFAULT 0 CHECK (csv IN (0, 1));
ALTER TABLE fill ADD COLUMN in_opening INTEGER NOT NULL DEFAULT 0 CHECK (in_opening IN (0, 1));
ALTER TABLE position ADD COLUMN cost_eur_e4 INTEGER;
ALTER TABLE cash_flow ADD COLUMN isin TEXT CHECK (length(isin) = 12);
-- Days that ended before this column was there did so at 22:30 UTC.
ALTER TABLE eod_snapshot ADD COLUMN ended INTEGER;

-- Cash with which the books began; everything since follows from fills and flows.
CREATE TABLE cash_opening (ccy TEXT PRIMARY KEY, at INTEGER NOT NULL, amount_e4 INTEGER NOT NULL) STRICT;
-- Books that are older than this begin their cash with what the broker said last.
INSERT INTO cash_opening SELECT ccy, taken, amount_e4 FROM broker_cash;
UPDATE cash_flow SET seen = 0;
UPDATE fill SET in_opening = 1;

-- Units that appeared or went without a trade.
CREATE TABLE corporate_action (
    id TEXT PRIMARY KEY CHECK (length(id) = 26),
    isin TEXT NOT NULL CHECK (length(isin) = 12),
    kind TEXT NOT NULL CHECK (kind IN ('split', 'renamed', 'removed')),
    at INTEGER NOT NULL,
    held_e6 INTEGER NOT NULL,
    left_e6 INTEGER NOT NULL,
    units_before INTEGER CHECK (units_before > 0),
    units_after INTEGER CHECK (units_after > 0),
    to_isin TEXT CHECK (length(to_isin) = 12),
    price_e6 INTEGER CHECK (price_e6 >= 0)
) STRICT;

CREATE TABLE dividend (
    id TEXT PRIMARY KEY CHECK (length(id) = 26),
    isin TEXT CHECK (length(isin) = 12),
    gross_e4 INTEGER NOT NULL,
    tax_e4 INTEGER NOT NULL,
    net_e4 INTEGER NOT NULL,
    ccy TEXT NOT NULL,
    net_eur_e4 INTEGER,
    remaining_eur_e4 INTEGER,
    pay_day TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('received', 'assigned', 'reinvested', 'written_off', 'reversed')),
    bucket_id TEXT NOT NULL
) STRICT;
CREATE INDEX dividend_day ON dividend (pay_day);

DROP VIEW api_position;
CREATE VIEW api_position AS
SELECT p.isin, p.bucket_id, p.qty_e6 AS qty, p.avg_price_e6 AS avg_price, p.ccy, p.opened, p.last_buy,
       p.last_sell, f.isin IS NOT NULL AS frozen, p.predates_ledger, 'live' AS mode, p.cost_eur_e4 AS cost_eur, p.ticker
FROM position p LEFT JOIN frozen f USING (isin);

DROP VIEW api_cash_flow;
CREATE VIEW api_cash_flow AS
SELECT id, day, kind, external, amount_e4 AS amount, ccy, amount_eur_e4 AS amount_eur, description, isin, raw_type
FROM cash_flow;

DROP VIEW api_nav;
CREATE VIEW api_nav AS
SELECT day, bucket_id, nav_e4 AS nav, positions_e4 AS positions, cash_e4 AS cash, net_flow_e4 AS net_flow,
       nav_index, stale, coalesce(ended, unixepoch(day) * 1000 + 81000000) AS ended
FROM eod_snapshot e
WHERE revision = (SELECT max(revision) FROM eod_snapshot n WHERE n.day = e.day AND n.bucket_id = e.bucket_id);

DROP VIEW api_fill;
CREATE VIEW api_fill AS
SELECT fill_id, order_id, isin, CASE WHEN isin IS NULL THEN ticker END AS pair, side, qty_e6 AS qty,
       price_e6 AS price, ccy, fee_e4 AS fee, value_eur_e4 AS value_eur, executed, bucket_id, source,
       'live' AS mode, amount_e4 AS amount, settle_day, rate_e9 AS rate, broker_trade_id AS trade_id
FROM fill;

CREATE VIEW api_dividend AS
SELECT id, isin, pay_day, gross_e4 AS gross, tax_e4 AS tax, net_e4 AS net, ccy, net_eur_e4 AS net_eur,
       remaining_eur_e4 AS remaining_eur, state, bucket_id
FROM dividend;

CREATE VIEW api_corporate_action AS
SELECT id, isin, kind, at, held_e6 AS held, left_e6 AS "left", units_before, units_after, to_isin
FROM corporate_action;
