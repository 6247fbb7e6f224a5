-- The table of an SQLite file: those columns of Nova's table services that the driver uses.
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

-- Rows of members that left are deleted softly, as Nova does, but no service archives them here. The first insert after an
-- hour removes them, so that the file does not grow without bound.
CREATE INDEX services_deleted ON services (deleted_at) WHERE deleted <> 0;
CREATE TRIGGER services_forget AFTER INSERT ON services BEGIN
  DELETE FROM services WHERE deleted <> 0 AND deleted_at < strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 hour');
END;
