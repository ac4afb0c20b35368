-- What the web process asks about the installation itself.

-- name: last_worker
-- When a worker was last heard of; null when none ever was.
SELECT max(seen_at) AS seen_at FROM worker_heartbeat;
