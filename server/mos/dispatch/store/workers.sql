-- name: nested_loops
-- A batch of some thousand rows makes the planner read the whole table for a hash join: a third of the
-- speed, and less with each year of history. Ends with the transaction.
SELECT set_config('enable_hashjoin', 'off', true) AS hash, set_config('enable_mergejoin', 'off', true) AS merge

-- name: beat
INSERT INTO worker_heartbeat (worker_id, seen_at) VALUES (:worker, :now)
ON CONFLICT (worker_id) DO UPDATE SET seen_at = excluded.seen_at

-- name: forget_workers
DELETE FROM worker_heartbeat WHERE seen_at < :before

-- name: next_moment
-- When there is something to do next, in the engine's own tables.
SELECT LEAST((SELECT min(first_at) FROM due), (SELECT min(next_at) FROM occurrence WHERE next_at IS NOT NULL),
             (SELECT min(next_at) FROM alert WHERE next_at IS NOT NULL)) AS at
