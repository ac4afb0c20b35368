-- name: feeds
-- The feeds of a resident that hold, oldest first.
SELECT feed_id AS id, says, medication, created_by, created_at, last_read_at
FROM calendar_feed
WHERE org_id = :org AND space_id = :space AND revoked_at IS NULL
ORDER BY created_at, feed_id;

-- name: add_feed
INSERT INTO calendar_feed (org_id, space_id, feed_id, token_hash, says, medication, created_by, created_at)
VALUES (:org, :space, :feed, :token_hash, :says, :medication, :by, :now);

-- name: revoke_feed
UPDATE calendar_feed SET revoked_at = :now
WHERE org_id = :org AND space_id = :space AND feed_id = :feed AND revoked_at IS NULL;

-- name: feed_of_address
-- Whose feed an address is. Needs no scope.
SELECT org_id AS org, space_id AS space, feed_id AS feed, says, medication, account_id AS account, role
FROM calendar_feed_lookup(:token_hash);

-- name: feed_read
UPDATE calendar_feed SET last_read_at = :now::timestamptz
WHERE org_id = :org AND space_id = :space AND feed_id = :feed
  AND (last_read_at IS NULL OR last_read_at < :now::timestamptz - interval '1 minute');

-- name: erase
DELETE FROM calendar_feed WHERE org_id = :org AND space_id = :space;
