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
-- What was taken and may still ring or call somebody, of these reminders (NULL: of the whole space), from `since` on.
SELECT o.org_id AS org, o.space_id AS space, o.occ, o.reminder_id AS reminder, o.at, o.ends_at, o.category,
  o.criticality, o.checkable, o.grace_s, o.ring_start, o.ring_again, o.state, o.from_at, o.missed_at,
  o.outcome, o.told_at, o.late_at, o.closed_at, o.closed_by, o.snoozed_until, o.snoozed_by, o.silent_at,
  o.rung, o.step, o.next_at
FROM occurrence o
WHERE o.org_id = :org AND o.at >= :since AND o.state <> 'closed'
  AND (o.state <> 'missed' OR o.snoozed_until IS NOT NULL OR EXISTS (
    SELECT FROM alert a WHERE a.org_id = o.org_id AND a.space_id = o.space_id AND a.occ = o.occ
      AND a.closed_at IS NULL))
  AND EXISTS (
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

-- name: set_occurrences_aside
UPDATE occurrence o SET next_at = :until
FROM unnest(:orgs::uuid[], :spaces::uuid[], :occs::text[]) AS g (org_id, space_id, occ)
WHERE o.org_id = g.org_id AND o.space_id = g.space_id AND o.occ = g.occ

-- name: signs_of
-- The devices that should ring for these occurrences and send heartbeats, and which of them said that they rang.
SELECT g.space_id AS space, g.occ, v.beat_at, v.kiosk,
  EXISTS (SELECT FROM delivery d WHERE d.org_id = g.org_id AND d.space_id = g.space_id AND d.subject = g.occ
            AND d.kind = 'ring' AND d.device_id = v.device_id AND d.state = 'seen') AS rang
FROM unnest(:org::uuid[], :space::uuid[], :occ::text[]) AS g (org_id, space_id, occ)
JOIN resident r ON r.org_id = g.org_id AND g.space_id IN (r.space_id, r.medication_id)
JOIN device v ON v.org_id = r.org_id AND v.account_id = r.account_id AND v.revoked_at IS NULL
  AND v.beat_at IS NOT NULL
