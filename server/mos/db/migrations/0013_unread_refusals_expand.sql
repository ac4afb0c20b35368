-- A change that was refused is told to whoever wrote it, wherever they are signed in, until they have read it.
CREATE TABLE unread_refusal (
  org_id         uuid NOT NULL,
  account_id     uuid NOT NULL,               -- its author's
  op_id          uuid NOT NULL,
  space_id       uuid NOT NULL,
  coll           text NOT NULL,               -- '' where it could not be read
  rec_id         uuid,
  verdict        text NOT NULL CHECK (verdict IN ('invalid', 'forbidden', 'stale_resolve')),
  code           text NOT NULL,
  choice         jsonb,                       -- of a stale resolve: versions, no words. All else lies in quarantine.
  made_at        timestamptz NOT NULL,
  refused_at     timestamptz NOT NULL,
  PRIMARY KEY (org_id, account_id, op_id),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE
);
CREATE INDEX unread_refusal_space ON unread_refusal (org_id, space_id);
CREATE INDEX unread_refusal_refused ON unread_refusal (refused_at);

ALTER TABLE unread_refusal ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_org ON unread_refusal TO mos_app
  USING (org_id = (SELECT mos_org())) WITH CHECK (org_id = (SELECT mos_org()));
GRANT SELECT, INSERT, UPDATE, DELETE ON unread_refusal TO mos_app;

-- Whoever has not read it by then will not; of whichever organisation.
CREATE FUNCTION sync_forget_unread(p_before timestamptz, p_limit integer) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH gone AS (
    DELETE FROM unread_refusal u USING (
      SELECT x.org_id, x.account_id, x.op_id FROM unread_refusal x
      WHERE x.refused_at < p_before LIMIT p_limit FOR UPDATE SKIP LOCKED
    ) o
    WHERE (u.org_id, u.account_id, u.op_id) = (o.org_id, o.account_id, o.op_id)
    RETURNING 1
  )
  SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION sync_forget_unread(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sync_forget_unread(timestamptz, integer) TO mos_app;
