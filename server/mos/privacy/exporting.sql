-- name: primary_keys
-- The columns of each table's primary key, in their order, without the organisation.
SELECT c.relname::text AS name,
       array_agg(a.attname::text ORDER BY k.at) FILTER (WHERE a.attname <> 'org_id') AS columns
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, at)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
WHERE i.indisprimary
GROUP BY c.relname
HAVING count(*) FILTER (WHERE a.attname <> 'org_id') > 0;
