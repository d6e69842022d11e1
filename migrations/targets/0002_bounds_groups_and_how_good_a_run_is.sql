-- A run says how good it is and from what it was decided; a weight says between which bounds; groups are kept with it.
ALTER TABLE optimiser_run ADD COLUMN status TEXT NOT NULL DEFAULT 'ok' CHECK (status IN ('ok', 'degraded', 'failed'));
ALTER TABLE optimiser_run ADD COLUMN level TEXT NOT NULL DEFAULT '';
ALTER TABLE optimiser_run ADD COLUMN snapshot TEXT NOT NULL DEFAULT '';
ALTER TABLE optimiser_run ADD COLUMN blend REAL NOT NULL DEFAULT 0.0;
ALTER TABLE optimiser_run ADD COLUMN expected_return REAL;
ALTER TABLE optimiser_run ADD COLUMN volatility REAL;
ALTER TABLE optimiser_run ADD COLUMN cvar REAL;

ALTER TABLE target_weight ADD COLUMN lower_e6 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE target_weight ADD COLUMN upper_e6 INTEGER NOT NULL DEFAULT 1000000;
ALTER TABLE target_weight ADD COLUMN expected_return REAL;

CREATE TABLE target_group (
    run_id TEXT NOT NULL REFERENCES optimiser_run (id),
    kind TEXT NOT NULL CHECK (kind IN ('country', 'industry')),
    name TEXT NOT NULL,
    target_e6 INTEGER,
    lower_e6 INTEGER NOT NULL,
    upper_e6 INTEGER NOT NULL,
    value_e6 INTEGER NOT NULL,
    PRIMARY KEY (run_id, kind, name)
) STRICT;

CREATE TABLE target_group_member (
    run_id TEXT NOT NULL REFERENCES optimiser_run (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    isin TEXT NOT NULL,
    share REAL NOT NULL,
    PRIMARY KEY (run_id, kind, name, isin)
) STRICT;

DROP VIEW api_run;
DROP VIEW api_target;

CREATE VIEW api_run AS
SELECT id, ts, method, why, diagnostics, status, level, snapshot, blend, expected_return, volatility, cvar FROM optimiser_run;

-- The newest run in force; a failed one never is.
CREATE VIEW api_target AS
SELECT w.isin, w.weight_e6 AS weight, w.current_e6 AS current, w.lower_e6 AS lower, w.upper_e6 AS upper,
       w.expected_return, w.reason, w.run_id, r.ts
FROM target_weight w JOIN optimiser_run r ON r.id = w.run_id
WHERE r.id = (SELECT id FROM optimiser_run WHERE status <> 'failed' ORDER BY ts DESC, id DESC LIMIT 1);

CREATE VIEW api_group AS
SELECT g.kind, g.name AS "group", m.isin AS member, m.share, g.target_e6 AS target, g.lower_e6 AS lower, g.upper_e6 AS upper,
       g.value_e6 AS value
FROM target_group g JOIN target_group_member m USING (run_id, kind, name)
WHERE g.run_id = (SELECT id FROM optimiser_run WHERE status <> 'failed' ORDER BY ts DESC, id DESC LIMIT 1);
