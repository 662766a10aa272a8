-- A database as version 1 of the schema left it. The program of that version made
-- it: builds and runs that ended in each way, and a build and a run during which
-- the process was killed. Blobs are written as the texts that they hold. It stays
-- as it is when the schema moves on.
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

INSERT INTO jobs VALUES
    (1, 'build_caxgnp4lajkvphwwmegrpaho2y', '3cc3ddff5d5951045d013c5385c433fc', 'build', 'done', 'd11368dfdcc4d762ba48d22fdac48510056a20a57dbb03c9b7c2168d3c9e4cf5', 'fn-posts', 1795625763991, 1795625764051, 1, CAST('{"query":"top posts","started":true,"status":"planning","function_name":"top-posts","total_cost_usd":0.43,"step_count":1}' AS BLOB)),
    (2, 'build_z2mg2nhtiicun3ylv3qpv2uycn', '3cc3ddff5d5951045d013c5385c433fc', 'build', 'error', 'fd63ef0f491f52205121ae40f646dd61f6653b0f7ddadb1adc0ac97b69f7f61f', '', 1795625764055, 1795625764063, 0, CAST('{"query":"refused","started":true,"error":"no such page","detail":"404"}' AS BLOB)),
    (3, 'build_rxxtqhmaqxskrjsgrd2vjiiwjm', '3cc3ddff5d5951045d013c5385c433fc', 'build', 'timeout', '7d3204fa50ef2a5016c0c90179a42a462a683440d3987fcbb657943dbaf81f9f', 'fn-late', 1795625764069, 1795625764071, 0, CAST('{"query":"too long","started":true,"function_name":"late","reason":"ten minutes"}' AS BLOB)),
    (4, 'build_mvr363kv2nf5sqxquweftw4v7n', '3cc3ddff5d5951045d013c5385c433fc', 'build', 'interrupted', '88b98842c4bd7142e5366fabc4d3c9d3842fa24969b0c24c4878a17c11a9adfa', '', 1795625764072, 1795625764072, 0, CAST('{"query":"cut","started":true,"error":"could not follow the build to its end: the connection to anything.notte.cc broke (unexpected EOF) before the outcome was told. What was told until then holds; the rest may go on at Notte."}' AS BLOB)),
    (5, 'build_2j463ttwvjdogk62htskmdqkjt', '3cc3ddff5d5951045d013c5385c433fc', 'build', 'done', '596a9c2dd68fb4217f24a05811162340279f96f8ebbe59a8da50ef4bf61ba991', 'fn-free', 1795625764074, 1795625764075, 1, CAST('{"query":"free","started":true}' AS BLOB)),
    (6, 'build_zdryxhlmrh6ba2pmrnvgaviyeb', '3cc3ddff5d5951045d013c5385c433fc', 'build', 'cancelled', '04a9d2005044657da817efa677d1c68625410316765b819fc26150e35895abc3', '', 1795625764076, 1795625765078, 0, CAST('{"query":"stop me","started":true,"status":"planning","reason":"cancelled here, by closing the stream; Notte may finish the build and bill it all the same"}' AS BLOB)),
    (7, 'run_zq4idua7t3rmignrphgsxpk4on', '3cc3ddff5d5951045d013c5385c433fc', 'run', 'closed', '', 'fn-posts', 1795625765079, 1795625765081, 1, CAST('{"run_id":"6ae6783f-4fbd-491b-aeb8-8b73a48ed247","session_id":"dbe5882e-2579-4834-b2c1-bfc525454add","ok":true}' AS BLOB)),
    (8, 'run_z6hneb65cbrojtuxkfck3bgtd5', '3cc3ddff5d5951045d013c5385c433fc', 'run', 'closed', '', 'fn-broken', 1795625765082, 1795625765084, 0, CAST('{"run_id":"0cd87274-d670-44ca-af0e-0d36c8496db7","session_id":"fef55fe0-e125-450a-a608-d5e20ffc2d12","error":"Traceback (most recent call last): boom"}' AS BLOB)),
    (9, 'run_xgi5txsgutatxqkef5c6qqf3n5', '3cc3ddff5d5951045d013c5385c433fc', 'run', 'failed', '', 'fn-failed', 1795625765085, 1795625765086, 0, CAST('{"run_id":"12f4a465-4efa-4bd1-9e3a-9e97e2e230e1","session_id":"ee635acc-a8a1-42d7-a766-63f3d4157247","error":"no button"}' AS BLOB)),
    (10, 'run_zoy4fzed2r6d7xddcgqg5u6ymv', '3cc3ddff5d5951045d013c5385c433fc', 'run', 'failed', '', 'fn-none', 1795625765087, 1795625765088, 0, CAST('{"error":"could not create a run of function fn-none: Notte answered 404 Not Found: Function not found. Notte has nothing under this ID for this API key: check the ID, and that NOTTE_API_KEY is of the account that owns it."}' AS BLOB)),
    (11, 'run_qvy5epsr3r2xa7l66twgf2q44i', '3cc3ddff5d5951045d013c5385c433fc', 'run', 'cancelled', '', 'fn-slow', 1795625765089, 1795625766091, 0, CAST('{"run_id":"3a311de8-5bcd-4320-bb7c-831d1c902015","session_id":"740489ea-1554-4638-9fb6-78d710f367fb","error":"cancelled, and stopped at Notte"}' AS BLOB)),
    (12, 'build_djksojb4zrovwd2oyvmuq57k3q', '3cc3ddff5d5951045d013c5385c433fc', 'build', 'running', 'a3bbcd4bef36c79509ebe6a68b8c0ecd1f7d70644663eb4be976dec90e1bdde3', 'fn-kept', 1795625766094, NULL, 0, CAST('{"query":"still runs","started":true,"status":"planning","function_name":"kept","step_count":1}' AS BLOB)),
    (13, 'run_3dz52zp3nvw2r5co5azm4axj5z', '3cc3ddff5d5951045d013c5385c433fc', 'run', 'running', '', 'fn-slow', 1795625767095, NULL, 0, CAST('{"run_id":"289d04f4-2919-41fe-b743-03f2209ea453","session_id":"3c7518db-b499-4558-9451-71bb9af2b298"}' AS BLOB));

INSERT INTO details VALUES
    ('build_caxgnp4lajkvphwwmegrpaho2y', 'Here “it” is:
1. a', 'The page has a list.', CAST('["browser_goto"]' AS BLOB), NULL, NULL, NULL),
    ('build_z2mg2nhtiicun3ylv3qpv2uycn', '', '', NULL, NULL, NULL, NULL),
    ('build_rxxtqhmaqxskrjsgrd2vjiiwjm', '', '', NULL, NULL, NULL, NULL),
    ('build_mvr363kv2nf5sqxquweftw4v7n', 'Nearly', '', NULL, NULL, NULL, NULL),
    ('build_2j463ttwvjdogk62htskmdqkjt', '', '', NULL, NULL, NULL, NULL),
    ('build_zdryxhlmrh6ba2pmrnvgaviyeb', '', '', NULL, NULL, NULL, NULL),
    ('run_zq4idua7t3rmignrphgsxpk4on', '', '', NULL, CAST('{"count":"2"}' AS BLOB), CAST('{"posts":["a","b"]}' AS BLOB), CAST('["opened","read"]' AS BLOB)),
    ('run_z6hneb65cbrojtuxkfck3bgtd5', '', '', NULL, NULL, CAST('"Traceback (most recent call last): boom"' AS BLOB), NULL),
    ('run_xgi5txsgutatxqkef5c6qqf3n5', '', '', NULL, NULL, CAST('"no button"' AS BLOB), NULL),
    ('run_zoy4fzed2r6d7xddcgqg5u6ymv', '', '', NULL, NULL, NULL, NULL),
    ('run_qvy5epsr3r2xa7l66twgf2q44i', '', '', NULL, NULL, NULL, CAST('["begun"]' AS BLOB)),
    ('build_djksojb4zrovwd2oyvmuq57k3q', 'I look', '', CAST('["browser_observe"]' AS BLOB), NULL, NULL, NULL),
    ('run_3dz52zp3nvw2r5co5azm4axj5z', '', '', NULL, CAST('{"n":"1"}' AS BLOB), NULL, NULL);

INSERT INTO leases VALUES
    ('build_djksojb4zrovwd2oyvmuq57k3q', 'CYVSR7SVJG6VF6KQU32FY3ME33', 1, 1795625779991, 0, 5, 433),
    ('run_3dz52zp3nvw2r5co5azm4axj5z', 'CYVSR7SVJG6VF6KQU32FY3ME33', 1, 1795625779991, 0, 2, 201);

INSERT INTO entries VALUES
    ('build_caxgnp4lajkvphwwmegrpaho2y', 1, 1795625764050, 'status', 'planning', '', 0),
    ('build_caxgnp4lajkvphwwmegrpaho2y', 2, 1795625764051, 'notte_session_data', '', '', 0),
    ('build_caxgnp4lajkvphwwmegrpaho2y', 3, 1795625764051, 'thinking_delta', 'The page has a list.', '', 0),
    ('build_caxgnp4lajkvphwwmegrpaho2y', 4, 1795625764051, 'tool_start', 'browser_goto', '', 0),
    ('build_caxgnp4lajkvphwwmegrpaho2y', 5, 1795625764051, 'log', '20 rows', '', 0),
    ('build_caxgnp4lajkvphwwmegrpaho2y', 6, 1795625764051, 'text_delta', 'Here “it” is:
1. a', '', 0),
    ('build_caxgnp4lajkvphwwmegrpaho2y', 7, 1795625764051, 'message_complete', 'assistant', '', 0),
    ('build_caxgnp4lajkvphwwmegrpaho2y', 8, 1795625764051, 'function_uploaded', 'top-posts', 'fn-posts', 0),
    ('build_caxgnp4lajkvphwwmegrpaho2y', 9, 1795625764051, 'done', '', '', 1),
    ('build_z2mg2nhtiicun3ylv3qpv2uycn', 1, 1795625764063, 'error', '', '', 1),
    ('build_rxxtqhmaqxskrjsgrd2vjiiwjm', 1, 1795625764070, 'function_uploaded', 'late', 'fn-late', 0),
    ('build_rxxtqhmaqxskrjsgrd2vjiiwjm', 2, 1795625764071, 'timeout', '', '', 1),
    ('build_mvr363kv2nf5sqxquweftw4v7n', 1, 1795625764072, 'text_delta', 'Nearly', '', 0),
    ('build_mvr363kv2nf5sqxquweftw4v7n', 2, 1795625764072, 'interrupted', '', '', 1),
    ('build_2j463ttwvjdogk62htskmdqkjt', 1, 1795625764075, 'done', '', '', 1),
    ('build_zdryxhlmrh6ba2pmrnvgaviyeb', 1, 1795625764077, 'status', 'planning', '', 0),
    ('build_zdryxhlmrh6ba2pmrnvgaviyeb', 2, 1795625765078, 'cancelled', '', '', 1),
    ('run_zq4idua7t3rmignrphgsxpk4on', 1, 1795625765081, 'session_start', 'dbe5882e-2579-4834-b2c1-bfc525454add', '', 0),
    ('run_zq4idua7t3rmignrphgsxpk4on', 2, 1795625765081, 'log', 'opened', '', 0),
    ('run_zq4idua7t3rmignrphgsxpk4on', 3, 1795625765081, 'log', 'read', '', 0),
    ('run_zq4idua7t3rmignrphgsxpk4on', 4, 1795625765081, 'result', '', '', 1),
    ('run_z6hneb65cbrojtuxkfck3bgtd5', 1, 1795625765084, 'session_start', 'fef55fe0-e125-450a-a608-d5e20ffc2d12', '', 0),
    ('run_z6hneb65cbrojtuxkfck3bgtd5', 2, 1795625765084, 'result', '', '', 1),
    ('run_xgi5txsgutatxqkef5c6qqf3n5', 1, 1795625765086, 'session_start', 'ee635acc-a8a1-42d7-a766-63f3d4157247', '', 0),
    ('run_xgi5txsgutatxqkef5c6qqf3n5', 2, 1795625765086, 'result', '', '', 1),
    ('run_zoy4fzed2r6d7xddcgqg5u6ymv', 1, 1795625765088, 'result', '', '', 1),
    ('run_qvy5epsr3r2xa7l66twgf2q44i', 1, 1795625765090, 'session_start', '740489ea-1554-4638-9fb6-78d710f367fb', '', 0),
    ('run_qvy5epsr3r2xa7l66twgf2q44i', 2, 1795625765090, 'log', 'begun', '', 0),
    ('run_qvy5epsr3r2xa7l66twgf2q44i', 3, 1795625766091, 'cancelled', '', '', 1),
    ('build_djksojb4zrovwd2oyvmuq57k3q', 1, 1795625766095, 'status', 'planning', '', 0),
    ('build_djksojb4zrovwd2oyvmuq57k3q', 2, 1795625766095, 'notte_session_data', '', '', 0),
    ('build_djksojb4zrovwd2oyvmuq57k3q', 3, 1795625766095, 'tool_start', 'browser_observe', '', 0),
    ('build_djksojb4zrovwd2oyvmuq57k3q', 4, 1795625766095, 'text_delta', 'I look', '', 0),
    ('build_djksojb4zrovwd2oyvmuq57k3q', 5, 1795625766095, 'function_uploaded', 'kept', 'fn-kept', 0),
    ('run_3dz52zp3nvw2r5co5azm4axj5z', 1, 1795625767098, 'session_start', '3c7518db-b499-4558-9451-71bb9af2b298', '', 0),
    ('run_3dz52zp3nvw2r5co5azm4axj5z', 2, 1795625767098, 'log', 'begun', '', 0);

INSERT INTO links VALUES
    ('build_djksojb4zrovwd2oyvmuq57k3q', 0, CAST(zeroblob(4096) || 'https://viewer.example/session?token=vt-version-1' AS BLOB)),
    ('build_djksojb4zrovwd2oyvmuq57k3q', 2, CAST(zeroblob(4096) || 'https://viewer.example/session?token=vt-version-1' AS BLOB));

INSERT INTO ledger VALUES
    ('build_caxgnp4lajkvphwwmegrpaho2y', '3cc3ddff5d5951045d013c5385c433fc', 1795625764051, 0.43),
    ('build_z2mg2nhtiicun3ylv3qpv2uycn', '3cc3ddff5d5951045d013c5385c433fc', 1795625764063, NULL),
    ('build_rxxtqhmaqxskrjsgrd2vjiiwjm', '3cc3ddff5d5951045d013c5385c433fc', 1795625764071, NULL),
    ('build_mvr363kv2nf5sqxquweftw4v7n', '3cc3ddff5d5951045d013c5385c433fc', 1795625764072, NULL),
    ('build_2j463ttwvjdogk62htskmdqkjt', '3cc3ddff5d5951045d013c5385c433fc', 1795625764075, NULL),
    ('build_zdryxhlmrh6ba2pmrnvgaviyeb', '3cc3ddff5d5951045d013c5385c433fc', 1795625765078, NULL);

-- What was spent in earlier hours on builds that were forgotten since.
INSERT INTO ledger VALUES
    ('build_forgotten_1', '3cc3ddff5d5951045d013c5385c433fc', 1795618799999, 1.5),
    ('build_forgotten_2', '3cc3ddff5d5951045d013c5385c433fc', 1795618800000, 0.25),
    ('build_forgotten_3', '3cc3ddff5d5951045d013c5385c433fc', 1795622399000, NULL),
    ('build_of_another', 'another', 1795625764000, 9.0);

PRAGMA application_id = 1634629994;
PRAGMA user_version = 1;
