-- What could not be taken, for a person to look at; and what devices say they have lost.

-- name: quarantined
-- The refused ops of these spaces: those that nobody has handled, and those handled after :since. What came
-- from somebody without any right there stands last, however much of it there is: it buries nothing.
SELECT q.op_id AS op, q.space_id AS space, q.reason, q.payload, q.account_id AS account,
       d.name AS device, d.device_id, d.account_id AS owner, q.received_at, q.handled_how, q.handled_by, q.handled_at
FROM quarantine q
LEFT JOIN device d ON d.org_id = q.org_id AND d.device_id = q.device_id
WHERE q.org_id = :org AND q.space_id = ANY (:spaces)
  AND (q.handled_at IS NULL OR q.handled_at > :since)
ORDER BY q.handled_at IS NOT NULL, q.reason = 'forbidden no_access', q.received_at DESC, q.op_id
LIMIT :limit;

-- name: handle_quarantined
-- What became of it; the first word stands.
UPDATE quarantine SET handled_how = :how, handled_by = :account, handled_at = :now
WHERE org_id = :org AND space_id = ANY (:spaces) AND op_id = :op AND handled_at IS NULL;

-- name: quarantine_entry
SELECT space_id AS space, handled_how AS how, payload FROM quarantine
WHERE org_id = :org AND space_id = ANY (:spaces) AND op_id = :op;

-- name: forget_settled
-- What somebody settled before :before, some at a time.
DELETE FROM quarantine q USING (
  SELECT op_id FROM quarantine
  WHERE org_id = :org AND space_id = :space AND handled_at < :before AND NOT held_space(:org, :space)
  ORDER BY handled_at LIMIT :limit FOR UPDATE
) old
WHERE q.org_id = :org AND q.space_id = :space AND q.op_id = old.op_id;

-- name: lost_ops
-- How many ops each device has given up, and when it said so last. Ten thousand is as good as any more: a
-- device may say what it likes.
SELECT s.space_id AS space, d.name AS device, d.device_id, d.account_id AS owner, s.lost_at AS noticed_at,
       LEAST((SELECT sum(upper(r) - lower(r)) FROM unnest(s.lost) r), 10000)::bigint AS count
FROM device_space s
LEFT JOIN device d ON d.org_id = s.org_id AND d.device_id = s.device_id
WHERE s.org_id = :org AND s.space_id = ANY (:spaces) AND NOT isempty(s.lost)
ORDER BY s.lost_at DESC, s.device_id;

-- name: lock_spaces
-- As a push does: what it says of missing numbers is settled first.
SELECT FROM space WHERE org_id = :org AND space_id = ANY (:spaces) ORDER BY space_id FOR NO KEY UPDATE;

-- name: give_up
-- A device no longer has these numbers: they are not waited for any more. Only what is missing can be
-- lost. Answers how many more are lost than before.
WITH said AS (
  SELECT t.space_id, range_agg(int8range(t.first, t.last, '[]')) AS ranges
  FROM unnest(:spaces::uuid[], :firsts::bigint[], :lasts::bigint[]) AS t (space_id, first, last)
  GROUP BY t.space_id
), held AS (
  SELECT d.space_id, d.missing * a.ranges AS gone
  FROM device_space d JOIN said a ON a.space_id = d.space_id
  WHERE d.org_id = :org AND d.device_id = :device
  ORDER BY d.space_id FOR UPDATE OF d
), moved AS (
  UPDATE device_space d
  SET missing = sync_bounded(d.missing - h.gone), lost = sync_bounded(d.lost + h.gone), lost_at = :now
  FROM held h
  WHERE d.org_id = :org AND d.space_id = h.space_id AND d.device_id = :device AND NOT isempty(h.gone)
  RETURNING (SELECT sum(upper(r) - lower(r)) FROM unnest(h.gone) r) AS n
)
SELECT COALESCE(sum(n), 0)::bigint AS count FROM moved;

-- name: purged
-- The device says that it holds nothing of these spaces any more.
INSERT INTO device_space (org_id, space_id, device_id, seen_at, purged_at)
SELECT s.org_id, s.space_id, :device, :now, :now
FROM space s WHERE s.org_id = :org AND s.space_id = ANY (:spaces) AND s.state <> 2
ORDER BY s.space_id
ON CONFLICT (org_id, space_id, device_id) DO UPDATE SET purged_at = excluded.purged_at;
