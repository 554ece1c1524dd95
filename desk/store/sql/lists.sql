-- name: cases_where
FROM cases LEFT JOIN calls ON calls.call = cases.call
WHERE (CAST(:state AS TEXT) IS NULL OR cases.state = :state
    OR (:state = 'live' AND cases.state <> 'closed' AND (cases.snoozed_until IS NULL OR cases.snoozed_until <= :now))
    OR (:state = 'snoozed' AND cases.state <> 'closed' AND cases.snoozed_until > :now)
    OR (:state = 'missed' AND cases.state <> 'closed' AND cases.missed_at IS NOT NULL)
    OR (:state = 'lapsed' AND cases.state <> 'closed' AND cases.lapsed_at IS NOT NULL)
    OR (:state = 'escalated' AND cases.state <> 'closed' AND cases.escalated_at IS NOT NULL)
    OR (:state = 'reopened' AND cases.state <> 'closed' AND cases.reopened_at IS NOT NULL)
    OR (:state = 'held' AND cases.held = 1))
  AND (CAST(:state AS TEXT) IS NULL OR :state = 'held' OR cases.held = 0)
  AND (CAST(:who AS TEXT) IS NULL OR (:who = 'mine' AND cases.owner = :person) OR (:who = 'unassigned' AND cases.owner IS NULL)
    OR (:who = 'both' AND (cases.owner IS NULL OR cases.owner = :person)))
  AND (CAST(:owner AS TEXT) IS NULL OR cases.owner = :owner)
  AND (CAST(:severity AS TEXT) IS NULL OR cases.severity = :severity)
  AND (CAST(:route AS TEXT) IS NULL OR cases.route = :route)
  AND (CAST(:routes AS TEXT) IS NULL OR :routes LIKE '%|' || cases.route || '|%')
  AND (CAST(:site AS TEXT) IS NULL OR cases.site = :site)
  AND (CAST(:outcome AS TEXT) IS NULL OR cases.outcome = :outcome)
  AND (CAST(:customer AS TEXT) IS NULL OR calls.customer_ref = :customer OR calls.callback = :customer OR calls.customer_key = :customer)
  AND (CAST(:since AS TEXT) IS NULL OR cases.opened_at >= :since)
  AND (CAST(:until AS TEXT) IS NULL OR cases.opened_at < :until)
-- name: cases_columns
SELECT cases.*, calls.line, calls.desk, calls.customer_ref, calls.callback, calls.customer_key, calls.queue, calls.pbx_call_id,
 calls.agent_ref, calls.started_at, calls.ended_at, calls.duration_ms, calls.match_method, calls.mean, calls.end_weighted,
 CASE WHEN cases.do_not_contact = 1 OR EXISTS (SELECT 1 FROM calls AS theirs JOIN cases AS told ON told.call = theirs.call
   WHERE theirs.customer_key = calls.customer_key AND told.do_not_contact = 1) THEN 1 ELSE 0 END AS contact_forbidden
-- name: cases_queue
{{cases_columns}} {{cases_where}} ORDER BY cases.severity_level DESC, cases.opened_at, cases.id LIMIT :most
-- name: cases_history
{{cases_columns}} {{cases_where}} ORDER BY cases.opened_at DESC, cases.id DESC LIMIT :most
-- name: cases_after
{{cases_columns}} {{cases_where}} AND cases.id > :after ORDER BY cases.id LIMIT :most
-- name: cases_count
SELECT COUNT(*) AS n {{cases_where}}
-- name: case_whole
{{cases_columns}} FROM cases LEFT JOIN calls ON calls.call = cases.call WHERE cases.id = :id
-- name: case_routes
SELECT DISTINCT route FROM cases ORDER BY route
-- name: case_sites
SELECT DISTINCT site FROM cases ORDER BY site
