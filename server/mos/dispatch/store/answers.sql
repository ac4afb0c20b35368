-- name: add_answers
INSERT INTO answer AS a (org_id, space_id, op_id, occ, outcome, at, received_at)
SELECT :org, g.*, :now FROM unnest(:spaces::uuid[], :ops::uuid[], :occs::text[], :outcomes::text[],
                                   :ats::timestamptz[]) AS g
ON CONFLICT (org_id, space_id, op_id)
  DO UPDATE SET occ = excluded.occ, outcome = excluded.outcome, at = excluded.at,
    received_at = COALESCE(a.received_at, excluded.received_at)

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
FROM unnest(:orgs::uuid[], :spaces::uuid[], :occs::text[]) AS g (org_id, space_id, occ)
CROSS JOIN LATERAL (
  SELECT * FROM answer a
  WHERE a.org_id = g.org_id AND a.space_id = g.space_id AND a.occ = g.occ AND NOT a.retracted
  ORDER BY a.at, a.op_id LIMIT 1
) a

-- name: given_between
-- What was recorded as given, wholly or in part, under names from `low` to `high`: the names of one record
-- sort by their wall time.
SELECT a.space_id AS space, a.op_id AS op, a.occ, a.at
FROM unnest(:spaces::uuid[], :lows::text[], :highs::text[]) AS g (space_id, low, high)
JOIN answer a ON a.org_id = :org AND a.space_id = g.space_id AND NOT a.retracted
  AND a.occ >= g.low AND a.occ <= g.high
WHERE a.outcome IN ('done', 'partly')
ORDER BY a.space_id, a.occ, a.op_id

-- name: answered_between
-- What of one record was answered under names from `low` to `high`, and not taken back.
SELECT DISTINCT a.space_id AS space, a.occ
FROM unnest(:spaces::uuid[], :lows::text[], :highs::text[]) AS g (space_id, low, high)
JOIN answer a ON a.org_id = :org AND a.space_id = g.space_id AND NOT a.retracted
  AND a.occ >= g.low AND a.occ <= g.high

-- name: strays
-- Which of these is in no plan: neither to come, nor taken and still wanted.
SELECT g.space_id AS space, g.occ
FROM unnest(:spaces::uuid[], :occs::text[]) AS g (space_id, occ)
WHERE NOT EXISTS (SELECT FROM due d WHERE d.org_id = :org AND d.space_id = g.space_id AND d.occ = g.occ)
  AND NOT EXISTS (SELECT FROM occurrence o WHERE o.org_id = :org AND o.space_id = g.space_id AND o.occ = g.occ
                    AND o.state <> 'cancelled')
