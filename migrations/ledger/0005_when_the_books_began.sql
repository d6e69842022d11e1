-- When the books began: written once, with the first reading of the account.
CREATE TABLE begun (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL) STRICT;

-- Older stores know it by the first cash, by the holdings that were taken over, or at the latest by the last reading.
INSERT INTO begun
SELECT 1, min(at) FROM (
    SELECT at FROM cash_opening
    UNION ALL SELECT booked FROM fill WHERE source = 'import' AND csv = 0
    UNION ALL SELECT at FROM sync
) HAVING min(at) IS NOT NULL;
