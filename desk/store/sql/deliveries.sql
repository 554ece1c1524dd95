-- name: cases_by_state
SELECT state, COUNT(*) AS n FROM cases GROUP BY state ORDER BY state
-- name: deliveries_waiting
SELECT COUNT(*) AS n, MIN(created_at) AS since, MAX(last_error) AS error FROM deliveries WHERE done_at IS NULL
-- name: delivery_add
INSERT INTO deliveries (id, body, created_at, tries, due_at) VALUES (:id, :body, :at, 0, :at) ON CONFLICT (id) DO NOTHING
-- name: deliveries_due
SELECT seq, id, tries FROM deliveries WHERE done_at IS NULL AND due_at <= :now ORDER BY seq LIMIT 20
-- name: delivery
SELECT body FROM deliveries WHERE seq = :seq
-- name: delivery_done
UPDATE deliveries SET done_at = :at, tries = tries + 1, last_error = NULL WHERE seq = :seq
-- name: delivery_again
UPDATE deliveries SET tries = tries + 1, due_at = :due_at, last_error = :error WHERE seq = :seq
-- name: deliveries_prune
DELETE FROM deliveries WHERE done_at < :before
