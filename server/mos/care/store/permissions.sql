-- name: access
-- Each resident that an account reaches and the words it was given there: by a relation to the
-- resident, by one to the resident's unit, or by being the resident; a row for each of these.
SELECT each.space_id AS space, each.medication_id AS medication, each.words,
       (SELECT policy FROM organisation WHERE org_id = :org) AS policy
FROM (
  SELECT r.space_id, r.medication_id, l.permissions AS words
  FROM relation l
  JOIN resident r ON r.org_id = l.org_id AND r.space_id = l.space_id
  WHERE l.org_id = :org AND l.account_id = :account AND r.archived_at IS NULL
    AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)
  UNION ALL
  SELECT r.space_id, r.medication_id, l.permissions
  FROM relation l
  JOIN resident r ON r.org_id = l.org_id AND r.unit_id = l.unit_id
  WHERE l.org_id = :org AND l.account_id = :account AND r.archived_at IS NULL
    AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)
  UNION ALL
  SELECT r.space_id, r.medication_id, :own::text[]
  FROM resident r
  WHERE r.org_id = :org AND r.account_id = :account AND r.archived_at IS NULL
) AS each;

-- name: once_reached
-- Which of these spaces an account reaches or ever did: by a relation, by one to a unit that the resident
-- lives or lived in, or as the resident.
SELECT s.space_id AS id
FROM resident r
CROSS JOIN LATERAL (VALUES (r.space_id), (r.medication_id)) AS s (space_id)
WHERE r.org_id = :org AND s.space_id = ANY (:spaces::uuid[]) AND (
  r.account_id = :account
  OR EXISTS (
    SELECT FROM relation l
    WHERE l.org_id = r.org_id AND l.account_id = :account
      AND (l.space_id = r.space_id OR l.unit_id = r.unit_id OR l.unit_id IN (
        SELECT p.unit_id FROM resident_past p WHERE p.org_id = r.org_id AND p.space_id = r.space_id))))
ORDER BY s.space_id;

-- name: managed_units
-- The units that an account manages by a live relation, where the organisation's policy lets its role.
SELECT l.unit_id AS id
FROM relation l
JOIN organisation o ON o.org_id = l.org_id AND o.policy = ANY (:policies::text[])
WHERE l.org_id = :org AND l.account_id = :account AND l.unit_id IS NOT NULL
  AND 'care.manage' = ANY (l.permissions)
  AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now);

-- name: stewards
-- Who can sign in and manages everything until further notice: administrators, and in a family the
-- relatives who manage each of its units. Of one account only, when it is given.
SELECT count(*)::int AS number
FROM account a
JOIN organisation o ON o.org_id = a.org_id
WHERE a.org_id = :org AND a.disabled_at IS NULL AND (:account::uuid IS NULL OR a.account_id = :account)
  AND EXISTS (SELECT 1 FROM credential c WHERE c.org_id = a.org_id AND c.account_id = a.account_id)
  AND (a.role = 'admin' OR (
    a.role = 'relative' AND o.policy = ANY (:policies::text[])
    AND EXISTS (SELECT 1 FROM unit u WHERE u.org_id = a.org_id)
    AND NOT EXISTS (
      SELECT 1 FROM unit u
      WHERE u.org_id = a.org_id AND NOT EXISTS (
        SELECT 1 FROM relation l
        WHERE l.org_id = a.org_id AND l.account_id = a.account_id AND l.unit_id = u.unit_id
          AND 'care.manage' = ANY (l.permissions) AND l.valid_from <= :now AND l.valid_to IS NULL))));

-- name: ended_access
-- What an account had and lost after :after, by relation or as the resident: when it held, and which
-- words. A right ends with its relation, when that gives less or the resident moves to another unit, with its
-- account, or with the resident's stay.
WITH held AS (
  SELECT l.relation_id, l.space_id, l.unit_id, l.permissions AS words, l.valid_to AS until,
         GREATEST(l.valid_from, (SELECT max(p.until) FROM relation_past p
                                 WHERE p.org_id = l.org_id AND p.relation_id = l.relation_id)) AS since
  FROM relation l WHERE l.org_id = :org AND l.account_id = :account
  UNION ALL
  SELECT l.relation_id, l.space_id, l.unit_id, p.permissions, p.until, p.since
  FROM relation l JOIN relation_past p ON p.org_id = l.org_id AND p.relation_id = l.relation_id
  WHERE l.org_id = :org AND l.account_id = :account AND p.until > :after
), lived AS (
  SELECT r.space_id, r.unit_id, NULL::timestamptz AS until,
         (SELECT max(p.until) FROM resident_past p WHERE p.org_id = r.org_id AND p.space_id = r.space_id) AS since
  FROM resident r WHERE r.org_id = :org
  UNION ALL
  SELECT p.space_id, p.unit_id, p.until, p.since FROM resident_past p WHERE p.org_id = :org AND p.until > :after
), had AS (
  SELECT h.space_id, h.words, h.since, h.until FROM held h WHERE h.space_id IS NOT NULL
  UNION ALL
  SELECT v.space_id, h.words, GREATEST(h.since, v.since), LEAST(h.until, v.until)
  FROM held h JOIN lived v ON v.unit_id = h.unit_id
  UNION ALL
  SELECT r.space_id, :own::text[], a.created_at, NULL
  FROM resident r
  JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
  WHERE r.org_id = :org AND r.account_id = :account
)
SELECT s.space_id AS space, s.of_id AS of, g.words, g.since, g.until
FROM (
  SELECT r.space_id, r.medication_id, h.words, h.since, LEAST(h.until, a.disabled_at, r.archived_at) AS until
  FROM had h
  JOIN resident r ON r.org_id = :org AND r.space_id = h.space_id
  JOIN account a ON a.org_id = :org AND a.account_id = :account
) AS g
CROSS JOIN LATERAL (VALUES (g.space_id, NULL::uuid), (g.medication_id, g.space_id))
  AS s (space_id, of_id)
WHERE g.until > :after AND g.until <= :now AND g.until > g.since
ORDER BY s.space_id, g.until;
