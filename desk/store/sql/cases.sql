-- name: case_insert
INSERT INTO cases (id, call, source, site, device, alert, alert_revision, alert_state, end_reason, severity, severity_level, route, 
 cause, probability, reasons, quote, opened_at, alert_at, page_until, answerable_until, acknowledged_by, state, 
 version, owner, owner_since, first_claimed_at, attempted, attempts, last_result, contacted_at, contacted_by, 
 call_back_at, do_not_contact, closed_at, closed_by, outcome, action_taken, justified, reopened_at, lapsed_at, 
 escalated_at, missed_at, snoozed_until, due_at, due_policy, due_how, linked_case, arm, held)
VALUES (:id, :call, :source, :site, :device, :alert, :alert_revision, :alert_state, :end_reason, :severity, :severity_level, 
 :route, :cause, :probability, :reasons, :quote, :opened_at, :alert_at, :page_until, :answerable_until, 
 :acknowledged_by, :state, :version, :owner, :owner_since, :first_claimed_at, :attempted, :attempts, :last_result, 
 :contacted_at, :contacted_by, :call_back_at, :do_not_contact, :closed_at, :closed_by, :outcome, :action_taken, 
 :justified, :reopened_at, :lapsed_at, :escalated_at, :missed_at, :snoozed_until, :due_at, :due_policy, :due_how, 
 :linked_case, :arm, :held)
-- name: case_facts
UPDATE cases SET alert = :alert, alert_revision = :alert_revision, alert_state = :alert_state, end_reason = :end_reason, 
 severity = :severity, severity_level = :severity_level, route = :route, cause = :cause, probability = :probability, 
 reasons = :reasons, quote = :quote, opened_at = :opened_at, alert_at = :alert_at, page_until = :page_until, 
 answerable_until = :answerable_until, acknowledged_by = :acknowledged_by
WHERE call = :call
-- name: case_work
UPDATE cases SET state = :state, version = :version, owner = :owner, owner_since = :owner_since, first_claimed_at = :first_claimed_at, 
 attempted = :attempted, attempts = :attempts, last_result = :last_result, contacted_at = :contacted_at, 
 contacted_by = :contacted_by, call_back_at = :call_back_at, do_not_contact = :do_not_contact, 
 closed_at = :closed_at, closed_by = :closed_by, outcome = :outcome, action_taken = :action_taken, 
 justified = :justified, reopened_at = :reopened_at, lapsed_at = :lapsed_at, escalated_at = :escalated_at, 
 missed_at = :missed_at, snoozed_until = :snoozed_until, due_at = :due_at, due_policy = :due_policy, 
 due_how = :due_how, linked_case = :linked_case, arm = :arm, held = :held
WHERE id = :id AND version = :seen
-- name: case_claim
UPDATE cases SET owner = :actor, owner_since = :at, attempted = 0, snoozed_until = NULL, held = 0, version = version + 1,
 state = CASE WHEN state = 'open' THEN 'claimed' ELSE state END, first_claimed_at = COALESCE(first_claimed_at, :at)
WHERE id = :id AND owner IS NULL AND state <> 'closed' RETURNING version
-- name: case_of_call
SELECT id, alert, alert_revision, severity_level, state, held, contacted_at, due_at FROM cases WHERE call = :call
-- name: cases_of_calls
SELECT id, call FROM cases WHERE call IN (:calls...)
-- name: case_row
SELECT * FROM cases WHERE id = :id
-- name: case_work_row
SELECT id, call, source, site, device, alert, route, answerable_until, state, version, owner, owner_since, first_claimed_at, attempted, attempts, last_result, contacted_at, contacted_by, 
 call_back_at, do_not_contact, closed_at, closed_by, outcome, action_taken, justified, reopened_at, lapsed_at, 
 escalated_at, missed_at, snoozed_until, due_at, due_policy, due_how, linked_case, arm, held FROM cases WHERE id = :id
-- name: case_number
SELECT 1 + CASE WHEN COALESCE(MAX(case_id), 0) > :least THEN MAX(case_id) ELSE :least END AS id FROM actions
-- name: case_opened
SELECT case_id FROM actions WHERE call = :call AND kind = 'opened'
-- name: action_add
INSERT INTO actions (case_id, call, version, kind, at, actor, data) VALUES (:case_id, :call, :version, :kind, :at, :actor, :data)
-- name: actions_of
SELECT seq, version, kind, at, actor, data FROM actions WHERE case_id = :case_id ORDER BY seq
-- name: actions_from
SELECT seq, case_id, call, version, kind, at, actor, data FROM actions WHERE seq > :seq ORDER BY seq LIMIT :most
-- name: action_data
UPDATE actions SET data = :data WHERE seq = :seq
-- name: last_action
SELECT at, actor FROM actions WHERE case_id = :case_id ORDER BY seq DESC LIMIT 1
-- name: earlier_case
SELECT cases.id FROM cases JOIN calls ON calls.call = cases.call
WHERE calls.customer_key = :customer_key AND cases.call <> :call AND cases.opened_at >= :since AND cases.opened_at <= :opened_at AND cases.id < :id
ORDER BY cases.opened_at DESC, cases.id DESC LIMIT 1
-- name: cases_lapsed
SELECT id FROM cases WHERE state = 'claimed' AND attempted = 0 AND owner_since < :before
-- name: cases_unclaimed
SELECT id FROM cases WHERE state = 'open' AND held = 0 AND owner IS NULL AND due_at < :now AND escalated_at IS NULL
-- name: cases_missed
SELECT id FROM cases WHERE state IN ('open', 'claimed') AND held = 0 AND contacted_at IS NULL AND due_at < :now AND missed_at IS NULL
-- name: command_add
INSERT INTO commands (id, case_id, source, topic, body, state, created_at, until)
VALUES (:id, :case_id, :source, :topic, :body, 'pending', :created_at, :until) ON CONFLICT (id) DO NOTHING
-- name: commands_pending
SELECT seq, id, source, topic, body, until FROM commands WHERE state = 'pending' ORDER BY seq LIMIT 100
-- name: command_sent
UPDATE commands SET state = 'sent', sent_at = :at WHERE seq = :seq AND state = 'pending'
-- name: command_lapsed
UPDATE commands SET state = 'lapsed' WHERE state IN ('pending', 'sent') AND until < :now
-- name: command_again
UPDATE commands SET state = 'pending' WHERE state = 'sent' AND source = :source
-- name: command_reply
UPDATE commands SET state = :state, reply = :reply, replied_at = :at WHERE id = :id
-- name: command_case
SELECT case_id FROM commands WHERE id = :id
-- name: commands_of
SELECT id, topic, state, created_at, sent_at, reply, replied_at FROM commands WHERE case_id = :case_id ORDER BY seq
-- name: commands_waiting
SELECT COUNT(*) AS n FROM commands WHERE state IN ('pending', 'sent')
