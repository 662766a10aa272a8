-- An entry is one event, as JSON. The columns text and function_id are those of
-- version 1: a process of that version may still write them.
ALTER TABLE entries ADD COLUMN event TEXT;

CREATE TRIGGER entries_of_version_1 AFTER INSERT ON entries WHEN NEW.event IS NULL BEGIN
    UPDATE entries SET event = json_object(
        'type', NEW.type,
        'function_id', NEW.function_id,
        CASE NEW.type
            WHEN 'status'             THEN 'status'
            WHEN 'thinking_delta'     THEN 'delta'
            WHEN 'text_delta'         THEN 'delta'
            WHEN 'tool_start'         THEN 'name'
            WHEN 'message_complete'   THEN 'role'
            WHEN 'function_uploaded'  THEN 'function_name'
            WHEN 'log'                THEN 'message'
            WHEN 'session_start'      THEN 'message'
            ELSE 'unused' END, NEW.text)
    WHERE job_id = NEW.job_id AND seq = NEW.seq;
END;

-- Has the trigger convert the entries that are there.
CREATE TEMP TABLE old AS SELECT * FROM entries;
DELETE FROM entries;
INSERT INTO entries (job_id, seq, at, type, text, function_id, final)
    SELECT job_id, seq, at, type, text, function_id, final FROM old;
DROP TABLE old;

-- Links are sealed now and stand in the event and in the job's body. Version 1
-- kept them readable, here.
DELETE FROM links;
CREATE TRIGGER links_of_version_1 AFTER UPDATE OF ended_at ON jobs WHEN NEW.ended_at IS NOT NULL BEGIN
    DELETE FROM links WHERE job_id = NEW.id;
END;

-- The sums of the ledger by the hour, so that they can be read without reading
-- it all. Triggers keep them, so that a process of version 1 does too.
CREATE TABLE spending (
    owner  TEXT    NOT NULL,
    hour   INTEGER NOT NULL, -- since 1970
    usd    REAL    NOT NULL, -- of the builds whose cost is known
    builds INTEGER NOT NULL,
    known  INTEGER NOT NULL, -- builds whose cost is known
    PRIMARY KEY (owner, hour)
) STRICT, WITHOUT ROWID;

INSERT INTO spending
    SELECT owner, ended_at / 3600000, total(cost), count(*), count(cost) FROM ledger GROUP BY 1, 2;

CREATE TRIGGER ledger_added AFTER INSERT ON ledger BEGIN
    INSERT INTO spending VALUES (NEW.owner, NEW.ended_at / 3600000, ifnull(NEW.cost, 0), 1, NEW.cost IS NOT NULL)
    ON CONFLICT DO UPDATE SET usd = usd + excluded.usd, builds = builds + 1, known = known + excluded.known;
END;

CREATE TRIGGER ledger_removed AFTER DELETE ON ledger BEGIN
    UPDATE spending SET usd = usd - ifnull(OLD.cost, 0), builds = builds - 1, known = known - (OLD.cost IS NOT NULL)
    WHERE owner = OLD.owner AND hour = OLD.ended_at / 3600000;
END;
