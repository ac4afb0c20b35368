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
UPDATE invitation SET used_at = :now
WHERE org_id = :org AND invitation_id = :invitation AND used_at IS NULL AND expires_at > :now;
