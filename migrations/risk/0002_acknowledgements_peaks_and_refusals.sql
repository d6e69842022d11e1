-- A person has looked at the loss of the day: it stops sales only until the next day.
ALTER TABLE breaker ADD COLUMN acknowledged INTEGER NOT NULL DEFAULT 0;

-- Highest value per unit of each day, flows taken out, in 1/1 000 000 000; for the fall from the peak of ninety days.
CREATE TABLE peak (
    day TEXT PRIMARY KEY,
    index_e9 INTEGER NOT NULL
) STRICT;

-- Orders that the broker refused; three in a day halt.
CREATE TABLE broker_refusal (
    order_id TEXT PRIMARY KEY,
    isin TEXT NOT NULL,
    ts INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE VIEW api_broker_refusal AS SELECT order_id, isin, ts, text FROM broker_refusal;
CREATE VIEW api_approval AS SELECT order_id, mode, terms, issued, expires FROM approval;
