-- name: organisation
SELECT org_id AS id, name, policy, zone, language FROM organisation WHERE org_id = :org;

-- name: lock_organisation
-- Held while somebody may cease to manage: two who step down at once must see each other.
SELECT org_id AS id, name, policy, zone, language FROM organisation
WHERE org_id = :org FOR NO KEY UPDATE;

-- name: add_organisation
INSERT INTO organisation (org_id, name, policy, zone, language, created_at)
VALUES (:org, :name, :policy, :zone, :language, :now);

-- name: units_within
SELECT unit_id AS id, name, zone, language, archived_at
FROM unit
WHERE org_id = :org AND (:everything OR unit_id = ANY (:units::uuid[]))
ORDER BY name, unit_id;

-- name: unit_for_update
SELECT unit_id AS id, name, zone, language, archived_at
FROM unit WHERE org_id = :org AND unit_id = :unit FOR UPDATE;

-- name: add_unit
INSERT INTO unit (org_id, unit_id, name, zone, language, created_at)
VALUES (:org, :unit, :name, :zone, :language, :now);

-- name: save_unit
UPDATE unit SET name = :name, zone = :zone, language = :language, archived_at = :archived_at
WHERE org_id = :org AND unit_id = :unit;

-- name: residents_in_unit
SELECT count(*)::int AS number FROM resident
WHERE org_id = :org AND unit_id = :unit AND archived_at IS NULL;

-- name: units_of_actor
-- The units of an account's relations and of the residents that it reaches.
SELECT unit_id AS id, name, zone, language, archived_at
FROM unit u
WHERE org_id = :org AND archived_at IS NULL AND (
  :everything
  OR EXISTS (SELECT 1 FROM resident r WHERE r.org_id = u.org_id AND r.unit_id = u.unit_id
             AND r.space_id = ANY (:spaces::uuid[]))
  OR EXISTS (SELECT 1 FROM relation l WHERE l.org_id = u.org_id AND l.unit_id = u.unit_id
             AND l.account_id = :account
             AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)))
ORDER BY name, unit_id;
