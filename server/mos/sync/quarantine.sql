-- What could not be taken, for a person to look at; and what devices say they have lost.

-- name: quarantined
-- The refused ops of these spaces: those that nobody has handled, and those handled after :since.
SELECT q.op_id AS op, q.space_id AS space, q.reason, q.payload, q.account_id AS account,
       COALESCE(d.name, '') AS device, q.received_at, q.handled_how, q.handled_by, q.handled_at
FROM quarantine q
LEFT JOIN device d ON d.org_id = q.org_id AND d.device_id = q.device_id
WHERE q.org_id = :org AND q.space_id = ANY (:spaces)
  AND (q.handled_at IS NULL OR q.handled_at > :since)
ORDER BY q.handled_at IS NOT NULL, q.received_at DESC, q.op_id
LIMIT :limit;

-- name: handle_quarantined
-- What became of it; the first word stands.
UPDATE quarantine SET handled_how = :how, handled_by = :account, handled_at = :now
WHERE org_id = :org AND space_id = ANY (:spaces) AND op_id = :op AND handled_at IS NULL;

-- name: quarantine_entry
SELECT handled_how AS how FROM quarantine
WHERE org_id = :org AND space_id = ANY (:spaces) AND op_id = :op;

-- name: lost_ops
-- How many ops each device has given up, and when it said so last.
SELECT s.space_id AS space, COALESCE(d.name, '') AS device, s.lost_at AS noticed_at,
       (SELECT sum(upper(r) - lower(r)) FROM unnest(s.lost) r)::bigint AS count
FROM device_space s
LEFT JOIN device d ON d.org_id = s.org_id AND d.device_id = s.device_id
WHERE s.org_id = :org AND s.space_id = ANY (:spaces) AND NOT isempty(s.lost)
ORDER BY s.lost_at DESC, s.device_id;

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
  SET missing = d.missing - h.gone, lost = d.lost + h.gone, lost_at = :now
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
