-- name: units_to_open
-- Units in which somebody lives, by name.
SELECT u.unit_id AS id, u.name FROM unit u
WHERE u.org_id = :org AND u.archived_at IS NULL
  AND EXISTS (SELECT FROM resident r WHERE r.org_id = u.org_id AND r.unit_id = u.unit_id AND r.archived_at IS NULL)
ORDER BY u.name, u.unit_id;

-- name: residents_to_open
-- Who lives in a unit and is none of the given, whom somebody sees already.
SELECT r.space_id AS id, a.name FROM resident r
JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
WHERE r.org_id = :org AND r.unit_id = :unit AND r.archived_at IS NULL AND r.space_id <> ALL (:seen::uuid[])
ORDER BY a.name, r.space_id;

-- name: opened_since
-- How often somebody has opened anybody since a moment.
SELECT count(*)::int AS number FROM emergency WHERE org_id = :org AND account_id = :account AND at > :since;

-- name: add_emergency
INSERT INTO emergency (org_id, emergency_id, relation_id, account_id, space_id, unit_id, at, until, cause, reason)
VALUES (:org, :id, :relation, :account, :space, :unit, :at, :until, :cause, :reason);

-- name: end_emergency
UPDATE emergency SET until = :now WHERE org_id = :org AND emergency_id = :id AND until > :now;

-- name: review_emergency
UPDATE emergency SET outcome = :outcome, note = :note, reviewed_by = :by, reviewed_at = :now
WHERE org_id = :org AND emergency_id = :id AND (outcome IS NULL OR outcome = 'follow_up');

-- name: emergencies
-- Those of the given units, or of one account, or that one: what nobody has decided first, then the latest.
SELECT e.emergency_id AS id, e.relation_id AS relation, e.account_id AS account, COALESCE(p.name, '') AS person, p.role,
       e.space_id AS space, r.account_id AS resident_account, COALESCE(ra.name, '') AS resident, e.unit_id AS unit,
       COALESCE(u.name, '') AS unit_name, e.at, e.until, e.cause, e.reason, e.outcome, e.note, w.name AS reviewer,
       e.reviewed_at
FROM emergency e
JOIN resident r ON r.org_id = e.org_id AND r.space_id = e.space_id
LEFT JOIN account ra ON ra.org_id = r.org_id AND ra.account_id = r.account_id
LEFT JOIN account p ON p.org_id = e.org_id AND p.account_id = e.account_id
LEFT JOIN account w ON w.org_id = e.org_id AND w.account_id = e.reviewed_by
LEFT JOIN unit u ON u.org_id = e.org_id AND u.unit_id = e.unit_id
WHERE e.org_id = :org
  AND (:everything OR e.unit_id = ANY (:units::uuid[]) OR e.account_id = :account::uuid)
  AND (:id::uuid IS NULL OR e.emergency_id = :id)
  AND e.until > :after
ORDER BY e.outcome IS NOT NULL AND e.outcome <> 'follow_up', e.at DESC, e.emergency_id
LIMIT :limit;

-- name: watchers
-- Who is told that somebody was opened: whoever manages the unit, or where nobody does the administrators.
WITH managing AS (
  SELECT l.account_id FROM relation l
  WHERE l.org_id = :org AND l.unit_id = :unit AND 'care.manage' = ANY (l.permissions)
    AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)
)
SELECT a.account_id AS id FROM account a
WHERE a.org_id = :org AND a.disabled_at IS NULL AND a.account_id <> :but AND (
  a.account_id IN (SELECT m.account_id FROM managing m)
  OR (a.role = 'admin' AND NOT EXISTS (SELECT FROM managing)))
ORDER BY a.account_id;
