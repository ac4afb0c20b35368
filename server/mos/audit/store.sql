-- name: add_access
SELECT FROM access_log_add(:org, :account, :session, :device, :kind, :purpose, :ids::uuid[], :spaces::uuid[],
                           :classes::text[], :at);

-- name: keep_access_log
SELECT org_id AS org, month, entries FROM access_log_keep(:now, :keep::interval);

-- name: append
SELECT audit_append(:org, :contents::text[]) AS n;

-- name: heads
-- Where every chain ends.
SELECT org_id AS org, n, hash FROM audit_head ORDER BY org_id;

-- name: unsigned_heads
-- Where the chains end that have grown since a root signed them.
SELECT org_id AS org, n, hash FROM audit_head WHERE n > signed_n ORDER BY org_id;

-- name: lines
-- Lines of the given chains after a place, each chain from after its start up to its end.
SELECT a.org_id AS org, a.n, a.content, a.hash
FROM audit a
JOIN unnest(:orgs::uuid[], :starts::bigint[], :ends::bigint[]) AS c (org_id, first_n, last_n)
  ON c.org_id = a.org_id AND a.n > c.first_n AND a.n <= c.last_n
WHERE (a.org_id, a.n) > (:org, :n::bigint)
ORDER BY a.org_id, a.n
LIMIT :limit;

-- name: beyond
-- Lines that lie after their chain's end, or in a chain without one: the first of each.
SELECT a.org_id AS org, min(a.n) AS n
FROM audit a LEFT JOIN audit_head h ON h.org_id = a.org_id
WHERE h.n IS NULL OR a.n > h.n
GROUP BY a.org_id ORDER BY a.org_id;

-- name: roots
SELECT no, day, content, hash, key, signature FROM audit_root ORDER BY no;

-- name: last_root
SELECT no, day, content, hash, key, signature FROM audit_root ORDER BY no DESC LIMIT 1;

-- name: sign
SELECT audit_sign(:no, :day, :content, :key, :signature, :orgs::uuid[], :numbers::bigint[]) AS kept;
