-- name: orders_named
SELECT r.org_id AS org, r.space_id AS space, r.rec_id AS rec, r.doc
FROM unnest(:spaces::uuid[], :recs::uuid[]) AS g (space_id, rec_id)
CROSS JOIN LATERAL (
  SELECT * FROM rec WHERE rec.org_id = mos_org() AND rec.rec_id = g.rec_id
                      AND (rec.space_id = g.space_id) IS TRUE LIMIT 1
) r
WHERE r.coll = 'order'
