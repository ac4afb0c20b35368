-- name: judged_until
-- One worker judges at a time; the others have nothing to wait for.
SELECT r.judged_until AS until,
       (SELECT min(w.from_at) FROM watch_window w
        WHERE w.waiting + w.lost + w.silent > 0 AND w.from_at >= :since) AS gap_from
FROM watch_round r FOR UPDATE OF r SKIP LOCKED

-- name: judge
-- What the plan held in these windows, beside what came of it. A window that was whole stays as it was judged. Each
-- name is looked up by its key, so the past costs nothing; what is asked last is asked of the few that are not told.
WITH judged AS MATERIALIZED (
  SELECT e.org_id, date_bin('15 minutes', e.at, 'epoch') AS from_at, CASE
    WHEN o.occ IS NULL THEN CASE WHEN EXISTS (SELECT FROM due d
      WHERE d.org_id = e.org_id AND d.space_id = e.space_id AND d.occ = e.occ) THEN 'waiting' ELSE 'lost' END
    WHEN o.state IN ('paused', 'cancelled') THEN 'excused'
    WHEN LEAST(o.told_at, o.late_at, CASE WHEN o.outcome <> 'shown' THEN o.closed_at END)
      <= e.at + INTERVAL '5 minutes' THEN 'told'
    -- Nothing was heard of the devices, and a person knows.
    WHEN EXISTS (SELECT FROM alert a WHERE a.org_id = e.org_id AND a.space_id = e.space_id AND a.kind = 'silent'
      AND (a.closed_at IS NULL OR a.opened_at >= e.at)) THEN 'told'
    WHEN o.told_at IS NOT NULL OR o.state IN ('told', 'late', 'missed') OR o.outcome <> 'shown' THEN 'late'
    WHEN NOT o.ring_start THEN 'excused'
    WHEN NOT EXISTS (SELECT FROM resident r JOIN device v ON v.org_id = r.org_id AND v.account_id = r.account_id
      AND v.revoked_at IS NULL WHERE r.org_id = e.org_id AND e.space_id IN (r.space_id, r.medication_id)) THEN 'excused'
    -- Over before a device had said so: it was handed over all the same.
    WHEN EXISTS (SELECT FROM delivery l WHERE l.org_id = e.org_id AND l.space_id = e.space_id AND l.subject = e.occ
      AND l.kind = 'ring' AND (l.state = 'seen' OR l.state = 'sent' AND l.channel <> 'openapp')) THEN 'told'
    ELSE 'silent' END AS what
  FROM expected e
  LEFT JOIN occurrence o ON o.org_id = e.org_id AND o.space_id = e.space_id AND o.occ = e.occ
  WHERE e.at >= :since::timestamptz AND e.at < :until::timestamptz AND e.org_id <> :nobody
), counted AS (
  SELECT org_id, from_at, count(*)::integer AS expected,
         count(*) FILTER (WHERE what IN ('told', 'late'))::integer AS told,
         count(*) FILTER (WHERE what = 'late')::integer AS late,
         count(*) FILTER (WHERE what = 'excused')::integer AS excused,
         count(*) FILTER (WHERE what = 'waiting')::integer AS waiting,
         count(*) FILTER (WHERE what = 'lost')::integer AS lost,
         count(*) FILTER (WHERE what = 'silent')::integer AS silent
  FROM judged GROUP BY org_id, from_at
)
INSERT INTO watch_window AS w (org_id, from_at, expected, told, late, excused, waiting, lost, silent, judged_at)
SELECT org_id, from_at, expected, told, late, excused, waiting, lost, silent, :now::timestamptz FROM counted
ON CONFLICT (org_id, from_at) DO UPDATE SET expected = excluded.expected, told = excluded.told, late = excluded.late,
  excused = excluded.excused, waiting = excluded.waiting, lost = excluded.lost, silent = excluded.silent,
  judged_at = excluded.judged_at
WHERE w.waiting + w.lost + w.silent > 0
RETURNING w.org_id AS org, w.from_at, w.expected, w.told, w.late, w.excused, w.waiting, w.lost, w.silent

-- name: keep_judged
WITH r AS (UPDATE watch_round SET judged_until = :until)
DELETE FROM expected WHERE at < :past

-- name: missing_since
SELECT watch_missing(:since) AS number

-- name: windows_of
-- An organisation's windows with something in them, the latest first.
SELECT w.from_at, w.expected, w.told, w.late, w.excused, w.waiting, w.lost, w.silent FROM watch_window w
WHERE w.org_id = :org AND w.from_at >= :since ORDER BY w.from_at DESC

-- name: how_it_watches
-- How far windows are judged, and how the reminder that is nobody's came through last.
SELECT judged_until, through_at, took_ms, missed, push_at, push_ms, push_missed FROM watch_round
