-- Every run that changed the targets, and its weights.
CREATE TABLE optimiser_run (
    id TEXT PRIMARY KEY,
    ts INTEGER NOT NULL,
    method TEXT NOT NULL,
    why TEXT NOT NULL,
    diagnostics TEXT NOT NULL
) STRICT;

CREATE TABLE target_weight (
    run_id TEXT NOT NULL REFERENCES optimiser_run (id),
    isin TEXT NOT NULL,
    weight_e6 INTEGER NOT NULL,
    current_e6 INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (run_id, isin)
) STRICT;

CREATE VIEW api_run AS SELECT id, ts, method, why, diagnostics FROM optimiser_run;
CREATE VIEW api_target AS
SELECT w.isin, w.weight_e6 AS weight, w.current_e6 AS current, w.reason, w.run_id, r.ts
FROM target_weight w JOIN optimiser_run r ON r.id = w.run_id
WHERE r.id = (SELECT id FROM optimiser_run ORDER BY ts DESC, id DESC LIMIT 1);
