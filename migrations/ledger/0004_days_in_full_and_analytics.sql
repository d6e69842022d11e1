-- What a day's end was computed from, what follows from the days, and when a fill was booked.
CREATE TABLE eod_position (
    day TEXT NOT NULL,
    isin TEXT NOT NULL CHECK (length(isin) = 12),
    qty_e6 INTEGER NOT NULL,
    price_e6 INTEGER NOT NULL CHECK (price_e6 >= 0),
    ccy TEXT NOT NULL,
    priced INTEGER NOT NULL,
    rate_e9 INTEGER NOT NULL CHECK (rate_e9 > 0),
    value_eur_e4 INTEGER NOT NULL,
    PRIMARY KEY (day, isin)
) STRICT, WITHOUT ROWID;

CREATE TABLE eod_cash (
    day TEXT NOT NULL,
    ccy TEXT NOT NULL,
    amount_e4 INTEGER NOT NULL,
    rate_e9 INTEGER NOT NULL CHECK (rate_e9 > 0),
    value_eur_e4 INTEGER NOT NULL,
    PRIMARY KEY (day, ccy)
) STRICT, WITHOUT ROWID;

-- The same of the paper ledger; its rows never join real ones.
CREATE TABLE paper_eod_position (
    day TEXT NOT NULL,
    isin TEXT NOT NULL CHECK (length(isin) = 12),
    qty_e6 INTEGER NOT NULL,
    price_e6 INTEGER NOT NULL CHECK (price_e6 >= 0),
    ccy TEXT NOT NULL,
    priced INTEGER NOT NULL,
    rate_e9 INTEGER NOT NULL CHECK (rate_e9 > 0),
    value_eur_e4 INTEGER NOT NULL,
    PRIMARY KEY (day, isin)
) STRICT, WITHOUT ROWID;

CREATE TABLE paper_eod_cash (
    day TEXT NOT NULL,
    ccy TEXT NOT NULL,
    amount_e4 INTEGER NOT NULL,
    rate_e9 INTEGER NOT NULL CHECK (rate_e9 > 0),
    value_eur_e4 INTEGER NOT NULL,
    PRIMARY KEY (day, ccy)
) STRICT, WITHOUT ROWID;

-- Fills that are older than this column were booked when they happened, as far as anybody knows.
ALTER TABLE fill ADD COLUMN booked INTEGER;

-- Figures computed anew at each end of a day; one that is not known is a row without a value.
CREATE TABLE analytic (
    mode TEXT NOT NULL CHECK (mode IN ('live', 'research')),
    kind TEXT NOT NULL CHECK (kind IN ('performance', 'attribution', 'turnover', 'composition')),
    period TEXT NOT NULL,
    name TEXT NOT NULL,
    part TEXT NOT NULL,
    value REAL,
    first_day TEXT,
    last_day TEXT NOT NULL,
    PRIMARY KEY (mode, kind, period, name, part)
) STRICT, WITHOUT ROWID;

CREATE VIEW api_eod_position AS
SELECT day, isin, qty_e6 AS qty, price_e6 AS price, ccy, priced, rate_e9 AS rate, value_eur_e4 AS value_eur,
       'live' AS mode
FROM eod_position;

CREATE VIEW api_eod_cash AS
SELECT day, ccy, amount_e4 AS amount, rate_e9 AS rate, value_eur_e4 AS value_eur, 'live' AS mode FROM eod_cash;

CREATE VIEW api_paper_eod_position AS
SELECT day, isin, qty_e6 AS qty, price_e6 AS price, ccy, priced, rate_e9 AS rate, value_eur_e4 AS value_eur,
       'research' AS mode
FROM paper_eod_position;

CREATE VIEW api_paper_eod_cash AS
SELECT day, ccy, amount_e4 AS amount, rate_e9 AS rate, value_eur_e4 AS value_eur, 'research' AS mode
FROM paper_eod_cash;

CREATE VIEW api_performance AS
SELECT mode, period, name AS figure, value, first_day, last_day FROM analytic WHERE kind = 'performance';

CREATE VIEW api_attribution AS
SELECT mode, period, name, part, value AS contribution, first_day, last_day FROM analytic WHERE kind = 'attribution';

CREATE VIEW api_turnover AS
SELECT mode, name AS figure, value, first_day, last_day FROM analytic WHERE kind = 'turnover';

CREATE VIEW api_composition AS
SELECT mode, name AS "by", part AS name, value AS share, last_day FROM analytic WHERE kind = 'composition';
