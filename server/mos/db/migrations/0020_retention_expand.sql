-- What has had its time goes, class by class, and leaves a line of evidence (mos.privacy.retention).

-- One row a day and class: numbers and moments of nobody's.
CREATE TABLE retention (
  day            date NOT NULL,               -- in UTC
  class          text NOT NULL CHECK (class ~ '^[a-z_]{1,32}$'),
  removed        bigint NOT NULL DEFAULT 0,
  oldest         timestamptz,                 -- from when the time of the oldest that remains counts; NULL: none does
  failed         integer NOT NULL DEFAULT 0,  -- how often that day it could not be done
  at             timestamptz NOT NULL,        -- when this row was last added to
  done_at        timestamptz,                 -- when the day's job was through with this class
  PRIMARY KEY (day, class)
);
GRANT SELECT ON retention TO mos_app, mos_engine;

-- Add to a day's line; answers how much went that day. There is no other way to write one, and none to take anything away.
CREATE FUNCTION retention_note(p_day date, p_class text, p_removed bigint, p_oldest timestamptz, p_failed integer,
                               p_at timestamptz, p_done boolean) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  INSERT INTO retention AS r (day, class, removed, oldest, failed, at, done_at)
  VALUES (p_day, p_class, GREATEST(p_removed, 0), p_oldest, GREATEST(p_failed, 0), p_at, CASE WHEN p_done THEN p_at END)
  ON CONFLICT (day, class) DO UPDATE SET
    removed = r.removed + excluded.removed, oldest = LEAST(r.oldest, excluded.oldest),
    failed = r.failed + excluded.failed, at = GREATEST(r.at, excluded.at),
    done_at = COALESCE(r.done_at, excluded.done_at)
  RETURNING removed
$$;

-- Whom the law has kept (Article 17(3)): what is of theirs stays, however old.
CREATE FUNCTION held_account(p_org uuid, p_account uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM legal_hold h WHERE h.org_id = p_org AND h.account_id = p_account)
$$;
CREATE FUNCTION held_space(p_org uuid, p_space uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM legal_hold h JOIN resident r ON r.org_id = h.org_id AND r.account_id = h.account_id
                 WHERE h.org_id = p_org AND p_space IN (r.space_id, r.medication_id))
$$;

-- Drop up to p_limit rows of a class whose time counts from before p_before, of whichever organisation; answers how
-- many. What another has locked goes the next time.
CREATE FUNCTION retention_drop(p_class text, p_before timestamptz, p_now timestamptz, p_limit integer) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  gone bigint;
BEGIN
  CASE p_class
    WHEN 'session' THEN
      DELETE FROM session s USING (
        SELECT x.org_id, x.session_id FROM session x
        WHERE LEAST(x.revoked_at, x.expires_at) < p_before AND NOT held_account(x.org_id, x.account_id)
        LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE s.org_id = o.org_id AND s.session_id = o.session_id;
    WHEN 'session_former' THEN
      DELETE FROM session_former f USING (
        SELECT x.token_hash FROM session_former x WHERE x.until < p_before LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE f.token_hash = o.token_hash;
    WHEN 'challenge_spent' THEN
      DELETE FROM challenge_spent c USING (
        SELECT x.challenge_hash FROM challenge_spent x WHERE x.expires_at < p_before
        LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE c.challenge_hash = o.challenge_hash;
    WHEN 'sign_in_limit' THEN
      DELETE FROM sign_in_limit l USING (
        SELECT x.key_hash FROM sign_in_limit x
        WHERE x.window_start < p_before AND COALESCE(x.locked_until, p_before) <= p_now
        LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE l.key_hash = o.key_hash;
    WHEN 'invitation' THEN
      DELETE FROM invitation i USING (
        SELECT x.org_id, x.invitation_id FROM invitation x
        WHERE LEAST(x.used_at, x.expires_at) < p_before AND NOT held_account(x.org_id, x.account_id)
        LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE i.org_id = o.org_id AND i.invitation_id = o.invitation_id;
    WHEN 'contact_try' THEN
      DELETE FROM contact_try t USING (
        SELECT x.org_id, x.account_id, x.at, x.try_id FROM contact_try x WHERE x.at < p_before
        LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE (t.org_id, t.account_id, t.at, t.try_id) = (o.org_id, o.account_id, o.at, o.try_id);
    WHEN 'duty' THEN
      DELETE FROM duty d USING (
        SELECT x.org_id, x.rota_id, x.from_at FROM duty x
        WHERE x.to_at < p_before AND NOT held_account(x.org_id, x.account_id)
        LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE (d.org_id, d.rota_id, d.from_at) = (o.org_id, o.rota_id, o.from_at);
    WHEN 'unread_refusal' THEN
      DELETE FROM unread_refusal u USING (
        SELECT x.org_id, x.account_id, x.op_id FROM unread_refusal x
        WHERE x.refused_at < p_before
          AND NOT held_account(x.org_id, x.account_id) AND NOT held_space(x.org_id, x.space_id)
        LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE (u.org_id, u.account_id, u.op_id) = (o.org_id, o.account_id, o.op_id);
    WHEN 'quarantine_stray' THEN
      DELETE FROM quarantine q USING (
        SELECT x.org_id, x.space_id, x.op_id FROM quarantine x
        WHERE x.received_at < p_before
          AND NOT EXISTS (SELECT FROM space s WHERE s.org_id = x.org_id AND s.space_id = x.space_id)
          AND NOT held_account(x.org_id, x.account_id)
        LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE (q.org_id, q.space_id, q.op_id) = (o.org_id, o.space_id, o.op_id);
    WHEN 'watch_window' THEN
      DELETE FROM watch_window w USING (
        SELECT x.org_id, x.from_at FROM watch_window x WHERE x.from_at < p_before
        LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE (w.org_id, w.from_at) = (o.org_id, o.from_at);
    WHEN 'delivery' THEN
      -- Numbers grow as time does: the first of an organisation are its oldest, and no index by time is needed.
      DELETE FROM delivery d USING (
        SELECT f.org_id, f.delivery_id FROM organisation o
        CROSS JOIN LATERAL (
          SELECT x.org_id, x.delivery_id, x.created_at FROM delivery x
          WHERE x.org_id = o.org_id AND x.next_at IS NULL AND NOT held_space(x.org_id, x.space_id)
            AND NOT held_account(x.org_id, x.account_id)
          ORDER BY x.delivery_id LIMIT p_limit) f
        WHERE o.policy = 'family' AND f.created_at < p_before
        LIMIT p_limit) o
      WHERE d.org_id = o.org_id AND d.delivery_id = o.delivery_id;
    ELSE
      RAISE EXCEPTION 'no such class of what is kept: %', p_class;
  END CASE;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;

-- From when the time of the oldest that remains of a class counts; what somebody is held by is not asked after, nor
-- what has no end yet. NULL: nothing remains. Of deleted records each space tells itself, as it is looked after.
CREATE FUNCTION retention_oldest(p_class text, p_now timestamptz) RETURNS timestamptz
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
DECLARE
  part text;
  found boolean;
BEGIN
  CASE p_class
    WHEN 'session' THEN
      RETURN (SELECT min(LEAST(x.revoked_at, x.expires_at)) FROM session x
              WHERE LEAST(x.revoked_at, x.expires_at) < p_now AND NOT held_account(x.org_id, x.account_id));
    WHEN 'session_former' THEN
      RETURN (SELECT min(x.until) FROM session_former x WHERE x.until < p_now);
    WHEN 'challenge_spent' THEN
      RETURN (SELECT min(x.expires_at) FROM challenge_spent x WHERE x.expires_at < p_now);
    WHEN 'sign_in_limit' THEN
      RETURN (SELECT min(x.window_start) FROM sign_in_limit x WHERE COALESCE(x.locked_until, p_now) <= p_now);
    WHEN 'invitation' THEN
      RETURN (SELECT min(LEAST(x.used_at, x.expires_at)) FROM invitation x
              WHERE LEAST(x.used_at, x.expires_at) < p_now AND NOT held_account(x.org_id, x.account_id));
    WHEN 'contact_try' THEN
      RETURN (SELECT min(x.at) FROM contact_try x);
    WHEN 'duty' THEN
      RETURN (SELECT min(x.to_at) FROM duty x WHERE x.to_at < p_now AND NOT held_account(x.org_id, x.account_id));
    WHEN 'unread_refusal' THEN
      RETURN (SELECT min(x.refused_at) FROM unread_refusal x
              WHERE NOT held_account(x.org_id, x.account_id) AND NOT held_space(x.org_id, x.space_id));
    WHEN 'quarantine_stray' THEN
      RETURN (SELECT min(x.received_at) FROM quarantine x
              WHERE NOT EXISTS (SELECT FROM space s WHERE s.org_id = x.org_id AND s.space_id = x.space_id)
                AND NOT held_account(x.org_id, x.account_id));
    WHEN 'watch_window' THEN
      RETURN (SELECT min(x.from_at) FROM watch_window x);
    WHEN 'delivery' THEN
      RETURN (SELECT min(f.created_at) FROM organisation o
              CROSS JOIN LATERAL (
                SELECT x.created_at FROM delivery x
                WHERE x.org_id = o.org_id AND x.next_at IS NULL AND NOT held_space(x.org_id, x.space_id)
                  AND NOT held_account(x.org_id, x.account_id)
                ORDER BY x.delivery_id LIMIT 1) f
              WHERE o.policy = 'family');
    WHEN 'quarantine' THEN
      RETURN (SELECT min(x.handled_at) FROM quarantine x
              WHERE x.handled_at IS NOT NULL AND NOT held_space(x.org_id, x.space_id)
                AND EXISTS (SELECT FROM space s WHERE s.org_id = x.org_id AND s.space_id = x.space_id));
    WHEN 'op' THEN
      -- The first of a space stays, as the proof of every cursor that stands there (mos.sync.archive).
      RETURN (SELECT min(f.received_at) FROM space s
              CROSS JOIN LATERAL (
                SELECT x.received_at FROM op x WHERE x.org_id = s.org_id AND x.space_id = s.space_id
                ORDER BY x.seq OFFSET 1 LIMIT 1) f);
    WHEN 'clip' THEN
      RETURN (SELECT min(x.unused_since) FROM clip x
              WHERE NOT held_space(x.org_id, x.space_id) AND NOT held_account(x.org_id, x.added_by));
    WHEN 'expected' THEN
      RETURN (SELECT min(x.at) FROM expected x WHERE x.at < p_now);
    WHEN 'care_record' THEN
      RETURN (SELECT min(r.archived_at) FROM resident r
              JOIN organisation o ON o.org_id = r.org_id AND o.policy = 'care_record'
              WHERE r.archived_at < p_now AND NOT held_account(r.org_id, r.account_id)
                AND NOT EXISTS (SELECT FROM erased_person e WHERE e.org_id = r.org_id AND e.account_id = r.account_id));
    WHEN 'access_log' THEN
      FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.access_log'::regclass AND c.relname ~ '^access_log_[0-9]{4}_[0-9]{2}$'
        ORDER BY 1
      LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I x WHERE NOT held_space(x.org_id, x.space_id) '
                       'AND NOT held_account(x.org_id, x.account_id))', part) INTO found;
        IF found THEN
          RETURN to_date(right(part, 7), 'YYYY_MM') + interval '1 month';
        END IF;
      END LOOP;
      RETURN NULL;
    ELSE
      RAISE EXCEPTION 'no such class of what is kept: %', p_class;
  END CASE;
END $$;

REVOKE ALL ON FUNCTION retention_note(date, text, bigint, timestamptz, integer, timestamptz, boolean),
  retention_drop(text, timestamptz, timestamptz, integer), retention_oldest(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION retention_note(date, text, bigint, timestamptz, integer, timestamptz, boolean)
  TO mos_app, mos_engine;
GRANT EXECUTE ON FUNCTION retention_drop(text, timestamptz, timestamptz, integer),
  retention_oldest(text, timestamptz) TO mos_engine;

-- As in 0008, but for holds: of a month in which somebody's lines are held, those stay and the others go.
CREATE OR REPLACE FUNCTION access_log_keep(p_now timestamptz, p_keep interval)
  RETURNS TABLE (org_id uuid, month date, entries bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  each date;
  part text;
  held boolean;
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
    EXECUTE format('SELECT EXISTS (SELECT FROM legal_hold) AND EXISTS (SELECT FROM %I x '
                   'WHERE held_space(x.org_id, x.space_id) OR held_account(x.org_id, x.account_id))', part) INTO held;
    IF held THEN
      RETURN QUERY EXECUTE format(
        'WITH gone AS (DELETE FROM %I x WHERE NOT held_space(x.org_id, x.space_id) '
        'AND NOT held_account(x.org_id, x.account_id) RETURNING x.org_id) '
        'SELECT g.org_id, %L::date, count(*) FROM gone g GROUP BY g.org_id', part, each);
    ELSE
      RETURN QUERY EXECUTE format('SELECT x.org_id, %L::date, count(*) FROM %I x GROUP BY x.org_id', each, part);
      EXECUTE format('DROP TABLE %I', part);
    END IF;
  END LOOP;
END $$;
