-- name: lock_spend
-- What a channel has cost these organisations in a month, locked.
INSERT INTO spend AS s (org_id, channel, month)
SELECT DISTINCT o, :channel, :month::integer FROM unnest(:orgs::uuid[]) AS o ORDER BY o
ON CONFLICT (org_id, channel, month) DO UPDATE SET parts = s.parts
RETURNING s.org_id AS org, s.parts, s.cost, s.capped_at

-- name: add_spend
UPDATE spend s SET parts = s.parts + g.parts, cost = s.cost + g.cost,
  capped_at = COALESCE(s.capped_at, CASE WHEN g.is_capped THEN :now::timestamptz END)
FROM unnest(:orgs::uuid[], :months::integer[], :parts::bigint[], :costs::bigint[], :cappeds::boolean[])
  AS g (org_id, month, parts, cost, is_capped)
WHERE s.org_id = g.org_id AND s.channel = :channel AND s.month = g.month

-- name: tell_of_cap
-- Whoever manages hears once a month, on their devices and by their first contact that costs nothing, that the cap is
-- near, and that it holds messages back.
WITH who AS (
  SELECT a.org_id, a.account_id FROM account a
  WHERE a.org_id = ANY (:orgs::uuid[]) AND a.disabled_at IS NULL
    AND (a.role IN ('admin', 'manager') OR EXISTS (
      SELECT FROM relation r WHERE r.org_id = a.org_id AND r.account_id = a.account_id
        AND 'care.manage' = ANY (r.permissions) AND r.valid_from <= :now AND (r.valid_to IS NULL OR :now < r.valid_to)))
), way AS (
  SELECT w.org_id, w.account_id, d.device_id, NULL::uuid AS contact_id, 'webpush' AS channel
  FROM who w
  JOIN device d ON d.org_id = w.org_id AND d.account_id = w.account_id AND d.revoked_at IS NULL
    AND d.push_endpoint IS NOT NULL AND d.push_gone_at IS NULL
  UNION ALL
  SELECT w.org_id, w.account_id, NULL, k.contact_id, k.channel
  FROM who w
  CROSS JOIN LATERAL (
    SELECT k.contact_id, k.channel FROM contact k
    WHERE k.org_id = w.org_id AND k.account_id = w.account_id AND k.channel = 'email'
      AND k.verified_at IS NOT NULL AND k.gone_at IS NULL
    ORDER BY k.created_at, k.contact_id LIMIT 1
  ) k
)
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, contact_id, channel, state, next_at,
                      expires_at, created_at)
SELECT w.org_id, w.org_id, 'notice', :what || '/' || :channel || '/' || :month, 0, w.account_id, w.device_id,
       w.contact_id, w.channel, 'queued', :now::timestamptz, :expires::timestamptz, :now::timestamptz
FROM way w
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING
