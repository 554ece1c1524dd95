-- name: call_set
INSERT INTO calls (call, source, site, device, line, desk, started_at, ended_at, duration_ms, closed_by, failed_reason, customer_ref,
 callback, customer_key, queue, pbx_call_id, agent_ref, match_method, mode, privacy, utterances, customer_utterances, abstained, mean,
 end_weighted)
VALUES (:call, :source, :site, :device, :line, :desk, :started_at, :ended_at, :duration_ms, :closed_by, :failed_reason, :customer_ref,
 :callback, :customer_key, :queue, :pbx_call_id, :agent_ref, :match_method, :mode, :privacy, :utterances, :customer_utterances, :abstained,
 :mean, :end_weighted)
ON CONFLICT (call) DO UPDATE SET line = excluded.line, desk = excluded.desk, started_at = excluded.started_at,
 ended_at = excluded.ended_at, duration_ms = excluded.duration_ms, closed_by = excluded.closed_by, failed_reason = excluded.failed_reason,
 customer_ref = excluded.customer_ref, callback = excluded.callback, customer_key = excluded.customer_key, queue = excluded.queue,
 pbx_call_id = excluded.pbx_call_id, agent_ref = excluded.agent_ref, match_method = excluded.match_method, mode = excluded.mode,
 privacy = excluded.privacy, utterances = excluded.utterances, customer_utterances = excluded.customer_utterances,
 abstained = excluded.abstained, mean = excluded.mean, end_weighted = excluded.end_weighted
-- name: call_get
SELECT * FROM calls WHERE call = :call
-- name: calls_page
SELECT calls.*, cases.id AS case_id, cases.state AS case_state, cases.severity AS severity FROM calls LEFT JOIN cases ON cases.call = calls.call
WHERE (CAST(:site AS TEXT) IS NULL OR calls.site = :site)
  AND (CAST(:customer AS TEXT) IS NULL OR calls.customer_ref = :customer OR calls.callback = :customer OR calls.customer_key = :customer)
  AND (CAST(:since AS TEXT) IS NULL OR calls.started_at >= :since)
  AND (CAST(:until AS TEXT) IS NULL OR calls.started_at < :until)
  AND (CAST(:before AS TEXT) IS NULL OR calls.call < :before)
ORDER BY calls.call DESC LIMIT :most
-- name: calls_around
SELECT call, source, site, device, line, desk, started_at, ended_at, pbx_call_id, callback FROM calls
WHERE started_at >= :since AND started_at <= :until ORDER BY started_at DESC
-- name: calls_of_customer
SELECT calls.*, cases.id AS case_id, cases.state AS case_state, cases.severity AS severity, cases.outcome AS outcome
FROM calls LEFT JOIN cases ON cases.call = calls.call
WHERE calls.customer_key = :customer_key AND calls.call <> :call ORDER BY calls.started_at DESC LIMIT 20
-- name: utterance_set
INSERT INTO utterances (call, n, role, start_ms, end_ms, label, p_negative, polarity, cause, overlap_ms, voice, words, mean)
VALUES (:call, :n, :role, :start_ms, :end_ms, :label, :p_negative, :polarity, :cause, :overlap_ms, :voice, :words, :mean)
ON CONFLICT (call, n) DO NOTHING
-- name: utterances_of
SELECT n, role, start_ms, end_ms, label, p_negative, polarity, cause, overlap_ms, voice, words, mean FROM utterances WHERE call = :call ORDER BY start_ms, n
-- name: utterances_of_open
SELECT utterances.call, utterances.start_ms, utterances.end_ms, utterances.polarity FROM utterances
JOIN cases ON cases.call = utterances.call
WHERE cases.state <> 'closed' AND utterances.polarity IS NOT NULL ORDER BY utterances.call, utterances.start_ms
