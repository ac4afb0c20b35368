-- name: let_read
-- Name to row-level security what this transaction's reader may read.
SELECT set_config('mos.log_all', :everything, true) <> '' AS everything,
       set_config('mos.log_units', :units, true) <> '' AS units,
       set_config('mos.log_spaces', :spaces, true) <> '' AS spaces,
       set_config('mos.log_chain', :chain, true) <> '' AS chain;

-- name: accesses
-- Lines of the access log, latest first, before a place.
SELECT e.entry_id AS id, e.at, e.space_id AS space, COALESCE(ra.name, '') AS resident, COALESCE(u.name, '') AS unit,
       e.account_id AS account, COALESCE(a.name, '') AS person, e.role, d.name AS device, d.device_id,
       d.account_id AS owner, e.kind, e.class AS what, e.purpose
FROM access_log e
LEFT JOIN resident r ON r.org_id = e.org_id AND r.space_id = e.space_id
LEFT JOIN account ra ON ra.org_id = r.org_id AND ra.account_id = r.account_id
LEFT JOIN account a ON a.org_id = e.org_id AND a.account_id = e.account_id
LEFT JOIN unit u ON u.org_id = e.org_id AND u.unit_id = e.unit_id
LEFT JOIN device d ON d.org_id = e.org_id AND d.device_id = e.device_id
WHERE e.org_id = :org
  AND e.hour > :since::timestamptz - interval '1 hour' AND e.at >= :since AND e.hour < :until AND e.at < :until
  AND (:space::uuid IS NULL OR e.space_id = :space)
  AND (:account::uuid IS NULL OR e.account_id = :account)
  AND (:kind::text IS NULL OR e.kind = :kind)
  AND (:before_at::timestamptz IS NULL
       OR (e.hour <= :before_at AND (e.at, e.entry_id) < (:before_at, :before_id::uuid)))
ORDER BY e.hour DESC, e.at DESC, e.entry_id DESC
LIMIT :limit;

-- name: seen
-- Who did what with one resident's data, by day and person, latest first; not what the resident did.
SELECT (e.at AT TIME ZONE :zone)::date AS day, COALESCE(a.name, '') AS person, e.role,
       min(e.at) AS first, max(e.at) AS last,
       bool_or(e.kind = 'read' AND e.purpose <> 'feed' AND e.class <> 'medication') AS read, bool_or(e.kind = 'changed') AS changed,
       bool_or(e.kind IN ('exported', 'printed')) AS exported, bool_or(e.purpose = 'feed') AS feed,
       bool_or(e.purpose = 'emergency') AS emergency,
       bool_or(e.kind = 'read' AND e.purpose <> 'feed' AND e.class = 'medication') AS medication
FROM access_log e
LEFT JOIN account a ON a.org_id = e.org_id AND a.account_id = e.account_id
WHERE e.org_id = :org AND e.space_id = :space AND e.purpose <> 'own'
  AND e.hour > :since::timestamptz - interval '1 hour' AND e.at >= :since AND e.hour < :until AND e.at < :until
GROUP BY 1, e.account_id, a.name, e.role
ORDER BY 1 DESC, max(e.at) DESC, a.name, e.role;

-- name: latest_before
-- When somebody last did something with a resident's data, before a moment; not the resident.
SELECT max(e.at) AS at FROM access_log e
WHERE e.org_id = :org AND e.space_id = :space AND e.purpose <> 'own' AND e.hour < :until AND e.at < :until;

-- name: chain
-- Lines of the organisation's chain, latest first, before a number.
SELECT l.n, l.content, a.name AS person, COALESCE(o.name, ro.name) AS whom,
       NULLIF(d.name, '') AS device, d.device_id, d.account_id AS owner
FROM audit l
LEFT JOIN account a ON a.org_id = l.org_id AND a.account_id = l.by_id
LEFT JOIN account o ON o.org_id = l.org_id AND o.account_id = l.of_id
LEFT JOIN resident r ON r.org_id = l.org_id AND r.space_id = l.of_id
LEFT JOIN account ro ON ro.org_id = r.org_id AND ro.account_id = r.account_id
LEFT JOIN device d ON d.org_id = l.org_id AND d.device_id = (l.content::jsonb #>> '{says,on}')::uuid
WHERE l.org_id = :org AND l.at >= :since AND l.at < :until
  AND (:event::text IS NULL OR l.event = :event)
  AND (:account::uuid IS NULL OR l.by_id = :account OR l.of_id = :account)
  AND (:before::bigint IS NULL OR l.n < :before)
ORDER BY l.n DESC
LIMIT :limit;

-- name: months
-- The months that were drawn, latest first, with what the reader sees of each.
SELECT d.month, d.lines, count(s.entry_id)::int AS drawn,
       count(s.entry_id) FILTER (WHERE s.outcome IS NULL)::int AS left
FROM access_draw d
LEFT JOIN access_sample s ON s.org_id = d.org_id AND s.month = d.month
WHERE d.org_id = :org
GROUP BY d.month, d.lines ORDER BY d.month DESC LIMIT 60;

-- name: samples
-- What was drawn of a month: what nobody has looked at first.
SELECT s.month, s.entry_id AS id, s.at, s.space_id AS space, COALESCE(ra.name, '') AS resident,
       COALESCE(u.name, '') AS unit, s.account_id AS account, COALESCE(a.name, '') AS person, s.role,
       d.name AS device, d.device_id, d.account_id AS owner, s.kind, s.class AS what, s.purpose, s.outcome, s.note, w.name AS reviewer, s.reviewed_at
FROM access_sample s
LEFT JOIN resident r ON r.org_id = s.org_id AND r.space_id = s.space_id
LEFT JOIN account ra ON ra.org_id = r.org_id AND ra.account_id = r.account_id
LEFT JOIN account a ON a.org_id = s.org_id AND a.account_id = s.account_id
LEFT JOIN account w ON w.org_id = s.org_id AND w.account_id = s.reviewed_by
LEFT JOIN unit u ON u.org_id = s.org_id AND u.unit_id = s.unit_id
LEFT JOIN device d ON d.org_id = s.org_id AND d.device_id = s.device_id
WHERE s.org_id = :org AND s.month = :month AND (:entry::uuid IS NULL OR s.entry_id = :entry)
ORDER BY s.outcome IS NOT NULL, s.at DESC, s.entry_id;

-- name: review
UPDATE access_sample SET outcome = :outcome, note = :note, reviewed_by = :by, reviewed_at = :now
WHERE org_id = :org AND month = :month AND entry_id = :entry AND (outcome IS NULL OR outcome = 'follow_up');

-- name: due
-- Organisations of which a month is not drawn yet.
SELECT org_id AS org FROM access_draw_due(:month, :limit);

-- name: draw
SELECT lines, drawn FROM access_draw_month(:org, :month, :seed, :each, :now);
