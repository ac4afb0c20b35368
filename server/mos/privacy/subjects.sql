-- Under whose key what a space holds is sealed.

-- name: subjects_of_spaces
-- The resident whose day or medication a space holds. Of other spaces there is no row: the organisation's key.
SELECT g.id AS space, r.account_id AS subject
FROM unnest(:spaces::uuid[]) AS g (id)
CROSS JOIN LATERAL (
  SELECT d.account_id FROM resident d WHERE d.org_id = :org AND d.space_id = g.id
  UNION ALL
  SELECT m.account_id FROM resident m WHERE m.org_id = :org AND m.medication_id = g.id
  LIMIT 1
) r;
