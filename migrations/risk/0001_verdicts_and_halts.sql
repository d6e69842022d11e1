-- Every verdict for ever, with every check's numbers.
CREATE TABLE verdict (
    order_id TEXT PRIMARY KEY,
    ts INTEGER NOT NULL,
    kind TEXT NOT NULL,
    decision TEXT NOT NULL,
    code TEXT,
    checks TEXT NOT NULL,
    state_id TEXT NOT NULL,
    earliest INTEGER
) STRICT;

-- Permissions given; each at most once per order.
CREATE TABLE approval (
    order_id TEXT PRIMARY KEY REFERENCES verdict (order_id),
    mode TEXT NOT NULL,
    terms TEXT NOT NULL,
    issued INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    mac TEXT NOT NULL
) STRICT;

-- Orders that were sent, for counts, gaps and cooldowns.
CREATE TABLE activity (
    order_id TEXT PRIMARY KEY,
    isin TEXT NOT NULL,
    side TEXT NOT NULL,
    mode TEXT NOT NULL,
    sent INTEGER NOT NULL,
    filled INTEGER NOT NULL
) STRICT;
CREATE INDEX activity_sent ON activity (sent);

-- Any row without `cleared` halts.
CREATE TABLE halt (
    id TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    text TEXT NOT NULL,
    cleared INTEGER,
    cleared_by TEXT
) STRICT;

-- The latch of the daily-loss breaker.
CREATE TABLE breaker (
    day TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;

CREATE VIEW api_verdict AS SELECT order_id, ts, kind, decision, code, checks, earliest FROM verdict;
CREATE VIEW api_halt AS SELECT id, since, actor, reason, text, cleared, cleared_by FROM halt;
CREATE VIEW api_breaker AS SELECT day, state, since FROM breaker;
CREATE VIEW api_cooldown AS
SELECT isin, side, max(sent) AS last_sent FROM activity WHERE filled = 1 GROUP BY isin, side;
