-- name: database_is_there
SELECT 1 AS one
-- name: schema_has
SELECT number FROM schema_version WHERE number = :number
-- name: schema_set
INSERT INTO schema_version (number, at) VALUES (:number, 'done')
-- name: meta_get
SELECT value FROM meta WHERE key = :key
-- name: meta_set
INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value
-- name: change_add
INSERT INTO changes (at, kind, key) VALUES (:at, :kind, :key)
-- name: changes_after
SELECT seq, kind, key FROM changes WHERE seq > :seq ORDER BY seq LIMIT 500
-- name: changes_ends
SELECT COALESCE(MIN(seq), 0) AS first, COALESCE(MAX(seq), 0) AS last FROM changes
-- name: changes_prune
DELETE FROM changes WHERE at < :before
-- name: audit_add
INSERT INTO audit (at, who, what, detail) VALUES (:at, :who, :what, :detail)
-- name: audit_latest
SELECT at, who, what, detail FROM audit ORDER BY seq DESC LIMIT 500
