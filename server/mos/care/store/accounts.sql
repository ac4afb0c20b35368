-- name: accounts_within
-- The people that a manager sees: those of the managed units, and those of managed roles who belong
-- nowhere yet.
-- `units` are those of live relations; `within` says whether nothing of theirs lies outside.
SELECT a.account_id AS id, a.role, a.name, a.email, a.language,
       a.disabled_at IS NOT NULL AS disabled,
       EXISTS (SELECT 1 FROM credential c
               WHERE c.org_id = a.org_id AND c.account_id = a.account_id) AS has_password,
       EXISTS (SELECT 1 FROM passkey k WHERE k.org_id = a.org_id AND k.account_id = a.account_id)
       OR EXISTS (SELECT 1 FROM totp f WHERE f.org_id = a.org_id AND f.account_id = a.account_id
                  AND f.secret IS NOT NULL) AS has_second_factor,
       EXISTS (SELECT 1 FROM identity n JOIN identity_provider v ON v.org_id = n.org_id AND v.issuer = n.issuer
               WHERE n.org_id = a.org_id AND n.account_id = a.account_id) AS linked,
       (SELECT max(i.expires_at) FROM invitation i
        WHERE i.org_id = a.org_id AND i.account_id = a.account_id
          AND i.used_at IS NULL AND i.expires_at > :now AND i.kind <> 'reset') AS invited_until,
       COALESCE(t.units, '{}') AS units,
       :everything OR COALESCE(t.within, true) AS within
FROM account a
LEFT JOIN LATERAL (
  SELECT array_agg(DISTINCT p.own_unit) FILTER (WHERE p.own_unit IS NOT NULL) AS units,
         bool_or(p.unit = ANY (:managed::uuid[])) AS touched,
         bool_and(p.unit = ANY (:managed::uuid[])) AS within
  FROM (
    SELECT COALESCE(l.unit_id, r.unit_id) AS unit,
           CASE WHEN l.valid_to IS NULL OR l.valid_to > :now THEN l.unit_id END AS own_unit
    FROM relation l
    LEFT JOIN resident r ON r.org_id = l.org_id AND r.space_id = l.space_id
    WHERE l.org_id = a.org_id AND l.account_id = a.account_id
    UNION ALL
    SELECT r.unit_id, r.unit_id
    FROM resident r WHERE r.org_id = a.org_id AND r.account_id = a.account_id
  ) AS p
) AS t ON true
WHERE a.org_id = :org
  AND (:account::uuid IS NULL OR a.account_id = :account)
  AND (:everything OR COALESCE(t.touched, a.role = ANY (:roles::text[])))
ORDER BY a.name, a.account_id;

-- name: account
SELECT account_id AS id, role, name, email, language, disabled_at IS NOT NULL AS disabled
FROM account WHERE org_id = :org AND account_id = :account;

-- name: add_account
INSERT INTO account (org_id, account_id, role, name, email, language, created_at)
VALUES (:org, :account, :role, :name, :email, :language, :now);

-- name: save_account
UPDATE account
SET role = :role, name = :name, email = :email, language = :language,
    disabled_at = CASE WHEN :disabled THEN COALESCE(disabled_at, :now) END
WHERE org_id = :org AND account_id = :account;

-- name: people
-- Everyone whose name may appear in these spaces: the residents and all who were ever related to them,
-- also by their unit, since what they did there stays.
SELECT DISTINCT a.account_id AS id, a.name, a.role
FROM account a
WHERE a.org_id = :org AND (
  a.account_id = :account
  OR EXISTS (SELECT 1 FROM resident r
             WHERE r.org_id = a.org_id AND r.account_id = a.account_id
               AND r.space_id = ANY (:spaces::uuid[]))
  OR EXISTS (SELECT 1 FROM relation l JOIN resident r ON r.org_id = l.org_id
               AND (r.space_id = l.space_id OR r.unit_id = l.unit_id)
             WHERE l.org_id = a.org_id AND l.account_id = a.account_id
               AND r.space_id = ANY (:spaces::uuid[])))
ORDER BY a.name, a.account_id;

-- name: password
SELECT secret FROM credential
WHERE org_id = :org AND account_id = :account AND kind = 'password';

-- name: save_password
INSERT INTO credential (org_id, credential_id, account_id, kind, secret, created_at)
VALUES (:org, :credential, :account, 'password', :secret, :now)
ON CONFLICT (org_id, account_id, kind)
DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at;
