-- name: rotas_of_units
-- The rotas of these units, with the days on which somebody else has the turn.
SELECT r.rota_id AS id, r.unit_id AS unit, u.zone, r.name, r.weekdays, r.from_time AS "from", r.to_time AS "to", r.holidays, r.turn,
       r.accounts, r.valid_from, r.valid_to,
       COALESCE((SELECT jsonb_agg(jsonb_build_object('day', c.day, 'account', c.account_id) ORDER BY c.day)
                 FROM rota_change c WHERE c.org_id = r.org_id AND c.rota_id = r.rota_id), '[]') AS changes
FROM rota r JOIN unit u ON u.org_id = r.org_id AND u.unit_id = r.unit_id
WHERE r.org_id = :org AND r.unit_id = ANY (:units::uuid[]) ORDER BY r.name, r.rota_id

-- name: rota_for_update
SELECT r.rota_id AS id, r.unit_id AS unit, u.zone, r.name, r.weekdays, r.from_time AS "from", r.to_time AS "to", r.holidays, r.turn,
       r.accounts, r.valid_from, r.valid_to,
       COALESCE((SELECT jsonb_agg(jsonb_build_object('day', c.day, 'account', c.account_id) ORDER BY c.day)
                 FROM rota_change c WHERE c.org_id = r.org_id AND c.rota_id = r.rota_id), '[]') AS changes
FROM rota r JOIN unit u ON u.org_id = r.org_id AND u.unit_id = r.unit_id
WHERE r.org_id = :org AND r.rota_id = :rota FOR UPDATE OF r

-- name: save_rota
INSERT INTO rota AS r (org_id, rota_id, unit_id, name, weekdays, from_time, to_time, holidays, turn, accounts,
                       valid_from, valid_to, created_at)
VALUES (:org, :rota, :unit, :name, :weekdays, :from_time, :to_time, :holidays, :turn, :accounts, :valid_from,
        :valid_to, :now)
ON CONFLICT (org_id, rota_id) DO UPDATE SET name = excluded.name, weekdays = excluded.weekdays,
  from_time = excluded.from_time, to_time = excluded.to_time, holidays = excluded.holidays, turn = excluded.turn,
  accounts = excluded.accounts, valid_from = excluded.valid_from, valid_to = excluded.valid_to

-- name: remove_rota
-- Its changed days and duties go with it.
DELETE FROM rota WHERE org_id = :org AND rota_id = :rota

-- name: change_day
INSERT INTO rota_change AS c (org_id, rota_id, day, account_id, changed_by, changed_at)
VALUES (:org, :rota, :day, :account, :by, :now)
ON CONFLICT (org_id, rota_id, day) DO UPDATE SET account_id = excluded.account_id, changed_by = excluded.changed_by,
  changed_at = excluded.changed_at

-- name: unchange_day
DELETE FROM rota_change WHERE org_id = :org AND rota_id = :rota AND day = :day

-- name: not_called
-- Which of these accounts may not take alerts of the whole unit.
SELECT a AS id FROM unnest(:accounts::uuid[]) AS a
WHERE NOT EXISTS (
  SELECT FROM relation x JOIN account o ON o.org_id = x.org_id AND o.account_id = x.account_id
  WHERE x.org_id = :org AND x.account_id = a AND x.unit_id = :unit AND 'alert.take' = ANY (x.permissions)
    AND x.valid_from <= :now AND (x.valid_to IS NULL OR :now < x.valid_to) AND o.disabled_at IS NULL)

-- name: replace_duty
-- Who has duty by these rotas, what has not ended yet.
WITH gone AS (
  DELETE FROM duty WHERE org_id = :org AND rota_id = ANY (:of::uuid[]) AND to_at > :now
    AND (rota_id, from_at) NOT IN (SELECT * FROM unnest(:rotas::uuid[], :from_ats::timestamptz[]))
)
INSERT INTO duty AS d (org_id, unit_id, account_id, from_at, to_at, rota_id)
SELECT :org, g.* FROM unnest(:units::uuid[], :accounts::uuid[], :from_ats::timestamptz[], :to_ats::timestamptz[],
                             :rotas::uuid[]) AS g
ON CONFLICT (org_id, rota_id, from_at) DO UPDATE SET unit_id = excluded.unit_id, account_id = excluded.account_id,
  to_at = excluded.to_at

-- name: extend_rotas
UPDATE rota SET duty_until = :until WHERE org_id = :org AND rota_id = ANY (:rotas::uuid[])

-- name: short_rotas
-- Units with a rota whose duty is known less far than `before`.
SELECT DISTINCT org_id AS org, unit_id AS unit FROM rota
WHERE duty_until IS NULL OR duty_until < :before ORDER BY org_id, unit_id LIMIT :limit

-- name: duty_of_units
-- Who has duty in these units between two moments.
SELECT d.rota_id AS rota, r.name, d.unit_id AS unit, u.zone, d.account_id AS account, d.from_at AS "from", d.to_at AS "to"
FROM duty d JOIN rota r ON r.org_id = d.org_id AND r.rota_id = d.rota_id
JOIN unit u ON u.org_id = d.org_id AND u.unit_id = d.unit_id
WHERE d.org_id = :org AND d.unit_id = ANY (:units::uuid[]) AND d.to_at > :now AND d.from_at < :until
ORDER BY d.from_at, r.name, d.rota_id

-- name: duty_of_account
SELECT d.rota_id AS rota, r.name, d.unit_id AS unit, u.zone, d.account_id AS account, d.from_at AS "from", d.to_at AS "to"
FROM duty d JOIN rota r ON r.org_id = d.org_id AND r.rota_id = d.rota_id
JOIN unit u ON u.org_id = d.org_id AND u.unit_id = d.unit_id
WHERE d.org_id = :org AND d.account_id = :account AND d.to_at > :now AND d.from_at < :until
ORDER BY d.from_at, r.name, d.rota_id

-- name: quiet_hours
-- When somebody rests; no row: never.
SELECT quiet_from AS "from", quiet_to AS "to", quiet_zone AS zone
FROM account WHERE org_id = :org AND account_id = :account AND quiet_from IS NOT NULL

-- name: save_quiet_hours
UPDATE account SET quiet_from = :start, quiet_to = :end, quiet_zone = :zone
WHERE org_id = :org AND account_id = :account
