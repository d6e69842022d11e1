-- One row per order, from the moment its approval was verified.
CREATE TABLE "order" (
    order_id TEXT PRIMARY KEY,
    user_order_id INTEGER NOT NULL UNIQUE,
    broker_order_id TEXT,
    plan_id TEXT NOT NULL,
    bucket_id TEXT NOT NULL,
    isin TEXT NOT NULL,
    mic TEXT NOT NULL,
    side TEXT NOT NULL,
    qty_e6 INTEGER NOT NULL CHECK (qty_e6 > 0),
    limit_price_e6 INTEGER NOT NULL CHECK (limit_price_e6 > 0),
    ccy TEXT NOT NULL,
    mode TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    mac TEXT NOT NULL,
    created INTEGER NOT NULL,
    sent INTEGER,
    final INTEGER,
    -- The statement, and what the stage needs to go on after a restart, as JSON.
    body TEXT NOT NULL,
    inside TEXT NOT NULL
) STRICT;

-- Append-only: every state an order has been in.
CREATE TABLE order_event (
    id INTEGER PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES "order" (order_id),
    ts INTEGER NOT NULL,
    state TEXT NOT NULL,
    message TEXT
) STRICT;

CREATE TABLE order_fill (
    broker_trade_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES "order" (order_id),
    qty_e6 INTEGER NOT NULL CHECK (qty_e6 > 0),
    price_e6 INTEGER NOT NULL,
    ccy TEXT NOT NULL,
    fee_e4 INTEGER,
    fee_ccy TEXT,
    seen INTEGER NOT NULL
) STRICT;

CREATE TABLE incident (
    id TEXT PRIMARY KEY,
    ts INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE VIEW api_order AS
SELECT o.order_id, o.user_order_id, o.broker_order_id, o.plan_id, o.bucket_id, o.isin, o.mic, o.side, o.qty_e6 AS qty,
       o.limit_price_e6 AS limit_price, o.ccy, o.mode, o.state, o.reason, o.created, o.sent, o.final, o.body,
       (SELECT coalesce(sum(f.qty_e6), 0) FROM order_fill f WHERE f.order_id = o.order_id) AS filled_qty
FROM "order" o;

CREATE VIEW api_order_event AS SELECT order_id, ts, state, message FROM order_event;

CREATE VIEW api_order_fill AS
SELECT f.broker_trade_id, f.order_id, f.qty_e6 AS qty, f.price_e6 AS price, f.ccy, f.fee_e4 AS fee, f.fee_ccy, f.seen AS executed, o.mode
FROM order_fill f JOIN "order" o USING (order_id);
