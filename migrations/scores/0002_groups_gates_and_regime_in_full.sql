-- The views show every group, gate and end component; the rows hold the whole statement, so nothing is kept twice.

ALTER TABLE regime ADD COLUMN distance REAL;
ALTER TABLE regime ADD COLUMN body TEXT;

DROP VIEW api_score;
CREATE VIEW api_score AS
SELECT isin, day, body ->> '$.profile' AS profile, total, body ->> '$.raw' AS raw,
       body ->> '$.groups.long_term' AS long_term, body ->> '$.groups.fundamentals' AS fundamentals,
       body ->> '$.groups.stability' AS stability, body ->> '$.groups.opportunity' AS opportunity,
       body ->> '$.groups.dividends' AS dividends, body ->> '$.groups.short_term' AS short_term,
       body ->> '$.groups.opinion' AS opinion, body ->> '$.quality' AS quality, body ->> '$.timing' AS timing,
       body ->> '$.fit' AS fit, body ->> '$.sell.score' AS sell, body ->> '$.inputs.volatility' AS volatility,
       body ->> '$.end.return' AS end_return, body ->> '$.end.promise' AS end_promise,
       body ->> '$.end.stability' AS end_stability, body -> '$.gates' AS gates, coverage,
       body -> '$.parts' AS parts, body ->> '$.history_years' AS history_years,
       body ->> '$.settings' AS config_hash, body, computed
FROM score;

-- The newest figures of every security.
CREATE VIEW api_metric AS
SELECT s.isin, m.key AS name, m.value, s.body ->> '$.bars_until' AS as_of
FROM score s, json_each(s.body, '$.inputs') m
WHERE s.day = (SELECT max(day) FROM score n WHERE n.isin = s.isin);

DROP VIEW api_regime;
CREATE VIEW api_regime AS
SELECT day, measure AS r, label, body ->> '$.smoothed' AS s, distance AS d, measure, body FROM regime;
