-- name: load_of_spaces
-- How often the devices of these spaces' residents rang, and how many alerts were opened, on each of these days; of
-- the alerts, how many at night.
WITH g AS (
  SELECT * FROM unnest(:days::date[], :starts::timestamptz[], :ends::timestamptz[]) AS g (day, starts, ends)
), rung AS (
  SELECT g.day, count(DISTINCT (d.space_id, d.subject, d.step)) AS number
  FROM g JOIN delivery d ON d.created_at >= g.starts AND d.created_at < g.ends
  WHERE d.org_id = :org AND d.space_id = ANY (:spaces::uuid[]) AND d.kind = 'ring' AND d.state IN ('sent', 'seen')
  GROUP BY g.day
), opened AS (
  SELECT g.day, count(*) AS number, count(*) FILTER (
           WHERE (a.opened_at AT TIME ZONE :zone::text)::time >= '23:00' OR (a.opened_at AT TIME ZONE :zone::text)::time < '06:00'
         ) AS at_night
  FROM g JOIN alert a ON a.opened_at >= g.starts AND a.opened_at < g.ends
  WHERE a.org_id = :org AND a.space_id = ANY (:spaces::uuid[])
  GROUP BY g.day
)
SELECT g.day, COALESCE(r.number, 0)::int AS rings, COALESCE(o.number, 0)::int AS alerts,
       COALESCE(o.at_night, 0)::int AS at_night
FROM g LEFT JOIN rung r ON r.day = g.day LEFT JOIN opened o ON o.day = g.day ORDER BY g.day

-- name: load_of_account
-- How often somebody's devices rang, and how many alerts they were told of, on each of these days; of the alerts, how
-- many at night.
SELECT g.day,
       (count(DISTINCT (d.space_id, d.subject, d.step)) FILTER (WHERE d.kind = 'ring'))::int AS rings,
       (count(DISTINCT (d.space_id, d.subject)) FILTER (WHERE d.kind = 'alert'))::int AS alerts,
       (count(DISTINCT (d.space_id, d.subject)) FILTER (WHERE d.kind = 'alert' AND (
          (d.created_at AT TIME ZONE :zone::text)::time >= '23:00' OR (d.created_at AT TIME ZONE :zone::text)::time < '06:00'
       )))::int AS at_night
FROM unnest(:days::date[], :starts::timestamptz[], :ends::timestamptz[]) AS g (day, starts, ends)
LEFT JOIN delivery d ON d.org_id = :org AND d.space_id = ANY (:spaces::uuid[]) AND d.account_id = :account
  AND d.state IN ('sent', 'seen') AND d.created_at >= g.starts AND d.created_at < g.ends
GROUP BY g.day ORDER BY g.day

-- name: dead_letters
-- What failed for good, or came too late to be sent, while its alert is open.
SELECT d.delivery_id AS id, d.kind, d.channel, COALESCE(NULLIF(d.error, ''), d.state) AS code, d.account_id AS account,
       COALESCE(d.settled_at, d.created_at) AS at
FROM delivery d
JOIN alert a ON a.org_id = d.org_id AND a.space_id = d.space_id AND a.closed_at IS NULL
  AND CASE d.kind WHEN 'ring' THEN a.occ = d.subject ELSE a.alert_id::text = d.subject END
WHERE d.org_id = :org AND d.space_id = ANY (:spaces::uuid[]) AND d.kind <> 'close'
  AND (d.state = 'failed' OR (d.state = 'expired' AND d.kind = 'alert' AND d.error <> 'withdrawn'))
ORDER BY at DESC, d.delivery_id DESC LIMIT :limit

-- name: count_dead_letters
SELECT count(*)::int AS number
FROM alert a JOIN delivery d ON d.org_id = a.org_id AND d.space_id = a.space_id AND d.subject = a.alert_id::text
WHERE a.closed_at IS NULL AND d.kind = 'alert'
  AND (d.state = 'failed' OR (d.state = 'expired' AND d.error <> 'withdrawn'))
