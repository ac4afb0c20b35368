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

-- Refused ops are kept before their device is told and forgets them, also where the space is not their
-- author's: hence past row-level security. Not of an erased space: what was forgotten does not come back.
-- A device may fill so much of it and no more: 1,000 ops and 4 MiB in 24 hours. What is kept already costs
-- nothing. p_items: [{"ord", "space", "op", "g", "reason", "payload"}, …]. Returns the ords that had no room:
-- of a group all or none, since what comes again without the others would be applied without them.
CREATE FUNCTION sync_quarantine(
  p_org uuid, p_device uuid, p_account uuid, p_now timestamptz, p_items jsonb
) RETURNS bigint[] LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH asked AS (
    SELECT i.*, octet_length(i.payload::text) AS bytes
    FROM jsonb_to_recordset(p_items) AS i (ord bigint, space uuid, op uuid, g uuid, reason text, payload jsonb)
    WHERE p_org = mos_org()
  ),
  -- An erasure that is under way is waited for, a push is not (erasure.close): what came in beside it would stay.
  place AS MATERIALIZED (
    SELECT s.space_id, s.state FROM space s
    WHERE s.org_id = p_org AND s.space_id IN (SELECT a.space FROM asked a) ORDER BY s.space_id FOR KEY SHARE
  ),
  item AS (
    SELECT i.* FROM asked i
    WHERE NOT EXISTS (SELECT 1 FROM place p WHERE p.space_id = i.space AND p.state = 2)
      AND NOT EXISTS (SELECT 1 FROM quarantine q
                      WHERE q.org_id = p_org AND q.space_id = i.space AND q.op_id = i.op)
  ),
  used AS (
    SELECT count(*) AS n, COALESCE(sum(q.bytes), 0) AS bytes FROM quarantine q
    WHERE q.org_id = p_org AND q.device_id = p_device AND q.received_at > p_now - interval '24 hours'
  ),
  weighed AS (
    SELECT i.*, u.n + row_number() OVER w <= 1000 AND u.bytes + sum(i.bytes) OVER w <= 4194304 AS fits
    FROM item i CROSS JOIN used u
    WINDOW w AS (ORDER BY i.ord ROWS UNBOUNDED PRECEDING)
  ),
  settled AS (
    SELECT w.*, bool_and(w.fits) OVER (PARTITION BY COALESCE(w.g::text, w.ord::text)) AS stays FROM weighed w
  ),
  kept AS (
    INSERT INTO quarantine (org_id, space_id, op_id, device_id, account_id, reason, payload, received_at)
    SELECT p_org, w.space, w.op, p_device, p_account, w.reason, w.payload, p_now FROM settled w WHERE w.stays
    ON CONFLICT DO NOTHING
  )
  SELECT array_agg(w.ord) FROM settled w WHERE NOT w.stays
$$;
REVOKE ALL ON FUNCTION sync_quarantine(uuid, uuid, uuid, timestamptz, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sync_quarantine(uuid, uuid, uuid, timestamptz, jsonb) TO mos_app;

-- The tag of a place: eight hex digits made of its op's id and of when it was taken. A device shows it to
-- prove that its history is ours; NULL for a place that does not exist. The id alone would not do: after a
-- restore the same op may come to the same place again, behind others in another order.
CREATE FUNCTION sync_tag(p_org uuid, p_space uuid, p_seq bigint) RETURNS text
  LANGUAGE sql STABLE AS $$
  SELECT CASE p_seq WHEN 0 THEN '00000000' ELSE (
    SELECT left(md5(o.op_id || '/' || floor(extract(epoch FROM o.received_at) * 1000)::bigint), 8) FROM op o
    WHERE o.org_id = p_org AND o.space_id = p_space AND o.seq = p_seq) END
$$;

-- Which spaces are due for their daily upkeep, of whichever organisation: ids alone. Whoever asks has
-- taken them on; should they fail, tomorrow is soon enough.
CREATE FUNCTION sync_claim_untidy(p_before timestamptz, p_now timestamptz, p_limit integer)
  RETURNS TABLE (org_id uuid, space_id uuid, is_erased boolean)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH due AS (
    SELECT s.org_id, s.space_id FROM space s WHERE s.tidied_at < p_before
    ORDER BY s.tidied_at LIMIT p_limit FOR UPDATE SKIP LOCKED
  )
  UPDATE space s SET tidied_at = p_now FROM due d
  WHERE s.org_id = d.org_id AND s.space_id = d.space_id
  RETURNING s.org_id, s.space_id, s.state = 2
$$;
-- Refused ops of spaces that do not exist are nobody's to settle: they go by when they came.
CREATE FUNCTION sync_forget_stray(p_before timestamptz, p_limit integer) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH gone AS (
    DELETE FROM quarantine q USING (
      SELECT x.org_id, x.space_id, x.op_id FROM quarantine x
      WHERE x.received_at < p_before
        AND NOT EXISTS (SELECT FROM space s WHERE s.org_id = x.org_id AND s.space_id = x.space_id)
      LIMIT p_limit FOR UPDATE SKIP LOCKED
    ) o
    WHERE q.org_id = o.org_id AND q.space_id = o.space_id AND q.op_id = o.op_id
    RETURNING 1
  )
  SELECT count(*) FROM gone
$$;
CREATE FUNCTION sync_erasures() RETURNS TABLE (org_id uuid, space_id uuid, erased_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT e.org_id, e.space_id, e.erased_at FROM erasure e ORDER BY e.erased_at, e.org_id, e.space_id
$$;
REVOKE ALL ON FUNCTION sync_claim_untidy(timestamptz, timestamptz, integer), sync_erasures(),
  sync_forget_stray(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sync_claim_untidy(timestamptz, timestamptz, integer), sync_erasures(),
  sync_forget_stray(timestamptz, integer) TO mos_app;

-- Numbers that never came, of which a device could make as many as it likes: beyond some two hundred
-- stretches one that covers them all. What is asked for in vain is answered `dup` or given up.
CREATE FUNCTION sync_bounded(p_numbers int8multirange) RETURNS int8multirange
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN pg_column_size(p_numbers) > 4096 THEN int8multirange(range_merge(p_numbers)) ELSE p_numbers END
$$;

-- p_ops: [{"space", "op", "n", "kind", "coll", "rec", "hlc", "claimed", "val", "g"}, …] in the order of
-- acceptance; without "hlc" the server stamps. Stamped anew, an op has in "made_hlc" when it was written. An op that the caller refuses carries "verdict" and
-- "code" and its text as received in "raw". p_device is NULL for the server's own ops.
--
-- Answers rows of three sorts:
--   op      ord, verdict, code, seq, hlc, claimed; of a `dup` all of its first time, `was` its verdict;
--           `retry` when it is refused and quarantine has no room for it; `safety` when that is still to
--           be decided, by sync_push_safety
--   space   space_id, seq: its head after this; or space_id, n, doc: what the device is acknowledged, and
--           which numbers before it never came, as inclusive pairs
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
  WITH RECURSIVE
  -- What came, beside what is known of it. Index look-ups only, so the cost follows the batch.
  known AS (
    SELECT i.*, s.head_seq, s.floor_hlc, s.state, x.verdict AS was, x.seq AS was_seq, x.hlc AS was_hlc,
           x.hlc_claimed AS was_claimed,
           CASE WHEN x.verdict = 'conflict' THEN x.val ->> 'why' END AS was_why,
           z.came IS NOT NULL AS is_archived, r.coll AS rec_coll, r.seq AS rec_seq, r.clk,
           COALESCE(r.doc -> 'deleted' = 'true', false) AS rec_deleted,
           row_number() OVER (PARTITION BY i.space_id, i.op_id ORDER BY i.ord) AS nth
    FROM (
      SELECT j.ord, j.space AS space_id, j.op AS op_id, j.n, j.kind, j.coll, j.rec AS rec_id, j.hlc,
             j.claimed, j.made_hlc, j.verdict, j.code, j.g
      FROM ROWS FROM (jsonb_to_recordset(p_ops) AS (
             space uuid, op uuid, n bigint, kind text, coll text, rec uuid, hlc text, claimed text,
             made_hlc text, verdict text, code text, g uuid)) WITH ORDINALITY
           AS j (space, op, n, kind, coll, rec, hlc, claimed, made_hlc, verdict, code, g, ord)
    ) i
    -- Each look-up by itself (LIMIT 1), never a join that could read a table. IS TRUE keeps the space out
    -- of the choice of the index: an id alone finds its row; the index by place would find the space.
    LEFT JOIN LATERAL (
      SELECT * FROM space WHERE space.org_id = p_org AND space.space_id = i.space_id LIMIT 1
    ) s ON true
    LEFT JOIN LATERAL (
      SELECT * FROM op WHERE op.org_id = p_org AND op.op_id = i.op_id
                         AND (op.space_id = i.space_id) IS TRUE LIMIT 1
    ) x ON true
    LEFT JOIN LATERAL (
      SELECT * FROM rec WHERE rec.org_id = p_org AND rec.rec_id = i.rec_id
                          AND (rec.space_id = i.space_id) IS TRUE LIMIT 1
    ) r ON true
    -- Did it come so long ago that its log is only in the archive? Asked of such old ones alone, and of those
    -- whose clock has to be stamped anew: what that claimed is no moment, so it is only compared with its like.
    LEFT JOIN LATERAL (
      SELECT true AS came FROM device_space d
      WHERE (i.claimed IS NOT NULL OR i.hlc <= s.archive_hlc)
        AND (i.claimed IS NULL OR i.claimed <= d.archive_claimed)
        AND d.org_id = p_org AND d.space_id = i.space_id AND d.device_id = p_device
        AND i.n <= d.last_n AND NOT d.missing @> i.n AND NOT d.lost @> i.n LIMIT 1
    ) z ON true
  ),
  admitted AS (
    SELECT k.*, CASE
        -- Of what was erased nothing is known any more, not even that it came before.
        WHEN k.state = 2 THEN 'gone'
        WHEN k.was IS NOT NULL OR (k.nth > 1 AND k.verdict IS NULL) THEN 'dup'
        -- An event is its record: as long as that is there, no log is needed to know it again.
        WHEN k.is_archived OR (k.kind = 'event' AND k.rec_coll = k.coll) THEN 'dup'
        WHEN k.verdict IS NOT NULL THEN k.verdict
        WHEN k.state IS NULL OR k.state = 1 THEN 'forbidden'
        WHEN k.rec_coll <> k.coll THEN 'invalid'
        WHEN k.kind = 'set' AND k.rec_seq IS NULL AND COALESCE(k.made_hlc, k.hlc) <= k.floor_hlc THEN 'invalid'
      END AS refusal
    FROM known k
  ),
  explained AS (
    SELECT a.*, a.kind IN ('safety', 'resolve') AS is_safety, CASE
        -- It was taken when it came first, whatever its author may do by now.
        WHEN a.refusal = 'dup' THEN a.was_why
        WHEN a.refusal = 'gone' THEN NULL
        WHEN a.verdict IS NOT NULL THEN a.code
        WHEN a.refusal = 'forbidden' THEN CASE WHEN a.state = 1 THEN 'frozen' ELSE 'no_access' END
        -- What is not there may have been deleted, and compacted since: nothing of that comes back.
        WHEN a.refusal = 'invalid' THEN CASE WHEN a.rec_seq IS NULL THEN 'too_old' ELSE 'rec_taken' END
      END AS reason,
      a.g IS NOT NULL AND bool_or(a.refusal IN ('invalid', 'forbidden', 'gone')) OVER (PARTITION BY a.g) AS is_broken
    FROM admitted a
  ),
  -- A record belongs to the collection that it began in: that of the first op that stands. The ops of a group (g)
  -- stand or fall together, and what falls claims nothing, so it is asked again until no more groups fall.
  -- Safety ops come after the others, here as in their places.
  rounds (broken, taken) AS (
    SELECT ARRAY(SELECT DISTINCT e.g FROM explained e WHERE e.is_broken), '{}'::bigint[]
    UNION ALL
    SELECT r.broken || t.broken, r.taken || t.taken
    FROM rounds r CROSS JOIN LATERAL (
      SELECT array_agg(DISTINCT c.g) AS broken, array_agg(c.ord) AS taken
      FROM (
        SELECT e.ord, e.g, e.coll <> first_value(e.coll) OVER w AS is_taken
        FROM explained e
        WHERE e.refusal IS NULL AND (e.g = ANY (r.broken)) IS NOT TRUE
          AND (SELECT bool_or(x.g IS NOT NULL) FROM explained x)
        WINDOW w AS (PARTITION BY e.space_id, e.rec_id ORDER BY e.is_safety, e.ord)
      ) c
      WHERE c.is_taken AND c.g IS NOT NULL
    ) t
    WHERE t.broken IS NOT NULL
  ),
  owned AS (
    SELECT f.*, f.is_culprit OR (f.alone IS NULL AND f.coll <> first_value(f.coll) OVER w) AS is_taken
    FROM (
      SELECT e.*, e.ord = ANY (l.taken) AS is_culprit,
             COALESCE(e.refusal, CASE WHEN e.g = ANY (l.broken) THEN 'invalid' END) AS alone
      FROM explained e
      CROSS JOIN (SELECT r.broken, r.taken FROM rounds r ORDER BY cardinality(r.broken) DESC LIMIT 1) l
    ) f
    WINDOW w AS (PARTITION BY f.space_id, f.rec_id, f.alone IS NULL ORDER BY f.is_safety, f.ord)
  ),
  judged AS (
    SELECT o.*, o.refusal = 'dup' AND o.kind = 'event' AND o.coll = o.rec_coll AND o.nth = 1 AS is_known_event,
           COALESCE(o.alone, CASE WHEN o.is_taken THEN 'invalid' END) AS refused,
           CASE WHEN o.refusal IS NOT NULL THEN o.reason WHEN o.is_taken THEN 'rec_taken' ELSE 'group' END AS why
    FROM owned o
  ),
  numbered AS MATERIALIZED (
    SELECT j.ord, j.space_id, j.op_id, j.g, j.n, j.kind, j.coll, j.rec_id, j.claimed, j.refused, j.why,
           j.is_safety, j.was_hlc, j.was_claimed, j.rec_seq, j.rec_deleted, j.clk,
           COALESCE(j.was, CASE WHEN j.is_known_event THEN 'applied' END) AS was,
           COALESCE(j.was_seq, CASE WHEN j.is_known_event THEN j.rec_seq END) AS was_seq,
           j.head_seq, j.state IS NOT NULL AS is_visible, COALESCE(j.state <> 2, false) AS is_counted,
           -- Plain byte order, whatever order the database speaks: in Danish, "aa" comes after "z".
           COALESCE(j.hlc, CASE WHEN j.refused IS NULL THEN sync_server_hlc(p_now, j.clk,
             row_number() OVER (PARTITION BY j.space_id, j.rec_id, j.refused IS NULL ORDER BY j.ord))
             END) COLLATE "C" AS hlc,
           CASE WHEN j.refused IS NULL AND NOT j.is_safety THEN j.head_seq + row_number()
             OVER (PARTITION BY j.space_id, j.refused IS NULL AND NOT j.is_safety ORDER BY j.ord) END AS seq
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
    WHERE n.seq IS NOT NULL
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
        SELECT b.space_id, b.seq AS head, 0 AS n, 0 AS sum, 0 AS sq FROM numbered b WHERE b.seq IS NOT NULL
        UNION ALL
        SELECT m.space_id, NULL, m.is_live::int - (m.was_live IS NOT NULL)::int,
               m.is_live::int * m.seq - COALESCE(m.was_live, 0),
               m.is_live::int * m.seq::numeric * m.seq - COALESCE(m.was_live::numeric * m.was_live, 0)
        FROM merged m
      ) u GROUP BY u.space_id
    ) t
    WHERE s.org_id = p_org AND s.space_id = t.space_id
  ),
  -- Refused ops for which there is no room: they stay with their device.
  crowded AS MATERIALIZED (
    SELECT COALESCE(sync_quarantine(p_org, p_device, p_account, p_now, (
      SELECT jsonb_agg(jsonb_build_object(
        'ord', b.ord, 'space', b.space_id, 'op', b.op_id, 'g', b.g, 'reason', b.refused || ' ' || b.why,
        'payload', COALESCE(i.item -> 'raw', i.item)))
      FROM numbered b CROSS JOIN LATERAL (SELECT p_ops -> (b.ord - 1)::int AS item) i
      WHERE b.refused IN ('invalid', 'forbidden')
    )), '{}') AS ords
  ),
  -- What came, by number. Between the last that was known and the greatest there may be some that did not.
  -- Of an erased space nobody counts: nothing is kept of who wrote there.
  counted AS (
    SELECT b.space_id, max(b.n) FILTER (WHERE b.ord <> ALL (c.ords)) AS top,
           COALESCE(range_agg(int8range(b.n, b.n, '[]')) FILTER (WHERE b.n IS NOT NULL AND b.ord <> ALL (c.ords)),
                    '{}') AS came,
           COALESCE(max(b.hlc) FILTER (WHERE b.refused IS NULL), '') AS hlc
    FROM numbered b CROSS JOIN crowded c WHERE b.is_counted AND p_device IS NOT NULL GROUP BY b.space_id
  ),
  acknowledged AS (
    INSERT INTO device_space AS d (org_id, space_id, device_id, last_n, missing, lost, last_hlc, skew_ms, seen_at)
    SELECT p_org, c.space_id, p_device, GREATEST(o.last_n, c.top, 0),
           sync_bounded(COALESCE(o.missing, '{}')
             + int8multirange(int8range(COALESCE(o.last_n, 0) + 1, GREATEST(o.last_n, c.top, 0) + 1)) - c.came),
           COALESCE(o.lost, '{}') - c.came, c.hlc, p_skew_ms, p_now
    FROM counted c
    LEFT JOIN LATERAL (
      SELECT * FROM device_space k
      WHERE k.org_id = p_org AND k.space_id = c.space_id AND k.device_id = p_device LIMIT 1
    ) o ON true
    ON CONFLICT (org_id, space_id, device_id)
      DO UPDATE SET last_n = EXCLUDED.last_n, missing = EXCLUDED.missing, lost = EXCLUDED.lost,
                    last_hlc = GREATEST(d.last_hlc, EXCLUDED.last_hlc),
                    skew_ms = EXCLUDED.skew_ms, seen_at = EXCLUDED.seen_at
    RETURNING d.space_id, d.last_n, d.missing
  )
  SELECT b.ord, b.space_id,
         CASE WHEN b.ord = ANY (c.ords) THEN 'retry' ELSE b.refused END,
         CASE WHEN b.ord = ANY (c.ords) THEN NULL ELSE b.why END,
         b.was, b.was_seq, b.was_hlc, b.was_claimed, NULL::bigint, NULL::jsonb
  FROM numbered b CROSS JOIN crowded c
  WHERE b.refused IS NOT NULL
  UNION ALL
  SELECT l.ord, l.space_id, l.verdict, NULL, NULL, l.seq, l.hlc, l.claimed, NULL, NULL FROM accepted l
  UNION ALL
  SELECT b.ord, b.space_id, 'safety', NULL, NULL, NULL, b.hlc, b.claimed, NULL, NULL
  FROM numbered b WHERE b.refused IS NULL AND b.is_safety
  UNION ALL
  SELECT NULL, b.space_id, NULL, NULL, NULL, max(COALESCE(b.seq, b.head_seq)), NULL, NULL, NULL, NULL
  FROM numbered b WHERE b.is_visible GROUP BY b.space_id
  UNION ALL
  SELECT NULL, a.space_id, NULL, NULL, NULL, NULL, NULL, NULL, a.last_n, (
    SELECT jsonb_agg(jsonb_build_array(lower(g.gap), upper(g.gap) - 1)) FROM unnest(a.missing) AS g (gap))
  FROM acknowledged a
  UNION ALL
  SELECT NULL, c.space_id, NULL, NULL, NULL, c.seq, NULL, NULL, NULL, c.doc FROM changed c;
END $$;

-- Whatever the statistics say, the batch drives: a hashed or scanned history would cost its length.
ALTER FUNCTION sync_push(uuid, uuid, uuid, uuid, timestamptz, bigint, uuid[], jsonb)
  SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off;

-- The next place in a space for one op, whose record takes p_groups with p_clock; NULL: it changes none.
CREATE FUNCTION sync_write(p_op op, p_groups jsonb, p_clock text, OUT place bigint, OUT written jsonb)
LANGUAGE plpgsql VOLATILE SECURITY INVOKER AS $$
DECLARE
  v_was bigint;
  v_moves integer := (p_groups IS NOT NULL)::int;
BEGIN
  SELECT r.seq INTO v_was FROM rec r
  WHERE r.org_id = p_op.org_id AND r.rec_id = p_op.rec_id AND r.space_id = p_op.space_id;

  UPDATE space s SET
    head_seq = s.head_seq + 1,
    live_n = s.live_n + v_moves * (v_was IS NULL)::int,
    live_sum = s.live_sum + v_moves * (s.head_seq + 1 - COALESCE(v_was, 0)),
    live_sq = mod(mod(s.live_sq + v_moves * ((s.head_seq + 1)::numeric * (s.head_seq + 1)
                        - COALESCE(v_was::numeric * v_was, 0)), 1::bigint << 53)
                  + (1::bigint << 53), 1::bigint << 53)
  WHERE s.org_id = p_op.org_id AND s.space_id = p_op.space_id
  RETURNING s.head_seq INTO place;

  p_op.seq := place;
  INSERT INTO op SELECT p_op.*;

  IF p_groups IS NOT NULL THEN
    INSERT INTO rec AS r (org_id, space_id, rec_id, coll, seq, doc, clk)
    SELECT p_op.org_id, p_op.space_id, p_op.rec_id, p_op.coll, place, p_groups,
           (SELECT jsonb_object_agg(g.name, p_clock) FROM jsonb_object_keys(p_groups) AS g (name))
    ON CONFLICT (org_id, space_id, rec_id)
      DO UPDATE SET doc = r.doc || EXCLUDED.doc, clk = r.clk || EXCLUDED.clk, seq = EXCLUDED.seq
    RETURNING r.doc INTO written;
  END IF;
END $$;

-- What becomes of one safety op or resolve that the merge let through (docs/sync.md, "Safety"). The values
-- themselves are not looked into: versions, digests and flags decide. p_item is the op as in p_ops, with
--   val       what is logged: of a safety op v, base, trunk, dig, confirm, second, aged; of a resolve base, seen,
--             choose, why
--   conflict  the record of its conflict; sys: the id of the server's op there; at, made: moments as text
-- Answers as sync_push does. `doc` of the op's row is what it wrote, or of a stale resolve what its author
-- had not seen; a row `system` is the server's own op that followed, with what that wrote.
CREATE FUNCTION sync_decide(
  p_org uuid, p_device uuid, p_account uuid, p_session uuid, p_now timestamptz, p_ord bigint, p_item jsonb,
  p_hlc text, p_claimed text
) RETURNS TABLE (
  ord bigint, space_id uuid, verdict text, code text, was text, seq bigint, hlc text, claimed text,
  n bigint, doc jsonb
) LANGUAGE plpgsql VOLATILE SECURITY INVOKER AS $$
#variable_conflict use_column
DECLARE
  v_space uuid := p_item ->> 'space';
  v_rec uuid := p_item ->> 'rec';
  v_conflict uuid := p_item ->> 'conflict';
  v_number bigint := p_item -> 'n';
  v_val jsonb := p_item -> 'val';
  v_mine op;
  v_server op;
  v_active jsonb;
  v_clock text;
  v_of rec;
  v_is_open boolean;
  v_takes_two boolean; -- to replace what is active, or for the sake of the new value
  v_candidates jsonb := '{}';
  v_chosen jsonb;
  v_why text;          -- of a candidate, or of a refusal
  v_refused text;
  v_written jsonb;     -- of the safety record
  v_changed jsonb;     -- of the conflict
  v_done record;
BEGIN
  SELECT r.doc -> 'active', r.clk ->> 'active' INTO v_active, v_clock FROM rec r
  WHERE r.org_id = p_org AND r.rec_id = v_rec AND r.space_id = v_space;
  SELECT * INTO v_of FROM rec r
  WHERE r.org_id = p_org AND r.rec_id = v_conflict AND r.space_id = v_space;
  v_is_open := COALESCE(v_of.doc ->> 'state' = 'open', false);
  v_takes_two := COALESCE((v_val -> 'second')::boolean, false) OR COALESCE(v_active ? 'two', false);
  IF v_is_open THEN
    v_candidates := v_of.doc -> 'candidates';
  END IF;

  -- A conflict is about one collection: what was proposed of another could be chosen as if it were of this.
  IF v_of.coll <> 'conflict' OR v_of.doc -> 'of' ->> 'coll' <> p_item ->> 'coll' THEN
    v_refused := 'invalid';
    v_why := 'rec_taken';
  ELSIF p_item ->> 'kind' = 'resolve' THEN
    -- Compare and set: whoever decides has seen all that there is to decide about.
    IF NOT v_is_open OR v_val ->> 'base' IS DISTINCT FROM v_active ->> 'ver' OR EXISTS (
      SELECT FROM jsonb_object_keys(v_candidates) AS a (op)
      FULL JOIN jsonb_array_elements_text(v_val -> 'seen') AS b (op) ON a.op = b.op
      WHERE a.op IS NULL OR b.op IS NULL
    ) THEN
      RETURN QUERY SELECT p_ord, v_space, 'stale_resolve', NULL, NULL, NULL::bigint, NULL, NULL, NULL::bigint,
        jsonb_build_object('active', v_active -> 'ver', 'unseen', COALESCE((
          SELECT jsonb_agg(a.op ORDER BY a.op) FROM jsonb_object_keys(v_candidates) AS a (op)
          WHERE NOT v_val -> 'seen' ? a.op), '[]'));
      RETURN;
    END IF;
    v_chosen := v_candidates -> (v_val ->> 'choose');
    IF v_chosen ? 'second' AND v_chosen ->> 'by' = p_account::text THEN
      v_refused := 'forbidden';
      v_why := 'second_signer';
    END IF;
    IF v_chosen IS NOT NULL THEN
      v_written := jsonb_build_object('active', jsonb_build_object(
          'ver', p_item -> 'op', 'v', v_chosen -> 'v', 'by', p_account, 'at', p_item -> 'at',
          'dig', v_chosen -> 'dig', 'of', v_val -> 'choose'
        ) || CASE WHEN v_chosen ? 'second' THEN jsonb_build_object('second', v_chosen -> 'by') ELSE '{}' END
        || CASE WHEN v_chosen ? 'two' THEN '{"two": true}'::jsonb ELSE '{}' END);
    END IF;
    v_changed := jsonb_build_object('state', 'closed', 'resolved', jsonb_build_object(
      'by', p_account, 'at', p_item -> 'at', 'chose', v_val -> 'choose', 'why', v_val -> 'why',
      'op', p_item -> 'op'));
  ELSIF v_is_open OR v_active ->> 'dig' IS DISTINCT FROM v_val ->> 'dig' THEN
    v_why := CASE
      WHEN v_is_open THEN 'open'
      WHEN v_val ->> 'base' IS DISTINCT FROM v_active ->> 'ver' THEN 'base'
      WHEN NOT (v_val -> 'confirm')::boolean THEN 'unconfirmed'
      WHEN v_takes_two THEN 'second'
      WHEN (v_val -> 'aged')::boolean OR ('x' || left(p_hlc, 12))::bit(48)::bigint
           < floor(extract(epoch FROM p_now) * 1000)::bigint - 86400000 THEN 'late'
    END;
    IF v_why IS NULL THEN
      v_written := jsonb_build_object('active', jsonb_build_object(
        'ver', p_item -> 'op', 'v', v_val -> 'v', 'by', p_account, 'at', p_item -> 'at', 'dig', v_val -> 'dig'));
    ELSE
      -- Who goes on from their own proposal puts the new one in its place; on a tablet that many use, nobody
      -- replaces that of another person, nor elsewhere what they have proposed on another device.
      v_chosen := v_candidates -> (v_val ->> 'base');
      IF v_chosen ->> 'device' = p_device::text AND v_chosen ->> 'by' = p_account::text THEN
        v_candidates := v_candidates - (v_val ->> 'base');
      ELSIF (SELECT count(*) FROM jsonb_object_keys(v_candidates)) >= 100 THEN
        v_refused := 'invalid';
        v_why := 'conflict_full';
      ELSE
        v_chosen := NULL;
      END IF;
      v_candidates := v_candidates || jsonb_build_object(p_item ->> 'op', jsonb_build_object(
          'base', v_val -> 'base', 'trunk', v_val -> 'trunk', 'v', v_val -> 'v', 'by', p_account,
          'at', p_item -> 'at', 'made', p_item -> 'made', 'device', p_device, 'why', v_why,
          'dig', v_val -> 'dig', 'was', CASE WHEN v_chosen IS NULL THEN '[]'
            ELSE (v_chosen -> 'was') || jsonb_build_array(v_val -> 'base') END
        ) || CASE WHEN v_takes_two THEN '{"second": true}' ELSE '{}'::jsonb END
        || CASE WHEN (v_val -> 'second')::boolean THEN '{"two": true}' ELSE '{}'::jsonb END);
      v_changed := jsonb_build_object('candidates', v_candidates);
      IF NOT v_is_open THEN
        v_changed := v_changed || jsonb_build_object(
          'of', jsonb_build_object('coll', p_item -> 'coll', 'rec', v_rec), 'state', 'open',
          'opened', jsonb_build_object('at', p_item -> 'at', 'active', v_active -> 'ver'));
      END IF;
    END IF;
  END IF;

  IF v_refused IS NOT NULL THEN
    -- One of a group takes the others with it, of which some are written by now: sync_push_safety begins anew,
    -- and knows this then.
    IF p_item ->> 'g' IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'MOS01', DETAIL = jsonb_build_array(p_ord, v_refused, v_why)::text;
    END IF;
    IF sync_quarantine(p_org, p_device, p_account, p_now, jsonb_build_array(jsonb_build_object(
         'ord', p_ord, 'space', v_space, 'op', p_item -> 'op', 'reason', v_refused || ' ' || v_why,
         'payload', p_item))) IS NOT NULL THEN
      -- No room: it stays with its device, and so is not one that came.
      UPDATE device_space d SET missing = sync_bounded(d.missing + int8multirange(int8range(v_number, v_number, '[]')))
      WHERE d.org_id = p_org AND d.space_id = v_space AND d.device_id = p_device;
      v_refused := 'retry';
      v_why := NULL;
    END IF;
    RETURN QUERY SELECT p_ord, v_space, v_refused, v_why, NULL, NULL::bigint, NULL, NULL, NULL::bigint, NULL::jsonb;
    RETURN;
  END IF;

  v_mine.org_id := p_org;
  v_mine.space_id := v_space;
  v_mine.op_id := p_item ->> 'op';
  v_mine.device_id := p_device;
  v_mine.account_id := p_account;
  v_mine.session_id := p_session;
  v_mine.n := v_number;
  v_mine.kind := p_item ->> 'kind';
  v_mine.coll := p_item ->> 'coll';
  v_mine.rec_id := v_rec;
  v_mine.hlc := p_hlc;
  v_mine.hlc_claimed := p_claimed;
  v_mine.val := v_val;
  v_mine.verdict := 'applied';
  v_mine.received_at := p_now;
  IF v_why IS NOT NULL THEN
    v_mine.verdict := 'conflict';
    v_mine.val := v_val || jsonb_build_object('why', v_why);
  END IF;
  SELECT * INTO v_done FROM sync_write(v_mine, v_written, lpad(to_hex(GREATEST(
    ('x' || left(p_hlc, 16))::bit(64)::bigint, ('x' || left(v_clock, 16))::bit(64)::bigint + 1
  )), 16, '0') || right(p_hlc, 16));
  RETURN QUERY SELECT p_ord, v_space, v_mine.verdict, v_why, NULL, v_done.place, p_hlc, p_claimed,
    NULL::bigint, v_written;
  IF v_written IS NOT NULL THEN
    RETURN QUERY SELECT NULL::bigint, v_space, NULL, NULL, NULL, v_done.place, NULL, NULL, NULL::bigint, v_done.written;
  END IF;

  IF v_changed IS NOT NULL THEN
    v_server.org_id := p_org;
    v_server.space_id := v_space;
    v_server.op_id := p_item ->> 'sys';
    v_server.kind := 'system';
    v_server.coll := 'conflict';
    v_server.rec_id := v_conflict;
    v_server.hlc := sync_server_hlc(p_now, COALESCE(v_of.clk, '{}'), 1);
    v_server.val := v_changed;
    v_server.verdict := 'applied';
    v_server.received_at := p_now;
    SELECT * INTO v_done FROM sync_write(v_server, v_changed, v_server.hlc);
    RETURN QUERY SELECT p_ord, v_space, 'system', NULL, NULL, v_done.place, NULL, NULL, NULL::bigint, v_changed;
    RETURN QUERY SELECT NULL::bigint, v_space, NULL, NULL, NULL, v_done.place, NULL, NULL, NULL::bigint, v_done.written;
  END IF;
  RETURN QUERY SELECT NULL::bigint, v_space, NULL, NULL, NULL, v_done.place, NULL, NULL, NULL::bigint, NULL::jsonb;
END $$;

-- sync_push, and then the safety ops that it let through: one by one, in their order, after the rest.
CREATE FUNCTION sync_push_deciding(
  p_org uuid, p_device uuid, p_account uuid, p_session uuid, p_now timestamptz, p_skew_ms bigint,
  p_spaces uuid[], p_ops jsonb
) RETURNS TABLE (
  ord bigint, space_id uuid, verdict text, code text, was text, seq bigint, hlc text, claimed text,
  n bigint, doc jsonb
) LANGUAGE plpgsql VOLATILE SECURITY INVOKER AS $$
#variable_conflict use_column
DECLARE
  v_row record;
BEGIN
  -- sync_push locks the spaces first; each statement after it sees what their last holder committed.
  FOR v_row IN
    SELECT p.* FROM sync_push(p_org, p_device, p_account, p_session, p_now, p_skew_ms, p_spaces, p_ops) p
    ORDER BY p.ord
  LOOP
    IF v_row.verdict = 'safety' THEN
      RETURN QUERY SELECT d.* FROM sync_decide(p_org, p_device, p_account, p_session, p_now, v_row.ord,
        p_ops -> (v_row.ord - 1)::int, v_row.hlc, v_row.claimed) d;
    ELSE
      RETURN QUERY SELECT v_row.ord, v_row.space_id, v_row.verdict, v_row.code, v_row.was, v_row.seq,
        v_row.hlc, v_row.claimed, v_row.n, v_row.doc;
    END IF;
  END LOOP;
END $$;
ALTER FUNCTION sync_push_deciding(uuid, uuid, uuid, uuid, timestamptz, bigint, uuid[], jsonb)
  SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off;

-- sync_push for a batch that holds safety ops. What the decision refuses breaks its group, of which the rest is
-- written by then: so nothing of the batch stands, and it is taken again with that one op known to be refused. One
-- at a time: what its group had claimed or filled is free again, which may be what the next would be refused for.
-- How often is bounded by how many groups with safety ops a push may hold (mos.sync.actions).
CREATE FUNCTION sync_push_safety(
  p_org uuid, p_device uuid, p_account uuid, p_session uuid, p_now timestamptz, p_skew_ms bigint,
  p_spaces uuid[], p_ops jsonb
) RETURNS TABLE (
  ord bigint, space_id uuid, verdict text, code text, was text, seq bigint, hlc text, claimed text,
  n bigint, doc jsonb
) LANGUAGE plpgsql VOLATILE SECURITY INVOKER AS $$
#variable_conflict use_column
DECLARE
  v_ops jsonb := p_ops;
  v_rows jsonb;
  v_refused jsonb; -- ord, verdict, code
BEGIN
  IF NOT jsonb_path_exists(p_ops, '$[*] ? (@.kind == "safety" && @.g != null)') THEN
    RETURN QUERY SELECT d.* FROM sync_push_deciding(
      p_org, p_device, p_account, p_session, p_now, p_skew_ms, p_spaces, p_ops) d;
    RETURN;
  END IF;
  LOOP
    BEGIN
      SELECT jsonb_agg(to_jsonb(d)) INTO v_rows FROM sync_push_deciding(
        p_org, p_device, p_account, p_session, p_now, p_skew_ms, p_spaces, v_ops) d;
      EXIT;
    EXCEPTION WHEN SQLSTATE 'MOS01' THEN
      GET STACKED DIAGNOSTICS v_refused = PG_EXCEPTION_DETAIL;
      v_ops := jsonb_set(v_ops, ARRAY[((v_refused ->> 0)::int - 1)::text], v_ops -> ((v_refused ->> 0)::int - 1)
                 || jsonb_build_object('verdict', v_refused -> 1, 'code', v_refused -> 2));
    END;
  END LOOP;
  RETURN QUERY SELECT d.* FROM jsonb_to_recordset(v_rows) AS d (
    ord bigint, space_id uuid, verdict text, code text, was text, seq bigint, hlc text, claimed text,
    n bigint, doc jsonb);
END $$;

-- One statement, so one snapshot for the whole vector of cursors. A space's rows come as one JSON text,
-- in order; at most p_limit rows and about p_bytes of text over all spaces, in the order in which they
-- were asked for. A space that the others left no room for comes without rows, and with `more`.
CREATE FUNCTION sync_pull(
  p_org uuid, p_spaces uuid[], p_cursors text[], p_epochs integer[], p_seqs bigint[], p_tags text[],
  p_floors bigint[], p_limit integer, p_bytes bigint
) RETURNS TABLE (
  ord bigint, space_id uuid, is_erased boolean, reset text, epoch integer, rows text, more boolean,
  seq bigint, tag text, floor bigint, live_n bigint, live_sum bigint, live_sq bigint
) LANGUAGE plpgsql STABLE SECURITY INVOKER AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH asked AS MATERIALIZED (
    SELECT a.ord, a.cursor, a.seq, s.space_id, CASE a.cursor WHEN '' THEN s.floor_seq ELSE a.floor END AS floor, s.epoch, s.head_seq, s.state = 2 AS is_erased,
           s.live_n, s.live_sum, s.live_sq,
           CASE
             WHEN a.cursor = '' THEN NULL
             WHEN a.epoch <> s.epoch THEN 'epoch'
             -- Who began after that was forgotten, and has not come to it yet, misses nothing.
             WHEN GREATEST(a.seq, a.floor) < s.floor_seq THEN 'floor'
             WHEN a.tag = t.tag THEN NULL
             -- Of a place whose op is in the archive there is no proof; the server gave it out as such.
             WHEN t.tag IS NULL AND a.seq <= s.head_seq
               THEN CASE a.tag WHEN '00000000' THEN NULL ELSE 'floor' END
             ELSE 'tag'
           END AS reset
    FROM unnest(p_spaces, p_cursors, p_epochs, p_seqs, p_tags, p_floors) WITH ORDINALITY
         AS a (space_id, cursor, epoch, seq, tag, floor, ord)
    JOIN space s ON s.org_id = p_org AND s.space_id = a.space_id
    CROSS JOIN LATERAL (SELECT sync_tag(p_org, s.space_id, a.seq) AS tag) t
  ),
  found AS (
    SELECT a.ord, r.seq, r.text
    FROM (
      SELECT * FROM asked
      WHERE asked.reset IS NULL AND NOT asked.is_erased AND asked.head_seq > asked.seq
      ORDER BY asked.ord
    ) a
    CROSS JOIN LATERAL (
      SELECT c.seq, jsonb_build_array(c.coll, c.rec_id, c.seq, c.doc, c.clk)::text AS text
      FROM rec c
      WHERE c.org_id = p_org AND c.space_id = a.space_id AND c.seq > a.seq
      ORDER BY c.seq LIMIT p_limit
    ) r
    ORDER BY a.ord, r.seq LIMIT p_limit
  ),
  fitting AS (
    -- The first row always fits: a page without progress would be asked for for ever.
    SELECT f.ord, f.seq, f.text
    FROM (
      SELECT b.ord, b.seq, b.text,
             sum(octet_length(b.text)) OVER (ORDER BY b.ord, b.seq) - octet_length(b.text) AS before
      FROM found b
    ) f
    WHERE f.before < p_bytes
  ),
  -- A column of its own, not an expression below: row-level security lets only plain values, which
  -- cannot leak, reach an index.
  paged AS MATERIALIZED (
    SELECT a.*, '[' || p.rows || ']' AS rows, COALESCE(p.last, a.seq) AS last
    FROM asked a
    LEFT JOIN (
      SELECT f.ord, string_agg(f.text, ',' ORDER BY f.seq) AS rows, max(f.seq) AS last
      FROM fitting f GROUP BY f.ord
    ) p ON p.ord = a.ord
    WHERE a.reset IS NOT NULL OR a.is_erased OR a.head_seq > a.seq OR a.cursor = ''
  ),
  -- Where the device stands after this page: before the first row that did not come, or at the head,
  -- past the places of ops that changed nothing.
  placed AS MATERIALIZED (
    SELECT p.*, CASE WHEN (
        SELECT c.seq FROM rec c
        WHERE c.org_id = p_org AND c.space_id = p.space_id AND c.seq > p.last ORDER BY c.seq LIMIT 1
      ) IS NULL THEN p.head_seq ELSE p.last END AS place
    FROM paged p
  )
  SELECT p.ord, p.space_id, p.is_erased, p.reset, p.epoch, p.rows, p.place < p.head_seq, p.place,
         sync_tag(p_org, p.space_id, p.place), p.floor, p.live_n, p.live_sum, p.live_sq
  FROM placed p;
END $$;
ALTER FUNCTION sync_pull(uuid, uuid[], text[], integer[], bigint[], text[], bigint[], integer, bigint)
  SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off;
