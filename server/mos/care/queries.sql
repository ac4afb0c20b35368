-- Who is here and who may do what. Every statement but the four doors at the end runs inside one
-- organisation's row-level security scope, and names the organisation all the same.

-- name: access
-- Each space that an account reaches and the words it was given there: by a relation to the resident,
-- by one to the resident's unit, or by being the resident.
SELECT space_id AS space, array_agg(DISTINCT word) AS words
FROM (
  SELECT r.space_id, unnest(l.permissions) AS word
  FROM relation l
  JOIN resident r ON r.org_id = l.org_id AND r.space_id = l.space_id
  WHERE l.org_id = :org AND l.account_id = :account AND r.archived_at IS NULL
    AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)
  UNION ALL
  SELECT r.space_id, unnest(l.permissions)
  FROM relation l
  JOIN resident r ON r.org_id = l.org_id AND r.unit_id = l.unit_id
  WHERE l.org_id = :org AND l.account_id = :account AND r.archived_at IS NULL
    AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)
  UNION ALL
  SELECT r.space_id, unnest(:own::text[])
  FROM resident r
  WHERE r.org_id = :org AND r.account_id = :account AND r.archived_at IS NULL
) AS given
GROUP BY space_id
ORDER BY space_id;

-- name: session_lookup
-- The session behind a cookie's hash, before the organisation is known.
SELECT org_id AS org, session_id AS session, account_id AS account, device_id AS device, role,
       created_at, seen_at, expires_at, revoked, disabled
FROM session_lookup(:token_hash);

-- name: session_seen
-- Remember that a session is in use and move its end. Written at most once a minute.
UPDATE session SET seen_at = :now, expires_at = :expires_at
WHERE org_id = :org AND session_id = :session AND revoked_at IS NULL;
