-- name: by_index
-- A batch of some thousand rows makes the planner read the whole table for a hash join: a third of the
-- speed, and less with each year of history. And where it takes what waits for less than it is, it sorts
-- all of that for each batch, instead of beginning at the index's end. Ends with the transaction.
SELECT set_config('enable_hashjoin', 'off', true) AS hash, set_config('enable_mergejoin', 'off', true) AS merge,
       set_config('enable_sort', 'off', true) AS sort, set_config('enable_bitmapscan', 'off', true) AS bitmap,
       set_config('enable_seqscan', 'off', true) AS whole

-- name: beat
INSERT INTO worker_heartbeat (worker_id, seen_at) VALUES (:worker, :now)
ON CONFLICT (worker_id) DO UPDATE SET seen_at = excluded.seen_at

-- name: forget_workers
DELETE FROM worker_heartbeat WHERE seen_at < :before

-- name: next_moment
-- When there is something to do next, in the engine's own tables.
SELECT LEAST((SELECT min(first_at) FROM due), (SELECT min(next_at) FROM occurrence WHERE next_at IS NOT NULL),
             (SELECT min(next_at) FROM alert WHERE next_at IS NOT NULL)) AS at
