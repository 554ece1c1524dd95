-- name: presence_since
SELECT case_id, person, at FROM presence WHERE at >= :since ORDER BY case_id, person
-- name: presence_set
INSERT INTO presence (case_id, person, at) VALUES (:case_id, :person, :at) ON CONFLICT (case_id, person) DO UPDATE SET at = excluded.at
-- name: presence_prune
DELETE FROM presence WHERE at < :before
-- name: ingest_set
INSERT INTO ingests (name, at, body) VALUES (:name, :at, :body) ON CONFLICT (name) DO UPDATE SET at = excluded.at, body = excluded.body
-- name: ingest_drop
DELETE FROM ingests WHERE name = :name
-- name: ingests_all
SELECT name, at, body FROM ingests ORDER BY name
