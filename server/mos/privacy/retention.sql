-- The evidence that what has had its time goes: a line for each day and class.

-- name: only_one
-- One worker at a time does the day's work; another finds this taken, and leaves it.
SELECT pg_try_advisory_xact_lock(x'6d6f730003'::bigint) AS yes;

-- name: done_on
SELECT class AS name FROM retention WHERE day = :day AND done_at IS NOT NULL;

-- name: drop
SELECT retention_drop(:name, :before, :now, :limit) AS number;

-- name: oldest
SELECT retention_oldest(:name, :now) AS at;

-- name: note
SELECT retention_note(:day, :name, :removed, :oldest::timestamptz, :failed, :now, :done) AS number;

-- name: removed_on
SELECT class AS name, removed FROM retention WHERE day = :day AND removed > 0 ORDER BY class;

-- name: latest
-- Each class's last day that the job was through with, and what remained. A class of `by_space` is told of all day long
-- by one space after the other: of that, the day before counts too.
SELECT r.class AS name, r.day, r.done_at, r.removed, r.failed,
       CASE WHEN r.class = ANY (:by_space::text[])
            THEN LEAST(r.oldest, (SELECT b.oldest FROM retention b WHERE b.class = r.class AND b.day = r.day - 1))
            ELSE r.oldest END AS oldest
FROM (SELECT DISTINCT ON (x.class) x.* FROM retention x WHERE x.done_at IS NOT NULL ORDER BY x.class, x.day DESC) r
ORDER BY r.class;
