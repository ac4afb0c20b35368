-- It watches itself: what was expected to ring, beside what was told.

-- ───────────────────────────────────────────────────────────── expected and told
-- What the plan says will ring, kept apart from `due`: planning writes both, taking what is due knows only the
-- other. So what is lost while it is taken is still expected here. Rows go a day after they were judged.
CREATE TABLE expected (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  occ            text NOT NULL,
  at             timestamptz NOT NULL,
  PRIMARY KEY (org_id, space_id, occ)
) WITH (fillfactor = 90);
-- A window of fifteen minutes is one stretch of it, whatever lies in the past of `occurrence`.
CREATE INDEX expected_at ON expected (at);

-- What a quarter of an hour came to in an organisation: numbers of nobody's. Kept for 90 days.
CREATE TABLE watch_window (
  org_id         uuid NOT NULL,
  from_at        timestamptz NOT NULL,        -- of fifteen minutes
  expected       integer NOT NULL,            -- so much the plan held
  told           integer NOT NULL,            -- a device or a person was told, or somebody had answered
  late           integer NOT NULL,            -- of `told`: more than five minutes after its time
  excused        integer NOT NULL,            -- not told, for a reason: a pause, taken out of the plan, no device
  waiting        integer NOT NULL,            -- due, and taken by no worker
  lost           integer NOT NULL,            -- neither waiting nor taken
  silent         integer NOT NULL,            -- taken, and nobody was told
  judged_at      timestamptz NOT NULL,
  PRIMARY KEY (org_id, from_at),
  CONSTRAINT watch_window_adds_up CHECK (expected = told + excused + waiting + lost + silent)
);
-- The few that something is missing in: they are judged again until it is not.
CREATE INDEX watch_window_gap ON watch_window (from_at) WHERE waiting + lost + silent > 0;

DO $$
BEGIN
  ALTER TABLE expected ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own_space ON expected TO mos_app
    USING (org_id = (SELECT mos_org()) AND space_id = ANY ((SELECT mos_spaces())::uuid[]))
    WITH CHECK (org_id = (SELECT mos_org()) AND space_id = ANY ((SELECT mos_spaces())::uuid[]));
  ALTER TABLE watch_window ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own_org ON watch_window TO mos_app
    USING (org_id = (SELECT mos_org())) WITH CHECK (org_id = (SELECT mos_org()));
  CREATE POLICY engine ON expected TO mos_engine USING (true) WITH CHECK (true);
  CREATE POLICY engine ON watch_window TO mos_engine USING (true) WITH CHECK (true);
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON expected TO mos_app;
GRANT SELECT, DELETE ON expected TO mos_engine;
GRANT SELECT ON watch_window TO mos_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON watch_window TO mos_engine;

-- A door for `/__heartbeat__`, which belongs to no organisation: how many nobody was told of, anywhere, since then.
CREATE FUNCTION watch_missing(p_since timestamptz) RETURNS integer
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT COALESCE(sum(w.waiting + w.lost + w.silent), 0)::integer FROM watch_window w
  WHERE w.from_at >= p_since AND w.waiting + w.lost + w.silent > 0
$$;
REVOKE ALL ON FUNCTION watch_missing(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION watch_missing(timestamptz) TO mos_app, mos_engine;

-- What was planned before this migration is expected too.
INSERT INTO expected (org_id, space_id, occ, at) SELECT org_id, space_id, occ, at FROM due;

-- Until when windows have been judged; and the leg by push message of the reminder that is nobody's.
ALTER TABLE watch_round ADD COLUMN judged_until timestamptz;
ALTER TABLE watch_round ADD COLUMN push_at timestamptz;      -- when a push message of one last came through
ALTER TABLE watch_round ADD COLUMN push_ms integer;          -- how long that took, from its queueing
ALTER TABLE watch_round ADD COLUMN push_missed integer NOT NULL DEFAULT 0;  -- how many since then did not
