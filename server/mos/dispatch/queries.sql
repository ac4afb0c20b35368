-- Every statement of the engine. Each takes a whole batch. Row locks are taken in the order
-- due → occurrence → alert → delivery, sorted within each, so that the engine, a push and a second
-- worker wait for each other in a line and never in a ring.

-- name: nested_loops
-- A batch of some thousand rows makes the planner read the whole table for a hash join: a third of the
-- speed, and less with each year of history. Ends with the transaction.
SELECT set_config('enable_hashjoin', 'off', true) AS hash, set_config('enable_mergejoin', 'off', true) AS merge

-- ───────────────────────────────────────────────────────────── what will come due
-- name: lock_horizons
-- How far each space is materialised (a new one: until now). Locks its plan until the transaction ends.
INSERT INTO horizon AS h (org_id, space_id, until)
SELECT :org, s, :now FROM unnest(:spaces::uuid[]) AS s ORDER BY s
ON CONFLICT (org_id, space_id) DO UPDATE SET until = h.until
RETURNING space_id AS space, until

-- name: extend_horizons
UPDATE horizon SET until = :until WHERE org_id = :org AND space_id = ANY (:spaces::uuid[])

-- name: short_horizons
-- Residents whose plan reaches less far than `before`.
SELECT r.org_id AS org, r.space_id AS space
FROM resident r LEFT JOIN horizon h ON h.org_id = r.org_id AND h.space_id = r.space_id
WHERE r.archived_at IS NULL AND (h.until IS NULL OR h.until < :before)
ORDER BY h.until NULLS FIRST, r.org_id LIMIT :limit

-- name: archived_horizons
-- Spaces that are still planned although their resident has moved out.
SELECT h.org_id AS org, h.space_id AS space
FROM horizon h JOIN resident r ON r.org_id = h.org_id AND r.space_id = h.space_id
WHERE r.archived_at IS NOT NULL ORDER BY h.org_id, h.space_id LIMIT :limit

-- name: forget_horizons
DELETE FROM horizon WHERE org_id = :org AND space_id = ANY (:spaces::uuid[])

-- name: replace_due
-- Make `due` hold exactly this plan of these reminders (NULL: of the whole space), from `since` on.
-- What was planned before `add_from` is not begun any more, unless it waits here already. One that a
-- change of zone moves into the past rings at once.
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
    AND NOT EXISTS (SELECT FROM plan p WHERE p.space_id = d.space_id AND p.occ = d.occ)
)
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

-- ───────────────────────────────────────────────────────────── occurrences
-- name: claim_due
-- Take what is due, each by one worker only, with the first answer that came before its time.
WITH taken AS MATERIALIZED (
  SELECT org_id, space_id, occ FROM due
  WHERE first_at <= :now ORDER BY first_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
DELETE FROM due d USING taken t
LEFT JOIN LATERAL (
  SELECT op_id, outcome, at FROM answer a
  WHERE a.org_id = t.org_id AND a.space_id = t.space_id AND a.occ = t.occ AND NOT a.retracted
  ORDER BY a.at, a.op_id LIMIT 1
) a ON true
WHERE d.org_id = t.org_id AND d.space_id = t.space_id AND d.occ = t.occ
RETURNING d.org_id AS org, d.space_id AS space, d.occ, d.reminder_id AS reminder, d.at, d.first_at,
          d.ends_at, d.category, d.criticality, d.checkable, d.grace_s, d.ring_start, d.ring_again,
          a.op_id AS answer_op, a.outcome AS answer_outcome, a.at AS answer_at

-- name: claim_named
-- The same for these names, where a device was quicker than the worker (or its clock a little ahead).
WITH taken AS MATERIALIZED (
  SELECT d.org_id, d.space_id, d.occ
  FROM unnest(:spaces::uuid[], :occs::text[]) AS g (space_id, occ)
  JOIN due d ON d.org_id = :org AND d.space_id = g.space_id AND d.occ = g.occ AND d.first_at <= :before
  ORDER BY d.space_id, d.occ FOR UPDATE OF d
)
DELETE FROM due d USING taken t
LEFT JOIN LATERAL (
  SELECT op_id, outcome, at FROM answer a
  WHERE a.org_id = t.org_id AND a.space_id = t.space_id AND a.occ = t.occ AND NOT a.retracted
  ORDER BY a.at, a.op_id LIMIT 1
) a ON true
WHERE d.org_id = t.org_id AND d.space_id = t.space_id AND d.occ = t.occ
RETURNING d.org_id AS org, d.space_id AS space, d.occ, d.reminder_id AS reminder, d.at, d.first_at,
          d.ends_at, d.category, d.criticality, d.checkable, d.grace_s, d.ring_start, d.ring_again,
          a.op_id AS answer_op, a.outcome AS answer_outcome, a.at AS answer_at

-- name: add_occurrences
-- Answers the names of those that are new: one that was taken before, under another plan, stays as it is.
INSERT INTO occurrence (org_id, space_id, occ, reminder_id, at, ends_at, category, criticality, checkable,
  grace_s, ring_start, ring_again, state, outcome, from_at, missed_at, late_at, closed_at, closed_by,
  silent_at, rung, step, next_at)
SELECT * FROM unnest(:org::uuid[], :space::uuid[], :occ::text[], :reminder::uuid[], :at::timestamptz[],
  :ends_at::timestamptz[], :category::text[], :criticality::text[], :checkable::boolean[],
  :grace_s::integer[], :ring_start::boolean[], :ring_again::boolean[], :state::text[], :outcome::text[],
  :from_at::timestamptz[], :missed_at::timestamptz[], :late_at::timestamptz[], :closed_at::timestamptz[],
  :closed_by::uuid[], :silent_at::timestamptz[], :rung::integer[], :step::integer[],
  :next_at::timestamptz[])
ON CONFLICT (org_id, space_id, occ) DO NOTHING
RETURNING space_id, occ

-- name: save_occurrences
UPDATE occurrence o SET at = g.at, ends_at = g.ends_at, category = g.category,
  criticality = g.criticality, checkable = g.checkable, grace_s = g.grace_s,
  ring_start = g.ring_start, ring_again = g.ring_again, state = g.state, outcome = g.outcome,
  from_at = g.from_at, missed_at = g.missed_at, told_at = g.told_at, late_at = g.late_at,
  closed_at = g.closed_at, closed_by = g.closed_by, snoozed_until = g.snoozed_until,
  snoozed_by = g.snoozed_by, silent_at = g.silent_at, rung = g.rung, step = g.step, next_at = g.next_at
FROM unnest(:org::uuid[], :space::uuid[], :occ::text[], :at::timestamptz[], :ends_at::timestamptz[],
  :category::text[], :criticality::text[], :checkable::boolean[], :grace_s::integer[],
  :ring_start::boolean[], :ring_again::boolean[], :state::text[], :outcome::text[],
  :from_at::timestamptz[], :missed_at::timestamptz[], :told_at::timestamptz[], :late_at::timestamptz[],
  :closed_at::timestamptz[], :closed_by::uuid[], :snoozed_until::timestamptz[], :snoozed_by::uuid[],
  :silent_at::timestamptz[], :rung::integer[], :step::integer[], :next_at::timestamptz[])
  AS g (org_id, space_id, occ, at, ends_at, category, criticality, checkable, grace_s, ring_start,
        ring_again, state, outcome, from_at, missed_at, told_at, late_at, closed_at, closed_by,
        snoozed_until, snoozed_by, silent_at, rung, step, next_at)
WHERE o.org_id = g.org_id AND o.space_id = g.space_id AND o.occ = g.occ

-- name: occurrences_to_look_at
SELECT org_id AS org, space_id AS space, occ, reminder_id AS reminder, at, ends_at, category, criticality,
  checkable, grace_s, ring_start, ring_again, state, from_at, missed_at, outcome, told_at, late_at,
  closed_at, closed_by, snoozed_until, snoozed_by, silent_at, rung, step, next_at
FROM occurrence WHERE next_at <= :now ORDER BY next_at LIMIT :limit FOR UPDATE SKIP LOCKED

-- name: occurrences_named
SELECT o.org_id AS org, o.space_id AS space, o.occ, o.reminder_id AS reminder, o.at, o.ends_at, o.category,
  o.criticality, o.checkable, o.grace_s, o.ring_start, o.ring_again, o.state, o.from_at, o.missed_at,
  o.outcome, o.told_at, o.late_at, o.closed_at, o.closed_by, o.snoozed_until, o.snoozed_by, o.silent_at,
  o.rung, o.step, o.next_at
FROM occurrence o
WHERE (o.org_id, o.space_id, o.occ) IN (
  SELECT * FROM unnest(:orgs::uuid[], :spaces::uuid[], :occs::text[]))
ORDER BY o.org_id, o.space_id, o.occ FOR UPDATE

-- name: occurrences_of_reminders
-- What was taken, of these reminders (NULL: of the whole space), from `since` on.
SELECT o.org_id AS org, o.space_id AS space, o.occ, o.reminder_id AS reminder, o.at, o.ends_at, o.category,
  o.criticality, o.checkable, o.grace_s, o.ring_start, o.ring_again, o.state, o.from_at, o.missed_at,
  o.outcome, o.told_at, o.late_at, o.closed_at, o.closed_by, o.snoozed_until, o.snoozed_by, o.silent_at,
  o.rung, o.step, o.next_at
FROM occurrence o
WHERE o.org_id = :org AND o.at >= :since AND o.state NOT IN ('closed', 'missed') AND EXISTS (
  SELECT FROM unnest(:scope_spaces::uuid[], :scope_reminders::uuid[]) AS s (space_id, reminder_id)
  WHERE s.space_id = o.space_id AND (s.reminder_id IS NULL OR s.reminder_id = o.reminder_id))
  AND o.space_id = ANY (:scope_spaces::uuid[])
ORDER BY o.space_id, o.occ FOR UPDATE

-- name: occurrences_snoozed_by
SELECT o.org_id AS org, o.space_id AS space, o.occ, o.reminder_id AS reminder, o.at, o.ends_at, o.category,
  o.criticality, o.checkable, o.grace_s, o.ring_start, o.ring_again, o.state, o.from_at, o.missed_at,
  o.outcome, o.told_at, o.late_at, o.closed_at, o.closed_by, o.snoozed_until, o.snoozed_by, o.silent_at,
  o.rung, o.step, o.next_at
FROM occurrence o
WHERE o.org_id = :org AND o.space_id = ANY (:spaces::uuid[]) AND o.snoozed_by = ANY (:ops::uuid[])
ORDER BY o.space_id, o.occ FOR UPDATE

-- ───────────────────────────────────────────────────────────── answers
-- name: add_answers
INSERT INTO answer AS a (org_id, space_id, op_id, occ, outcome, at)
SELECT :org, * FROM unnest(:spaces::uuid[], :ops::uuid[], :occs::text[], :outcomes::text[],
                           :ats::timestamptz[])
ON CONFLICT (org_id, space_id, op_id)
  DO UPDATE SET occ = excluded.occ, outcome = excluded.outcome, at = excluded.at

-- name: retract_answers
-- An op that never was an answer, or is not here yet, leaves its mark all the same.
-- Answers the occurrences whose answers changed.
INSERT INTO answer AS a (org_id, space_id, op_id, retracted)
SELECT :org, *, true FROM unnest(:spaces::uuid[], :ops::uuid[])
ON CONFLICT (org_id, space_id, op_id) DO UPDATE SET retracted = true
RETURNING a.space_id AS space, a.occ

-- name: retracted_ops
SELECT op_id AS op FROM answer
WHERE org_id = :org AND space_id = ANY (:spaces::uuid[]) AND op_id = ANY (:ops::uuid[]) AND retracted

-- name: first_answers
-- The answer that counts for each of these occurrences; those without one are absent.
SELECT g.space_id AS space, g.occ, a.op_id AS op, a.outcome, a.at
FROM unnest(:spaces::uuid[], :occs::text[]) AS g (space_id, occ)
CROSS JOIN LATERAL (
  SELECT * FROM answer a
  WHERE a.org_id = :org AND a.space_id = g.space_id AND a.occ = g.occ AND NOT a.retracted
  ORDER BY a.at, a.op_id LIMIT 1
) a

-- ───────────────────────────────────────────────────────────── alerts
-- name: open_alerts
-- A late one becomes missed in the same row. One that was closed because of an answer opens again when
-- the answer was taken back; what somebody closed by hand stays closed. A device is silent only where
-- there is one to ring, and once at a time.
INSERT INTO alert AS a (org_id, space_id, alert_id, kind, occ, ladder, grace_s, from_at, opened_at, next_at)
SELECT g.org_id, g.space_id, g.alert_id, g.kind, g.occ, g.ladder, g.grace_s, g.from_at, :now, :now
FROM unnest(:orgs::uuid[], :spaces::uuid[], :alerts::uuid[], :kinds::text[], :occs::text[],
            :ladders::text[], :graces::integer[], :from_ats::timestamptz[])
  AS g (org_id, space_id, alert_id, kind, occ, ladder, grace_s, from_at)
WHERE g.kind <> 'silent' OR (
  EXISTS (SELECT FROM delivery d WHERE d.org_id = g.org_id AND d.space_id = g.space_id
            AND d.subject = g.occ AND d.kind = 'ring')
  AND NOT EXISTS (SELECT FROM alert s WHERE s.org_id = g.org_id AND s.space_id = g.space_id
            AND s.kind = 'silent' AND s.closed_at IS NULL))
ORDER BY g.org_id, g.space_id, g.alert_id
ON CONFLICT (org_id, space_id, alert_id) DO UPDATE SET
  kind = excluded.kind, unrecorded = true, revision = a.revision + 1,
  rung = CASE WHEN a.closed_at IS NULL THEN a.rung ELSE 0 END,
  next_at = CASE WHEN a.closed_at IS NULL THEN a.next_at ELSE excluded.next_at END,
  taken_by = CASE WHEN a.closed_at IS NULL THEN a.taken_by END,
  taken_at = CASE WHEN a.closed_at IS NULL THEN a.taken_at END,
  resumes_at = CASE WHEN a.closed_at IS NULL THEN a.resumes_at END,
  closed_at = NULL, closed_why = NULL
WHERE a.closed_why IS DISTINCT FROM 'by_hand' AND (a.closed_at IS NOT NULL OR a.kind <> excluded.kind)

-- name: close_alerts_of
-- Close what is open for these occurrences; answers which alerts that were.
WITH shut AS (
  SELECT a.org_id, a.space_id, a.alert_id, g.why
  FROM unnest(:orgs::uuid[], :spaces::uuid[], :occs::text[], :whys::text[])
    AS g (org_id, space_id, occ, why)
  JOIN alert a ON a.org_id = g.org_id AND a.space_id = g.space_id AND a.occ = g.occ
    AND a.closed_at IS NULL AND a.kind <> 'help'
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
-- A device of the resident has been heard of.
WITH shut AS (
  SELECT a.org_id, a.space_id, a.alert_id
  FROM unnest(:orgs::uuid[], :spaces::uuid[]) AS g (org_id, space_id)
  JOIN alert a ON a.org_id = g.org_id AND a.space_id = g.space_id AND a.closed_at IS NULL
    AND a.kind = 'silent'
  ORDER BY a.org_id, a.space_id, a.alert_id FOR UPDATE OF a
)
UPDATE alert a SET closed_at = :now, closed_why = 'cancelled', next_at = NULL, unrecorded = true,
  revision = a.revision + 1
FROM shut s
WHERE a.org_id = s.org_id AND a.space_id = s.space_id AND a.alert_id = s.alert_id
RETURNING a.org_id AS org, a.space_id AS space, a.alert_id AS alert

-- name: take_alerts
-- "Jag tar det" (a `by` of NULL: given back). What is closed cannot be taken any more; the record then
-- learns the truth, as it does when it names somebody else than who said it.
WITH taken AS (
  SELECT a.org_id, a.space_id, a.alert_id, g.by_id, g.taken_at, g.resumes_at
  FROM unnest(:spaces::uuid[], :alerts::uuid[], :bys::uuid[], :taken_ats::timestamptz[],
              :resumes_ats::timestamptz[]) AS g (space_id, alert_id, by_id, taken_at, resumes_at)
  JOIN alert a ON a.org_id = :org AND a.space_id = g.space_id AND a.alert_id = g.alert_id
  ORDER BY a.space_id, a.alert_id FOR UPDATE OF a
)
UPDATE alert a SET
  taken_by = CASE WHEN a.closed_at IS NULL THEN t.by_id ELSE a.taken_by END,
  taken_at = CASE WHEN a.closed_at IS NULL THEN t.taken_at ELSE a.taken_at END,
  resumes_at = CASE WHEN a.closed_at IS NULL THEN t.resumes_at ELSE a.resumes_at END,
  next_at = CASE WHEN a.closed_at IS NULL THEN COALESCE(t.resumes_at, :now) END,
  unrecorded = true, revision = a.revision + 1
FROM taken t
WHERE a.org_id = t.org_id AND a.space_id = t.space_id AND a.alert_id = t.alert_id
RETURNING a.org_id AS org, a.space_id AS space, a.alert_id AS alert

-- name: alerts_to_walk
SELECT org_id AS org, space_id AS space, alert_id AS alert, kind, occ, ladder, grace_s, from_at, opened_at,
  rung, step, next_at, taken_by, taken_at, resumes_at, closed_at, closed_why, revision, recorded
FROM alert WHERE next_at <= :now ORDER BY next_at LIMIT :limit FOR UPDATE SKIP LOCKED

-- name: save_alerts
UPDATE alert a SET rung = g.rung, step = g.step, next_at = g.next_at, taken_by = g.taken_by,
  taken_at = g.taken_at, resumes_at = g.resumes_at, unrecorded = true, revision = a.revision + 1
FROM unnest(:org::uuid[], :space::uuid[], :alert::uuid[], :rung::integer[], :step::integer[],
  :next_at::timestamptz[], :taken_by::uuid[], :taken_at::timestamptz[], :resumes_at::timestamptz[])
  AS g (org_id, space_id, alert_id, rung, step, next_at, taken_by, taken_at, resumes_at)
WHERE a.org_id = g.org_id AND a.space_id = g.space_id AND a.alert_id = g.alert_id

-- name: unrecorded_spaces
SELECT DISTINCT org_id AS org, space_id AS space FROM alert WHERE unrecorded
ORDER BY org_id, space_id LIMIT :limit

-- name: unrecorded_alerts
SELECT org_id AS org, space_id AS space, alert_id AS alert, kind, occ, ladder, grace_s, from_at, opened_at,
  rung, step, next_at, taken_by, taken_at, resumes_at, closed_at, closed_why, revision, recorded
FROM alert WHERE org_id = :org AND space_id = ANY (:spaces::uuid[]) AND unrecorded
ORDER BY space_id, opened_at, alert_id

-- name: mark_recorded
-- One that changed since it was read stays unrecorded.
UPDATE alert a SET recorded = g.doc, unrecorded = a.revision <> g.revision
FROM unnest(:spaces::uuid[], :alerts::uuid[], :revisions::integer[], :docs::jsonb[])
  AS g (space_id, alert_id, revision, doc)
WHERE a.org_id = :org AND a.space_id = g.space_id AND a.alert_id = g.alert_id

-- name: try_recorder
-- One worker at a time writes the records of an organisation's alerts. Ends with the transaction.
SELECT pg_try_advisory_xact_lock(1297044289, hashtext((:org::uuid)::text)) AS is_mine

-- ───────────────────────────────────────────────────────────── deliveries
-- name: ring
-- Queue one delivery for each device of the resident and each channel that reaches it. OFFSET 0 keeps
-- the look-up one by one, by index: with old statistics the planner would pair everything with everything.
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, channel, state,
                      next_at, expires_at, created_at)
SELECT g.org_id, g.space_id, 'ring', g.occ, g.step, d.account_id, d.device_id, c.channel, 'queued',
       :now, g.expires_at, :now
FROM unnest(:orgs::uuid[], :spaces::uuid[], :occs::text[], :steps::integer[], :expires::timestamptz[])
  AS g (org_id, space_id, occ, step, expires_at)
CROSS JOIN LATERAL (
  SELECT r.account_id FROM resident r
  WHERE r.org_id = g.org_id AND r.space_id = g.space_id AND r.archived_at IS NULL OFFSET 0
) r
CROSS JOIN LATERAL (
  SELECT d.account_id, d.device_id, d.push_endpoint, d.push_gone_at FROM device d
  WHERE d.org_id = g.org_id AND d.account_id = r.account_id AND d.revoked_at IS NULL OFFSET 0
) d
CROSS JOIN LATERAL (
  SELECT 'openapp' AS channel
  UNION ALL SELECT 'webpush' WHERE d.push_endpoint IS NOT NULL AND d.push_gone_at IS NULL
) c
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING

-- name: tell
-- Queue one delivery for each device of each supporter whom the step tells. An open app needs none: the
-- alert's record reaches it.
WITH called AS (
  SELECT g.*, rel.account_id, rel.is_primary, rel.covers_unit,
         bool_or(rel.is_primary) OVER one AS has_primary, bool_or(rel.covers_unit) OVER one AS has_unit
  FROM unnest(:orgs::uuid[], :spaces::uuid[], :alerts::text[], :steps::integer[], :audiences::text[],
              :expires::timestamptz[]) AS g (org_id, space_id, alert, step, audience, expires_at)
  JOIN resident r ON r.org_id = g.org_id AND r.space_id = g.space_id
  CROSS JOIN LATERAL (
    SELECT x.account_id, x.is_primary, false AS covers_unit, x.permissions, x.valid_from, x.valid_to
    FROM relation x WHERE x.org_id = r.org_id AND x.space_id = r.space_id
    UNION ALL
    SELECT x.account_id, x.is_primary, true, x.permissions, x.valid_from, x.valid_to
    FROM relation x WHERE x.org_id = r.org_id AND x.unit_id = r.unit_id
  ) rel
  JOIN account a ON a.org_id = g.org_id AND a.account_id = rel.account_id AND a.disabled_at IS NULL
  WHERE :permission = ANY (rel.permissions)
    AND rel.valid_from <= :now AND (rel.valid_to IS NULL OR :now < rel.valid_to)
  WINDOW one AS (PARTITION BY g.org_id, g.space_id, g.alert)
)
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, channel, state,
                      next_at, expires_at, created_at)
SELECT DISTINCT c.org_id, c.space_id, 'alert', c.alert, c.step, c.account_id, d.device_id, 'webpush',
       'queued', :now::timestamptz, c.expires_at, :now::timestamptz
FROM called c
JOIN device d ON d.org_id = c.org_id AND d.account_id = c.account_id AND d.revoked_at IS NULL
  AND d.push_endpoint IS NOT NULL AND d.push_gone_at IS NULL
WHERE c.audience = 'all' OR c.is_primary
  OR ((c.audience = 'unit' OR NOT c.has_primary) AND (c.covers_unit OR NOT c.has_unit))
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING

-- name: withdraw
-- These need telling no more: what waits is dropped, and devices that show it are asked to take it away.
WITH g AS (
  SELECT * FROM unnest(:orgs::uuid[], :spaces::uuid[], :subjects::text[]) AS g (org_id, space_id, subject)
), dropped AS (
  UPDATE delivery d SET state = 'expired', next_at = NULL, settled_at = :now, error = 'withdrawn'
  FROM (
    SELECT d.org_id, d.delivery_id FROM g
    JOIN delivery d ON d.org_id = g.org_id AND d.space_id = g.space_id AND d.subject = g.subject
    WHERE d.next_at IS NOT NULL AND d.kind <> 'close'
    ORDER BY d.org_id, d.delivery_id FOR UPDATE OF d
  ) t
  WHERE d.org_id = t.org_id AND d.delivery_id = t.delivery_id
)
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, channel, state,
                      next_at, expires_at, created_at)
SELECT d.org_id, d.space_id, 'close', d.subject, max(d.step), d.account_id, d.device_id, d.channel,
       'queued', :now::timestamptz, :expires::timestamptz, :now::timestamptz
FROM g JOIN delivery d ON d.org_id = g.org_id AND d.space_id = g.space_id AND d.subject = g.subject
WHERE d.channel = 'webpush' AND d.kind <> 'close' AND d.attempts > 0 AND d.state <> 'failed'
GROUP BY d.org_id, d.space_id, d.subject, d.account_id, d.device_id, d.channel
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING

-- name: expire_deliveries
UPDATE delivery SET state = 'expired', next_at = NULL, settled_at = :now
WHERE (org_id, delivery_id) IN (
  SELECT org_id, delivery_id FROM delivery WHERE channel = :channel AND next_at <= :now
    AND expires_at <= :now LIMIT :limit FOR UPDATE SKIP LOCKED)

-- name: take_deliveries
-- Record the attempt before it is made. Until `lease` nobody else tries; a worker that dies in between
-- leaves it to the next. Services that rest (`resting`, origins) are left out.
WITH taken AS MATERIALIZED (
  SELECT d.org_id, d.delivery_id, v.push_endpoint, v.push_p256dh, v.push_auth
  FROM delivery d
  LEFT JOIN device v ON v.org_id = d.org_id AND v.device_id = d.device_id AND v.revoked_at IS NULL
    AND v.push_gone_at IS NULL
  WHERE d.channel = :channel AND d.next_at <= :now AND NOT EXISTS (
    SELECT FROM unnest(:resting::text[]) AS r WHERE starts_with(v.push_endpoint, r || '/'))
  ORDER BY d.next_at LIMIT :limit FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery d SET state = 'attempted', attempts = d.attempts + 1, attempted_at = :now, next_at = :lease
FROM taken t
WHERE d.org_id = t.org_id AND d.delivery_id = t.delivery_id
RETURNING d.org_id AS org, d.delivery_id AS delivery, d.space_id AS space, d.kind, d.subject, d.device_id
  AS device, d.attempts, d.expires_at, t.push_endpoint AS endpoint, t.push_p256dh AS p256dh, t.push_auth
  AS auth

-- name: settle_deliveries
-- Only the attempt that was made: a later one, after a lease ran out, answers for itself.
UPDATE delivery d SET state = g.state, next_at = g.next_at, error = g.error,
  settled_at = CASE WHEN g.next_at IS NULL THEN :now::timestamptz END
FROM unnest(:orgs::uuid[], :deliveries::bigint[], :attempts::integer[], :states::text[],
            :next_ats::timestamptz[], :errors::text[])
  AS g (org_id, delivery_id, attempts, state, next_at, error)
WHERE d.org_id = g.org_id AND d.delivery_id = g.delivery_id AND d.attempts = g.attempts
  AND d.state = 'attempted'

-- name: see_deliveries
-- These devices did ring: nothing more needs to reach them for it.
UPDATE delivery d SET state = 'seen', next_at = NULL, settled_at = :now
FROM (
  SELECT d.org_id, d.delivery_id
  FROM unnest(:spaces::uuid[], :occs::text[], :devices::uuid[]) AS g (space_id, occ, device_id)
  JOIN delivery d ON d.org_id = :org AND d.space_id = g.space_id AND d.subject = g.occ
    AND d.kind = 'ring' AND d.device_id = g.device_id
  WHERE d.state IN ('queued', 'attempted', 'sent')
  ORDER BY d.org_id, d.delivery_id FOR UPDATE OF d
) t
WHERE d.org_id = t.org_id AND d.delivery_id = t.delivery_id

-- name: prune_devices
-- The push service knows them no more. One that has subscribed anew meanwhile is left alone.
UPDATE device d SET push_gone_at = :now
FROM unnest(:orgs::uuid[], :devices::uuid[], :endpoints::text[]) AS g (org_id, device_id, endpoint)
WHERE d.org_id = g.org_id AND d.device_id = g.device_id AND d.push_endpoint = g.endpoint

-- ───────────────────────────────────────────────────────────── workers
-- name: beat
INSERT INTO worker_heartbeat (worker_id, seen_at) VALUES (:worker, :now)
ON CONFLICT (worker_id) DO UPDATE SET seen_at = excluded.seen_at

-- name: forget_workers
DELETE FROM worker_heartbeat WHERE seen_at < :before

-- name: next_moment
-- When there is something to do next, in the engine's own tables.
SELECT LEAST((SELECT min(first_at) FROM due), (SELECT min(next_at) FROM occurrence WHERE next_at IS NOT NULL),
             (SELECT min(next_at) FROM alert WHERE next_at IS NOT NULL)) AS at
