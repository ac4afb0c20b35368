-- name: add_delegation
INSERT INTO delegation (org_id, delegation_id, given_by, account_id, task, detail, units, spaces, valid_from, valid_to,
                        checked_on, checked_how, given_at, renews)
VALUES (:org, :id, :given_by, :account, :task, :detail, :units, :spaces, :valid_from, :valid_to,
        :checked_on, :checked_how, :now, :renews);

-- name: delegations
-- Those for any of these units, or for residents of these spaces, or to one account, or that one; the next to end first.
SELECT d.delegation_id AS id, d.account_id AS account, COALESCE(p.name, '') AS person, d.given_by,
       COALESCE(g.name, '') AS giver, d.task, d.detail, d.units, d.spaces,
       ARRAY(SELECT u.name FROM unit u WHERE u.org_id = d.org_id AND u.unit_id = ANY (d.units) ORDER BY u.name) AS unit_names,
       ARRAY(SELECT a.name FROM resident r JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
             WHERE r.org_id = d.org_id AND r.space_id = ANY (d.spaces) ORDER BY a.name) AS resident_names,
       d.valid_from, d.valid_to, d.checked_on, d.checked_how, d.given_at, d.renews,
       EXISTS (SELECT FROM delegation n WHERE n.org_id = d.org_id AND n.renews = d.delegation_id
               AND n.ended_at IS NULL) AS renewed,
       d.ended_at, COALESCE(e.name, '') AS ender, d.ended_why, d.warned_days
FROM delegation d
LEFT JOIN account p ON p.org_id = d.org_id AND p.account_id = d.account_id
LEFT JOIN account g ON g.org_id = d.org_id AND g.account_id = d.given_by
LEFT JOIN account e ON e.org_id = d.org_id AND e.account_id = d.ended_by
WHERE d.org_id = :org
  AND (d.account_id = :account::uuid OR d.units && :units::uuid[] OR d.spaces && :spaces::uuid[])
  AND (:id::uuid IS NULL OR d.delegation_id = :id)
ORDER BY LEAST(d.ended_at, d.valid_to) DESC, d.delegation_id
LIMIT :limit;

-- name: end_delegation
UPDATE delegation SET ended_at = :now, ended_by = :by, ended_why = :why
WHERE org_id = :org AND delegation_id = :id AND ended_at IS NULL AND valid_to > :now;

-- name: units_to_delegate_in
-- The units whose medication somebody decides about.
SELECT u.unit_id AS id, u.name
FROM unit u
WHERE u.org_id = :org AND u.archived_at IS NULL AND EXISTS (
  SELECT FROM relation l WHERE l.org_id = u.org_id AND l.account_id = :account AND l.unit_id = u.unit_id
    AND 'medication.edit' = ANY (l.permissions) AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now))
ORDER BY u.name, u.unit_id;

-- name: people_to_delegate_to
-- The caregivers who help in these units, or these residents.
SELECT a.account_id AS id, a.name
FROM account a
WHERE a.org_id = :org AND a.role = 'caregiver' AND a.disabled_at IS NULL AND EXISTS (
  SELECT FROM relation l
  LEFT JOIN resident r ON r.org_id = l.org_id AND r.space_id = l.space_id
  WHERE l.org_id = a.org_id AND l.account_id = a.account_id
    AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)
    AND (l.unit_id = ANY (:units::uuid[]) OR r.unit_id = ANY (:units::uuid[]) OR l.space_id = ANY (:spaces::uuid[])
         OR l.unit_id IN (SELECT s.unit_id FROM resident s WHERE s.org_id = l.org_id AND s.space_id = ANY (:spaces::uuid[]))))
ORDER BY a.name, a.account_id;

-- name: delegations_held
-- What holds or held of delegations to these accounts, for each of these residents (by either space), from a moment on.
SELECT d.account_id AS account, r.space_id AS space, d.task, d.valid_from AS since,
       LEAST(d.ended_at, d.valid_to) AS until
FROM delegation d
JOIN resident r ON r.org_id = d.org_id AND (r.unit_id = ANY (d.units) OR r.space_id = ANY (d.spaces))
WHERE d.org_id = :org AND d.account_id = ANY (:accounts::uuid[])
  AND (r.space_id = ANY (:spaces::uuid[]) OR r.medication_id = ANY (:spaces::uuid[]))
  AND LEAST(d.ended_at, d.valid_to) > :after
ORDER BY d.account_id, r.space_id, d.task, d.valid_from;

-- name: role_and_policy
SELECT a.role, o.policy FROM account a JOIN organisation o ON o.org_id = a.org_id
WHERE a.org_id = :org AND a.account_id = :account;

-- name: organisations_that_delegate
-- Where something holds: looked after now and then.
SELECT DISTINCT org_id AS id FROM delegation WHERE ended_at IS NULL AND valid_to > :now ORDER BY org_id;

-- name: end_unreached_delegations
-- What ends with the person's role, account or relation: nothing is left of whom it lets help whom.
UPDATE delegation d SET ended_at = :now
WHERE d.org_id = :org AND d.ended_at IS NULL AND d.valid_to > :now AND NOT EXISTS (
  SELECT FROM account a
  JOIN relation l ON l.org_id = a.org_id AND l.account_id = a.account_id
    AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)
  LEFT JOIN resident r ON r.org_id = l.org_id AND r.space_id = l.space_id
  WHERE a.org_id = d.org_id AND a.account_id = d.account_id AND a.role = 'caregiver' AND a.disabled_at IS NULL
    AND (l.unit_id = ANY (d.units) OR r.unit_id = ANY (d.units) OR l.space_id = ANY (d.spaces)
         OR l.unit_id IN (SELECT s.unit_id FROM resident s WHERE s.org_id = d.org_id AND s.space_id = ANY (d.spaces))))
RETURNING d.delegation_id AS id, d.account_id AS account, d.given_by;

-- name: delegations_soon_over
-- What ends within a month and nobody has renewed, with how far people were told.
SELECT d.delegation_id AS id, d.account_id AS account, d.given_by, d.valid_to, d.warned_days
FROM delegation d
WHERE d.org_id = :org AND d.ended_at IS NULL AND d.valid_to > :now AND d.valid_to <= :before AND d.warned_days <> 7
  AND NOT EXISTS (SELECT FROM delegation n WHERE n.org_id = d.org_id AND n.renews = d.delegation_id AND n.ended_at IS NULL)
ORDER BY d.delegation_id
FOR UPDATE OF d SKIP LOCKED;

-- name: warned
UPDATE delegation d SET warned_days = w.days
FROM unnest(:ids::uuid[], :days::smallint[]) AS w (id, days)
WHERE d.org_id = :org AND d.delegation_id = w.id;
