-- A person goes, and what must keep them.

-- name: kept_for
-- What an erasure must know of somebody: whose rules hold, whether the law has them kept, when they left.
SELECT a.account_id AS account, r.space_id AS space, o.policy, h.why AS hold, r.archived_at
FROM account a
JOIN organisation o ON o.org_id = a.org_id
LEFT JOIN resident r ON r.org_id = a.org_id AND r.account_id = a.account_id
LEFT JOIN legal_hold h ON h.org_id = a.org_id AND h.account_id = a.account_id
WHERE a.org_id = :org AND a.account_id = :account;

-- name: holds
SELECT h.account_id AS account, h.why, h.set_by AS by, h.set_at AS at
FROM legal_hold h WHERE h.org_id = :org ORDER BY h.set_at;

-- name: hold
INSERT INTO legal_hold (org_id, account_id, why, set_by, set_at) VALUES (:org, :account, :why, :by, :now)
ON CONFLICT (org_id, account_id) DO UPDATE SET why = excluded.why, set_by = excluded.set_by, set_at = excluded.set_at;

-- name: lift
DELETE FROM legal_hold WHERE org_id = :org AND account_id = :account;

-- name: forget_person
-- Nothing that says who it was stays. The nameless rest lets their devices learn that they are to be emptied, and
-- lets what they did for others stay somebody's.
WITH r AS (DELETE FROM relation WHERE org_id = :org AND (account_id = :account OR space_id = :space)),
     em AS (DELETE FROM emergency WHERE org_id = :org AND space_id = :space),
     rp AS (DELETE FROM resident_past WHERE org_id = :org AND space_id = :space),
     c AS (DELETE FROM credential WHERE org_id = :org AND account_id = :account),
     p AS (DELETE FROM passkey WHERE org_id = :org AND account_id = :account),
     idn AS (DELETE FROM identity WHERE org_id = :org AND account_id = :account),
     tp AS (DELETE FROM totp WHERE org_id = :org AND account_id = :account),
     rv AS (DELETE FROM recovery_code WHERE org_id = :org AND account_id = :account),
     pi AS (DELETE FROM pin WHERE org_id = :org AND account_id = :account),
     k AS (DELETE FROM contact WHERE org_id = :org AND account_id = :account),
     t AS (DELETE FROM contact_try WHERE org_id = :org AND account_id = :account),
     i AS (DELETE FROM invitation WHERE org_id = :org AND account_id = :account),
     dy AS (DELETE FROM duty WHERE org_id = :org AND account_id = :account),
     rc AS (DELETE FROM rota_change WHERE org_id = :org AND account_id = :account),
     ro AS (UPDATE rota SET accounts = array_remove(accounts, :account)
            WHERE org_id = :org AND :account = ANY (accounts)),
     s AS (UPDATE session SET revoked_at = :now WHERE org_id = :org AND account_id = :account AND revoked_at IS NULL),
     d AS (UPDATE device SET name = '', push_endpoint = NULL, push_p256dh = NULL, push_auth = NULL, push_key = NULL,
                  push_since = NULL, ring_test = NULL, app = '', zone_release = '', permission = NULL, sound = NULL,
                  battery = NULL, charging = NULL, storage_mb = NULL, persisted = NULL,
                  revoked_at = COALESCE(revoked_at, :now),
                  -- The organisation's id, by which the answer is found, and 122 bits that nobody guesses.
                  wipe_nonce = COALESCE(wipe_nonce, replace(org_id::text, '-', '')
                                        || replace(gen_random_uuid()::text, '-', ''))
           WHERE org_id = :org AND account_id = :account),
     re AS (UPDATE resident SET flat = '', archived_at = COALESCE(archived_at, :now)
            WHERE org_id = :org AND account_id = :account),
     l AS (INSERT INTO erased_person (org_id, account_id, erased_at, despite)
           SELECT a.org_id, a.account_id, :now, :despite FROM account a WHERE a.org_id = :org AND a.account_id = :account
           ON CONFLICT DO NOTHING)
UPDATE account SET name = '-', email = NULL, quiet_from = NULL, quiet_to = NULL, quiet_zone = NULL,
                   disabled_at = COALESCE(disabled_at, :now)
WHERE org_id = :org AND account_id = :account;

-- name: erased_people
-- Everybody who was erased, of all organisations; ids only.
SELECT org_id AS org, account_id AS account, erased_at AS at FROM care_erased();
