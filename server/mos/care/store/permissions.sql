-- name: access
-- Each space that an account reaches and the words it was given there: by a relation to the resident,
-- by one to the resident's unit, or by being the resident. Both of a resident's spaces have the same words.
SELECT s.space_id AS space, s.of_id AS of, given.words,
       (SELECT policy FROM organisation WHERE org_id = :org) AS policy
FROM (
  SELECT space_id, medication_id, array_agg(DISTINCT word) AS words
  FROM (
    SELECT r.space_id, r.medication_id, unnest(l.permissions) AS word
    FROM relation l
    JOIN resident r ON r.org_id = l.org_id AND r.space_id = l.space_id
    WHERE l.org_id = :org AND l.account_id = :account AND r.archived_at IS NULL
      AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)
    UNION ALL
    SELECT r.space_id, r.medication_id, unnest(l.permissions)
    FROM relation l
    JOIN resident r ON r.org_id = l.org_id AND r.unit_id = l.unit_id
    WHERE l.org_id = :org AND l.account_id = :account AND r.archived_at IS NULL
      AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)
    UNION ALL
    SELECT r.space_id, r.medication_id, unnest(:own::text[])
    FROM resident r
    WHERE r.org_id = :org AND r.account_id = :account AND r.archived_at IS NULL
  ) AS each
  GROUP BY space_id, medication_id
) AS given
CROSS JOIN LATERAL (VALUES (given.space_id, NULL::uuid), (given.medication_id, given.space_id))
  AS s (space_id, of_id)
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
-- relatives who manage each of its units.
SELECT count(*)::int AS number
FROM account a
JOIN organisation o ON o.org_id = a.org_id
WHERE a.org_id = :org AND a.disabled_at IS NULL
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
-- words. A relation ends with itself, with its account, or with the resident's stay.
SELECT s.space_id AS space, s.of_id AS of, words, since, until,
       (SELECT policy FROM organisation WHERE org_id = :org) AS policy
FROM (
  SELECT r.space_id, r.medication_id, l.permissions AS words, l.valid_from AS since,
         LEAST(l.valid_to, a.disabled_at, r.archived_at) AS until
  FROM relation l
  JOIN account a ON a.org_id = l.org_id AND a.account_id = l.account_id
  JOIN resident r ON r.org_id = l.org_id AND (r.space_id = l.space_id OR r.unit_id = l.unit_id)
  WHERE l.org_id = :org AND l.account_id = :account
  UNION ALL
  SELECT r.space_id, r.medication_id, :own::text[], a.created_at, LEAST(a.disabled_at, r.archived_at)
  FROM resident r
  JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
  WHERE r.org_id = :org AND r.account_id = :account
) AS had
CROSS JOIN LATERAL (VALUES (had.space_id, NULL::uuid), (had.medication_id, had.space_id))
  AS s (space_id, of_id)
WHERE until > :after AND until <= :now AND until > since
ORDER BY s.space_id, until;
