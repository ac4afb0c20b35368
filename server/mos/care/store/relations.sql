-- name: relations_within
-- Relations that have not ended, of the managed units and their residents.
SELECT l.relation_id AS id, l.account_id AS account, l.space_id AS space, l.unit_id AS unit,
       l.permissions, l.is_primary, l.consent, l.valid_from, l.valid_to
FROM relation l
LEFT JOIN resident r ON r.org_id = l.org_id AND r.space_id = l.space_id
WHERE l.org_id = :org AND (l.valid_to IS NULL OR l.valid_to > :now)
  AND (:everything OR COALESCE(l.unit_id, r.unit_id) = ANY (:units::uuid[]))
ORDER BY l.valid_from, l.relation_id;

-- name: relation_for_update
SELECT l.relation_id AS id, l.account_id AS account, l.space_id AS space, l.unit_id AS unit,
       l.permissions, l.is_primary, l.consent, l.valid_from, l.valid_to
FROM relation l WHERE l.org_id = :org AND l.relation_id = :relation
FOR UPDATE;

-- name: supporters
-- Whom it concerns when one resident moves, comes or goes: their own account and their supporters'.
SELECT account_id AS id FROM relation
WHERE org_id = :org AND (space_id = :space OR unit_id = ANY (:units::uuid[]))
UNION
SELECT account_id FROM resident WHERE org_id = :org AND space_id = :space;

-- name: acquainted
-- Who may show this account by name, and the account itself: the residents whom it was ever related to, and
-- all who were ever related to them.
WITH met AS (
  SELECT r.org_id, r.space_id, r.unit_id, r.account_id FROM resident r
  WHERE r.org_id = :org AND (
    r.account_id = :account
    OR EXISTS (SELECT 1 FROM relation l
               WHERE l.org_id = r.org_id AND l.account_id = :account
                 AND (l.space_id = r.space_id OR l.unit_id = r.unit_id)))
)
SELECT account_id AS id FROM met
UNION
SELECT l.account_id FROM relation l
JOIN met m ON m.org_id = l.org_id AND (m.space_id = l.space_id OR m.unit_id = l.unit_id)
UNION
SELECT account_id FROM account WHERE org_id = :org AND account_id = :account;

-- name: concerned_by_unit
-- Who shows a unit by name: its residents, all who were ever related to it or to them, and administrators.
SELECT r.account_id AS id FROM resident r WHERE r.org_id = :org AND r.unit_id = :unit
UNION
SELECT l.account_id FROM relation l
LEFT JOIN resident r ON r.org_id = l.org_id AND r.space_id = l.space_id
WHERE l.org_id = :org AND (l.unit_id = :unit OR r.unit_id = :unit)
UNION
SELECT account_id FROM account WHERE org_id = :org AND role = 'admin';

-- name: add_relation
INSERT INTO relation (org_id, relation_id, account_id, space_id, unit_id, permissions, is_primary,
                      consent, valid_from, valid_to)
VALUES (:org, :relation, :account, :space, :unit, :permissions, :is_primary, :consent, :valid_from,
        :valid_to);

-- name: save_relation
-- What it gave until now stays known.
WITH past AS (
  INSERT INTO relation_past (org_id, relation_id, permissions, since, until)
  SELECT l.org_id, l.relation_id, l.permissions, h.since, :now
  FROM relation l
  CROSS JOIN LATERAL (
    SELECT GREATEST(l.valid_from, max(p.until)) AS since FROM relation_past p
    WHERE p.org_id = l.org_id AND p.relation_id = l.relation_id
  ) h
  WHERE l.org_id = :org AND l.relation_id = :relation AND h.since < :now AND l.permissions <> :permissions
)
UPDATE relation SET permissions = :permissions, is_primary = :is_primary, consent = :consent,
                    valid_to = :valid_to
WHERE org_id = :org AND relation_id = :relation;

-- name: no_primary
-- Take the contact person's mark from whoever has it, to give it to somebody else.
UPDATE relation SET is_primary = false
WHERE org_id = :org AND space_id = :space AND is_primary AND relation_id <> :relation;

-- name: cut_relations
-- Take what a new role cannot have out of an account's relations, and end those that would be empty.
-- The ladder calls whoever a relation names, so a contact person who cannot take alerts is none.
WITH past AS (
  INSERT INTO relation_past (org_id, relation_id, permissions, since, until)
  SELECT l.org_id, l.relation_id, l.permissions, h.since, :now
  FROM relation l
  CROSS JOIN LATERAL (
    SELECT GREATEST(l.valid_from, max(p.until)) AS since FROM relation_past p
    WHERE p.org_id = l.org_id AND p.relation_id = l.relation_id
  ) h
  WHERE l.org_id = :org AND l.account_id = :account AND l.permissions && :kept::text[]
    AND NOT l.permissions <@ :kept::text[] AND h.since < :now AND (l.valid_to IS NULL OR l.valid_to > :now)
)
UPDATE relation
SET permissions = CASE WHEN permissions && :kept::text[]
      THEN ARRAY(SELECT word FROM unnest(permissions) AS word WHERE word = ANY (:kept::text[]))
      ELSE permissions END,
    is_primary = is_primary AND 'alert.take' = ANY (:kept::text[]),
    valid_to = CASE WHEN permissions && :kept::text[] THEN valid_to ELSE :now END
WHERE org_id = :org AND account_id = :account AND NOT permissions <@ :kept::text[]
  AND valid_from < :now AND (valid_to IS NULL OR valid_to > :now);

-- name: remove_relation
DELETE FROM relation WHERE org_id = :org AND relation_id = :relation;
