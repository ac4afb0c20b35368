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
