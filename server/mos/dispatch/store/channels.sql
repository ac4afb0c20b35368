-- name: channels_of
SELECT s.org_id AS org, s.settings, s.secret, s.cap
FROM channel_settings s WHERE s.channel = :channel AND s.org_id = ANY (:orgs::uuid[])

-- name: channel_rows
SELECT s.channel, s.settings, s.secret, s.cap, s.updated_at, s.updated_by
FROM channel_settings s WHERE s.org_id = :org

-- name: spend_of
SELECT s.channel, s.parts, s.cost, s.capped_at FROM spend s WHERE s.org_id = :org AND s.month = :month

-- name: save_channel
INSERT INTO channel_settings AS c (org_id, channel, settings, secret, cap, updated_at, updated_by)
VALUES (:org, :channel, :settings, :secret, :cap, :now, :by_account)
ON CONFLICT (org_id, channel) DO UPDATE SET settings = excluded.settings,
  secret = CASE WHEN :keeps_secret THEN c.secret ELSE excluded.secret END,
  cap = excluded.cap, updated_at = excluded.updated_at, updated_by = excluded.updated_by

-- name: cap_lifted
-- With room below the cap it is told anew when that is reached.
UPDATE spend SET capped_at = NULL
WHERE org_id = :org AND channel = :channel AND month = :month AND (:cap::bigint IS NULL OR cost < :cap)

-- name: remove_channel
DELETE FROM channel_settings WHERE org_id = :org AND channel = :channel
