-- name: sign_in_organisation
SELECT org_id AS id, several FROM sign_in_organisation(:named::uuid);

-- name: known_by_email
SELECT a.account_id AS account, c.secret, a.disabled_at IS NOT NULL AS disabled
FROM account a
JOIN credential c ON c.org_id = a.org_id AND c.account_id = a.account_id AND c.kind = 'password'
WHERE a.org_id = :org AND a.email = :email;

-- name: count_try
-- Count a try before it is made, so that many at once cannot outrun the limit. No row: locked.
INSERT INTO sign_in_limit AS l (key_hash, failures, window_start)
VALUES (:key, 1, :now)
ON CONFLICT (key_hash) DO UPDATE
SET failures = CASE WHEN l.window_start < :forgotten THEN 1 ELSE l.failures + 1 END,
    window_start = CASE WHEN l.window_start < :forgotten THEN :now ELSE l.window_start END,
    locked_until = NULL
WHERE l.locked_until IS NULL OR l.locked_until <= :now
RETURNING failures;

-- name: locked_until
SELECT locked_until FROM sign_in_limit WHERE key_hash = :key AND locked_until IS NOT NULL;

-- name: lock_until
UPDATE sign_in_limit SET locked_until = :until WHERE key_hash = :key;

-- name: forget_tries
DELETE FROM sign_in_limit WHERE key_hash = :key;

-- name: take_back_try
-- The try was right after all. Its own lock goes with it, one that others earned stays.
UPDATE sign_in_limit
SET failures = GREATEST(failures - 1, 0),
    locked_until = CASE WHEN failures > :free THEN locked_until END
WHERE key_hash = :key;

-- name: forget_old_tries
-- More than a try adds, so that the table never holds more than a day of them, whoever tries.
DELETE FROM sign_in_limit WHERE key_hash IN (
  SELECT key_hash FROM sign_in_limit
  WHERE window_start < :forgotten AND (locked_until IS NULL OR locked_until <= :now)
  ORDER BY window_start LIMIT 20 FOR UPDATE SKIP LOCKED);
