-- The table of the embedded store: Nova's services, with what SQLite needs of it.
PRAGMA journal_mode = WAL;
CREATE TABLE services (
  created_at     TEXT,
  updated_at     TEXT,
  deleted_at     TEXT,
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  host           TEXT NOT NULL,
  "binary"       TEXT,
  topic          TEXT NOT NULL,
  report_count   INTEGER NOT NULL,
  disabled       INTEGER,
  deleted        INTEGER NOT NULL,
  disabled_reason TEXT,
  last_seen_up   TEXT,
  forced_down    INTEGER,
  version        INTEGER,
  uuid           TEXT UNIQUE,
  UNIQUE (topic, host, deleted)
);
