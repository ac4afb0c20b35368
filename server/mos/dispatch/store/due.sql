-- name: lock_horizons
-- How far each space is materialised (a new one: until now). Locks its plan until the transaction ends.
INSERT INTO horizon AS h (org_id, space_id, until)
SELECT :org, s, :now FROM unnest(:spaces::uuid[]) AS s ORDER BY s
ON CONFLICT (org_id, space_id) DO UPDATE SET until = h.until
RETURNING space_id AS space, until

-- name: extend_horizons
UPDATE horizon SET until = :until WHERE org_id = :org AND space_id = ANY (:spaces::uuid[])

-- name: short_horizons
-- Spaces of residents whose plan reaches less far than `before`, by index.
SELECT h.org_id AS org, h.space_id AS space
FROM horizon h
WHERE h.until < :before AND EXISTS (
  SELECT FROM resident r WHERE r.org_id = h.org_id AND r.space_id = h.space_id AND r.archived_at IS NULL
  UNION ALL
  SELECT FROM resident r WHERE r.org_id = h.org_id AND r.medication_id = h.space_id AND r.archived_at IS NULL)
ORDER BY h.until LIMIT :limit

-- name: begin_horizons
-- Whoever has no plan at all is planned until now, and is found by index from then on. Looks at everybody.
INSERT INTO horizon (org_id, space_id, until)
SELECT r.org_id, s.space_id, :now
FROM resident r
CROSS JOIN LATERAL (VALUES (r.space_id), (r.medication_id)) AS s (space_id)
WHERE r.archived_at IS NULL
  AND NOT EXISTS (SELECT FROM horizon h WHERE h.org_id = r.org_id AND h.space_id = s.space_id)
ORDER BY r.org_id, s.space_id
ON CONFLICT (org_id, space_id) DO NOTHING

-- name: archived_horizons
-- Spaces that are still planned although their resident has moved out.
SELECT h.org_id AS org, h.space_id AS space
FROM horizon h
JOIN resident r ON r.org_id = h.org_id AND h.space_id IN (r.space_id, r.medication_id)
WHERE r.archived_at IS NOT NULL ORDER BY h.org_id, h.space_id LIMIT :limit

-- name: forget_horizons
DELETE FROM horizon WHERE org_id = :org AND space_id = ANY (:spaces::uuid[])

-- name: replace_due
-- Make `due` hold exactly this plan of these reminders (NULL: of the whole space), from `since` on.
-- What was planned before `add_from` is not begun any more, unless it waits here already. One that a
-- change of zone moves into the past rings at once. What is put into `due`, and what is taken out of it here, is so in
-- `expected`, too: by that it is seen when something that was taken was never told (mos.dispatch.windows).
WITH scope AS (
  SELECT * FROM unnest(:scope_spaces::uuid[], :scope_reminders::uuid[]) AS s (space_id, reminder_id)
), plan AS (
  SELECT * FROM unnest(:spaces::uuid[], :occs::text[], :reminders::uuid[], :ats::timestamptz[],
    :first_ats::timestamptz[], :ends_ats::timestamptz[], :categories::text[], :criticalities::text[],
    :checkables::boolean[], :graces::integer[], :ring_starts::boolean[], :ring_agains::boolean[],
    :add_froms::timestamptz[])
    AS p (space_id, occ, reminder_id, at, first_at, ends_at, category, criticality, checkable, grace_s,
          ring_start, ring_again, add_from)
), gone AS (
  DELETE FROM due d USING scope s
  WHERE d.org_id = :org AND d.space_id = s.space_id AND d.at >= :since
    AND (s.reminder_id IS NULL OR d.reminder_id = s.reminder_id)
    -- Not NOT EXISTS, whose rows are compared each with each where the planner expects few of them.
    AND (d.space_id, d.occ) NOT IN (SELECT p.space_id, p.occ FROM plan p)
  RETURNING d.org_id, d.space_id, d.occ
), gone_expected AS (
  DELETE FROM expected e USING gone g
  WHERE e.org_id = g.org_id AND e.space_id = g.space_id AND e.occ = g.occ
), put AS (
  INSERT INTO due AS d (org_id, space_id, occ, reminder_id, at, first_at, ends_at, category, criticality,
                        checkable, grace_s, ring_start, ring_again)
  SELECT :org, p.space_id, p.occ, p.reminder_id, p.at, p.first_at, p.ends_at, p.category, p.criticality,
         p.checkable, p.grace_s, p.ring_start, p.ring_again
  FROM plan p
  WHERE NOT EXISTS (SELECT FROM occurrence o
                    WHERE o.org_id = :org AND o.space_id = p.space_id AND o.occ = p.occ)
    AND (p.at >= p.add_from OR EXISTS (SELECT FROM due e
           WHERE e.org_id = :org AND e.space_id = p.space_id AND e.occ = p.occ))
  ORDER BY p.space_id, p.occ
  ON CONFLICT (org_id, space_id, occ) DO UPDATE SET
    at = CASE WHEN d.at = excluded.at THEN d.at ELSE GREATEST(excluded.at, :now) END,
    first_at = CASE WHEN d.at = excluded.at THEN excluded.first_at
                    ELSE GREATEST(excluded.first_at, :now) END,
    ends_at = GREATEST(excluded.ends_at, d.at),
    category = excluded.category, criticality = excluded.criticality, checkable = excluded.checkable,
    grace_s = excluded.grace_s, ring_start = excluded.ring_start, ring_again = excluded.ring_again
  WHERE (d.at, d.first_at, d.ends_at, d.category, d.criticality, d.checkable, d.grace_s, d.ring_start,
         d.ring_again)
    IS DISTINCT FROM (excluded.at, excluded.first_at, excluded.ends_at, excluded.category,
         excluded.criticality, excluded.checkable, excluded.grace_s, excluded.ring_start,
         excluded.ring_again)
  RETURNING d.org_id, d.space_id, d.occ, d.at
)
INSERT INTO expected AS e (org_id, space_id, occ, at) SELECT p.org_id, p.space_id, p.occ, p.at FROM put p
ON CONFLICT (org_id, space_id, occ) DO UPDATE SET at = excluded.at WHERE e.at <> excluded.at

-- name: claim_due
-- Take what is due, each by one worker only.
WITH taken AS MATERIALIZED (
  SELECT org_id, space_id, occ FROM due
  WHERE first_at <= :now ORDER BY first_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
DELETE FROM due d USING taken t
WHERE d.org_id = t.org_id AND d.space_id = t.space_id AND d.occ = t.occ
RETURNING d.org_id AS org, d.space_id AS space, d.occ, d.reminder_id AS reminder, d.at, d.first_at,
          d.ends_at, d.category, d.criticality, d.checkable, d.grace_s, d.ring_start, d.ring_again

-- name: claim_named
-- The same for these names, where a device was quicker than the worker (or its clock a little ahead).
WITH taken AS MATERIALIZED (
  SELECT d.org_id, d.space_id, d.occ
  FROM unnest(:spaces::uuid[], :occs::text[]) AS g (space_id, occ)
  JOIN due d ON d.org_id = :org AND d.space_id = g.space_id AND d.occ = g.occ AND d.first_at <= :before
  ORDER BY d.space_id, d.occ FOR UPDATE OF d
)
DELETE FROM due d USING taken t
WHERE d.org_id = t.org_id AND d.space_id = t.space_id AND d.occ = t.occ
RETURNING d.org_id AS org, d.space_id AS space, d.occ, d.reminder_id AS reminder, d.at, d.first_at,
          d.ends_at, d.category, d.criticality, d.checkable, d.grace_s, d.ring_start, d.ring_again

-- name: lock_due
-- Wait for a worker that is just taking one of these, and let none begin to.
SELECT FROM unnest(:spaces::uuid[], :occs::text[]) AS g (space_id, occ)
JOIN due d ON d.org_id = :org AND d.space_id = g.space_id AND d.occ = g.occ
ORDER BY d.space_id, d.occ FOR UPDATE OF d
