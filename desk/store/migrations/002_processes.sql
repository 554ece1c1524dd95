-- Several processes on one database: who looks at which case, and how each that takes in events does.
CREATE TABLE presence (
  case_id BIGINT NOT NULL,
  person TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (case_id, person)
);
CREATE TABLE ingests (
  name TEXT PRIMARY KEY,
  at TEXT NOT NULL,
  body TEXT NOT NULL
);
