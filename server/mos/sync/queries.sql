-- Every statement of synchronisation. Each runs inside the transaction's row-level security scope:
-- one organisation, and the spaces of the request.

-- name: push
-- Judge, number, log and merge a whole batch: see the function (migration 0002).
SELECT ord, space_id AS space, verdict, code, was, seq, hlc, claimed, n, doc
FROM sync_push(:org, :device, :account, :session, :now, :skew_ms, :spaces, :ops)
ORDER BY ord, seq;

-- name: push_safety
-- The same for a batch that holds safety ops. What it decides by, sync_decide, stands as it is now in
-- migration 0015; the one in 0002 is the first.
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
-- The same statement sets the transaction's scope, which spares a round trip: the function takes what
-- set_config answers, so it cannot run before.
WITH scope AS MATERIALIZED (
  SELECT set_config('mos.org', (:org::uuid)::text, true)::uuid AS org,
         set_config('mos.spaces', (:spaces::uuid[])::text, true)::uuid[] AS spaces
)
SELECT p.space_id AS space, p.is_erased, p.reset, p.epoch, p.rows, p.more, p.seq, p.tag, p.floor,
       p.live_n, p.live_sum, p.live_sq
FROM scope
CROSS JOIN LATERAL
  sync_pull(scope.org, scope.spaces, :cursors, :epochs, :seqs, :tags, :floors, :limit, :bytes) AS p
ORDER BY p.ord;

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
SELECT org_id AS org, space_id AS space, rec_id AS rec, doc
FROM rec
WHERE org_id = (SELECT mos_org()) AND space_id = ANY (:spaces) AND coll = :coll
  AND (doc -> 'deleted') IS DISTINCT FROM 'true'
ORDER BY space_id, rec_id;
