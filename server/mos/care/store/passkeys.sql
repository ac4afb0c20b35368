-- name: passkeys_of
-- An account's passkeys, oldest first.
SELECT passkey_id AS id, account_id AS account, credential, public_key, sign_count, transports,
       synced, name, created_at, used_at
FROM passkey WHERE org_id = :org AND account_id = :account
ORDER BY created_at, passkey_id;

-- name: passkey_by_credential
-- Locked: of two answers with one counter, the second finds it moved.
SELECT passkey_id AS id, account_id AS account, credential, public_key, sign_count, transports,
       synced, name, created_at, used_at
FROM passkey WHERE org_id = :org AND credential = :credential FOR UPDATE;

-- name: add_passkey
INSERT INTO passkey (org_id, passkey_id, account_id, credential, public_key, sign_count,
                     transports, synced, name, created_at)
VALUES (:org, :id, :account, :credential, :public_key, :sign_count, :transports, :synced, :name,
        :now);

-- name: passkey_used
UPDATE passkey SET sign_count = :sign_count, synced = :synced, used_at = :now
WHERE org_id = :org AND passkey_id = :id;

-- name: rename_passkey
UPDATE passkey SET name = :name
WHERE org_id = :org AND account_id = :account AND passkey_id = :id;

-- name: remove_passkey
DELETE FROM passkey WHERE org_id = :org AND account_id = :account AND passkey_id = :id;

-- name: spend_challenge
-- Of two answers to one challenge, the second adds nothing.
WITH old AS (
  DELETE FROM challenge_spent WHERE challenge_hash IN (
    SELECT challenge_hash FROM challenge_spent WHERE expires_at <= :now
    ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED)
)
INSERT INTO challenge_spent (challenge_hash, expires_at) VALUES (:challenge_hash, :expires_at)
ON CONFLICT DO NOTHING;
