-- name: invitation_lookup
SELECT org_id AS org, invitation_id AS invitation, account_id AS account, kind, name, role, email,
       expires_at, used
FROM invitation_lookup(:token_hash);

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
UPDATE invitation SET used_at = :now, used_on = :device
WHERE org_id = :org AND invitation_id = :invitation AND used_at IS NULL AND expires_at > :now;

-- name: invitation_state
-- What became of a link, and the device that took it, while it is still that person's.
SELECT i.expires_at, i.used_at, d.device_id AS device, d.name AS device_name
FROM invitation i
LEFT JOIN device d ON d.org_id = i.org_id AND d.device_id = i.used_on
                  AND d.account_id = i.account_id AND d.revoked_at IS NULL
WHERE i.org_id = :org AND i.account_id = :account AND i.invitation_id = :invitation;
