-- name: impact_cases
SELECT cases.id, cases.opened_at, cases.severity, cases.severity_level, cases.route, cases.site, cases.state, cases.first_claimed_at,
 cases.contacted_at, cases.closed_at, cases.outcome, cases.justified, cases.arm, calls.customer_key, calls.queue, calls.started_at
FROM cases LEFT JOIN calls ON calls.call = cases.call
WHERE cases.opened_at >= :since AND cases.opened_at < :until
  AND (CAST(:route AS TEXT) IS NULL OR cases.route = :route) AND (CAST(:site AS TEXT) IS NULL OR cases.site = :site)
ORDER BY cases.opened_at
-- name: impact_calls
SELECT calls.started_at, calls.end_weighted, calls.customer_utterances, calls.customer_key FROM calls
WHERE calls.started_at >= :since AND calls.started_at < :until AND (CAST(:site AS TEXT) IS NULL OR calls.site = :site)
-- name: impact_later
SELECT customer_key, started_at, end_weighted FROM calls
WHERE customer_key IS NOT NULL AND started_at >= :since ORDER BY customer_key, started_at
