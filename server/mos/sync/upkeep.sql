-- What happens to a space's past: forgotten deletions, the archive, and erasure. Each statement is about
-- one space, whose row the first of them has locked: a push waits, or this does.

-- name: claim_untidy
-- Spaces that nobody has looked after since `before`; whoever claims them does so now.
SELECT org_id AS org, space_id AS space, is_erased FROM sync_claim_untidy(:before, :now, :limit);

-- name: lock_space
SELECT state = 2 AS is_erased FROM space
WHERE org_id = :org AND space_id = :space FOR NO KEY UPDATE;

-- name: forget_deleted
-- Records that have been deleted for long go. No device that may still write has not heard of it: what is
-- older than `floor` and finds no record is refused (docs/sync.md).
WITH old AS (
  SELECT rec_id, seq FROM rec
  WHERE org_id = :org AND space_id = :space AND doc -> 'deleted' = 'true'
    AND (clk ->> 'deleted') COLLATE "C" < :deleted_before AND NOT held_space(:org, :space)
    -- By the server's own time as well, as far as the log still tells: a device whose clock is behind dates
    -- back what others have not heard of.
    AND NOT EXISTS (SELECT FROM op o WHERE o.org_id = :org AND o.space_id = :space AND o.seq = rec.seq
                                       AND o.received_at >= :received_before)
  ORDER BY seq LIMIT :limit
), gone AS (
  DELETE FROM rec r USING old o
  WHERE r.org_id = :org AND r.rec_id = o.rec_id AND r.space_id = :space RETURNING r.seq
)
UPDATE space s
SET floor_seq = GREATEST(s.floor_seq, g.seq), floor_hlc = GREATEST(s.floor_hlc, :floor)
FROM (SELECT max(seq) AS seq, count(*) AS n FROM gone) g
WHERE s.org_id = :org AND s.space_id = :space AND g.n > 0
RETURNING g.n::int AS number;

-- name: oldest_deleted
-- By the later of the two clocks, as above; to the second.
SELECT min(GREATEST(
  to_timestamp(('x' || left(r.clk ->> 'deleted', 12))::bit(48)::bigint / 1000),
  (SELECT o.received_at FROM op o WHERE o.org_id = :org AND o.space_id = :space AND o.seq = r.seq))) AS at
FROM rec r
WHERE r.org_id = :org AND r.space_id = :space AND r.doc -> 'deleted' = 'true' AND NOT held_space(:org, :space);

-- name: old_ops
-- The log's beginning, in order, whether or not it is old enough to leave.
-- Its clock is the one that it may come with again: what its device claimed, but only where that is long past too
-- (before the clock `past`). A claim of a time to come would make all that is written until then look archived.
SELECT seq, GREATEST(hlc, CASE WHEN hlc_claimed < :past THEN hlc_claimed END) AS hlc, received_at < :before AS is_old, to_jsonb(o)::text AS text
FROM op o
WHERE org_id = :org AND space_id = :space
ORDER BY seq LIMIT :limit;

-- name: forget_ops
-- They are in the archive, safe on its disk. Should they come again, it is by their clocks that they are known;
-- what had to be stamped anew, by what its device claimed, which says nothing of any other device.
WITH gone AS (
  DELETE FROM op WHERE org_id = :org AND space_id = :space AND seq <= :seq
  RETURNING device_id, hlc_claimed
), claimed AS (
  UPDATE device_space d SET archive_claimed = GREATEST(d.archive_claimed, g.latest)
  FROM (SELECT device_id, max(hlc_claimed) AS latest FROM gone WHERE hlc_claimed IS NOT NULL GROUP BY device_id) g
  WHERE d.org_id = :org AND d.space_id = :space AND d.device_id = g.device_id
)
UPDATE space SET archive_hlc = GREATEST(archive_hlc, :hlc)
WHERE org_id = :org AND space_id = :space;

-- name: hold_spaces
-- An erasure waits, and one that is under way is waited for; a push neither.
SELECT FROM space WHERE org_id = :org AND space_id = ANY (:spaces) ORDER BY space_id FOR KEY SHARE;

-- name: close_spaces
-- Stronger than the lock of a push: it keeps out the quarantine of those who do not see the space, too.
SELECT FROM space WHERE org_id = :org AND space_id = ANY (:spaces) ORDER BY space_id FOR UPDATE;

-- name: erase
-- All that the space holds or held. The stub says that it was here, and lets nothing back in.
WITH r AS (DELETE FROM rec WHERE org_id = :org AND space_id = :space),
     o AS (DELETE FROM op WHERE org_id = :org AND space_id = :space),
     d AS (DELETE FROM device_space WHERE org_id = :org AND space_id = :space),
     q AS (DELETE FROM quarantine WHERE org_id = :org AND space_id = :space),
     u AS (DELETE FROM unread_refusal WHERE org_id = :org AND space_id = :space),
     l AS (INSERT INTO erasure (org_id, space_id, erased_at)
           SELECT s.org_id, s.space_id, :now FROM space s WHERE s.org_id = :org AND s.space_id = :space
           ON CONFLICT DO NOTHING)
UPDATE space SET state = 2, live_n = 0, live_sum = 0, live_sq = 0, tidied_at = '-infinity'
WHERE org_id = :org AND space_id = :space;

-- name: erasures
-- Every space that was erased, of all organisations; ids only.
SELECT org_id AS org, space_id AS space, erased_at AS at FROM sync_erasures();
