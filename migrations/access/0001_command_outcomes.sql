-- Commands that came in over HTTP and how they ended; kept for seven days. Nobody else reads this store.
CREATE TABLE command_outcome (
    command_id TEXT PRIMARY KEY,
    actor TEXT NOT NULL,
    stage TEXT NOT NULL,
    name TEXT NOT NULL,
    trace TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('accepted', 'done', 'refused', 'failed', 'timeout')),
    code TEXT,
    answer TEXT,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;

CREATE INDEX command_outcome_created ON command_outcome (created);
