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
-- Queue one delivery for each device of each supporter whom the step tells. An open app needs none: the
-- alert's record reaches it. What is about medication is told to those alone who may see it.
WITH called AS (
  SELECT g.*, rel.account_id, rel.is_primary, rel.covers_unit, d.decides,
         bool_or(rel.is_primary) OVER one AS has_primary, bool_or(rel.covers_unit) OVER one AS has_unit,
         bool_or(d.decides) OVER one AS has_deciders
  FROM unnest(:orgs::uuid[], :spaces::uuid[], :alerts::text[], :steps::integer[], :audiences::text[],
              :expires::timestamptz[]) AS g (org_id, space_id, alert, step, audience, expires_at)
  CROSS JOIN LATERAL (
    SELECT r.org_id, r.space_id, r.unit_id, false AS is_medication FROM resident r
    WHERE r.org_id = g.org_id AND r.space_id = g.space_id
    UNION ALL
    SELECT r.org_id, r.space_id, r.unit_id, true FROM resident r
    WHERE r.org_id = g.org_id AND r.medication_id = g.space_id
  ) r
  CROSS JOIN LATERAL (
    SELECT x.account_id, x.is_primary, false AS covers_unit, x.permissions, x.valid_from, x.valid_to
    FROM relation x WHERE x.org_id = r.org_id AND x.space_id = r.space_id
    UNION ALL
    SELECT x.account_id, x.is_primary, true, x.permissions, x.valid_from, x.valid_to
    FROM relation x WHERE x.org_id = r.org_id AND x.unit_id = r.unit_id
  ) rel
  JOIN account a ON a.org_id = g.org_id AND a.account_id = rel.account_id AND a.disabled_at IS NULL
  CROSS JOIN LATERAL (
    SELECT CASE WHEN r.is_medication THEN 'medication.edit' ELSE 'meals.edit' END
           = ANY (rel.permissions) AS decides
  ) d
  WHERE :permission = ANY (rel.permissions)
    AND (NOT r.is_medication OR 'medication.view' = ANY (rel.permissions))
    AND rel.valid_from <= :now AND (rel.valid_to IS NULL OR :now < rel.valid_to)
  WINDOW one AS (PARTITION BY g.org_id, g.space_id, g.alert)
)
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, channel, state,
                      next_at, expires_at, created_at)
SELECT DISTINCT c.org_id, c.space_id, 'alert', c.alert, c.step, c.account_id, d.device_id, 'webpush',
       'queued', :now::timestamptz, c.expires_at, :now::timestamptz
FROM called c
JOIN device d ON d.org_id = c.org_id AND d.account_id = c.account_id AND d.revoked_at IS NULL
  AND d.push_endpoint IS NOT NULL AND d.push_gone_at IS NULL
WHERE c.audience = 'all' OR (c.audience = 'deciders' AND (c.decides OR NOT c.has_deciders))
  OR (c.audience <> 'deciders' AND c.is_primary)
  OR (c.audience <> 'deciders' AND (c.audience = 'unit' OR NOT c.has_primary) AND (c.covers_unit OR NOT c.has_unit))
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING

-- name: withdraw
-- These need telling no more: what waits is dropped, and devices that show it are asked to take it away.
WITH g AS (
  SELECT * FROM unnest(:orgs::uuid[], :spaces::uuid[], :subjects::text[]) AS g (org_id, space_id, subject)
), dropped AS (
  UPDATE delivery d SET state = 'expired', next_at = NULL, settled_at = :now, error = 'withdrawn'
  FROM (
    SELECT d.org_id, d.delivery_id FROM g
    JOIN delivery d ON d.org_id = g.org_id AND d.space_id = g.space_id AND d.subject = g.subject
    WHERE d.next_at IS NOT NULL AND d.kind <> 'close'
    ORDER BY d.org_id, d.delivery_id FOR UPDATE OF d
  ) t
  WHERE d.org_id = t.org_id AND d.delivery_id = t.delivery_id
)
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, channel, state,
                      next_at, expires_at, created_at)
SELECT d.org_id, d.space_id, 'close', d.subject, max(d.step), d.account_id, d.device_id, d.channel,
       'queued', :now::timestamptz, :expires::timestamptz, :now::timestamptz
FROM g JOIN delivery d ON d.org_id = g.org_id AND d.space_id = g.space_id AND d.subject = g.subject
WHERE d.channel = 'webpush' AND d.kind <> 'close' AND d.attempts > 0 AND d.state <> 'failed'
GROUP BY d.org_id, d.space_id, d.subject, d.account_id, d.device_id, d.channel
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING

-- name: expire_deliveries
UPDATE delivery SET state = 'expired', next_at = NULL, settled_at = :now
WHERE (org_id, delivery_id) IN (
  SELECT org_id, delivery_id FROM delivery WHERE channel = :channel AND next_at <= :now
    AND expires_at <= :now LIMIT :limit FOR UPDATE SKIP LOCKED)

-- name: take_deliveries
-- Record the attempt before it is made. Until `lease` nobody else tries; a worker that dies in between
-- leaves it to the next. Services that rest (`resting`, origins) are left out.
WITH taken AS MATERIALIZED (
  SELECT d.org_id, d.delivery_id, v.push_endpoint, v.push_p256dh, v.push_auth
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
  AS device, d.attempts, d.expires_at, t.push_endpoint AS endpoint, t.push_p256dh AS p256dh, t.push_auth
  AS auth

-- name: settle_deliveries
-- Only the attempt that was made: a later one, after a lease ran out, answers for itself.
UPDATE delivery d SET state = g.state, next_at = g.next_at, error = g.error,
  settled_at = CASE WHEN g.next_at IS NULL THEN :now::timestamptz END
FROM unnest(:orgs::uuid[], :deliveries::bigint[], :attempts::integer[], :states::text[],
            :next_ats::timestamptz[], :errors::text[])
  AS g (org_id, delivery_id, attempts, state, next_at, error)
WHERE d.org_id = g.org_id AND d.delivery_id = g.delivery_id AND d.attempts = g.attempts
  AND d.state = 'attempted'

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
