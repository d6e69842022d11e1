-- Settings that differ from their default; the value is canonical JSON.
CREATE TABLE setting (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;

-- The snapshot last published, so that its revision grows also when a new program brings new defaults.
CREATE TABLE revision (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL,
    snapshot TEXT NOT NULL
) STRICT;

-- Every change by a person; each row's hash covers the row before it. Kept for ever.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    ts INTEGER NOT NULL,
    actor TEXT NOT NULL,
    entity TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    field TEXT NOT NULL,
    old TEXT,
    new TEXT,
    reason TEXT,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;

CREATE TABLE job_run (
    run_id TEXT PRIMARY KEY,
    stage TEXT NOT NULL,
    name TEXT NOT NULL,
    trigger TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    message TEXT NOT NULL,
    items_done INTEGER NOT NULL,
    items_total INTEGER NOT NULL
) STRICT;

CREATE INDEX job_run_started ON job_run (started);

CREATE TABLE health_sample (
    ts INTEGER NOT NULL,
    stage TEXT NOT NULL,
    sample TEXT NOT NULL,
    PRIMARY KEY (ts, stage)
) STRICT, WITHOUT ROWID;

-- How often each owner was asked to say everything again; the numbers only grow.
CREATE TABLE repeat_asked (
    owner TEXT PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT;

CREATE VIEW api_setting AS SELECT key, value, updated FROM setting;
CREATE VIEW api_audit AS
SELECT id, ts, actor, entity, entity_id, field, old, new, reason, previous_hash, hash FROM audit;
CREATE VIEW api_job_run AS
SELECT run_id, stage, name, trigger, started, ended, state, message, items_done, items_total FROM job_run;
CREATE VIEW api_health AS SELECT ts, stage, sample FROM health_sample;
