-- What the operator's commands ask as the owner of the schema.

-- name: present_home
SELECT demo, claimed_at IS NOT NULL AS claimed FROM installation;

-- name: begin_empty_home
INSERT INTO installation (demo, created_at) VALUES (false, :now);

-- name: server_version
SELECT current_setting('server_version_num')::int / 10000 AS major;
