-- name: contacts_of
-- A person's contacts, or without `account` the organisation's webhooks.
SELECT contact_id AS id, channel, address, label, when_told AS "when", verified_at IS NOT NULL AS verified,
  gone_at IS NOT NULL AS gone, created_at
FROM contact WHERE org_id = :org AND account_id IS NOT DISTINCT FROM :account::uuid
ORDER BY created_at, contact_id

-- name: webhooks_of
-- The organisation's own.
SELECT contact_id AS id, channel, address, label, when_told AS "when", verified_at IS NOT NULL AS verified,
  gone_at IS NOT NULL AS gone, created_at, paused_at,
  CASE WHEN old_secret_until > :now THEN old_secret_until END AS old_secret_until
FROM contact WHERE org_id = :org AND account_id IS NULL ORDER BY created_at, contact_id

-- name: contact_for_update
SELECT contact_id AS id, channel, address, label, when_told AS "when", verified_at IS NOT NULL AS verified,
  gone_at IS NOT NULL AS gone, created_at, code_hash, code_expires_at, failures, secret, paused_at, old_secret,
  old_secret_until
FROM contact
WHERE org_id = :org AND contact_id = :contact AND account_id IS NOT DISTINCT FROM :account::uuid FOR UPDATE

-- name: add_contact
INSERT INTO contact (org_id, contact_id, account_id, channel, address, address_digest, label, when_told, secret,
                     verified_at, created_at)
VALUES (:org, :contact, :account, :channel, :address, :address_digest, :label, :when_told, :secret, :verified_at, :now)

-- name: save_contact
UPDATE contact SET label = :label, when_told = :when_told WHERE org_id = :org AND contact_id = :contact

-- name: save_webhook
UPDATE contact SET label = :label, paused_at = :paused_at WHERE org_id = :org AND contact_id = :contact

-- name: rotate_secret
-- What was signed with until now signs beside the new one, until then.
UPDATE contact SET old_secret = secret, old_secret_until = :old_until, secret = :secret
WHERE org_id = :org AND contact_id = :contact

-- name: save_code
UPDATE contact SET code_hash = :code_hash, code_expires_at = :expires_at, failures = 0
WHERE org_id = :org AND contact_id = :contact

-- name: code_failed
UPDATE contact SET failures = failures + 1 WHERE org_id = :org AND contact_id = :contact

-- name: contact_verified
UPDATE contact SET verified_at = :now, gone_at = NULL, code_hash = NULL, code_expires_at = NULL, failures = 0
WHERE org_id = :org AND contact_id = :contact

-- name: remove_contact
DELETE FROM contact WHERE org_id = :org AND contact_id = :contact AND account_id IS NOT DISTINCT FROM :account::uuid

-- name: forget_contact_tries
DELETE FROM contact_try WHERE org_id = :org AND account_id = :account AND at < :before

-- name: contact_tries
SELECT count(*) AS number, max(at) AS latest FROM contact_try WHERE org_id = :org AND account_id = :account

-- name: add_contact_try
INSERT INTO contact_try (org_id, account_id, at, try_id) VALUES (:org, :account, :at, :id)
