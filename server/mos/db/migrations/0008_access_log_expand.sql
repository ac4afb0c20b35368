-- Who read or changed what of whom: ids and words, never content. Kept for five years, a partition a month.

-- What a reader of the logs may read, as their transaction names it (mos.review.scope); nothing without.
CREATE FUNCTION mos_log_all() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT COALESCE(current_setting('mos.log_all', true), '') = 'yes' $$;
CREATE FUNCTION mos_log_units() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT COALESCE(NULLIF(current_setting('mos.log_units', true), ''), '{}')::uuid[] $$;
CREATE FUNCTION mos_log_spaces() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT COALESCE(NULLIF(current_setting('mos.log_spaces', true), ''), '{}')::uuid[] $$;

CREATE TABLE access_log (
  org_id         uuid NOT NULL,
  hour           timestamptz NOT NULL,        -- of `at`, in UTC; says which partition
  entry_id       uuid NOT NULL,               -- of what is logged once an hour: made of what it says
  at             timestamptz NOT NULL,
  space_id       uuid NOT NULL,               -- the resident, by their day, whichever space it was
  unit_id        uuid NOT NULL,               -- where they lived then
  account_id     uuid NOT NULL,               -- who did it
  role           text NOT NULL,               -- what they were then
  session_id     uuid,                        -- NULL: by a secret address, without a session
  device_id      uuid,
  kind           text NOT NULL CHECK (kind IN ('read', 'changed', 'exported', 'printed')),
  class          text NOT NULL CHECK (class ~ '^[a-z_]{1,32}$'),
  purpose        text NOT NULL CHECK (purpose IN ('own', 'family', 'care', 'management', 'review', 'feed')),
  PRIMARY KEY (org_id, hour, entry_id)
) PARTITION BY RANGE (hour);
CREATE INDEX access_log_space ON access_log (org_id, space_id, hour DESC);
CREATE INDEX access_log_account ON access_log (org_id, account_id, hour DESC);

ALTER TABLE access_log ENABLE ROW LEVEL SECURITY;
-- Written by everybody for their own organisation, and never changed again.
CREATE POLICY written ON access_log FOR INSERT TO mos_app WITH CHECK (org_id = (SELECT mos_org()));
CREATE POLICY readers ON access_log FOR SELECT TO mos_app USING (
  org_id = (SELECT mos_org()) AND (
    (SELECT mos_log_all())
    OR unit_id = ANY ((SELECT mos_log_units())::uuid[])
    OR space_id = ANY ((SELECT mos_log_spaces())::uuid[])));
GRANT SELECT, INSERT ON access_log TO mos_app;

-- Whatever lies outside the months that are there: nobody's care waits for a partition. Nobody but the
-- owner has any right to a partition: around the table's policies there is no way.
CREATE TABLE access_log_rest PARTITION OF access_log DEFAULT;
ALTER TABLE access_log_rest ENABLE ROW LEVEL SECURITY;

-- Make the partitions of this month and the two after it, and of what lies in the rest; drop those whose last
-- hour is older than p_keep. Answers what was dropped: the month, and how many entries of which organisation.
CREATE FUNCTION access_log_keep(p_now timestamptz, p_keep interval)
  RETURNS TABLE (org_id uuid, month date, entries bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  each date;
  part text;
BEGIN
  -- One at a time, whichever worker comes first.
  PERFORM pg_advisory_xact_lock(x'6d6f730002'::bigint);
  FOR each IN
    SELECT date_trunc('month', p_now + make_interval(months => n))::date FROM generate_series(0, 2) AS n
    UNION SELECT DISTINCT date_trunc('month', r.hour)::date FROM access_log_rest r
    ORDER BY 1
  LOOP
    part := 'access_log_' || to_char(each, 'YYYY_MM');
    CONTINUE WHEN to_regclass(part) IS NOT NULL;
    -- Made beside the table and then attached: that holds nobody up who writes.
    EXECUTE format('CREATE TABLE %I (LIKE access_log INCLUDING ALL)', part);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format('WITH moved AS (DELETE FROM access_log_rest WHERE hour >= %L AND hour < %L RETURNING *) '
                   'INSERT INTO %I SELECT * FROM moved', each, each + interval '1 month', part);
    EXECUTE format('ALTER TABLE access_log ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   part, each, each + interval '1 month');
  END LOOP;
  FOR each, part IN
    SELECT to_date(right(c.relname, 7), 'YYYY_MM'), c.relname
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'access_log'::regclass AND c.relname ~ '^access_log_[0-9]{4}_[0-9]{2}$'
    ORDER BY 1
  LOOP
    CONTINUE WHEN each + interval '1 month' > p_now - p_keep;
    RETURN QUERY EXECUTE format('SELECT org_id, %L::date, count(*) FROM %I GROUP BY org_id', each, part);
    EXECUTE format('DROP TABLE %I', part);
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION access_log_keep(timestamptz, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION access_log_keep(timestamptz, interval) TO mos_engine;
