-- name: session_lookup
-- The session behind a cookie's hash; behind a former one for some seconds, not stepped up.
SELECT org_id AS org, session_id AS session, account_id AS account, device_id AS device, role,
       created_at, seen_at, expires_at, revoked_at, disabled_at, wipe_nonce,
       methods, strong_at
FROM session_bearer(:token_hash, :now);

-- name: session_seen
-- Remember that a session is in use and move its end. Written at most once a minute.
UPDATE session SET seen_at = :now, expires_at = :expires_at
WHERE org_id = :org AND session_id = :session AND revoked_at IS NULL;

-- name: sessions_of_actor
SELECT s.session_id AS id, s.device_id AS device, d.name AS device_name, d.account_id AS owner,
       s.created_at, s.seen_at, s.session_id = :session AS current
FROM session s
LEFT JOIN device d ON d.org_id = s.org_id AND d.device_id = s.device_id
WHERE s.org_id = :org AND s.account_id = :account AND s.revoked_at IS NULL AND s.expires_at > :now
  AND NOT s.signs_only
ORDER BY s.seen_at DESC, s.session_id;

-- name: add_session
INSERT INTO session (org_id, session_id, account_id, device_id, token_hash, created_at, seen_at,
                     expires_at, methods, strong_at)
VALUES (:org, :session, :account, :device, :token_hash, :now, :now, :expires_at, :methods,
        :strong_at);

-- name: add_signature
-- A session that only signs: nobody has what hashes to its :token_hash.
INSERT INTO session (org_id, session_id, account_id, device_id, token_hash, created_at, seen_at,
                     expires_at, methods, signs_only)
VALUES (:org, :session, :account, :device, :token_hash, :now, :now, :expires_at, :methods, true);

-- name: end_signatures
-- Somebody's sessions that only sign, on one device.
UPDATE session SET revoked_at = :now
WHERE org_id = :org AND account_id = :account AND device_id = :device AND signs_only
  AND revoked_at IS NULL AND expires_at > :now;

-- name: step_up_session
-- Another cookie for the session, and the one before for a little longer.
WITH before AS (
  SELECT org_id, session_id, token_hash FROM session
  WHERE org_id = :org AND session_id = :session AND revoked_at IS NULL
  FOR UPDATE
), past AS (
  DELETE FROM session_former f USING before b
  WHERE f.org_id = b.org_id AND f.session_id = b.session_id AND f.until <= :now
), former AS (
  INSERT INTO session_former (token_hash, org_id, session_id, until)
  SELECT token_hash, org_id, session_id, :former_until::timestamptz FROM before
)
UPDATE session s
SET token_hash = :token_hash, strong_at = :now, methods = :methods
FROM before b
WHERE s.org_id = b.org_id AND s.session_id = b.session_id;

-- name: move_session
UPDATE session SET device_id = :device
WHERE org_id = :org AND session_id = :session AND revoked_at IS NULL;

-- name: end_session
UPDATE session SET revoked_at = :now
WHERE org_id = :org AND account_id = :account AND session_id = :session AND revoked_at IS NULL;

-- name: end_sessions
-- All of an account's sessions but `kept`.
UPDATE session SET revoked_at = :now
WHERE org_id = :org AND account_id = :account AND revoked_at IS NULL
  AND (:kept::uuid IS NULL OR session_id <> :kept);

-- name: silence_signed_out
-- A device on which nobody is signed in any more gets no push for the person before.
UPDATE device d SET push_endpoint = NULL, push_p256dh = NULL, push_auth = NULL, push_since = NULL
WHERE d.org_id = :org AND d.account_id = :account AND d.push_endpoint IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM session s
                  WHERE s.org_id = d.org_id AND s.device_id = d.device_id
                    AND s.account_id = d.account_id AND NOT s.signs_only
                    AND s.revoked_at IS NULL AND s.expires_at > :now);

-- name: end_sessions_of_device
UPDATE session SET revoked_at = :now
WHERE org_id = :org AND device_id = :device AND revoked_at IS NULL;

-- name: device_holder
-- The live session of another account on this device, if one is open.
SELECT session_id AS id FROM session
WHERE org_id = :org AND device_id = :device AND account_id <> :account AND NOT signs_only
  AND revoked_at IS NULL AND expires_at > :now
LIMIT 1;

-- name: session_author
-- Whose a session is or was, and for how long: :session of any of the organisation's people.
SELECT s.account_id AS account, a.role, s.device_id AS device, s.created_at AS since,
       LEAST(s.expires_at, s.revoked_at) AS until, a.disabled_at IS NOT NULL AS disabled
FROM session s
JOIN account a ON a.org_id = s.org_id AND a.account_id = s.account_id
WHERE s.org_id = :org AND s.session_id = :session;
