-- What is known of the functions of an account: of an owner at one of Notte's APIs.
CREATE TABLE catalogues (
    owner       TEXT    NOT NULL,
    api_url     TEXT    NOT NULL,
    read_at     INTEGER NOT NULL DEFAULT 0, -- 0: never
    complete    INTEGER NOT NULL DEFAULT 0,
    retry_at    INTEGER NOT NULL DEFAULT 0,
    holder      TEXT    NOT NULL DEFAULT '', -- who reads the list now
    lease_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (owner, api_url)
) STRICT, WITHOUT ROWID;

CREATE TABLE functions (
    n           INTEGER PRIMARY KEY,
    owner       TEXT    NOT NULL,
    api_url     TEXT    NOT NULL,
    function_id TEXT    NOT NULL,
    site        TEXT    NOT NULL,
    updated_at  INTEGER NOT NULL,
    read_at     INTEGER NOT NULL,
    body        BLOB    NOT NULL, -- JSON
    details     BLOB,             -- JSON; NULL: not known
    UNIQUE (owner, api_url, function_id)
) STRICT;

CREATE INDEX functions_listed ON functions (owner, api_url, updated_at, n);

-- The words by which a function is found. The rowid is functions.n.
CREATE VIRTUAL TABLE function_words USING fts5 (
    name, description, site, queries,
    content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TRIGGER functions_deleted AFTER DELETE ON functions BEGIN
    DELETE FROM function_words WHERE rowid = OLD.n;
END;
