-- Planner configurations of the owner, and every version of them. Built-in ones are not stored.

CREATE TABLE planner_config (
    config_id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- The bucket that it is in force for; at most one is for each.
    bucket_id TEXT UNIQUE,
    version INTEGER NOT NULL CHECK (version > 0),
    hash TEXT NOT NULL,
    toml TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;

-- The newest version is here too. Removing a configuration keeps its versions: the history says what was in force.
CREATE TABLE planner_config_version (
    config_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    toml TEXT NOT NULL,
    actor TEXT NOT NULL,
    note TEXT NOT NULL,
    saved INTEGER NOT NULL,
    PRIMARY KEY (config_id, version)
) STRICT;

CREATE VIEW api_planner_config AS
    SELECT config_id, name, bucket_id, version, hash, toml, created, updated AS ts FROM planner_config;
CREATE VIEW api_planner_config_version AS
    SELECT config_id, version, name, hash, toml, actor, note, saved AS ts FROM planner_config_version;
