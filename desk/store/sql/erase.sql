-- name: calls_to_erase
SELECT call FROM calls WHERE customer_ref = :reference OR callback = :callback OR customer_key = :key
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
-- name: deliveries_blank
DELETE FROM deliveries WHERE body LIKE :call
