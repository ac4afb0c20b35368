-- Refused changes that whoever wrote them has not read.

-- name: note_unread
-- Past row-level security: the space may not be its author's to see.
SELECT sync_note_unread(:org, :account, :now, :refused) AS count;

-- name: read
DELETE FROM unread_refusal WHERE org_id = :org AND account_id = :account AND op_id = ANY (:ops);

-- name: unread
-- The latest first. What was written is in it where the space is in the scope, and it is not too much to be told.
SELECT u.op_id AS op, u.space_id AS space, u.coll, u.rec_id AS rec, u.verdict, u.code, u.choice, u.made_at AS at,
       CASE WHEN q.bytes <= 8192 THEN q.payload END AS payload
FROM unread_refusal u
LEFT JOIN quarantine q ON q.org_id = u.org_id AND q.space_id = u.space_id AND q.op_id = u.op_id
WHERE u.org_id = :org AND u.account_id = :account
ORDER BY u.refused_at DESC, u.op_id;
