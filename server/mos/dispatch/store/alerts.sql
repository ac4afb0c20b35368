-- name: open_alerts
-- A late one becomes missed in the same row. One that was closed because of an answer opens again when
-- the answer was taken back; what somebody closed by hand stays closed, but for a new fact. A device is silent only where
-- there is one to ring, and once at a time.
INSERT INTO alert AS a (org_id, space_id, alert_id, kind, occ, ladder, grace_s, from_at, about, category,
                        criticality, opened_at, next_at)
SELECT g.org_id, g.space_id, g.alert_id, g.kind, g.occ, g.ladder, g.grace_s, g.from_at, g.about, g.category,
       g.criticality, :now, :now
FROM unnest(:orgs::uuid[], :spaces::uuid[], :alerts::uuid[], :kinds::text[], :occs::text[],
            :ladders::text[], :graces::integer[], :from_ats::timestamptz[], :abouts::jsonb[],
            :categories::text[], :criticalities::text[])
  AS g (org_id, space_id, alert_id, kind, occ, ladder, grace_s, from_at, about, category, criticality)
WHERE g.kind <> 'silent' OR (
  EXISTS (SELECT FROM delivery d WHERE d.org_id = g.org_id AND d.space_id = g.space_id
            AND d.subject = g.occ AND d.kind = 'ring')
  AND NOT EXISTS (SELECT FROM alert s WHERE s.org_id = g.org_id AND s.space_id = g.space_id
            AND s.kind = 'silent' AND s.closed_at IS NULL))
ORDER BY g.org_id, g.space_id, g.alert_id
ON CONFLICT (org_id, space_id, alert_id) DO UPDATE SET
  kind = excluded.kind, ladder = excluded.ladder, category = excluded.category, criticality = excluded.criticality,
  unrecorded = true, revision = a.revision + 1,
  rung = CASE WHEN a.closed_at IS NULL THEN a.rung ELSE 0 END,
  next_at = CASE WHEN a.closed_at IS NULL THEN a.next_at ELSE excluded.next_at END,
  taken_by = CASE WHEN a.closed_at IS NULL THEN a.taken_by END,
  taken_at = CASE WHEN a.closed_at IS NULL THEN a.taken_at END,
  handed_to = CASE WHEN a.closed_at IS NULL THEN a.handed_to END,
  resumes_at = CASE WHEN a.closed_at IS NULL THEN a.resumes_at END,
  from_at = CASE WHEN a.closed_at IS NULL OR a.kind NOT IN ('conflict', 'double', 'unentitled') THEN a.from_at
                 ELSE excluded.from_at END,
  closed_at = NULL, closed_why = NULL
WHERE (a.closed_why IS DISTINCT FROM 'by_hand' OR a.kind IN ('conflict', 'double', 'unentitled'))
  AND (a.closed_at IS NOT NULL OR a.kind <> excluded.kind)

-- name: known_alerts
-- Which of these there are, open or closed.
SELECT a.org_id AS org, a.space_id AS space, a.alert_id AS alert
FROM unnest(:spaces::uuid[], :alerts::uuid[]) AS g (space_id, alert_id)
JOIN alert a ON a.org_id = :org AND a.space_id = g.space_id AND a.alert_id = g.alert_id;

-- name: close_alerts_of
-- Close what is open for these occurrences; answers which alerts that were.
WITH shut AS (
  SELECT a.org_id, a.space_id, a.alert_id, g.why
  FROM unnest(:orgs::uuid[], :spaces::uuid[], :occs::text[], :whys::text[])
    AS g (org_id, space_id, occ, why)
  JOIN alert a ON a.org_id = g.org_id AND a.space_id = g.space_id AND a.occ = g.occ
    AND a.closed_at IS NULL AND a.kind NOT IN ('help', 'double', 'unentitled')
  ORDER BY a.org_id, a.space_id, a.alert_id FOR UPDATE OF a
)
UPDATE alert a SET closed_at = :now, closed_why = s.why, next_at = NULL, unrecorded = true,
  revision = a.revision + 1
FROM shut s
WHERE a.org_id = s.org_id AND a.space_id = s.space_id AND a.alert_id = s.alert_id
RETURNING a.org_id AS org, a.space_id AS space, a.alert_id AS alert

-- name: close_alerts
WITH shut AS (
  SELECT a.org_id, a.space_id, a.alert_id
  FROM unnest(:spaces::uuid[], :alerts::uuid[]) AS g (space_id, alert_id)
  JOIN alert a ON a.org_id = :org AND a.space_id = g.space_id AND a.alert_id = g.alert_id
    AND a.closed_at IS NULL
  ORDER BY a.space_id, a.alert_id FOR UPDATE OF a
)
UPDATE alert a SET closed_at = :now, closed_why = :why, next_at = NULL, unrecorded = true,
  revision = a.revision + 1
FROM shut s
WHERE a.org_id = s.org_id AND a.space_id = s.space_id AND a.alert_id = s.alert_id
RETURNING a.org_id AS org, a.space_id AS space, a.alert_id AS alert

-- name: reopen_alerts
-- What somebody closed by hand and takes back goes on where its ladder is by now, and tells its step again:
-- the screens were cleared. What the occurrence's end has settled meanwhile stays closed.
WITH back AS (
  SELECT a.org_id, a.space_id, a.alert_id
  FROM unnest(:spaces::uuid[], :alerts::uuid[]) AS g (space_id, alert_id)
  JOIN alert a ON a.org_id = :org AND a.space_id = g.space_id AND a.alert_id = g.alert_id
    AND a.closed_why = 'by_hand'
  WHERE a.kind IN ('help', 'silent', 'conflict', 'double', 'unentitled') OR NOT EXISTS (
    SELECT FROM occurrence o WHERE o.org_id = a.org_id AND o.space_id = a.space_id AND o.occ = a.occ
      AND o.state IN ('closed', 'cancelled', 'paused'))
  ORDER BY a.space_id, a.alert_id FOR UPDATE OF a
)
UPDATE alert a SET closed_at = NULL, closed_why = NULL,
  rung = CASE WHEN a.resumes_at > :now THEN a.rung ELSE greatest(a.rung - 1, 0) END,
  next_at = greatest(a.resumes_at, :now), unrecorded = true, revision = a.revision + 1
FROM back b
WHERE a.org_id = b.org_id AND a.space_id = b.space_id AND a.alert_id = b.alert_id

-- name: record_again
-- A person wrote whether these are closed into their records, which may be something else than what is so.
UPDATE alert a SET recorded = a.recorded - 'closed', unrecorded = true, revision = a.revision + 1
FROM (
  SELECT a.org_id, a.space_id, a.alert_id
  FROM unnest(:spaces::uuid[], :alerts::uuid[]) AS g (space_id, alert_id)
  JOIN alert a ON a.org_id = :org AND a.space_id = g.space_id AND a.alert_id = g.alert_id
  ORDER BY a.space_id, a.alert_id FOR UPDATE OF a
) t
WHERE a.org_id = t.org_id AND a.space_id = t.space_id AND a.alert_id = t.alert_id

-- name: close_alerts_in
-- Whatever is open in these spaces: their residents have moved out.
WITH shut AS (
  SELECT a.org_id, a.space_id, a.alert_id FROM alert a
  WHERE a.org_id = :org AND a.space_id = ANY (:spaces::uuid[]) AND a.closed_at IS NULL
  ORDER BY a.space_id, a.alert_id FOR UPDATE
)
UPDATE alert a SET closed_at = :now, closed_why = 'cancelled', next_at = NULL, unrecorded = true,
  revision = a.revision + 1
FROM shut s
WHERE a.org_id = s.org_id AND a.space_id = s.space_id AND a.alert_id = s.alert_id
RETURNING a.org_id AS org, a.space_id AS space, a.alert_id AS alert

-- name: close_silent_alerts
-- Something was heard of a resident's devices. One that rang (`ring`) is silent no more. That one lives (`beat`) answers
-- nothing where a ring is waited for; that a push service took a message (`push`), nothing where it had been told before.
WITH shut AS (
  SELECT a.org_id, a.space_id, a.alert_id
  FROM unnest(:orgs::uuid[], :spaces::uuid[]) AS g (org_id, space_id)
  JOIN alert a ON a.org_id = g.org_id AND a.space_id = g.space_id AND a.closed_at IS NULL
    AND a.kind = 'silent'
  LEFT JOIN occurrence o ON o.org_id = a.org_id AND o.space_id = a.space_id AND o.occ = a.occ
  WHERE CASE :heard::text
    WHEN 'beat' THEN (o.state IN ('due', 'late') AND o.told_at IS NULL) IS NOT TRUE
    WHEN 'push' THEN (o.told_at < a.opened_at) IS NOT TRUE
    ELSE true END
  ORDER BY a.org_id, a.space_id, a.alert_id FOR UPDATE OF a
)
UPDATE alert a SET closed_at = :now, closed_why = 'cancelled', next_at = NULL, unrecorded = true,
  revision = a.revision + 1
FROM shut s
WHERE a.org_id = s.org_id AND a.space_id = s.space_id AND a.alert_id = s.alert_id
RETURNING a.org_id AS org, a.space_id AS space, a.alert_id AS alert

-- name: take_alerts
-- "Jag tar det" (a `by` of NULL: given back), or handed over, which is a step of its own. What is closed cannot
-- be taken any more; the record then learns the truth, as it does when it names somebody else than who said it.
WITH taken AS (
  SELECT a.org_id, a.space_id, a.alert_id, g.by_id, g.taken_at, g.handed_to, g.resumes_at
  FROM unnest(:spaces::uuid[], :alerts::uuid[], :bys::uuid[], :taken_ats::timestamptz[], :handed_tos::uuid[],
              :resumes_ats::timestamptz[]) AS g (space_id, alert_id, by_id, taken_at, handed_to, resumes_at)
  JOIN alert a ON a.org_id = :org AND a.space_id = g.space_id AND a.alert_id = g.alert_id
  ORDER BY a.space_id, a.alert_id FOR UPDATE OF a
)
UPDATE alert a SET
  taken_by = CASE WHEN a.closed_at IS NULL THEN t.by_id ELSE a.taken_by END,
  taken_at = CASE WHEN a.closed_at IS NULL THEN t.taken_at ELSE a.taken_at END,
  handed_to = CASE WHEN a.closed_at IS NULL THEN t.handed_to ELSE a.handed_to END,
  step = a.step + (a.closed_at IS NULL AND t.handed_to IS NOT NULL)::int,
  resumes_at = CASE WHEN a.closed_at IS NULL THEN t.resumes_at ELSE a.resumes_at END,
  next_at = CASE WHEN a.closed_at IS NULL THEN COALESCE(t.resumes_at, :now) END,
  recorded = a.recorded - 'taken', unrecorded = true, revision = a.revision + 1
FROM taken t
WHERE a.org_id = t.org_id AND a.space_id = t.space_id AND a.alert_id = t.alert_id
RETURNING a.org_id AS org, a.space_id AS space, a.alert_id AS alert, a.kind, a.occ, a.ladder, a.grace_s, a.from_at,
  a.opened_at, a.category, a.criticality, a.rung, a.step, a.next_at, a.taken_by, a.taken_at, a.handed_to, a.resumes_at,
  a.closed_at, a.closed_why, a.about, a.unreached, a.steps, a.revision, a.recorded

-- name: alerts_to_walk
SELECT org_id AS org, space_id AS space, alert_id AS alert, kind, occ, ladder, grace_s, from_at, opened_at,
  category, criticality, rung, step, next_at, taken_by, taken_at, handed_to, resumes_at, closed_at, closed_why, about, unreached, steps,
  revision, recorded
FROM alert WHERE next_at <= :now ORDER BY next_at LIMIT :limit FOR UPDATE SKIP LOCKED

-- name: save_alerts
UPDATE alert a SET rung = g.rung, step = g.step, next_at = g.next_at, taken_by = g.taken_by,
  taken_at = g.taken_at, handed_to = g.handed_to, resumes_at = g.resumes_at, steps = g.walked -> 'steps',
  unreached = false, unrecorded = true, revision = a.revision + 1
FROM unnest(:org::uuid[], :space::uuid[], :alert::uuid[], :rung::integer[], :step::integer[],
  :next_at::timestamptz[], :taken_by::uuid[], :taken_at::timestamptz[], :handed_to::uuid[],
  :resumes_at::timestamptz[], :walked::jsonb[])
  AS g (org_id, space_id, alert_id, rung, step, next_at, taken_by, taken_at, handed_to, resumes_at, walked)
WHERE a.org_id = g.org_id AND a.space_id = g.space_id AND a.alert_id = g.alert_id

-- name: go_on
-- Nothing that the present step of these alerts sent can reach anybody: all of it has failed for good. What somebody
-- has taken waits as it did.
UPDATE alert a SET unreached = true, next_at = :now
FROM (
  SELECT a.org_id, a.space_id, a.alert_id
  FROM (SELECT DISTINCT * FROM unnest(:orgs::uuid[], :spaces::uuid[], :subjects::text[])
          AS g (org_id, space_id, subject)) g
  JOIN alert a ON a.org_id = g.org_id AND a.space_id = g.space_id AND a.alert_id = g.subject::uuid
    AND a.closed_at IS NULL AND a.taken_by IS NULL
  WHERE NOT EXISTS (
    SELECT FROM delivery d WHERE d.org_id = g.org_id AND d.space_id = g.space_id AND d.subject = g.subject
      AND d.kind = 'alert' AND d.account_id IS NOT NULL AND d.step = a.step
      AND d.state IN ('queued', 'attempted', 'sent', 'seen'))
  ORDER BY a.org_id, a.space_id, a.alert_id FOR UPDATE OF a
) t
WHERE a.org_id = t.org_id AND a.space_id = t.space_id AND a.alert_id = t.alert_id

-- name: set_alerts_aside
UPDATE alert a SET next_at = :until
FROM unnest(:orgs::uuid[], :spaces::uuid[], :alerts::uuid[]) AS g (org_id, space_id, alert_id)
WHERE a.org_id = g.org_id AND a.space_id = g.space_id AND a.alert_id = g.alert_id
