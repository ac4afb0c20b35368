-- name: planned
-- A reminder or an order, in whichever of the spaces it lies.
SELECT r.org_id AS org, r.space_id AS space, r.rec_id AS rec, r.coll, r.doc
FROM rec r
WHERE r.org_id = (SELECT mos_org()) AND r.rec_id = :rec AND r.space_id = ANY (:spaces::uuid[])
  AND r.coll IN ('reminder', 'order')
LIMIT 1;

-- name: clip
SELECT kind, body FROM clip WHERE org_id = :org AND space_id = :space AND clip_id = :clip;

-- name: clips_held
SELECT count(*)::int AS count, coalesce(sum(size), 0)::int AS bytes
FROM clip WHERE org_id = :org AND space_id = :space AND clip_id <> :but;

-- name: add_clip
-- Until a reminder refers to it, it is unused. Again, it begins anew to be.
INSERT INTO clip (org_id, space_id, clip_id, kind, body, size, added_by, added_at, unused_since)
VALUES (:org, :space, :clip, :kind, :body, :size, :by, :now, :now)
ON CONFLICT (org_id, space_id, clip_id) DO UPDATE
SET unused_since = CASE WHEN clip.unused_since IS NULL THEN NULL ELSE excluded.unused_since END;

-- name: has_clips
SELECT EXISTS (SELECT FROM clip WHERE org_id = :org AND space_id = :space) AS yes;

-- name: mark_clips
-- Which of a space's clips reminders refer to, and which not, since when.
UPDATE clip SET unused_since = CASE WHEN clip_id = ANY (:used::bytea[]) THEN NULL ELSE :now::timestamptz END
WHERE org_id = :org AND space_id = :space AND (unused_since IS NULL) <> (clip_id = ANY (:used::bytea[]));

-- name: forget_clips
DELETE FROM clip WHERE org_id = :org AND space_id = :space AND unused_since < :before
  AND NOT held_space(org_id, space_id) AND NOT held_account(org_id, added_by);

-- name: erase_clips
DELETE FROM clip WHERE org_id = :org AND space_id = :space;

-- name: erase_voice
-- What somebody has recorded for anybody in scope: their voice is theirs.
DELETE FROM clip WHERE org_id = :org AND added_by = :account;
