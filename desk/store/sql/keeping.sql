-- name: keep_details
DELETE FROM events WHERE received_at < :before AND type IN
('undertone.call.utterance.v1', 'undertone.call.metrics.v1', 'undertone.call.text.v1', 'undertone.desk.cti.v1', 'undertone.reply.v1',
 'undertone.device.feedback.v1')
-- name: keep_commands
DELETE FROM commands WHERE case_id IS NULL AND state NOT IN ('pending', 'sent') AND created_at < :before
-- name: keep_utterances
DELETE FROM utterances WHERE call NOT IN (SELECT call FROM events WHERE type = 'undertone.call.utterance.v1' AND call IS NOT NULL)
-- name: cases_outlived
SELECT id, call FROM cases WHERE state = 'closed' AND closed_at < :before LIMIT 500
-- name: case_forget_events
DELETE FROM events WHERE call = :call
-- name: case_forget_utterances
DELETE FROM utterances WHERE call = :call
-- name: case_forget_call
DELETE FROM calls WHERE call = :call
-- name: case_forget_actions
DELETE FROM actions WHERE case_id = :id
-- name: case_forget_commands
DELETE FROM commands WHERE case_id = :id
-- name: case_forget
DELETE FROM cases WHERE id = :id
-- name: actions_with_text
SELECT seq, data FROM actions WHERE at < :before AND (data LIKE '%"note"%' OR data LIKE '%"action": "%')
-- name: text_of_cases
UPDATE cases SET action_taken = NULL WHERE closed_at < :before AND action_taken IS NOT NULL
-- name: alerts_with_quotes
SELECT seq, body FROM events WHERE received_at < :before AND type = 'undertone.alert.v1' AND body LIKE '%"quote":%' AND body NOT LIKE '%"quotes_forgotten"%'
-- name: quotes_of_cases
UPDATE cases SET quote = NULL WHERE quote IS NOT NULL AND call IN (SELECT call FROM events WHERE type = 'undertone.alert.v1' AND received_at < :before)
-- name: text_events
DELETE FROM events WHERE received_at < :before AND type = 'undertone.call.text.v1'
