-- A decision that what is active stays is a decision: whoever proposed something else without having heard of it does
-- not overrule it, the conflict opens again. Beside `decided`, sync_decide is what it was.
CREATE OR REPLACE FUNCTION sync_decide(
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
      -- That it stays was decided since, without this one; so its version alone does not tell that it was seen.
      -- Who has pulled the decision writes with a later clock.
      WHEN v_of.doc -> 'resolved' ->> 'chose' IS NOT DISTINCT FROM v_active ->> 'ver' AND v_of.doc ? 'resolved'
           AND COALESCE(v_val ->> 'made', p_hlc) COLLATE "C" < v_of.clk ->> 'state' COLLATE "C" THEN 'decided'
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
