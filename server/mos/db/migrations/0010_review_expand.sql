-- Each month some of the accesses are looked at by somebody, who says what came of it.

-- That a month was drawn, also where nothing was there to draw from.
CREATE TABLE access_draw (
  org_id         uuid NOT NULL,
  month          date NOT NULL,               -- its first day
  seed           text NOT NULL,               -- with which the draw can be made again
  lines          bigint NOT NULL,             -- how many it was drawn from
  drawn          integer NOT NULL,
  drawn_at       timestamptz NOT NULL,
  PRIMARY KEY (org_id, month)
);

-- What was drawn: the line itself, for it stays when its month is dropped.
CREATE TABLE access_sample (
  org_id         uuid NOT NULL,
  month          date NOT NULL,
  entry_id       uuid NOT NULL,
  at             timestamptz NOT NULL,
  space_id       uuid NOT NULL,
  unit_id        uuid NOT NULL,
  account_id     uuid NOT NULL,
  role           text NOT NULL,
  device_id      uuid,
  kind           text NOT NULL,
  class          text NOT NULL,
  purpose        text NOT NULL,
  outcome        text CHECK (outcome IN ('reasonable', 'follow_up', 'forbidden')),
  note           text NOT NULL DEFAULT '',    -- sealed under the organisation's key
  reviewed_by    uuid,
  reviewed_at    timestamptz,
  PRIMARY KEY (org_id, month, entry_id),
  FOREIGN KEY (org_id, month) REFERENCES access_draw,
  CONSTRAINT access_sample_reviewed_wholly CHECK (num_nulls(outcome, reviewed_by, reviewed_at) IN (0, 3))
);

ALTER TABLE access_draw ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_sample ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON access_draw FOR SELECT TO mos_app USING (
  org_id = (SELECT mos_org()) AND ((SELECT mos_log_all()) OR cardinality((SELECT mos_log_units())) > 0));
CREATE POLICY readers ON access_sample FOR SELECT TO mos_app USING (
  org_id = (SELECT mos_org()) AND (
    (SELECT mos_log_all()) OR unit_id = ANY ((SELECT mos_log_units())::uuid[])));
-- What somebody has decided stays; what is followed up is decided later.
CREATE POLICY reviewers ON access_sample FOR UPDATE TO mos_app
  USING (org_id = (SELECT mos_org())
         AND ((SELECT mos_log_all()) OR unit_id = ANY ((SELECT mos_log_units())::uuid[]))
         AND (outcome IS NULL OR outcome = 'follow_up'))
  WITH CHECK (org_id = (SELECT mos_org()) AND account_id <> reviewed_by);
GRANT SELECT ON access_draw, access_sample TO mos_app;
GRANT UPDATE (outcome, note, reviewed_by, reviewed_at) ON access_sample TO mos_app;

-- Organisations of which a month is not drawn yet.
CREATE FUNCTION access_draw_due(p_month date, p_limit integer) RETURNS TABLE (org_id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT o.org_id FROM organisation o
  WHERE o.created_at < p_month + interval '1 month'
    AND NOT EXISTS (SELECT FROM access_draw d WHERE d.org_id = o.org_id AND d.month = p_month)
  ORDER BY o.org_id LIMIT p_limit
$$;

-- Draw up to p_each lines of each unit of an organisation, by the order that the seed gives them. A resident's
-- own are not looked at. Answers nothing where the month was drawn already.
CREATE FUNCTION access_draw_month(p_org uuid, p_month date, p_seed text, p_each integer, p_now timestamptz)
  RETURNS TABLE (lines bigint, drawn integer)
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
  WITH ranked AS MATERIALIZED (
    SELECT l.*, row_number() OVER (PARTITION BY l.unit_id
             ORDER BY sha256(convert_to(p_seed || l.entry_id, 'UTF8')), l.entry_id) AS place
    FROM access_log l
    WHERE l.org_id = p_org AND l.hour >= p_month AND l.hour < p_month + interval '1 month'
      AND l.purpose <> 'own'
  ), draw AS (
    INSERT INTO access_draw (org_id, month, seed, lines, drawn, drawn_at)
    SELECT p_org, p_month, p_seed, count(*), count(*) FILTER (WHERE r.place <= p_each), p_now FROM ranked r
    ON CONFLICT DO NOTHING
    RETURNING lines, drawn
  ), sample AS (
    INSERT INTO access_sample (org_id, month, entry_id, at, space_id, unit_id, account_id, role, device_id,
                               kind, class, purpose)
    SELECT p_org, p_month, r.entry_id, r.at, r.space_id, r.unit_id, r.account_id, r.role, r.device_id,
           r.kind, r.class, r.purpose
    FROM ranked r, draw WHERE r.place <= p_each
  )
  SELECT draw.lines, draw.drawn FROM draw
$$;
REVOKE ALL ON FUNCTION access_draw_due(date, integer),
                       access_draw_month(uuid, date, text, integer, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION access_draw_due(date, integer),
                          access_draw_month(uuid, date, text, integer, timestamptz) TO mos_engine;
