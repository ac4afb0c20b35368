-- Every statement of synchronisation. Each runs inside the transaction's row-level security scope:
-- one organisation, and the spaces of the request.

-- name: push
-- Judge, number, log and merge a whole batch: see the function (migration 0002).
SELECT ord, space_id AS space, verdict, code, was, seq, hlc, claimed, n, doc
FROM sync_push(:org, :device, :account, :session, :now, :skew_ms, :spaces, :ops)
ORDER BY ord;

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
-- One statement, so one snapshot for the whole vector. A space's rows come as one JSON text, in order;
-- at most `limit` rows and about `bytes` of text over all spaces, in the order in which they were asked.
WITH asked AS MATERIALIZED (
  SELECT a.ord, a.cursor, s.space_id, s.epoch, s.head_seq, s.state, s.live_n, s.live_sum, s.live_sq, a.seq,
         CASE
           WHEN a.cursor = '' THEN NULL
           WHEN a.epoch <> s.epoch THEN 'epoch'
           WHEN a.seq < s.floor_seq THEN 'floor'
           WHEN a.tag <> COALESCE((
             SELECT right(o.op_id::text, 8) FROM op o
             WHERE o.org_id = :org AND o.space_id = s.space_id AND o.seq = a.seq),
             CASE a.seq WHEN 0 THEN '00000000' ELSE '' END) THEN 'tag'
         END AS reset
  FROM unnest(:spaces::uuid[], :cursors::text[], :epochs::integer[], :seqs::bigint[], :tags::text[])
       WITH ORDINALITY AS a (space_id, cursor, epoch, seq, tag, ord)
  JOIN space s ON s.org_id = :org AND s.space_id = a.space_id
  ORDER BY a.ord
),
found AS (
  SELECT a.ord, r.seq, r.text
  FROM (SELECT * FROM asked ORDER BY ord) a
  CROSS JOIN LATERAL (
    SELECT c.seq, jsonb_build_array(c.coll, c.rec_id, c.seq, c.doc, c.clk)::text AS text
    FROM rec c
    WHERE c.org_id = :org AND c.space_id = a.space_id AND c.seq > a.seq
    ORDER BY c.seq LIMIT :limit
  ) r
  WHERE a.reset IS NULL AND a.state < 2 AND a.head_seq > a.seq
  ORDER BY a.ord, r.seq
  LIMIT :limit
),
fitting AS (
  -- The first row always fits: a page without progress would be asked for for ever.
  SELECT f.ord, f.seq, f.text
  FROM (SELECT ord, seq, text, sum(octet_length(text)) OVER (ORDER BY ord, seq) - octet_length(text)
          AS before FROM found) f
  WHERE f.before < :bytes
),
pages AS (
  SELECT a.*, '[' || p.rows || ']' AS rows, COALESCE(p.last, a.seq) AS last, EXISTS (
           SELECT 1 FROM rec c WHERE c.org_id = :org AND c.space_id = a.space_id
             AND c.seq > COALESCE(p.last, a.seq)) AS more
  FROM asked a
  LEFT JOIN (
    SELECT ord, string_agg(text, ',' ORDER BY seq) AS rows, max(seq) AS last FROM fitting GROUP BY ord
  ) p USING (ord)
  WHERE a.reset IS NOT NULL OR a.state = 2 OR a.head_seq > a.seq OR a.cursor = ''
)
SELECT p.space_id AS space, p.state = 2 AS is_erased, p.reset, p.epoch, p.rows, p.more,
       CASE WHEN p.more THEN p.last ELSE p.head_seq END AS seq,
       (SELECT right(o.op_id::text, 8) FROM op o WHERE o.org_id = :org AND o.space_id = p.space_id
          AND o.seq = CASE WHEN p.more THEN p.last ELSE p.head_seq END) AS tag,
       p.live_n, p.live_sum, p.live_sq
FROM pages p
ORDER BY p.ord;

-- name: heads
-- Where each space stands, and what the device is acknowledged there.
SELECT s.space_id AS space, s.epoch, s.head_seq, s.floor_seq, s.state = 2 AS is_erased, d.last_n
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
