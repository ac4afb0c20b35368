-- name: identity_providers
SELECT org_id AS organisation, label FROM identity_providers() ORDER BY label, org_id;

-- name: identity_provider
SELECT issuer, client_id, secret, label, scopes, by_email, strong_acr, strong_amr, updated_at, updated_by
FROM identity_provider WHERE org_id = :org;

-- name: save_identity_provider
INSERT INTO identity_provider AS p (org_id, issuer, client_id, secret, label, scopes, by_email, strong_acr,
                                    strong_amr, updated_at, updated_by)
VALUES (:org, :issuer, :client_id, :secret, :label, :scopes, :by_email, :strong_acr, :strong_amr, :now, :by_account)
ON CONFLICT (org_id) DO UPDATE SET issuer = excluded.issuer, client_id = excluded.client_id,
  secret = CASE WHEN :keeps_secret THEN p.secret ELSE excluded.secret END, label = excluded.label,
  scopes = excluded.scopes, by_email = excluded.by_email, strong_acr = excluded.strong_acr,
  strong_amr = excluded.strong_amr, updated_at = excluded.updated_at, updated_by = excluded.updated_by;

-- name: remove_identity_provider
DELETE FROM identity_provider WHERE org_id = :org;

-- name: remove_identities
DELETE FROM identity WHERE org_id = :org;

-- name: identities_linked
SELECT count(*)::int AS number FROM identity i
JOIN identity_provider p ON p.org_id = i.org_id AND p.issuer = i.issuer
WHERE i.org_id = :org;

-- name: identity_by_subject
-- Whose account a subject of the present issuer opens. Locked: what is linked twice at once is linked once.
SELECT i.account_id AS account, i.way, i.linked_at, i.used_at
FROM identity i WHERE i.org_id = :org AND i.issuer = :issuer AND i.subject_hash = :subject_hash
FOR UPDATE;

-- name: identity_of
-- What opens an account from the provider that its organisation has now.
SELECT i.account_id AS account, i.way, i.linked_at, i.used_at
FROM identity i
JOIN identity_provider p ON p.org_id = i.org_id AND p.issuer = i.issuer
WHERE i.org_id = :org AND i.account_id = :account;

-- name: account_by_email
SELECT account_id AS id, role, name, email, language, disabled_at IS NOT NULL AS disabled
FROM account WHERE org_id = :org AND email = :email;

-- name: link_identity
INSERT INTO identity (org_id, account_id, issuer, subject_hash, way, linked_at, used_at)
VALUES (:org, :account, :issuer, :subject_hash, :way, :now, :now)
ON CONFLICT (org_id, account_id) DO UPDATE SET issuer = excluded.issuer, subject_hash = excluded.subject_hash,
  way = excluded.way, linked_at = excluded.linked_at, used_at = excluded.used_at;

-- name: identity_used
UPDATE identity SET used_at = :now WHERE org_id = :org AND account_id = :account;

-- name: unlink_identity
DELETE FROM identity WHERE org_id = :org AND account_id = :account;
