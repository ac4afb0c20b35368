-- Who is here and who may do what. Statements run inside one organisation's row-level security scope
-- and name the organisation all the same; those that run before it is known are in the last part.

-- ───────────────────────────────────────────────────────────── what an account reaches

-- name: access
-- Each space that an account reaches and the words it was given there: by a relation to the resident,
-- by one to the resident's unit, or by being the resident.
SELECT space_id AS space, array_agg(DISTINCT word) AS words,
       (SELECT policy FROM organisation WHERE org_id = :org) AS policy
FROM (
  SELECT r.space_id, unnest(l.permissions) AS word
  FROM relation l
  JOIN resident r ON r.org_id = l.org_id AND r.space_id = l.space_id
  WHERE l.org_id = :org AND l.account_id = :account AND r.archived_at IS NULL
    AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)
  UNION ALL
  SELECT r.space_id, unnest(l.permissions)
  FROM relation l
  JOIN resident r ON r.org_id = l.org_id AND r.unit_id = l.unit_id
  WHERE l.org_id = :org AND l.account_id = :account AND r.archived_at IS NULL
    AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)
  UNION ALL
  SELECT r.space_id, unnest(:own::text[])
  FROM resident r
  WHERE r.org_id = :org AND r.account_id = :account AND r.archived_at IS NULL
) AS given
GROUP BY space_id
ORDER BY space_id;

-- name: managed_units
-- The units that an account manages by a live relation, where the organisation's policy lets its role.
SELECT l.unit_id AS id
FROM relation l
JOIN organisation o ON o.org_id = l.org_id AND o.policy = ANY (:policies::text[])
WHERE l.org_id = :org AND l.account_id = :account AND l.unit_id IS NOT NULL
  AND 'care.manage' = ANY (l.permissions)
  AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now);

-- name: stewards
-- Who can sign in and manages everything until further notice: administrators, and in a family the
-- relatives who manage each of its units.
SELECT count(*)::int AS number
FROM account a
JOIN organisation o ON o.org_id = a.org_id
WHERE a.org_id = :org AND a.disabled_at IS NULL
  AND EXISTS (SELECT 1 FROM credential c WHERE c.org_id = a.org_id AND c.account_id = a.account_id)
  AND (a.role = 'admin' OR (
    a.role = 'relative' AND o.policy = ANY (:policies::text[])
    AND EXISTS (SELECT 1 FROM unit u WHERE u.org_id = a.org_id)
    AND NOT EXISTS (
      SELECT 1 FROM unit u
      WHERE u.org_id = a.org_id AND NOT EXISTS (
        SELECT 1 FROM relation l
        WHERE l.org_id = a.org_id AND l.account_id = a.account_id AND l.unit_id = u.unit_id
          AND 'care.manage' = ANY (l.permissions) AND l.valid_from <= :now AND l.valid_to IS NULL))));

-- ───────────────────────────────────────────────────────────── the organisation

-- name: organisation
SELECT org_id AS id, name, policy, zone, language FROM organisation WHERE org_id = :org;

-- name: lock_organisation
-- Held while somebody may cease to manage: two who step down at once must see each other.
SELECT org_id AS id, name, policy, zone, language FROM organisation
WHERE org_id = :org FOR NO KEY UPDATE;

-- name: add_organisation
INSERT INTO organisation (org_id, name, policy, zone, language, created_at)
VALUES (:org, :name, :policy, :zone, :language, :now);

-- ───────────────────────────────────────────────────────────── units

-- name: units_within
SELECT unit_id AS id, name, zone, language, archived_at
FROM unit
WHERE org_id = :org AND (:everything OR unit_id = ANY (:units::uuid[]))
ORDER BY name, unit_id;

-- name: unit_for_update
SELECT unit_id AS id, name, zone, language, archived_at
FROM unit WHERE org_id = :org AND unit_id = :unit FOR UPDATE;

-- name: add_unit
INSERT INTO unit (org_id, unit_id, name, zone, language, created_at)
VALUES (:org, :unit, :name, :zone, :language, :now);

-- name: save_unit
UPDATE unit SET name = :name, zone = :zone, language = :language, archived_at = :archived_at
WHERE org_id = :org AND unit_id = :unit;

-- name: residents_in_unit
SELECT count(*)::int AS number FROM resident
WHERE org_id = :org AND unit_id = :unit AND archived_at IS NULL;

-- name: units_of_actor
-- The units of an account's relations and of the residents that it reaches.
SELECT unit_id AS id, name, zone, language, archived_at
FROM unit u
WHERE org_id = :org AND archived_at IS NULL AND (
  :everything
  OR EXISTS (SELECT 1 FROM resident r WHERE r.org_id = u.org_id AND r.unit_id = u.unit_id
             AND r.space_id = ANY (:spaces::uuid[]))
  OR EXISTS (SELECT 1 FROM relation l WHERE l.org_id = u.org_id AND l.unit_id = u.unit_id
             AND l.account_id = :account
             AND l.valid_from <= :now AND (l.valid_to IS NULL OR l.valid_to > :now)))
ORDER BY name, unit_id;

-- ───────────────────────────────────────────────────────────── accounts

-- name: accounts_within
-- The people that a manager sees: those of the managed units, and those of managed roles who belong
-- nowhere yet.
-- `units` are those of live relations; `within` says whether nothing of theirs lies outside.
SELECT a.account_id AS id, a.role, a.name, a.email, a.language,
       a.disabled_at IS NOT NULL AS disabled,
       EXISTS (SELECT 1 FROM credential c
               WHERE c.org_id = a.org_id AND c.account_id = a.account_id) AS has_password,
       (SELECT max(i.expires_at) FROM invitation i
        WHERE i.org_id = a.org_id AND i.account_id = a.account_id
          AND i.used_at IS NULL AND i.expires_at > :now) AS invited_until,
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

-- ───────────────────────────────────────────────────────────── residents

-- name: residents_within
SELECT r.space_id AS space, r.account_id AS account, a.name, r.flat, r.unit_id AS unit, a.language,
       r.archived_at
FROM resident r
JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
WHERE r.org_id = :org AND (:everything OR r.unit_id = ANY (:units::uuid[]))
ORDER BY a.name, r.space_id;

-- name: residents_of_spaces
SELECT r.space_id AS space, r.account_id AS account, a.name, r.flat, r.unit_id AS unit, a.language,
       r.archived_at
FROM resident r
JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
WHERE r.org_id = :org AND r.space_id = ANY (:spaces::uuid[])
ORDER BY a.name, r.space_id;

-- name: resident_for_update
SELECT r.space_id AS space, r.account_id AS account, a.name, r.flat, r.unit_id AS unit, a.language,
       r.archived_at
FROM resident r
JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
WHERE r.org_id = :org AND r.space_id = :space
FOR UPDATE;

-- name: resident_of_account
SELECT r.space_id AS space, r.account_id AS account, a.name, r.flat, r.unit_id AS unit, a.language,
       r.archived_at
FROM resident r
JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
WHERE r.org_id = :org AND r.account_id = :account;

-- name: add_space
INSERT INTO space (org_id, space_id, kind) VALUES (:org, :space, 'resident');

-- name: add_resident
INSERT INTO resident (org_id, space_id, account_id, unit_id, flat)
VALUES (:org, :space, :account, :unit, :flat);

-- name: save_resident
UPDATE resident SET unit_id = :unit, flat = :flat, archived_at = :archived_at
WHERE org_id = :org AND space_id = :space;

-- name: lock_space
-- Whoever changes a resident and what their profile says of it takes the space first, as a push does.
SELECT space_id AS id FROM space WHERE org_id = :org AND space_id = :space FOR NO KEY UPDATE;

-- name: follow_profiles
-- Supporters wrote these profiles (NULL: nothing of it). Who is called so, and where, is known here too.
WITH told AS (
  SELECT r.org_id, r.space_id, r.account_id, t.name, t.flat, t.language
  FROM unnest(:spaces::uuid[], :names::text[], :flats::text[], :languages::text[])
    AS t (space_id, name, flat, language)
  JOIN resident r ON r.org_id = :org AND r.space_id = t.space_id
), moved AS (
  UPDATE resident r SET flat = t.flat FROM told t
  WHERE r.org_id = t.org_id AND r.space_id = t.space_id AND r.flat <> t.flat
)
UPDATE account a SET name = COALESCE(t.name, a.name), language = COALESCE(t.language, a.language)
FROM told t
WHERE a.org_id = t.org_id AND a.account_id = t.account_id
  AND (a.name, a.language) <> (COALESCE(t.name, a.name), COALESCE(t.language, a.language));

-- ───────────────────────────────────────────────────────────── relations

-- name: relations_within
-- Relations that have not ended, of the managed units and their residents.
SELECT l.relation_id AS id, l.account_id AS account, l.space_id AS space, l.unit_id AS unit,
       l.permissions, l.is_primary, l.consent, l.valid_from, l.valid_to
FROM relation l
LEFT JOIN resident r ON r.org_id = l.org_id AND r.space_id = l.space_id
WHERE l.org_id = :org AND (l.valid_to IS NULL OR l.valid_to > :now)
  AND (:everything OR COALESCE(l.unit_id, r.unit_id) = ANY (:units::uuid[]))
ORDER BY l.valid_from, l.relation_id;

-- name: relation_for_update
SELECT l.relation_id AS id, l.account_id AS account, l.space_id AS space, l.unit_id AS unit,
       l.permissions, l.is_primary, l.consent, l.valid_from, l.valid_to
FROM relation l WHERE l.org_id = :org AND l.relation_id = :relation
FOR UPDATE;

-- name: supporters
-- Whom it concerns when one resident moves, comes or goes: their own account and their supporters'.
SELECT account_id AS id FROM relation
WHERE org_id = :org AND (space_id = :space OR unit_id = ANY (:units::uuid[]))
UNION
SELECT account_id FROM resident WHERE org_id = :org AND space_id = :space;

-- name: add_relation
INSERT INTO relation (org_id, relation_id, account_id, space_id, unit_id, permissions, is_primary,
                      consent, valid_from, valid_to)
VALUES (:org, :relation, :account, :space, :unit, :permissions, :is_primary, :consent, :valid_from,
        :valid_to);

-- name: save_relation
UPDATE relation SET permissions = :permissions, is_primary = :is_primary, consent = :consent,
                    valid_to = :valid_to
WHERE org_id = :org AND relation_id = :relation;

-- name: no_primary
-- Take the contact person's mark from whoever has it, to give it to somebody else.
UPDATE relation SET is_primary = false
WHERE org_id = :org AND space_id = :space AND is_primary AND relation_id <> :relation;

-- name: cut_relations
-- Take what a new role cannot have out of an account's relations, and end those that would be empty.
-- The ladder calls whoever a relation names, so a contact person who cannot take alerts is none.
UPDATE relation
SET permissions = CASE WHEN permissions && :kept::text[]
      THEN ARRAY(SELECT word FROM unnest(permissions) AS word WHERE word = ANY (:kept::text[]))
      ELSE permissions END,
    is_primary = is_primary AND 'alert.take' = ANY (:kept::text[]),
    valid_to = CASE WHEN permissions && :kept::text[] THEN valid_to ELSE :now END
WHERE org_id = :org AND account_id = :account AND NOT permissions <@ :kept::text[]
  AND valid_from < :now AND (valid_to IS NULL OR valid_to > :now);

-- name: remove_relation
DELETE FROM relation WHERE org_id = :org AND relation_id = :relation;

-- ───────────────────────────────────────────────────────────── invitations

-- name: add_invitation
INSERT INTO invitation (org_id, invitation_id, account_id, kind, token_hash, created_by, created_at,
                        expires_at)
VALUES (:org, :invitation, :account, :kind, :token_hash, :created_by, :now, :expires_at);

-- name: void_invitations
-- A newer link replaces the ones before it; a used or disabled account's links open nothing.
UPDATE invitation SET expires_at = :now
WHERE org_id = :org AND account_id = :account AND used_at IS NULL AND expires_at > :now;

-- name: use_invitation
-- Compare and set: of two who open one link at the same moment, one is too late.
UPDATE invitation SET used_at = :now
WHERE org_id = :org AND invitation_id = :invitation AND used_at IS NULL AND expires_at > :now;

-- ───────────────────────────────────────────────────────────── sessions

-- name: session_seen
-- Remember that a session is in use and move its end. Written at most once a minute.
UPDATE session SET seen_at = :now, expires_at = :expires_at
WHERE org_id = :org AND session_id = :session AND revoked_at IS NULL;

-- name: sessions_of_actor
SELECT s.session_id AS id, s.device_id AS device, COALESCE(d.name, '') AS device_name,
       s.created_at, s.seen_at, s.session_id = :session AS current
FROM session s
LEFT JOIN device d ON d.org_id = s.org_id AND d.device_id = s.device_id
WHERE s.org_id = :org AND s.account_id = :account AND s.revoked_at IS NULL AND s.expires_at > :now
ORDER BY s.seen_at DESC, s.session_id;

-- name: add_session
INSERT INTO session (org_id, session_id, account_id, device_id, token_hash, created_at, seen_at,
                     expires_at)
VALUES (:org, :session, :account, :device, :token_hash, :now, :now, :expires_at);

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
                    AND s.account_id = d.account_id
                    AND s.revoked_at IS NULL AND s.expires_at > :now);

-- name: end_sessions_of_device
UPDATE session SET revoked_at = :now
WHERE org_id = :org AND device_id = :device AND revoked_at IS NULL;

-- name: device_holder
-- The live session of another account on this device, if one is open.
SELECT session_id AS id FROM session
WHERE org_id = :org AND device_id = :device AND account_id <> :account
  AND revoked_at IS NULL AND expires_at > :now
LIMIT 1;

-- ───────────────────────────────────────────────────────────── devices

-- name: devices_of_account
SELECT device_id AS id, name, app, zone_release, created_at, seen_at,
       push_endpoint IS NOT NULL AND push_gone_at IS NULL AS push, ring_test
FROM device
WHERE org_id = :org AND account_id = :account AND revoked_at IS NULL
ORDER BY seen_at DESC, device_id;

-- name: take_device
-- The device rings for this account from now on. A push subscription belongs to the person before it.
INSERT INTO device (org_id, device_id, account_id, name, created_at, seen_at)
VALUES (:org, :device, :account, :name, :now, :now)
ON CONFLICT (org_id, device_id) DO UPDATE
SET account_id = excluded.account_id, name = excluded.name, seen_at = excluded.seen_at,
    revoked_at = NULL,
    push_endpoint = CASE WHEN device.account_id = excluded.account_id THEN device.push_endpoint END,
    push_p256dh = CASE WHEN device.account_id = excluded.account_id THEN device.push_p256dh END,
    push_auth = CASE WHEN device.account_id = excluded.account_id THEN device.push_auth END,
    push_since = CASE WHEN device.account_id = excluded.account_id THEN device.push_since END,
    ring_test = CASE WHEN device.account_id = excluded.account_id THEN device.ring_test END;

-- name: device_seen
UPDATE device SET name = :name, app = :app, zone_release = :zone_release, seen_at = :now
WHERE org_id = :org AND device_id = :device AND account_id = :account AND revoked_at IS NULL;

-- name: save_push
UPDATE device SET push_endpoint = :endpoint, push_p256dh = :p256dh, push_auth = :auth,
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
SELECT push_endpoint AS endpoint, push_p256dh AS p256dh, push_auth AS auth, ring_test
FROM device
WHERE org_id = :org AND device_id = :device AND account_id = :account AND revoked_at IS NULL
FOR UPDATE;

-- name: save_ring_test
UPDATE device SET ring_test = :ring_test
WHERE org_id = :org AND device_id = :device AND account_id = :account AND revoked_at IS NULL;

-- name: revoke_device
UPDATE device SET revoked_at = :now, push_endpoint = NULL, push_p256dh = NULL, push_auth = NULL,
                  push_since = NULL
WHERE org_id = :org AND device_id = :device AND account_id = :account AND revoked_at IS NULL;

-- ───────────────────────────────────────────────────────────── before the organisation is known

-- name: this_installation
SELECT demo, demo_password, claimed_at IS NOT NULL AS claimed, claim_hash FROM installation;

-- name: demo_accounts
SELECT email, name, role, face FROM demo_accounts() ORDER BY role, name;

-- name: offer_claim
UPDATE installation SET claim_hash = :claim_hash WHERE claimed_at IS NULL;

-- name: claim
-- Compare and set: an installation is claimed once.
UPDATE installation SET claimed_at = :now, claim_hash = NULL
WHERE claimed_at IS NULL AND claim_hash = :claim_hash;

-- name: session_lookup
-- The session behind a cookie's hash.
SELECT org_id AS org, session_id AS session, account_id AS account, device_id AS device, role,
       created_at, seen_at, expires_at, revoked, disabled
FROM session_lookup(:token_hash);

-- name: sign_in_lookup
SELECT org_id AS org, account_id AS account, secret, disabled FROM sign_in_lookup(:email);

-- name: invitation_lookup
SELECT org_id AS org, invitation_id AS invitation, account_id AS account, kind, name, role, email,
       expires_at, used
FROM invitation_lookup(:token_hash);

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
