-- What is looked for has a column; the rest of a job is JSON in body, which may
-- gain fields without a new version. Times are milliseconds since 1970.
CREATE TABLE jobs (
    n           INTEGER PRIMARY KEY, -- rises in the order of creation
    id          TEXT    NOT NULL UNIQUE,
    owner       TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    join_key    TEXT    NOT NULL,
    function_id TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER,             -- NULL while it runs
    succeeded   INTEGER NOT NULL DEFAULT 0,
    body        BLOB    NOT NULL
) STRICT;

CREATE INDEX jobs_listed    ON jobs (owner, kind, started_at, id);
CREATE INDEX jobs_by_state  ON jobs (owner, kind, state, started_at, id);
CREATE INDEX jobs_by_work   ON jobs (owner, kind, function_id, started_at, id);
CREATE INDEX jobs_by_key    ON jobs (owner, join_key, ended_at) WHERE join_key <> '';
CREATE INDEX jobs_ended     ON jobs (ended_at) WHERE ended_at IS NOT NULL;

-- What makes a job large, apart, so that lists do not read it.
CREATE TABLE details (
    job_id    TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    answer    TEXT NOT NULL,
    thinking  TEXT NOT NULL,
    steps     BLOB, -- JSON
    variables BLOB, -- JSON, as it came
    result    BLOB, -- JSON, as it came
    logs      BLOB  -- JSON
) STRICT;

-- A running job has a lease and no other has one.
CREATE TABLE leases (
    job_id      TEXT    PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    holder      TEXT    NOT NULL,
    fence       INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    cancelled   INTEGER NOT NULL DEFAULT 0,
    log_entries INTEGER NOT NULL DEFAULT 0, -- in the job's log now
    log_bytes   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    job_id      TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    type        TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    function_id TEXT    NOT NULL,
    final       INTEGER NOT NULL,
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

-- The viewer's links of running jobs, and of no others: they carry tokens. seq is
-- that of the entry that told the link, or 0 for the job's own. A link comes
-- after a page of padding: see links.go.
CREATE TABLE links (
    job_id TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq    INTEGER NOT NULL,
    text   BLOB    NOT NULL,
    UNIQUE (job_id, seq)
) STRICT;

-- Every build that Notte took on and that ended. It outlives the job: what was
-- spent stays spent.
CREATE TABLE ledger (
    job_id   TEXT    PRIMARY KEY,
    owner    TEXT    NOT NULL,
    ended_at INTEGER NOT NULL,
    cost     REAL             -- US dollars; NULL: not known
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_by_owner ON ledger (owner, ended_at, cost);
