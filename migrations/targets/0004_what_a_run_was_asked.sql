-- The owner's figures that a run decided by, so that it can be told from another with the same ground.
ALTER TABLE optimiser_run ADD COLUMN params TEXT NOT NULL DEFAULT '{}';

DROP VIEW api_run;
CREATE VIEW api_run AS
SELECT id, ts, method, why, diagnostics, status, level, snapshot, blend, expected_return, volatility, cvar, params
FROM optimiser_run;
