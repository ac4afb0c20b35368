-- name: ring
-- Queue one delivery for each device of the resident and each channel that reaches it. OFFSET 0 keeps
-- the look-up one by one, by index: with old statistics the planner would pair everything with everything.
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, channel, state,
                      next_at, expires_at, created_at)
SELECT g.org_id, g.space_id, 'ring', g.occ, g.step, d.account_id, d.device_id, c.channel, 'queued',
       :now, g.expires_at, :now
FROM unnest(:orgs::uuid[], :spaces::uuid[], :occs::text[], :steps::integer[], :expires::timestamptz[])
  AS g (org_id, space_id, occ, step, expires_at)
CROSS JOIN LATERAL (
  -- Each of a resident's two spaces rings on the same devices.
  SELECT r.account_id FROM resident r
  WHERE r.org_id = g.org_id AND r.space_id = g.space_id AND r.archived_at IS NULL
  UNION ALL
  SELECT r.account_id FROM resident r
  WHERE r.org_id = g.org_id AND r.medication_id = g.space_id AND r.archived_at IS NULL OFFSET 0
) r
CROSS JOIN LATERAL (
  SELECT d.account_id, d.device_id, d.push_endpoint, d.push_gone_at FROM device d
  WHERE d.org_id = g.org_id AND d.account_id = r.account_id AND d.revoked_at IS NULL OFFSET 0
) d
CROSS JOIN LATERAL (
  SELECT 'openapp' AS channel
  UNION ALL SELECT 'webpush' WHERE d.push_endpoint IS NOT NULL AND d.push_gone_at IS NULL
) c
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING

-- name: tell
-- Queue one delivery for each way by which a step tells its people (ways_to_tell).
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, contact_id, channel, state,
                      next_at, expires_at, created_at)
SELECT w.org_id, w.space_id, 'alert', w.alert, w.step, w.account_id, w.device_id, w.contact_id, w.channel,
       'queued', :now::timestamptz, :expires::timestamptz, :now::timestamptz
FROM ways_to_tell(:orgs::uuid[], :spaces::uuid[], :alerts::text[], :steps::integer[], :weights::text[],
                  :lasts::boolean[], :accounts::uuid[], :bys::text[]) w
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING

-- name: ways
-- By which channels steps would tell their people, had they come.
SELECT DISTINCT w.step, w.account_id AS account, w.channel
FROM ways_to_tell(:orgs::uuid[], :spaces::uuid[], :alerts::text[], :steps::integer[], :weights::text[],
                  :lasts::boolean[], :accounts::uuid[], :bys::text[]) w
ORDER BY w.step, w.account_id, w.channel

-- name: tell_webhooks
-- An organisation's webhooks hear every step, whomever it tells.
INSERT INTO delivery (org_id, space_id, kind, subject, step, contact_id, channel, state, next_at, expires_at, created_at)
SELECT g.org_id, g.space_id, 'alert', g.alert, g.step, k.contact_id, k.channel, 'queued', :now::timestamptz,
       :expires::timestamptz, :now::timestamptz
FROM unnest(:orgs::uuid[], :spaces::uuid[], :alerts::text[], :steps::integer[])
  AS g (org_id, space_id, alert, step)
JOIN contact k ON k.org_id = g.org_id AND k.account_id IS NULL AND k.verified_at IS NOT NULL AND k.gone_at IS NULL
  AND k.paused_at IS NULL
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING

-- name: withdraw
-- These need telling no more: what waits is dropped, and devices that show it are asked to take it away. Whom a
-- contact has told hears once that an alert is closed, not that somebody took it: that one takes nothing away there.
-- An organisation's webhook hears both, each time, and loses nothing, unless it is paused.
WITH g AS (
  SELECT g.*, a.closed_at, a.taken_at, a.revision
  FROM unnest(:orgs::uuid[], :spaces::uuid[], :subjects::text[]) AS g (org_id, space_id, subject)
  LEFT JOIN alert a ON a.org_id = g.org_id AND a.space_id = g.space_id
    AND a.alert_id = CASE WHEN g.subject NOT LIKE '%@%' THEN g.subject::uuid END
), dropped AS (
  UPDATE delivery d SET state = 'expired', next_at = NULL, settled_at = :now, error = 'withdrawn'
  FROM (
    SELECT d.org_id, d.delivery_id FROM g
    JOIN delivery d ON d.org_id = g.org_id AND d.space_id = g.space_id AND d.subject = g.subject
    WHERE d.next_at IS NOT NULL AND d.kind <> 'close' AND d.account_id IS NOT NULL
    ORDER BY d.org_id, d.delivery_id FOR UPDATE OF d
  ) t
  WHERE d.org_id = t.org_id AND d.delivery_id = t.delivery_id
)
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, contact_id, channel, state,
                      next_at, expires_at, created_at)
SELECT d.org_id, d.space_id,
       CASE WHEN d.account_id IS NULL AND g.closed_at IS NULL THEN 'taken' ELSE 'close' END, d.subject,
       CASE WHEN d.account_id IS NULL THEN g.revision ELSE max(d.step) END, d.account_id, d.device_id, d.contact_id,
       d.channel, 'queued', :now::timestamptz, :expires::timestamptz, :now::timestamptz
FROM g JOIN delivery d ON d.org_id = g.org_id AND d.space_id = g.space_id AND d.subject = g.subject
WHERE d.kind IN ('ring', 'alert') AND CASE
    WHEN d.account_id IS NULL THEN COALESCE(g.closed_at, g.taken_at) IS NOT NULL
    WHEN d.contact_id IS NOT NULL THEN g.closed_at IS NOT NULL AND d.attempts > 0 AND d.state <> 'failed'
    ELSE d.channel = 'webpush' AND d.attempts > 0 AND d.state <> 'failed' END
  AND NOT EXISTS (SELECT FROM contact k WHERE k.org_id = d.org_id AND k.contact_id = d.contact_id
                    AND k.paused_at IS NOT NULL)
GROUP BY d.org_id, d.space_id, d.subject, d.account_id, d.device_id, d.contact_id, d.channel, g.closed_at, g.revision
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING

-- name: take_deliveries
-- Record the attempt before it is made. Until `lease` nobody else tries; a worker that dies in between
-- leaves it to the next. Services that rest (`resting`, origins) are left out.
WITH taken AS MATERIALIZED (
  SELECT d.org_id, d.delivery_id, v.push_endpoint, v.push_p256dh, v.push_auth, v.push_key
  FROM delivery d
  LEFT JOIN device v ON v.org_id = d.org_id AND v.device_id = d.device_id AND v.revoked_at IS NULL
    AND v.push_gone_at IS NULL
  WHERE d.channel = :channel AND d.next_at <= :now AND NOT EXISTS (
    SELECT FROM unnest(:resting::text[]) AS r WHERE starts_with(v.push_endpoint, r || '/'))
  ORDER BY d.next_at LIMIT :limit FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery d SET state = 'attempted', attempts = d.attempts + 1, attempted_at = :now, next_at = :lease
FROM taken t
WHERE d.org_id = t.org_id AND d.delivery_id = t.delivery_id
RETURNING d.org_id AS org, d.delivery_id AS delivery, d.space_id AS space, d.kind, d.subject, d.device_id
  AS device, d.attempts, d.created_at, d.expires_at, t.push_endpoint AS endpoint, t.push_p256dh AS p256dh, t.push_auth
  AS auth, t.push_key AS key

-- name: take_messages
-- The same for contacts: with where it goes and what it is about. No `address`: the contact is gone. Services in
-- trouble are named by their organisation, or by the contact where that one has a service of its own.
WITH taken AS MATERIALIZED (
  SELECT d.org_id, d.delivery_id
  FROM delivery d
  WHERE d.channel = :channel AND d.next_at <= :now
    AND d.org_id <> ALL (:resting::uuid[]) AND d.contact_id <> ALL (:resting::uuid[])
  ORDER BY d.next_at LIMIT :limit FOR UPDATE OF d SKIP LOCKED
), attempted AS (
  UPDATE delivery d SET state = 'attempted', attempts = d.attempts + 1, attempted_at = :now, next_at = :lease
  FROM taken t
  WHERE d.org_id = t.org_id AND d.delivery_id = t.delivery_id
  RETURNING d.*
)
SELECT d.org_id AS org, d.delivery_id AS delivery, d.space_id AS space, d.kind, d.subject, d.step, d.contact_id AS
  contact, d.attempts, d.created_at, d.expires_at, k.address, COALESCE(k.account_id, k.org_id) AS owner, k.secret,
  CASE WHEN k.old_secret_until > :now THEN k.old_secret END AS old_secret, COALESCE(c.language, 'en') AS language,
  l.kind AS alert_kind, l.ladder, l.criticality, l.opened_at, l.taken_by, l.closed_why, u.zone
FROM attempted d
LEFT JOIN contact k ON k.org_id = d.org_id AND k.contact_id = d.contact_id AND k.verified_at IS NOT NULL
  AND k.gone_at IS NULL
LEFT JOIN account c ON c.org_id = d.org_id AND c.account_id = d.account_id
LEFT JOIN alert l ON l.org_id = d.org_id AND l.space_id = d.space_id
  AND l.alert_id = CASE WHEN d.kind <> 'notice' THEN d.subject::uuid END
LEFT JOIN LATERAL (
  SELECT r.unit_id FROM resident r WHERE r.org_id = d.org_id AND r.space_id = d.space_id
  UNION ALL
  SELECT r.unit_id FROM resident r WHERE r.org_id = d.org_id AND r.medication_id = d.space_id
) r ON true
LEFT JOIN unit u ON u.org_id = d.org_id AND u.unit_id = r.unit_id
ORDER BY d.delivery_id

-- name: settle_deliveries
-- Only the attempt that was made: a later one, after a lease ran out, answers for itself. What had expired
-- when it was taken was not attempted.
UPDATE delivery d SET state = g.state, next_at = g.next_at, error = g.error,
  attempts = d.attempts - CASE g.state WHEN 'expired' THEN 1 ELSE 0 END,
  settled_at = CASE WHEN g.next_at IS NULL THEN :now::timestamptz END
FROM unnest(:orgs::uuid[], :deliveries::bigint[], :attempts::integer[], :states::text[],
            :next_ats::timestamptz[], :errors::text[])
  AS g (org_id, delivery_id, attempts, state, next_at, error)
WHERE d.org_id = g.org_id AND d.delivery_id = g.delivery_id AND d.attempts = g.attempts
  AND d.state = 'attempted'

-- name: tell_otherwise
-- Who was to be told by one of these, which has failed for good, and is told by nothing else of that step: their first
-- contact that has not been tried for it. What is closed meanwhile needs nobody.
WITH lost AS (
  SELECT d.org_id, d.space_id, d.subject, d.step, d.account_id, max(d.expires_at) AS expires_at
  FROM unnest(:orgs::uuid[], :deliveries::bigint[]) AS g (org_id, delivery_id)
  JOIN delivery d ON d.org_id = g.org_id AND d.delivery_id = g.delivery_id AND d.state = 'failed'
    AND d.kind = 'alert' AND d.account_id IS NOT NULL
  JOIN alert a ON a.org_id = d.org_id AND a.space_id = d.space_id AND a.alert_id = d.subject::uuid
    AND a.closed_at IS NULL
  WHERE NOT EXISTS (
    SELECT FROM delivery o WHERE o.org_id = d.org_id AND o.space_id = d.space_id AND o.subject = d.subject
      AND o.kind = 'alert' AND o.step = d.step AND o.account_id = d.account_id
      AND o.state IN ('queued', 'attempted', 'sent', 'seen'))
  GROUP BY d.org_id, d.space_id, d.subject, d.step, d.account_id
)
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, contact_id, channel, state, next_at,
                      expires_at, created_at)
SELECT l.org_id, l.space_id, 'alert', l.subject, l.step, l.account_id, k.contact_id, k.channel, 'queued',
       :now::timestamptz, l.expires_at, :now::timestamptz
FROM lost l
CROSS JOIN LATERAL (
  SELECT k.contact_id, k.channel FROM contact k
  WHERE k.org_id = l.org_id AND k.account_id = l.account_id AND k.verified_at IS NOT NULL AND k.gone_at IS NULL
    AND NOT EXISTS (
      SELECT FROM delivery o WHERE o.org_id = l.org_id AND o.space_id = l.space_id AND o.subject = l.subject
        AND o.kind = 'alert' AND o.step = l.step AND o.contact_id = k.contact_id)
  ORDER BY k.created_at, k.contact_id LIMIT 1
) k
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING

-- name: see_deliveries
-- These devices did ring: nothing more needs to reach them for it.
UPDATE delivery d SET state = 'seen', next_at = NULL, settled_at = :now
FROM (
  SELECT d.org_id, d.delivery_id
  FROM unnest(:spaces::uuid[], :occs::text[], :devices::uuid[]) AS g (space_id, occ, device_id)
  JOIN delivery d ON d.org_id = :org AND d.space_id = g.space_id AND d.subject = g.occ
    AND d.kind = 'ring' AND d.device_id = g.device_id
  WHERE d.state IN ('queued', 'attempted', 'sent')
  ORDER BY d.org_id, d.delivery_id FOR UPDATE OF d
) t
WHERE d.org_id = t.org_id AND d.delivery_id = t.delivery_id

-- name: prune_devices
-- The push service knows them no more. One that has subscribed anew meanwhile is left alone.
UPDATE device d SET push_gone_at = :now
FROM unnest(:orgs::uuid[], :devices::uuid[], :endpoints::text[]) AS g (org_id, device_id, endpoint)
WHERE d.org_id = g.org_id AND d.device_id = g.device_id AND d.push_endpoint = g.endpoint

-- name: drop_contacts
-- Their services know them no more: nothing is sent there until somebody has shown that it arrives again.
UPDATE contact k SET gone_at = :now
FROM unnest(:orgs::uuid[], :contacts::uuid[]) AS g (org_id, contact_id)
WHERE k.org_id = g.org_id AND k.contact_id = g.contact_id AND k.gone_at IS NULL

-- name: bound_to
-- How many devices' push is bound to each of our keys.
SELECT d.push_key AS key, count(*)::int AS devices FROM device d
WHERE d.push_endpoint IS NOT NULL AND d.push_gone_at IS NULL AND d.revoked_at IS NULL AND d.push_key IS NOT NULL
GROUP BY d.push_key
