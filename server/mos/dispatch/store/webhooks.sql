-- name: answers_of
-- What was sent to a contact and what came back, the latest first: nothing of whom or what it was about.
SELECT COALESCE(d.settled_at, d.attempted_at, d.created_at) AS at, d.kind, d.state, d.error AS code, d.attempts AS tries
FROM delivery d
WHERE d.org_id = :org AND d.contact_id = :contact AND d.attempts > 0
ORDER BY d.delivery_id DESC LIMIT :limit

-- name: drop_waiting
-- What waits to be sent to a contact is not sent any more.
UPDATE delivery SET state = 'expired', next_at = NULL, settled_at = :now, error = 'withdrawn'
WHERE org_id = :org AND contact_id = :contact AND next_at IS NOT NULL
