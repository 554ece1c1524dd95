-- name: event_add
INSERT INTO events (source, id, type, topic, call, time, received_at, sequence, body)
VALUES (:source, :id, :type, :topic, :call, :time, :received_at, :sequence, :body)
ON CONFLICT (source, id) DO NOTHING RETURNING source, id
-- name: events_from
SELECT seq, source, id, type, topic, call, time, received_at, sequence, body FROM events WHERE seq > :seq ORDER BY seq LIMIT :most
-- name: events_context
SELECT id, source, type, call, time, body FROM events WHERE call IN (:calls...) AND type IN
('undertone.call.started.v1', 'undertone.call.updated.v1', 'undertone.call.summary.v1', 'undertone.call.failed.v1', 'undertone.alert.v1',
 'undertone.desk.match.v1')
-- name: events_count
SELECT COUNT(*) AS n, MAX(received_at) AS latest FROM events
-- name: event_body
UPDATE events SET body = :body WHERE seq = :seq
-- name: gaps_announced
SELECT source, body, time FROM events WHERE type = 'undertone.device.gap.v1' ORDER BY seq DESC LIMIT 1000
-- name: status_get
SELECT time, body FROM status WHERE source = :source AND topic = :topic
-- name: status_set
INSERT INTO status (source, topic, time, received_at, body) VALUES (:source, :topic, :time, :received_at, :body)
ON CONFLICT (source, topic) DO UPDATE SET time = excluded.time, received_at = excluded.received_at, body = excluded.body
-- name: status_all
SELECT source, topic, time, received_at, body FROM status ORDER BY source, topic
-- name: status_brief
SELECT source, MAX(received_at) AS seen, MAX(CASE WHEN topic = 'state' THEN body END) AS state,
 MAX(CASE WHEN topic = 'health' THEN time END) AS health_at, MAX(CASE WHEN topic = 'health' THEN received_at END) AS health_received_at
FROM status GROUP BY source
-- name: status_alerts
SELECT source, received_at, body FROM status WHERE topic = 'alerts'
-- name: spans_of
SELECT source, topic, first, last FROM spans WHERE source IN (:sources...) ORDER BY source, topic, first
-- name: spans_all
SELECT source, topic, first, last FROM spans ORDER BY source, topic, first
-- name: spans_sources
SELECT DISTINCT source FROM spans
-- name: span_set
INSERT INTO spans (source, topic, first, last) VALUES (:source, :topic, :first, :last)
ON CONFLICT (source, topic, first) DO UPDATE SET last = excluded.last
-- name: span_drop
DELETE FROM spans WHERE source = :source AND topic = :topic AND first = :first
-- name: spans_forget
DELETE FROM spans WHERE source = :source
-- name: refused_add
INSERT INTO refused (at, topic, reason, bytes) VALUES (:at, :topic, :reason, :bytes)
-- name: refused_latest
SELECT at, topic, reason, bytes FROM refused ORDER BY seq DESC LIMIT 50
-- name: refused_prune
DELETE FROM refused WHERE seq <= (SELECT COALESCE(MAX(seq), 0) - 1000 FROM refused)
-- name: clear_calls
DELETE FROM calls
-- name: clear_utterances
DELETE FROM utterances
-- name: clear_cases
DELETE FROM cases

-- name: cti_since
SELECT source, time, body FROM events WHERE type = 'undertone.desk.cti.v1' AND received_at >= :since ORDER BY seq DESC LIMIT 500
-- name: match_of
SELECT call FROM events WHERE type = 'undertone.desk.match.v1' AND id LIKE :prefix LIMIT 1
