-- Of an erased space nothing is kept of who wrote there, not even that it was refused; whoever is refused may not see that
-- it was erased. Fifty are enough to be told of: what comes on top lies in quarantine, for colleagues.
-- p_items: [{"op", "space", "coll", "rec", "verdict", "code", "choice", "made"}, …].
CREATE FUNCTION sync_note_unread(p_org uuid, p_account uuid, p_now timestamptz, p_items jsonb) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH noted AS (
    INSERT INTO unread_refusal
      (org_id, account_id, op_id, space_id, coll, rec_id, verdict, code, choice, made_at, refused_at)
    SELECT p_org, p_account, t.op, t.space, t.coll, t.rec, t.verdict, t.code, t.choice, t.made, p_now
    FROM jsonb_to_recordset(p_items) AS t
      (op uuid, space uuid, coll text, rec uuid, verdict text, code text, choice jsonb, made timestamptz)
    WHERE p_org = mos_org()
      AND EXISTS (SELECT FROM account a WHERE a.org_id = p_org AND a.account_id = p_account)
      AND NOT EXISTS (SELECT FROM space s WHERE s.org_id = p_org AND s.space_id = t.space AND s.state = 2)
      AND (SELECT count(*) FROM unread_refusal u WHERE u.org_id = p_org AND u.account_id = p_account) < 50
    LIMIT 50
    ON CONFLICT DO NOTHING
    RETURNING 1
  )
  SELECT count(*) FROM noted
$$;
REVOKE ALL ON FUNCTION sync_note_unread(uuid, uuid, timestamptz, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sync_note_unread(uuid, uuid, timestamptz, jsonb) TO mos_app;
