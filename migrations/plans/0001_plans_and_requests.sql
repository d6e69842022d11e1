-- Contexts, plans, the orders asked for, and what is remembered about earlier trades and refusals.

-- The newest context of each bucket; the same content is not planned twice.
CREATE TABLE planning_context (
    bucket_id TEXT PRIMARY KEY,
    context_id TEXT NOT NULL,
    state_id TEXT NOT NULL,
    created INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- One row per plan; the body is the statement as it was last said.
CREATE TABLE plan (
    plan_id TEXT PRIMARY KEY,
    context_id TEXT NOT NULL,
    bucket_id TEXT NOT NULL,
    created INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE INDEX plan_created ON plan (created);

-- One row per order ever asked for. Rows are never removed: an order id is used once.
CREATE TABLE request (
    order_id TEXT PRIMARY KEY,
    plan_id TEXT NOT NULL,
    created INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    stage TEXT NOT NULL CHECK (stage IN ('asked', 'approved', 'placed', 'ended')),
    stage_since INTEGER NOT NULL,
    cleared INTEGER NOT NULL CHECK (cleared IN (0, 1))
) STRICT;
CREATE INDEX request_open ON request (cleared);

-- Last fill of an own order per security, side and mode.
CREATE TABLE traded (
    isin TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    mode TEXT NOT NULL CHECK (mode IN ('live', 'research')),
    at INTEGER NOT NULL,
    PRIMARY KEY (isin, side, mode)
) STRICT;

-- What a refusal forbids until when; scope is an ISIN, or * for every order.
CREATE TABLE hold (
    scope TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    blocks INTEGER NOT NULL CHECK (blocks IN (0, 1)),
    until INTEGER NOT NULL
) STRICT;

-- Numbers that are never used again.
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT;

CREATE VIEW api_plan AS SELECT plan_id, created AS ts, body FROM plan;
CREATE VIEW api_request AS SELECT order_id, plan_id, created AS ts, body FROM request;
