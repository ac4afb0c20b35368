-- name: bound_device
-- The device that a cookie was given to, while it has not been ended.
SELECT device_id AS id FROM device
WHERE org_id = :org AND bound_hash = :bound_hash AND revoked_at IS NULL;

-- name: bind_device
-- From now on another cookie stands for the device.
UPDATE device SET bound_hash = :bound_hash
WHERE org_id = :org AND device_id = :device AND revoked_at IS NULL;

-- name: is_bound
SELECT device_id AS id FROM device
WHERE org_id = :org AND device_id = :device AND account_id = :account
  AND bound_hash IS NOT NULL AND revoked_at IS NULL;

-- name: people_with_pin
-- Who can sign in by a PIN on a device, by name.
SELECT a.account_id AS account, a.name, a.role, p.kind
FROM pin p
JOIN account a ON a.org_id = p.org_id AND a.account_id = p.account_id
WHERE p.org_id = :org AND p.device_id = :device AND a.disabled_at IS NULL
ORDER BY a.name, a.account_id;

-- name: pin_of
SELECT kind, secret FROM pin
WHERE org_id = :org AND device_id = :device AND account_id = :account;

-- name: save_pin
INSERT INTO pin (org_id, device_id, account_id, kind, secret, set_by, set_at)
VALUES (:org, :device, :account, :kind, :secret, :set_by, :now)
ON CONFLICT (org_id, device_id, account_id)
DO UPDATE SET kind = excluded.kind, secret = excluded.secret, set_by = excluded.set_by,
              set_at = excluded.set_at, wrong = 0, used_at = NULL;

-- name: pin_right
UPDATE pin SET wrong = 0, used_at = :now
WHERE org_id = :org AND device_id = :device AND account_id = :account;

-- name: pin_wrong
UPDATE pin SET wrong = wrong + 1
WHERE org_id = :org AND device_id = :device AND account_id = :account
RETURNING wrong AS number;

-- name: remove_pin
DELETE FROM pin WHERE org_id = :org AND device_id = :device AND account_id = :account;

-- name: remove_pins_of_device
DELETE FROM pin WHERE org_id = :org AND device_id = :device
RETURNING account_id AS account, device_id AS device;

-- name: remove_pins_of_account
-- On all its devices but `kept`.
DELETE FROM pin
WHERE org_id = :org AND account_id = :account AND (:kept::uuid IS NULL OR device_id <> :kept)
RETURNING account_id AS account, device_id AS device;
