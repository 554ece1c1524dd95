-- Wrong passwords count in every process alike; who tried is kept as a digest only.
CREATE TABLE attempts (
  key TEXT PRIMARY KEY,
  spent DOUBLE PRECISION NOT NULL,
  at DOUBLE PRECISION NOT NULL
);
