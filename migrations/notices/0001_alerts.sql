-- What a person was told and whether it is over. The id follows from code and subject, so the same matter is one row.
CREATE TABLE alert (
    id TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'alarm')),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    text TEXT NOT NULL,
    acknowledged INTEGER,
    cleared INTEGER
) STRICT;

CREATE INDEX alert_cleared ON alert (cleared);

CREATE VIEW api_alert AS
SELECT id, code, severity, first, last, count, text, acknowledged, cleared FROM alert;
