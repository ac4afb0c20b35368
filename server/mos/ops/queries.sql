-- What the operator's commands ask as the owner of the schema.

-- name: present_home
SELECT demo, claimed_at IS NOT NULL AS claimed FROM installation;

-- name: begin_empty_home
INSERT INTO installation (demo, created_at) VALUES (false, :now);

-- name: claim_home
-- Whoever imported a home has it: its claim token opens nothing any more.
UPDATE installation SET claimed_at = COALESCE(claimed_at, :now), claim_hash = NULL;

-- name: organisation_named
SELECT count(*)::integer AS number FROM organisation WHERE lower(name) = lower(:name);

-- name: server_version
SELECT current_setting('server_version_num')::int / 10000 AS major;
