-- Every statement of synchronisation. Each runs inside the transaction's row-level security scope:
-- one organisation, and the spaces of the request.

-- name: push
-- Judge, number, log and merge a whole batch: see the function (migration 0002).
SELECT ord, space_id AS space, verdict, code, was, seq, hlc, claimed, n, doc
FROM sync_push(:org, :device, :account, :session, :now, :skew_ms, :spaces, :ops)
ORDER BY ord, seq;

-- name: push_safety
-- The same for a batch that holds safety ops.
SELECT ord, space_id AS space, verdict, code, was, seq, hlc, claimed, n, doc
FROM sync_push_safety(:org, :device, :account, :session, :now, :skew_ms, :spaces, :ops)
ORDER BY ord, seq;

-- name: device_clocks
-- The latest clock that the server keeps from a device in each space. Locks the spaces as sync_push
-- does, sorted, so that no other batch of the device slips in between.
SELECT s.space_id AS space, COALESCE(d.last_hlc, '') AS last_hlc
FROM space s
LEFT JOIN device_space d
  ON d.org_id = s.org_id AND d.space_id = s.space_id AND d.device_id = :device
WHERE s.org_id = :org AND s.space_id = ANY (:spaces)
ORDER BY s.space_id
FOR NO KEY UPDATE OF s;

-- name: pull
-- What changed in each space since its cursor, in one snapshot: see the function (migration 0002).
SELECT space_id AS space, is_erased, reset, epoch, rows, more, seq, tag, floor, live_n, live_sum, live_sq
FROM sync_pull(:org, :spaces, :cursors, :epochs, :seqs, :tags, :floors, :limit, :bytes)
ORDER BY ord;

-- name: heads
-- Where each space stands, and what the device is acknowledged there.
SELECT s.space_id AS space, s.epoch, s.head_seq, s.floor_seq, s.state = 2 AS is_erased, d.last_n,
       COALESCE((SELECT array_agg(ARRAY[lower(r), upper(r) - 1]) FROM unnest(d.missing) r), '{}') AS missing
FROM space s
LEFT JOIN device_space d
  ON d.org_id = s.org_id AND d.space_id = s.space_id AND d.device_id = :device
WHERE s.org_id = :org AND s.space_id = ANY (:spaces)
ORDER BY s.space_id;

-- name: docs
-- The records of a collection that are not deleted.
SELECT space_id AS space, rec_id AS rec, doc
FROM rec
WHERE org_id = (SELECT mos_org()) AND space_id = ANY (:spaces) AND coll = :coll
  AND (doc -> 'deleted') IS DISTINCT FROM 'true'
ORDER BY space_id, rec_id;
