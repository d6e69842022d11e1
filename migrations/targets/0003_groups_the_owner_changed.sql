-- Groups and targets as the owner changed them; a kind without a row in group_table still has those of the configuration.
CREATE TABLE group_table (
    kind TEXT PRIMARY KEY CHECK (kind IN ('country', 'industry')),
    updated INTEGER NOT NULL
) STRICT;

CREATE TABLE group_line (
    kind TEXT NOT NULL REFERENCES group_table (kind),
    name TEXT NOT NULL,
    place INTEGER NOT NULL,
    target REAL CHECK (target > 0.0 AND target <= 1.0),
    PRIMARY KEY (kind, name)
) STRICT;

-- A member belongs to one group of its kind.
CREATE TABLE group_line_member (
    kind TEXT NOT NULL,
    member TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (kind, member),
    FOREIGN KEY (kind, name) REFERENCES group_line (kind, name)
) STRICT;

-- As the owner set them, whether or not a security belongs to them.
CREATE VIEW api_group_table AS
SELECT l.kind, l.name AS "group", m.member, l.target, t.updated
FROM group_line l JOIN group_table t USING (kind) LEFT JOIN group_line_member m USING (kind, name);
