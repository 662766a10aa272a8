-- Functions that their users have made tools.
CREATE TABLE pins (
    owner       TEXT    NOT NULL,
    api_url     TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    function_id TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    used_at     INTEGER NOT NULL,
    body        BLOB    NOT NULL, -- JSON
    PRIMARY KEY (owner, api_url, name)
) STRICT, WITHOUT ROWID;

-- One row, by which processes see that pins have changed. It begins at the time of the
-- first change, so that no two databases at the same path have the same number.
CREATE TABLE pin_generation (n INTEGER NOT NULL) STRICT;
INSERT INTO pin_generation VALUES (0);

CREATE TRIGGER pin_made AFTER INSERT ON pins BEGIN
    UPDATE pin_generation SET n = max(n + 1, CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;
CREATE TRIGGER pin_deleted AFTER DELETE ON pins BEGIN
    UPDATE pin_generation SET n = max(n + 1, CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;
CREATE TRIGGER pin_changed AFTER UPDATE ON pins
WHEN OLD.function_id <> NEW.function_id OR OLD.body <> NEW.body OR (OLD.state = 'gone') <> (NEW.state = 'gone') BEGIN
    UPDATE pin_generation SET n = max(n + 1, CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;
