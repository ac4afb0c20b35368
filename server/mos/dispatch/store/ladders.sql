-- name: ladders_for
-- The ladders that people chose for these spaces, each under the space that was asked: those of the resident's
-- day, which their medication follows, and the organisations' templates (space NULL).
SELECT g.org_id AS org, g.space_id AS space, l.category, l.criticality, l.steps
FROM (SELECT DISTINCT o AS org_id, s AS space_id FROM unnest(:orgs::uuid[], :spaces::uuid[]) AS g (o, s)) g
CROSS JOIN LATERAL (
  SELECT r.space_id FROM resident r WHERE r.org_id = g.org_id AND r.space_id = g.space_id
  UNION ALL
  SELECT r.space_id FROM resident r WHERE r.org_id = g.org_id AND r.medication_id = g.space_id
) r
JOIN ladder l ON l.org_id = g.org_id AND l.space_id = r.space_id
UNION ALL
SELECT t.org_id, NULL, t.category, t.criticality, t.steps
FROM ladder_template t WHERE t.org_id = ANY (:orgs::uuid[])

-- name: save_ladders
-- What the records of ladders say now. No steps: there is none any more.
WITH g AS (
  SELECT g.space_id, g.category, g.criticality, g.doc -> 'steps' AS steps
  FROM unnest(:spaces::uuid[], :categories::text[], :criticalities::text[], :docs::jsonb[])
    AS g (space_id, category, criticality, doc)
), gone AS (
  DELETE FROM ladder l USING g
  WHERE l.org_id = :org AND l.space_id = g.space_id AND l.category = g.category
    AND l.criticality = g.criticality AND g.steps = '[]'
)
INSERT INTO ladder AS l (org_id, space_id, category, criticality, steps)
SELECT :org, g.space_id, g.category, g.criticality, g.steps FROM g WHERE g.steps <> '[]'
ON CONFLICT (org_id, space_id, category, criticality) DO UPDATE SET steps = excluded.steps

-- name: look_again_at_occurrences
-- When supporters are first told of these spaces' open occurrences may have changed.
UPDATE occurrence o SET next_at = LEAST(o.next_at, :now)
FROM (
  SELECT o.org_id, o.space_id, o.occ FROM occurrence o
  WHERE o.org_id = :org AND o.space_id = ANY (:spaces::uuid[]) AND o.next_at IS NOT NULL
    AND o.state IN ('due', 'told', 'late')
  ORDER BY o.space_id, o.occ FOR UPDATE
) t
WHERE o.org_id = t.org_id AND o.space_id = t.space_id AND o.occ = t.occ

-- name: look_again_at_alerts
-- The steps of these spaces' open alerts may have changed. One that somebody has taken waits as it did.
UPDATE alert a SET next_at = GREATEST(a.resumes_at, :now)
FROM (
  SELECT a.org_id, a.space_id, a.alert_id FROM alert a
  WHERE a.org_id = :org AND a.space_id = ANY (:spaces::uuid[]) AND a.closed_at IS NULL
    AND a.kind IN ('late', 'missed')
  ORDER BY a.space_id, a.alert_id FOR UPDATE
) t
WHERE a.org_id = t.org_id AND a.space_id = t.space_id AND a.alert_id = t.alert_id

-- name: people_of
-- Everybody who may take alerts of what is in these spaces at these moments, one row for each of them and person.
SELECT g.org_id AS org, g.space_id AS space, g.at, rel.account_id AS account,
       bool_or(rel.is_primary AND rel.takes) AS is_primary,
       bool_or(rel.covers_unit AND rel.takes) AS covers_unit,
       bool_or(CASE WHEN r.is_medication THEN 'medication.edit' ELSE 'meals.edit' END
               = ANY (rel.permissions)) AS decides,
       bool_or(NOT r.is_medication OR 'medication.view' = ANY (rel.permissions)) AS sees,
       EXISTS (SELECT FROM duty y WHERE y.org_id = g.org_id AND y.unit_id = r.unit_id
                 AND y.account_id = rel.account_id AND y.from_at <= g.at AND g.at < y.to_at) AS on_duty,
       a.quiet_from, a.quiet_to, a.quiet_zone,
       ARRAY(SELECT 'push' FROM device d WHERE d.org_id = g.org_id AND d.account_id = rel.account_id
               AND d.revoked_at IS NULL AND d.push_endpoint IS NOT NULL AND d.push_gone_at IS NULL
             UNION
             SELECT k.channel FROM contact k WHERE k.org_id = g.org_id AND k.account_id = rel.account_id
               AND k.verified_at IS NOT NULL AND k.gone_at IS NULL) AS channels
FROM (SELECT DISTINCT * FROM unnest(:orgs::uuid[], :spaces::uuid[], :ats::timestamptz[]) AS g (org_id, space_id, at)) g
CROSS JOIN LATERAL (
  SELECT r.space_id, r.unit_id, false AS is_medication FROM resident r
  WHERE r.org_id = g.org_id AND r.space_id = g.space_id
  UNION ALL
  SELECT r.space_id, r.unit_id, true FROM resident r
  WHERE r.org_id = g.org_id AND r.medication_id = g.space_id
) r
CROSS JOIN LATERAL (
  SELECT x.account_id, x.is_primary, false AS covers_unit, x.permissions, :permission = ANY (x.permissions) AS takes
  FROM relation x WHERE x.org_id = g.org_id AND x.space_id = r.space_id
    AND x.valid_from <= g.at AND (x.valid_to IS NULL OR g.at < x.valid_to)
  UNION ALL
  SELECT x.account_id, x.is_primary, true, x.permissions, :permission = ANY (x.permissions)
  FROM relation x WHERE x.org_id = g.org_id AND x.unit_id = r.unit_id
    AND x.valid_from <= g.at AND (x.valid_to IS NULL OR g.at < x.valid_to)
) rel
JOIN account a ON a.org_id = g.org_id AND a.account_id = rel.account_id AND a.disabled_at IS NULL
GROUP BY g.org_id, g.space_id, g.at, rel.account_id, r.unit_id, a.quiet_from, a.quiet_to, a.quiet_zone
HAVING bool_or(rel.takes)

-- name: templates_of
SELECT category, criticality, steps, changed_by, changed_at
FROM ladder_template WHERE org_id = :org ORDER BY category, criticality

-- name: save_template
INSERT INTO ladder_template AS t (org_id, category, criticality, steps, changed_by, changed_at)
VALUES (:org, :category, :criticality, :steps, :by, :now)
ON CONFLICT (org_id, category, criticality) DO UPDATE SET steps = excluded.steps, changed_by = excluded.changed_by,
  changed_at = excluded.changed_at

-- name: remove_template
DELETE FROM ladder_template WHERE org_id = :org AND category = :category AND criticality = :criticality
