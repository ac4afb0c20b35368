-- What was written before values were sealed: read and replaced, some rows of one space at a time. Run as the
-- owner of the schema, over every organisation; the space's row is locked first, so that no push is in between.

-- name: spaces_after
SELECT org_id AS org, space_id AS space FROM space
WHERE (org_id, space_id) > (:org::uuid, :space::uuid) AND state <> 2
ORDER BY org_id, space_id LIMIT :limit;

-- name: lock_to_seal
SELECT FROM space WHERE org_id = :org AND space_id = :space FOR NO KEY UPDATE;

-- name: conflicts_about
SELECT rec_id AS rec, doc -> 'of' AS of FROM rec
WHERE org_id = :org AND space_id = :space AND coll = 'conflict' AND doc -> 'of' IS NOT NULL;

-- name: records_after
SELECT seq AS place, rec_id AS rec, coll, 'record' AS kind, doc AS held FROM rec
WHERE org_id = :org AND space_id = :space AND seq > :after ORDER BY seq LIMIT :limit;

-- name: ops_after
SELECT seq AS place, rec_id AS rec, coll, kind, val AS held FROM op
WHERE org_id = :org AND space_id = :space AND seq > :after ORDER BY seq LIMIT :limit;

-- name: replace_records
UPDATE rec r SET doc = g.held FROM unnest(:places::bigint[], :helds::jsonb[]) AS g (place, held)
WHERE r.org_id = :org AND r.space_id = :space AND r.seq = g.place;

-- name: replace_ops
UPDATE op o SET val = g.held FROM unnest(:places::bigint[], :helds::jsonb[]) AS g (place, held)
WHERE o.org_id = :org AND o.space_id = :space AND o.seq = g.place;

-- name: refused_of_space
SELECT op_id AS op, payload FROM quarantine WHERE org_id = :org AND space_id = :space;

-- name: replace_refused
UPDATE quarantine q SET payload = g.payload FROM unnest(:ops::uuid[], :payloads::jsonb[]) AS g (op_id, payload)
WHERE q.org_id = :org AND q.space_id = :space AND q.op_id = g.op_id;
