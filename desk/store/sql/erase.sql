-- name: calls_to_erase
SELECT call, customer_ref, callback, pbx_call_id FROM calls WHERE customer_ref = :reference OR callback = :callback OR customer_key = :key
-- name: call_of_another
SELECT call FROM calls WHERE callback = :callback AND customer_ref IS NOT NULL LIMIT 1
-- name: events_of_call_all
SELECT seq, body FROM events WHERE call = :call
-- name: events_cti
SELECT seq, body FROM events WHERE type = 'undertone.desk.cti.v1'
-- name: status_body
UPDATE status SET body = :body WHERE source = :source AND topic = :topic
-- name: case_blank
UPDATE cases SET quote = NULL, action_taken = NULL, call_back_at = NULL WHERE id = :id
-- name: boxes_known
SELECT DISTINCT source FROM status ORDER BY source
-- name: command_forget
UPDATE commands SET body = '{}' WHERE id = :id AND state NOT IN ('pending', 'sent')
-- name: erasures_lapsed
UPDATE commands SET body = '{}' WHERE state = 'lapsed' AND replace(topic, 'customer/erase', '') <> topic
-- name: commands_blank
UPDATE commands SET reply = NULL WHERE case_id = :case_id
-- name: commands_of_call_blank
UPDATE commands SET body = '{}', reply = NULL, state = CASE WHEN state IN ('pending', 'sent') THEN 'lapsed' ELSE state END
WHERE case_id IS NULL AND body LIKE :call
-- name: deliveries_of_call
SELECT seq, body FROM deliveries WHERE body LIKE :call
-- name: deliveries_all
SELECT seq, body FROM deliveries
-- name: delivery_body
UPDATE deliveries SET body = :body WHERE seq = :seq
-- name: cases_with_action_taken
SELECT id, action_taken FROM cases WHERE action_taken IS NOT NULL
-- name: case_action_taken
UPDATE cases SET action_taken = :action_taken WHERE id = :id
-- name: audit_of_customers
SELECT seq, detail FROM audit WHERE detail LIKE '%customer=%'
-- name: audit_detail
UPDATE audit SET detail = :detail WHERE seq = :seq
