-- Every statement of the key store (a database of its own: its schema is in migrations/ beside this file).

-- name: keys_of
-- The wrapped keys of so many subjects, all versions.
SELECT subject_id AS subject, version, epoch, wrapped FROM subject_key
WHERE org_id = :org AND subject_id = ANY (:subjects::uuid[])
ORDER BY subject_id, version;

-- name: add_keys
SELECT keys_add(:org, :epoch, :now, :subjects::uuid[], :hashes::bytea[], :wrapped::bytea[]) AS ok;

-- name: erase_subject
SELECT keys_erase(:org, :subject, :hash, :now) AS count;

-- name: tombstoned
SELECT EXISTS (SELECT FROM tombstone WHERE org_id = :org AND hash = :hash) AS ok;

-- name: epochs
SELECT number, fingerprint, begun_at, retired_at, destroyed_at FROM epoch ORDER BY number;

-- name: recovery_root
SELECT recipient, made_at FROM recovery_root;

-- name: set_recovery_root
INSERT INTO recovery_root (recipient, made_at) VALUES (:recipient, :now)
ON CONFLICT (one) DO UPDATE SET recipient = excluded.recipient, made_at = excluded.made_at;

-- name: lock_rotation
-- One rotation at a time; whoever comes second is told so.
SELECT pg_try_advisory_lock(1836016439, 1) AS ok;

-- name: unlock_rotation
SELECT pg_advisory_unlock(1836016439, 1) AS ok;

-- name: begin_epoch
-- From here on every new key is wrapped by this epoch's; who was about to wrap by the last one's is waited for.
WITH last AS (
  UPDATE epoch SET retired_at = :now WHERE retired_at IS NULL AND number < :number RETURNING number
)
INSERT INTO epoch (number, fingerprint, begun_at)
SELECT :number, :fingerprint, :now FROM (SELECT count(*) FROM last) AS done
ON CONFLICT (number) DO NOTHING;

-- name: keys_of_older_epochs
-- Some that a rotation has still to wrap anew.
SELECT org_id AS org, subject_id AS subject, version, epoch, wrapped FROM subject_key
WHERE epoch < :number ORDER BY epoch, org_id, subject_id, version LIMIT :limit;

-- name: rewrap
UPDATE subject_key k SET epoch = :number, wrapped = g.wrapped
FROM unnest(:orgs::uuid[], :subjects::uuid[], :versions::integer[], :wrapped::bytea[]) AS g (org_id, subject_id, version, wrapped)
WHERE k.org_id = g.org_id AND k.subject_id = g.subject_id AND k.version = g.version AND k.epoch < :number;

-- name: sample
-- Some keys of the current epoch, wherever they lie.
SELECT org_id AS org, subject_id AS subject, version, epoch, wrapped FROM subject_key
ORDER BY random() LIMIT :limit;

-- name: epoch_destroyed
UPDATE epoch SET destroyed_at = :now WHERE number < :number AND destroyed_at IS NULL
  AND NOT EXISTS (SELECT FROM subject_key WHERE epoch < :number);

-- name: counts
SELECT (SELECT count(*) FROM subject_key) AS keys,
       (SELECT count(DISTINCT org_id) FROM subject_key) AS organisations,
       (SELECT count(*) FROM subject_key k JOIN epoch e ON e.number = k.epoch WHERE e.retired_at IS NOT NULL) AS older,
       (SELECT count(*) FROM tombstone) AS erased,
       (SELECT count(*) FROM tombstone t JOIN epoch e ON e.number = t.epoch WHERE e.destroyed_at IS NULL) AS dying;
