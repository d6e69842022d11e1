-- The newest score of each security and day, with everything it came from.
CREATE TABLE score (
    isin TEXT NOT NULL,
    day TEXT NOT NULL,
    total REAL,
    coverage REAL NOT NULL,
    body TEXT NOT NULL,
    computed INTEGER NOT NULL,
    PRIMARY KEY (isin, day)
) STRICT;

CREATE TABLE regime (
    day TEXT PRIMARY KEY,
    label TEXT NOT NULL,
    measure REAL
) STRICT;

CREATE VIEW api_score AS SELECT isin, day, total, coverage, body, computed FROM score;
CREATE VIEW api_regime AS SELECT day, label, measure FROM regime;
