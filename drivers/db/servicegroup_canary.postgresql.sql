CREATE TABLE servicegroup_canary (
  id           SERIAL PRIMARY KEY,
  host         VARCHAR(255) NOT NULL,
  topic        VARCHAR(255) NOT NULL,
  "binary"     VARCHAR(255) NOT NULL,
  report_count INTEGER NOT NULL,
  created_at   TIMESTAMP NOT NULL,
  last_seen_up TIMESTAMP,
  UNIQUE (host, topic)
);
