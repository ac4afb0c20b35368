-- name: unrecorded_spaces
SELECT DISTINCT org_id AS org, space_id AS space FROM alert WHERE unrecorded
ORDER BY org_id, space_id LIMIT :limit

-- name: unrecorded_alerts
SELECT org_id AS org, space_id AS space, alert_id AS alert, kind, occ, ladder, grace_s, from_at, opened_at,
  category, criticality, rung, step, next_at, taken_by, taken_at, handed_to, resumes_at, closed_at, closed_why, about, unreached, steps,
  revision, recorded
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
