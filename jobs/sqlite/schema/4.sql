-- The items of a batch, in order. A run of an item is in no list, so the indexes of
-- lists leave it out.
ALTER TABLE jobs ADD COLUMN batch_id TEXT NOT NULL DEFAULT ''; -- of the batch whose item a run is

CREATE TABLE batch_items (
    batch_id  TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    n         INTEGER NOT NULL,
    waiting   INTEGER NOT NULL DEFAULT 1,
    run_id    TEXT,             -- its run or, while it waits, the last one, which never began
    variables BLOB    NOT NULL, -- JSON
    PRIMARY KEY (batch_id, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX batch_items_by_run ON batch_items (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX jobs_of_batch      ON jobs (batch_id) WHERE batch_id <> '';

CREATE TRIGGER batch_deleted AFTER DELETE ON jobs WHEN OLD.kind = 'batch' BEGIN
    DELETE FROM jobs WHERE batch_id = OLD.id;
END;

DROP INDEX jobs_listed;
DROP INDEX jobs_by_state;
DROP INDEX jobs_by_work;
CREATE INDEX jobs_listed   ON jobs (owner, kind, started_at, id) WHERE batch_id = '';
CREATE INDEX jobs_by_state ON jobs (owner, kind, state, started_at, id) WHERE batch_id = '';
CREATE INDEX jobs_by_work  ON jobs (owner, kind, function_id, started_at, id) WHERE batch_id = '';
