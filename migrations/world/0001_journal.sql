-- Requests that changed the simulated world, in the order in which they were done.
CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    wall_unix_s INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- How far scaled virtual time had come.
CREATE TABLE alive (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    virtual INTEGER NOT NULL,
    wall INTEGER NOT NULL
) STRICT;
