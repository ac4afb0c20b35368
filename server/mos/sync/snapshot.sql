-- A space from its beginning, in parts that are each read and sent before the next is looked for.

-- name: snapshot_begin
-- Where the space stands, or stood at the place `at` from which a reader goes on.
SELECT s.epoch, p.seq, s.head_seq AS head, s.floor_seq AS floor, s.state = 2 AS is_erased,
       sync_tag(s.org_id, s.space_id, p.seq) AS tag, s.live_n, s.live_sum, s.live_sq
FROM space s CROSS JOIN LATERAL (SELECT COALESCE(:at::bigint, s.head_seq) AS seq) p
WHERE s.org_id = :org AND s.space_id = :space;

-- name: snapshot_ids
-- The ids of the records that are to come, 16 bytes each: what is held for as long as the reader reads.
SELECT COALESCE(string_agg(uuid_send(rec_id), ''::bytea ORDER BY rec_id), '') AS ids
FROM rec
WHERE org_id = :org AND space_id = :space AND seq <= :at
  AND (:after::uuid IS NULL OR rec_id > :after);

-- name: snapshot_page
-- The next of these records, as many as fit: the first always does.
SELECT f.rec_id AS rec, f.text
FROM (
  SELECT r.rec_id, r.text,
         sum(octet_length(r.text)) OVER (ORDER BY r.rec_id) - octet_length(r.text) AS before
  FROM (
    SELECT c.rec_id, jsonb_build_array(c.coll, c.rec_id, c.seq, c.doc, c.clk)::text AS text
    FROM rec c
    WHERE c.org_id = :org AND c.rec_id = ANY (:ids::uuid[]) AND c.space_id = :space
  ) r
) f
WHERE f.before < :bytes
ORDER BY f.rec_id;
