-- name: tell_people
-- On their devices, and by their first contact that costs nothing.
WITH way AS (
  SELECT d.account_id, d.device_id, NULL::uuid AS contact_id, 'webpush' AS channel
  FROM device d
  WHERE d.org_id = :org AND d.account_id = ANY (:accounts::uuid[]) AND d.revoked_at IS NULL
    AND d.push_endpoint IS NOT NULL AND d.push_gone_at IS NULL
  UNION ALL
  SELECT w.id, NULL, k.contact_id, k.channel
  FROM unnest(:accounts::uuid[]) AS w (id)
  CROSS JOIN LATERAL (
    SELECT k.contact_id, k.channel FROM contact k
    WHERE k.org_id = :org AND k.account_id = w.id AND k.channel = 'email'
      AND k.verified_at IS NOT NULL AND k.gone_at IS NULL
    ORDER BY k.created_at, k.contact_id LIMIT 1
  ) k
)
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, contact_id, channel, state, next_at,
                      expires_at, created_at)
SELECT :org, :space, 'notice', :subject, 0, w.account_id, w.device_id, w.contact_id, w.channel, 'queued',
       :now::timestamptz, :expires::timestamptz, :now::timestamptz
FROM way w
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING
