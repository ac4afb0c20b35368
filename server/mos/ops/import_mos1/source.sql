-- What an earlier MOS holds: its schema as its fourteenth migration left it.

-- name: only_read
SET TRANSACTION READ ONLY;

-- name: tables
SELECT count(*)::integer AS number FROM (VALUES ('app_user'), ('user_permissions'), ('user_assignments'), ('reminder'),
  ('meal_requirement')) AS t (name) WHERE to_regclass(t.name) IS NOT NULL;

-- name: users
SELECT id, email, display_name AS name, user_type AS kind, phone, is_active AS active FROM app_user ORDER BY created_at, id;

-- name: given
SELECT user_id AS "user", permission_name AS permission FROM user_permissions WHERE is_enabled
ORDER BY user_id, permission_name;

-- name: assigned
SELECT caregiver_id AS caregiver, caretaker_id AS resident FROM user_assignments ORDER BY assigned_at, id;

-- name: reminders
SELECT id, user_id AS "user", type AS kind, category, note, time_at AS at, recurrence::text AS recurrence
FROM reminder ORDER BY created_at, id;

-- name: diets
SELECT id, user_id AS "user", notes AS text FROM meal_requirement ORDER BY created_at, id;
