-- What the web process asks about the installation itself.

-- name: signs_of_life
-- When a worker was last heard of (null when none ever was), and when a reminder last went through the whole chain.
-- And how many reminders nobody was told of, in windows since then.
SELECT (SELECT max(seen_at) FROM worker_heartbeat) AS seen_at, through_at, missed, push_at, push_missed, judged_until,
       watch_missing(:since) AS missing
FROM watch_round;
