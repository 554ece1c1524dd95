-- What the boxes and the switchboard said. Append-only; what was erased or outlived its time is blanked or gone.
CREATE TABLE events (
  seq {{serial}},
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  topic TEXT NOT NULL,
  call TEXT,
  time TEXT NOT NULL,
  received_at TEXT NOT NULL,
  sequence BIGINT,
  body TEXT NOT NULL,
  UNIQUE (source, id)
);
CREATE INDEX events_call ON events (call, type);
CREATE INDEX events_received ON events (received_at);

-- What bypasses a box's outbox: only the latest of each counts (state, info, health, alerts, selftest, model).
CREATE TABLE status (
  source TEXT NOT NULL,
  topic TEXT NOT NULL,
  time TEXT NOT NULL,
  received_at TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (source, topic)
);

-- Stretches of sequences that came, of each topic: what lies between two of them is missing.
CREATE TABLE spans (
  source TEXT NOT NULL,
  topic TEXT NOT NULL,
  first BIGINT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (source, topic, first)
);

CREATE TABLE refused (
  seq {{serial}},
  at TEXT NOT NULL,
  topic TEXT NOT NULL,
  reason TEXT NOT NULL,
  bytes BIGINT NOT NULL
);

-- What was done, by whom: append-only. `version` counts what changes a case; a rule's notes beside it have none.
CREATE TABLE actions (
  seq {{serial}},
  case_id BIGINT NOT NULL,
  call TEXT NOT NULL,
  version BIGINT,
  kind TEXT NOT NULL,
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  data TEXT NOT NULL,
  UNIQUE (case_id, version)
);
CREATE INDEX actions_call ON actions (call, kind);
CREATE INDEX actions_case ON actions (case_id, seq);

-- Projections from here: `undertone-desk rebuild` makes them anew from events and actions.
CREATE TABLE calls (
  call TEXT PRIMARY KEY,
  source TEXT NOT NULL,
  site TEXT NOT NULL,
  device TEXT NOT NULL,
  line TEXT,
  desk TEXT,
  started_at TEXT,
  ended_at TEXT,
  duration_ms BIGINT,
  closed_by TEXT,
  failed_reason TEXT,
  customer_ref TEXT,
  callback TEXT,
  customer_key TEXT,
  queue TEXT,
  pbx_call_id TEXT,
  agent_ref TEXT,
  match_method TEXT,
  mode TEXT,
  privacy TEXT,
  utterances BIGINT,
  customer_utterances BIGINT,
  abstained BIGINT,
  mean DOUBLE PRECISION,
  end_weighted DOUBLE PRECISION
);
CREATE INDEX calls_started ON calls (started_at);
CREATE INDEX calls_customer ON calls (customer_key, started_at);

CREATE TABLE utterances (
  call TEXT NOT NULL,
  n BIGINT NOT NULL,
  role TEXT NOT NULL,
  start_ms BIGINT NOT NULL,
  end_ms BIGINT NOT NULL,
  label TEXT,
  p_negative DOUBLE PRECISION,
  polarity DOUBLE PRECISION,
  cause TEXT,
  PRIMARY KEY (call, n)
);

CREATE TABLE cases (
  id BIGINT PRIMARY KEY,
  call TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  site TEXT NOT NULL,
  device TEXT NOT NULL,
  alert TEXT NOT NULL,
  alert_revision BIGINT NOT NULL,
  alert_state TEXT NOT NULL,
  end_reason TEXT,
  severity TEXT NOT NULL,
  severity_level BIGINT NOT NULL,
  route TEXT NOT NULL,
  cause TEXT,
  probability DOUBLE PRECISION,
  reasons TEXT NOT NULL,
  quote TEXT,
  opened_at TEXT NOT NULL,
  alert_at TEXT NOT NULL,
  page_until TEXT,
  answerable_until TEXT,
  acknowledged_by TEXT,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  owner TEXT,
  owner_since TEXT,
  first_claimed_at TEXT,
  attempted BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  last_result TEXT,
  contacted_at TEXT,
  contacted_by TEXT,
  call_back_at TEXT,
  do_not_contact BIGINT NOT NULL,
  closed_at TEXT,
  closed_by TEXT,
  outcome TEXT,
  action_taken TEXT,
  justified BIGINT,
  reopened_at TEXT,
  lapsed_at TEXT,
  escalated_at TEXT,
  missed_at TEXT,
  snoozed_until TEXT,
  due_at TEXT,
  due_policy TEXT,
  due_how TEXT,
  linked_case BIGINT
);
CREATE INDEX cases_state ON cases (state, severity_level, opened_at);

-- What is still to be told: to boxes, and to other systems.
CREATE TABLE commands (
  seq {{serial}},
  id TEXT NOT NULL UNIQUE,
  case_id BIGINT,
  source TEXT NOT NULL,
  topic TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at TEXT NOT NULL,
  sent_at TEXT,
  until TEXT,
  reply TEXT,
  replied_at TEXT
);
CREATE INDEX commands_state ON commands (state, seq);
CREATE INDEX commands_case ON commands (case_id);

CREATE TABLE deliveries (
  seq {{serial}},
  id TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL,
  created_at TEXT NOT NULL,
  tries BIGINT NOT NULL,
  due_at TEXT NOT NULL,
  done_at TEXT,
  last_error TEXT
);

-- What browsers are told: the feed of each stream.
CREATE TABLE changes (
  seq {{serial}},
  at TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL
);

CREATE TABLE users (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  password TEXT NOT NULL,
  routes TEXT NOT NULL,
  disabled BIGINT NOT NULL,
  created_at TEXT NOT NULL
);
CREATE TABLE tokens (
  digest TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  created_at TEXT NOT NULL,
  used_at TEXT
);
CREATE TABLE sessions (
  digest TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL
);
CREATE TABLE audit (
  seq {{serial}},
  at TEXT NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
