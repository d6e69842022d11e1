-- Dividends and the tax on them as they were said: the statements end after a week, what is not used yet waits longer.
CREATE TABLE heard_dividend (
    flow_id TEXT PRIMARY KEY,
    isin TEXT NOT NULL CHECK (length(isin) = 12),
    day TEXT NOT NULL,
    -- Worth in 1/10 000 EUR; a tax is below zero.
    eur_e4 INTEGER NOT NULL
) STRICT;
