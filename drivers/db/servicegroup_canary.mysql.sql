CREATE TABLE servicegroup_canary (
  id           INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  host         VARCHAR(255) NOT NULL,
  topic        VARCHAR(255) NOT NULL,
  `binary`     VARCHAR(255) NOT NULL,
  report_count INT NOT NULL,
  created_at   DATETIME NOT NULL,
  last_seen_up DATETIME,
  UNIQUE KEY (host, topic)
);
