-- name: residents_within
SELECT r.space_id AS space, r.account_id AS account, a.name, r.flat, r.unit_id AS unit, a.language,
       r.archived_at
FROM resident r
JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
WHERE r.org_id = :org AND (:everything OR r.unit_id = ANY (:units::uuid[]))
ORDER BY a.name, r.space_id;

-- name: residents_of_spaces
SELECT r.space_id AS space, r.account_id AS account, a.name, r.flat, r.unit_id AS unit, a.language,
       r.archived_at
FROM resident r
JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
WHERE r.org_id = :org AND r.space_id = ANY (:spaces::uuid[])
ORDER BY a.name, r.space_id;

-- name: resident_for_update
SELECT r.space_id AS space, r.account_id AS account, a.name, r.flat, r.unit_id AS unit, a.language,
       r.archived_at
FROM resident r
JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
WHERE r.org_id = :org AND r.space_id = :space
FOR UPDATE;

-- name: resident_of_account
SELECT r.space_id AS space, r.account_id AS account, a.name, r.flat, r.unit_id AS unit, a.language,
       r.archived_at
FROM resident r
JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
WHERE r.org_id = :org AND r.account_id = :account;

-- name: add_spaces
INSERT INTO space (org_id, space_id, kind, of_space)
VALUES (:org, :space, 'resident', NULL), (:org, :medication, 'medication', :space);

-- name: add_resident
INSERT INTO resident (org_id, space_id, medication_id, account_id, unit_id, flat)
VALUES (:org, :space, :medication, :account, :unit, :flat);

-- name: save_resident
-- Where they lived until now stays known.
WITH past AS (
  INSERT INTO resident_past (org_id, space_id, unit_id, since, until)
  SELECT r.org_id, r.space_id, r.unit_id, h.since, :now
  FROM resident r
  CROSS JOIN LATERAL (
    SELECT max(p.until) AS since FROM resident_past p WHERE p.org_id = r.org_id AND p.space_id = r.space_id
  ) h
  WHERE r.org_id = :org AND r.space_id = :space AND r.unit_id <> :unit AND (h.since < :now) IS NOT FALSE
)
UPDATE resident SET unit_id = :unit, flat = :flat, archived_at = :archived_at
WHERE org_id = :org AND space_id = :space;

-- name: lock_space
-- Whoever changes a resident and what their profile says of it takes the space first, as a push does.
SELECT space_id AS id FROM space WHERE org_id = :org AND space_id = :space FOR NO KEY UPDATE;

-- name: homes_of_spaces
-- Whose each of these spaces is, by either of a resident's two.
SELECT g.space_id AS space, r.space_id AS home, r.account_id AS account
FROM unnest(:spaces::uuid[]) AS g (space_id)
JOIN resident r ON r.org_id = :org AND g.space_id IN (r.space_id, r.medication_id);

-- name: follow_profiles
-- Supporters wrote these profiles (NULL: nothing of it). Who is called so, and where, is known here too.
WITH told AS (
  SELECT r.org_id, r.space_id, r.account_id, t.name, t.flat, t.language
  FROM unnest(:spaces::uuid[], :names::text[], :flats::text[], :languages::text[])
    AS t (space_id, name, flat, language)
  JOIN resident r ON r.org_id = :org AND r.space_id = t.space_id
), moved AS (
  UPDATE resident r SET flat = t.flat FROM told t
  -- Sealed anew it is never what was there.
  WHERE r.org_id = t.org_id AND r.space_id = t.space_id AND t.flat IS NOT NULL
)
UPDATE account a SET name = COALESCE(t.name, a.name), language = COALESCE(t.language, a.language)
FROM told t
WHERE a.org_id = t.org_id AND a.account_id = t.account_id
  AND (a.name, a.language) <> (COALESCE(t.name, a.name), COALESCE(t.language, a.language));

-- name: spaces_of_organisation
-- Both spaces of everybody who lives here.
SELECT s.id FROM resident r CROSS JOIN LATERAL (VALUES (r.space_id), (r.medication_id)) AS s (id)
WHERE r.org_id = :org AND r.archived_at IS NULL;
