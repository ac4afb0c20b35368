-- name: totp
-- Locked: of two who send one code, the second finds it used.
SELECT secret, since, last_step, pending, pending_at FROM totp
WHERE org_id = :org AND account_id = :account FOR UPDATE;

-- name: second_factors
-- What an account has beside its password.
SELECT EXISTS (SELECT 1 FROM passkey p WHERE p.org_id = :org AND p.account_id = :account) AS passkey,
       EXISTS (SELECT 1 FROM totp t WHERE t.org_id = :org AND t.account_id = :account
                                      AND t.secret IS NOT NULL) AS totp;

-- name: totp_state
SELECT t.since, (SELECT count(*)::int FROM recovery_code c
                 WHERE c.org_id = t.org_id AND c.account_id = t.account_id) AS codes_left
FROM totp t WHERE t.org_id = :org AND t.account_id = :account AND t.secret IS NOT NULL;

-- name: begin_totp
-- What is confirmed stays until the new one is.
INSERT INTO totp (org_id, account_id, pending, pending_at) VALUES (:org, :account, :pending, :now)
ON CONFLICT (org_id, account_id) DO UPDATE SET pending = excluded.pending, pending_at = excluded.pending_at;

-- name: confirm_totp
UPDATE totp SET secret = pending, since = :now, last_step = :step, pending = NULL, pending_at = NULL
WHERE org_id = :org AND account_id = :account AND pending IS NOT NULL;

-- name: totp_used
UPDATE totp SET last_step = :step WHERE org_id = :org AND account_id = :account;

-- name: remove_totp
DELETE FROM totp WHERE org_id = :org AND account_id = :account;

-- name: add_recovery_codes
INSERT INTO recovery_code (org_id, account_id, code_hash, made_at)
SELECT :org, :account, hash, :now FROM unnest(:hashes::bytea[]) AS hash;

-- name: use_recovery_code
DELETE FROM recovery_code WHERE org_id = :org AND account_id = :account AND code_hash = :code_hash;

-- name: remove_recovery_codes
DELETE FROM recovery_code WHERE org_id = :org AND account_id = :account;

-- name: remove_passkeys
DELETE FROM passkey WHERE org_id = :org AND account_id = :account;

-- name: second_factor_rule
-- The organisation's rule, and how many of its staff can sign in and have nothing beside their password.
SELECT o.second_factor_from AS since,
       (SELECT count(*)::int FROM account a
        WHERE a.org_id = o.org_id AND a.role = ANY (:roles::text[]) AND a.disabled_at IS NULL
          AND EXISTS (SELECT 1 FROM credential c
                      WHERE c.org_id = a.org_id AND c.account_id = a.account_id AND c.kind = 'password')
          AND NOT EXISTS (SELECT 1 FROM passkey p WHERE p.org_id = a.org_id AND p.account_id = a.account_id)
          AND NOT EXISTS (SELECT 1 FROM totp t WHERE t.org_id = a.org_id AND t.account_id = a.account_id
                          AND t.secret IS NOT NULL)) AS missing
FROM organisation o WHERE o.org_id = :org;

-- name: require_second_factor
UPDATE organisation SET second_factor_from = :since WHERE org_id = :org;

-- name: asked_for_second_factor
-- What says from when on an account needs one.
SELECT a.role, o.second_factor_from AS since, a.created_at AS added_at
FROM account a JOIN organisation o ON o.org_id = a.org_id
WHERE a.org_id = :org AND a.account_id = :account;
