-- The one way into a space: every op of a batch gets its verdict, its place and its merge in one call.
-- It runs as its caller, so row-level security holds inside: a space that the transaction did not name
-- (mos.spaces) does not exist here.

-- The server's own clock for a record (docs/sync.md, "The server's own ops"): `p_now`, but later than
-- every clock in `p_clk`; the `p_nth` of one batch.
CREATE FUNCTION sync_server_hlc(p_now timestamptz, p_clk jsonb, p_nth bigint) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT lpad(to_hex(p_nth - 1 + GREATEST(
           (extract(epoch FROM p_now) * 1000)::bigint << 16,
           (SELECT max(('x' || left(c.value, 16))::bit(64)::bigint) + 1 FROM jsonb_each_text(p_clk) c)
         )), 16, '0') || '0000000000000000'
$$;

-- Which of these spaces were erased: a late op must not bring back what was forgotten, not even into
-- quarantine, and also not when its author no longer sees the space.
CREATE FUNCTION sync_erased(p_org uuid, p_spaces uuid[]) RETURNS uuid[]
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT COALESCE(array_agg(s.space_id), '{}') FROM space s
  WHERE s.org_id = p_org AND s.space_id = ANY (p_spaces) AND s.state = 2
$$;
REVOKE ALL ON FUNCTION sync_erased(uuid, uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sync_erased(uuid, uuid[]) TO mos_app;

-- p_ops: [{"space", "op", "n", "kind", "coll", "rec", "hlc", "claimed", "val"}, …] in the order of
-- acceptance; without "hlc" the server stamps. An op that the caller refuses carries "verdict" and
-- "code" and its text as received in "raw". p_device is NULL for the server's own ops.
--
-- Answers rows of three sorts:
--   op      ord, verdict, code, seq, hlc, claimed; of a `dup` all of its first time, `was` its verdict
--   space   space_id, seq: its head after this; or space_id, n: what the device is acknowledged
--   record  space_id, seq, doc: one that changed, as it stands now
CREATE FUNCTION sync_push(
  p_org uuid, p_device uuid, p_account uuid, p_session uuid, p_now timestamptz, p_skew_ms bigint,
  p_spaces uuid[], p_ops jsonb
) RETURNS TABLE (
  ord bigint, space_id uuid, verdict text, code text, was text, seq bigint, hlc text, claimed text,
  n bigint, doc jsonb
) LANGUAGE plpgsql VOLATILE SECURITY INVOKER AS $$
#variable_conflict use_column
BEGIN
  -- Lock first, in a statement of its own: the next one then sees everything that the holder before us
  -- committed. In one statement it would merge into what it saw before it waited. Sorted: no deadlock.
  PERFORM FROM space s
  WHERE s.org_id = p_org AND s.space_id = ANY (p_spaces) ORDER BY s.space_id FOR NO KEY UPDATE;

  RETURN QUERY
  WITH
  -- What came, beside what is known of it. Index look-ups only, so the cost follows the batch.
  known AS (
    SELECT i.*, s.head_seq, s.state, x.verdict AS was, x.seq AS was_seq, x.hlc AS was_hlc,
           x.hlc_claimed AS was_claimed, r.coll AS rec_coll, r.seq AS rec_seq, r.clk,
           COALESCE(r.doc -> 'deleted' = 'true', false) AS rec_deleted,
           row_number() OVER (PARTITION BY i.space_id, i.op_id ORDER BY i.ord) AS nth
    FROM (
      SELECT j.ord, j.space AS space_id, j.op AS op_id, j.n, j.kind, j.coll, j.rec AS rec_id, j.hlc,
             j.claimed, j.verdict, j.code
      FROM ROWS FROM (jsonb_to_recordset(p_ops) AS (
             space uuid, op uuid, n bigint, kind text, coll text, rec uuid, hlc text, claimed text,
             verdict text, code text)) WITH ORDINALITY
           AS j (space, op, n, kind, coll, rec, hlc, claimed, verdict, code, ord)
    ) i
    LEFT JOIN space s ON s.org_id = p_org AND s.space_id = i.space_id
    LEFT JOIN op x ON x.org_id = p_org AND x.space_id = i.space_id AND x.op_id = i.op_id
    LEFT JOIN rec r ON r.org_id = p_org AND r.space_id = i.space_id AND r.rec_id = i.rec_id
  ),
  admitted AS (
    SELECT k.*, CASE
        WHEN k.was IS NOT NULL OR (k.nth > 1 AND k.verdict IS NULL) THEN 'dup'
        WHEN k.state = 2 THEN 'gone'
        WHEN k.verdict IS NOT NULL THEN k.verdict
        WHEN k.state IS NULL OR k.state = 1 THEN 'forbidden'
      END AS refusal
    FROM known k
  ),
  -- A record belongs to the collection that it began in, and an event's record to its event alone.
  owned AS (
    SELECT a.*, COALESCE(a.rec_coll, first_value(a.coll) OVER w) AS owner,
           a.kind = 'event' AND a.rec_seq IS NOT NULL AS taken
    FROM admitted a
    WINDOW w AS (PARTITION BY a.space_id, a.rec_id, a.refusal IS NULL ORDER BY a.ord)
  ),
  judged AS (
    SELECT o.*,
           COALESCE(o.refusal, CASE WHEN o.coll <> o.owner OR o.taken THEN 'invalid' END) AS refused,
           CASE
             WHEN o.refusal IS NULL THEN 'rec_taken'
             WHEN o.refusal = 'forbidden' AND o.verdict IS NULL
               THEN CASE WHEN o.state = 1 THEN 'frozen' ELSE 'no_access' END
             ELSE o.code
           END AS why
    FROM owned o
  ),
  numbered AS MATERIALIZED (
    SELECT j.ord, j.space_id, j.op_id, j.n, j.kind, j.coll, j.rec_id, j.claimed, j.refused, j.why,
           j.was, j.was_seq, j.was_hlc, j.was_claimed, j.rec_seq, j.rec_deleted, j.clk,
           j.head_seq, j.state IS NOT NULL AS is_visible,
           CASE WHEN j.refused IS NULL THEN COALESCE(j.hlc, sync_server_hlc(p_now, j.clk,
             row_number() OVER (PARTITION BY j.space_id, j.rec_id, j.refused IS NULL ORDER BY j.ord)))
             ELSE j.hlc END AS hlc,
           CASE WHEN j.refused IS NULL THEN j.head_seq + row_number()
             OVER (PARTITION BY j.space_id, j.refused IS NULL ORDER BY j.ord) END AS seq
    FROM judged j
  ),
  -- Group by group: does it beat what the record has and what came earlier in this batch?
  grouped AS MATERIALIZED (
    SELECT n.*, g.key, g.value,
           n.hlc > COALESCE(n.clk ->> g.key, '') COLLATE "C"
             AND n.hlc > COALESCE(max(n.hlc) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), '')
             AS wins,
           n.hlc = max(n.hlc) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS latest
    FROM numbered n CROSS JOIN LATERAL jsonb_each(p_ops -> (n.ord - 1)::int -> 'val') g
    WHERE n.refused IS NULL
    WINDOW w AS (PARTITION BY n.space_id, n.rec_id, g.key ORDER BY n.ord)
  ),
  accepted AS MATERIALIZED (
    SELECT g.ord, g.space_id, g.seq, g.op_id, g.n, g.kind, g.coll, g.rec_id, g.hlc, g.claimed,
           CASE WHEN bool_or(g.wins) THEN 'applied' ELSE 'superseded' END AS verdict
    FROM grouped g
    GROUP BY g.ord, g.space_id, g.seq, g.op_id, g.n, g.kind, g.coll, g.rec_id, g.hlc, g.claimed
  ),
  logged AS (
    INSERT INTO op (org_id, space_id, seq, op_id, device_id, account_id, session_id, n, kind, coll,
                    rec_id, hlc, hlc_claimed, val, verdict, received_at)
    SELECT p_org, a.space_id, a.seq, a.op_id, p_device, p_account, p_session, a.n, a.kind, a.coll,
           a.rec_id, a.hlc, a.claimed, p_ops -> (a.ord - 1)::int -> 'val', a.verdict, p_now
    FROM accepted a
  ),
  merged AS MATERIALIZED (
    SELECT g.space_id, g.rec_id, min(g.coll) AS coll, max(g.seq) AS seq,
           jsonb_object_agg(g.key, g.value) FILTER (WHERE g.latest) AS doc,
           jsonb_object_agg(g.key, g.hlc) FILTER (WHERE g.latest) AS clk,
           min(g.rec_seq) FILTER (WHERE NOT g.rec_deleted) AS was_live,
           NOT COALESCE(bool_or(g.value = 'true') FILTER (WHERE g.latest AND g.key = 'deleted'),
                        bool_or(g.rec_deleted)) AS is_live
    FROM grouped g WHERE g.wins GROUP BY g.space_id, g.rec_id
  ),
  changed AS (
    INSERT INTO rec AS r (org_id, space_id, rec_id, coll, seq, doc, clk)
    SELECT p_org, m.space_id, m.rec_id, m.coll, m.seq, m.doc, m.clk FROM merged m
    ON CONFLICT (org_id, space_id, rec_id)
      DO UPDATE SET doc = r.doc || EXCLUDED.doc, clk = r.clk || EXCLUDED.clk, seq = EXCLUDED.seq
    RETURNING r.space_id, r.seq, r.doc
  ),
  -- The head moves, and the fingerprint that pulls are checked by moves with it (docs/sync.md, "check").
  headed AS (
    UPDATE space s SET
      head_seq = t.head,
      live_n = s.live_n + t.n,
      live_sum = s.live_sum + t.sum,
      live_sq = mod(mod(s.live_sq + t.sq, 1::bigint << 53) + (1::bigint << 53), 1::bigint << 53)
    FROM (
      SELECT u.space_id, max(u.head) AS head, sum(u.n)::bigint AS n, sum(u.sum)::bigint AS sum,
             mod(sum(u.sq), 1::bigint << 53)::bigint AS sq
      FROM (
        SELECT b.space_id, b.seq AS head, 0 AS n, 0 AS sum, 0 AS sq FROM numbered b WHERE b.refused IS NULL
        UNION ALL
        SELECT m.space_id, NULL, m.is_live::int - (m.was_live IS NOT NULL)::int,
               m.is_live::int * m.seq - COALESCE(m.was_live, 0),
               m.is_live::int * m.seq::numeric ^ 2 - COALESCE(m.was_live, 0)::numeric ^ 2
        FROM merged m
      ) u GROUP BY u.space_id
    ) t
    WHERE s.org_id = p_org AND s.space_id = t.space_id
  ),
  acknowledged AS (
    INSERT INTO device_space AS d (org_id, space_id, device_id, last_n, last_hlc, skew_ms, seen_at)
    SELECT p_org, b.space_id, p_device, max(b.n),
           COALESCE(max(b.hlc) FILTER (WHERE b.refused IS NULL), ''), p_skew_ms, p_now
    FROM numbered b WHERE b.is_visible AND p_device IS NOT NULL GROUP BY b.space_id
    ON CONFLICT (org_id, space_id, device_id)
      DO UPDATE SET last_n = GREATEST(d.last_n, EXCLUDED.last_n),
                    last_hlc = GREATEST(d.last_hlc, EXCLUDED.last_hlc),
                    skew_ms = EXCLUDED.skew_ms, seen_at = EXCLUDED.seen_at
    RETURNING d.space_id, d.last_n
  ),
  -- Before anything is answered: a device forgets what it was refused.
  quarantined AS (
    INSERT INTO quarantine (org_id, space_id, op_id, device_id, account_id, reason, payload, received_at)
    SELECT p_org, b.space_id, b.op_id, p_device, p_account, b.refused || ' ' || b.why,
           COALESCE(i.item -> 'raw', i.item), p_now
    FROM numbered b CROSS JOIN LATERAL (SELECT p_ops -> (b.ord - 1)::int AS item) i
    WHERE b.refused IN ('invalid', 'forbidden') AND p_device IS NOT NULL
      AND (b.is_visible OR b.space_id <> ALL (
        (SELECT sync_erased(p_org, array_agg(e.space_id)) FROM numbered e WHERE NOT e.is_visible)::uuid[]))
    ON CONFLICT DO NOTHING
  )
  SELECT b.ord, b.space_id, b.refused, b.why, b.was, b.was_seq, b.was_hlc, b.was_claimed,
         NULL::bigint, NULL::jsonb
  FROM numbered b WHERE b.refused IS NOT NULL
  UNION ALL
  SELECT l.ord, l.space_id, l.verdict, NULL, NULL, l.seq, l.hlc, l.claimed, NULL, NULL FROM accepted l
  UNION ALL
  SELECT NULL, b.space_id, NULL, NULL, NULL, max(COALESCE(b.seq, b.head_seq)), NULL, NULL, NULL, NULL
  FROM numbered b WHERE b.is_visible GROUP BY b.space_id
  UNION ALL
  SELECT NULL, a.space_id, NULL, NULL, NULL, NULL, NULL, NULL, a.last_n, NULL FROM acknowledged a
  UNION ALL
  SELECT NULL, c.space_id, NULL, NULL, NULL, c.seq, NULL, NULL, NULL, c.doc FROM changed c;
END $$;

-- Whatever the statistics say, the batch drives: a hashed or scanned history would cost its length.
ALTER FUNCTION sync_push(uuid, uuid, uuid, uuid, timestamptz, bigint, uuid[], jsonb)
  SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off;
