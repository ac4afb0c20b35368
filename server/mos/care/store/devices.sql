-- name: devices_of_account
SELECT device_id AS id, name, app, zone_release, created_at, seen_at,
       push_endpoint IS NOT NULL AND push_gone_at IS NULL AS push, ring_test
FROM device
WHERE org_id = :org AND account_id = :account AND revoked_at IS NULL
ORDER BY seen_at DESC, device_id;

-- name: devices_of_residents
-- The devices that ring for these residents, and when each said that it has forgotten what the resident's space holds.
SELECT r.space_id AS space, d.device_id AS id, d.name, d.seen_at, d.beat_at, d.kiosk, d.permission, d.sound, d.battery,
       d.charging, d.storage_mb, d.persisted, d.app,
       d.push_endpoint IS NOT NULL AND d.push_gone_at IS NULL AS push, d.ring_test, p.purged_at,
       n.kind AS pin
FROM device d
JOIN resident r ON r.org_id = d.org_id AND r.account_id = d.account_id
LEFT JOIN device_space p ON p.org_id = d.org_id AND p.space_id = r.space_id AND p.device_id = d.device_id
LEFT JOIN pin n ON n.org_id = d.org_id AND n.device_id = d.device_id AND n.account_id = d.account_id
WHERE d.org_id = :org AND r.space_id = ANY (:spaces::uuid[]) AND d.revoked_at IS NULL
ORDER BY r.space_id, d.seen_at DESC, d.device_id;

-- name: take_device
-- The device rings for this account from now on. A push subscription belongs to the person before it.
INSERT INTO device (org_id, device_id, account_id, name, created_at, seen_at)
VALUES (:org, :device, :account, :name, :now, :now)
ON CONFLICT (org_id, device_id) DO UPDATE
SET account_id = excluded.account_id, name = excluded.name, seen_at = excluded.seen_at,
    revoked_at = NULL, wipe_nonce = NULL, wiped_at = NULL,
    push_endpoint = CASE WHEN device.account_id = excluded.account_id THEN device.push_endpoint END,
    push_p256dh = CASE WHEN device.account_id = excluded.account_id THEN device.push_p256dh END,
    push_auth = CASE WHEN device.account_id = excluded.account_id THEN device.push_auth END,
    push_since = CASE WHEN device.account_id = excluded.account_id THEN device.push_since END,
    ring_test = CASE WHEN device.account_id = excluded.account_id THEN device.ring_test END,
    beat_at = CASE WHEN device.account_id = excluded.account_id THEN device.beat_at END,
    kiosk = device.kiosk AND device.account_id = excluded.account_id;

-- name: device_seen
UPDATE device SET name = :name, app = :app, zone_release = :zone_release, seen_at = :now
WHERE org_id = :org AND device_id = :device AND account_id = :account AND revoked_at IS NULL;

-- name: asks_signer
-- Whether the device asks who signs, before each dose.
SELECT asks_signer AS yes FROM device
WHERE org_id = :org AND device_id = :device AND revoked_at IS NULL;

-- name: ask_signer
UPDATE device SET asks_signer = :asks
WHERE org_id = :org AND device_id = :device AND account_id = :account AND revoked_at IS NULL;

-- name: device_beat
UPDATE device SET seen_at = :now, beat_at = :now, app = :app, kiosk = :kiosk, permission = :permission, sound = :sound,
                  battery = :battery, charging = :charging, storage_mb = :storage, persisted = :persisted
WHERE org_id = :org AND device_id = :device AND account_id = :account AND revoked_at IS NULL;

-- name: spaces_of_resident
-- What rings on the devices of a resident's account; none for anybody else's.
SELECT s.space
FROM resident r CROSS JOIN LATERAL unnest(ARRAY[r.space_id, r.medication_id]) AS s (space)
WHERE r.org_id = :org AND r.account_id = :account
ORDER BY s.space;

-- name: save_push
UPDATE device SET push_endpoint = :endpoint, push_p256dh = :p256dh, push_auth = :auth, push_key = :key,
                  push_since = :now, push_gone_at = NULL
WHERE org_id = :org AND device_id = :device AND account_id = :account AND revoked_at IS NULL;

-- name: forget_push
UPDATE device SET push_endpoint = NULL, push_p256dh = NULL, push_auth = NULL, push_since = NULL
WHERE org_id = :org AND device_id = :device AND account_id = :account AND revoked_at IS NULL;

-- name: forget_push_elsewhere
-- One browser has one endpoint: a device that came before it in the same browser must not ring twice.
UPDATE device SET push_endpoint = NULL, push_p256dh = NULL, push_auth = NULL, push_since = NULL
WHERE org_id = :org AND push_endpoint = :endpoint AND device_id <> :device;

-- name: push_gone
UPDATE device SET push_gone_at = :now WHERE org_id = :org AND device_id = :device;

-- name: subscription_for_update
SELECT push_endpoint AS endpoint, push_p256dh AS p256dh, push_auth AS auth, push_key AS key, ring_test
FROM device
WHERE org_id = :org AND device_id = :device AND account_id = :account AND revoked_at IS NULL
FOR UPDATE;

-- name: save_ring_test
UPDATE device SET ring_test = :ring_test
WHERE org_id = :org AND device_id = :device AND account_id = :account AND revoked_at IS NULL;

-- name: revoke_device
UPDATE device SET revoked_at = :now, wipe_nonce = :nonce, push_endpoint = NULL, push_p256dh = NULL, push_auth = NULL,
                  push_since = NULL
WHERE org_id = :org AND device_id = :device AND account_id = :account AND revoked_at IS NULL;

-- name: wipe_nonce
-- The word that a revoked device was told.
SELECT wipe_nonce AS nonce FROM device
WHERE org_id = :org AND device_id = :device AND wipe_nonce IS NOT NULL;

-- name: device_wiped
UPDATE device SET wiped_at = COALESCE(wiped_at, :now) WHERE org_id = :org AND device_id = :device;

-- name: ended_devices
-- The devices that were ended after :after, and whether they have said that they are empty.
SELECT device_id AS id, name, seen_at, revoked_at AS ended_at, wiped_at FROM device
WHERE org_id = :org AND account_id = :account AND revoked_at > :after
ORDER BY revoked_at DESC, device_id;
