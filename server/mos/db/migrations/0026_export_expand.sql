-- Somebody asks in the app for all that there is of them, or of a resident whom they manage: a worker makes it, sealed
-- under that person's key, and whoever asked fetches it for seven days.

CREATE TABLE export (
  org_id         uuid NOT NULL,
  export_id      uuid NOT NULL,
  account_id     uuid NOT NULL,               -- of whom
  asked_by       uuid NOT NULL,               -- who alone fetches it
  asked_at       timestamptz NOT NULL,
  language       text NOT NULL CHECK (language IN ('sv', 'en', 'fi')),
  state          text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'made', 'failed')),
  tries          smallint NOT NULL DEFAULT 0, -- whose turn it is: what an earlier one still writes does not count
  beat_at        timestamptz,                 -- when the worker that makes it was last heard of
  rows_read      integer NOT NULL DEFAULT 0,
  json_size      bigint,                      -- bytes, before they were sealed
  pdf_size       bigint,
  fetched_at     timestamptz,
  PRIMARY KEY (org_id, export_id),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE,
  CONSTRAINT export_made_wholly CHECK ((state = 'made') = (num_nulls(json_size, pdf_size) = 0))
);
-- Asked for again, it is made anew.
CREATE UNIQUE INDEX export_once ON export (org_id, account_id, asked_by);
CREATE INDEX export_asked_by ON export (org_id, asked_by, asked_at);
CREATE INDEX export_waiting ON export (asked_at) WHERE state = 'waiting';

CREATE TABLE export_part (
  org_id         uuid NOT NULL,
  export_id      uuid NOT NULL,
  form           text NOT NULL CHECK (form IN ('json', 'pdf')),
  n              integer NOT NULL,
  body           bytea NOT NULL,              -- sealed under the key of whom it is of
  PRIMARY KEY (org_id, export_id, form, n),
  FOREIGN KEY (org_id, export_id) REFERENCES export ON DELETE CASCADE
);
-- What is sealed does not become smaller.
ALTER TABLE export_part ALTER COLUMN body SET STORAGE EXTERNAL;

ALTER TABLE export ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_org ON export TO mos_app USING (org_id = (SELECT mos_org())) WITH CHECK (org_id = (SELECT mos_org()));
GRANT SELECT, INSERT, UPDATE, DELETE ON export TO mos_app;
ALTER TABLE export_part ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_org ON export_part TO mos_app USING (org_id = (SELECT mos_org()))
  WITH CHECK (org_id = (SELECT mos_org()));
GRANT SELECT, INSERT, DELETE ON export_part TO mos_app;

-- Take the next one on, of whichever organisation: ids alone. One whose worker was not heard of since p_silent is
-- anybody's again.
CREATE FUNCTION export_claim(p_now timestamptz, p_silent timestamptz)
  RETURNS TABLE (org_id uuid, export_id uuid, account_id uuid, language text, tries smallint)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH next AS (
    SELECT x.org_id, x.export_id FROM export x
    WHERE x.state = 'waiting' AND (x.beat_at IS NULL OR x.beat_at < p_silent)
    ORDER BY x.asked_at LIMIT 1 FOR UPDATE SKIP LOCKED
  )
  UPDATE export e SET tries = e.tries + 1, beat_at = p_now, rows_read = 0 FROM next n
  WHERE e.org_id = n.org_id AND e.export_id = n.export_id
  RETURNING e.org_id, e.export_id, e.account_id, e.language, e.tries
$$;
REVOKE ALL ON FUNCTION export_claim(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION export_claim(timestamptz, timestamptz) TO mos_app;

-- As in migration 25, with one class more: a copy, so a hold keeps none.
CREATE OR REPLACE FUNCTION retention_drop(p_class text, p_before timestamptz, p_now timestamptz, p_limit integer) RETURNS bigint
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
    WHEN 'emergency' THEN
      DELETE FROM emergency g USING (
        SELECT x.org_id, x.emergency_id FROM emergency x
        WHERE x.at < p_before AND NOT held_space(x.org_id, x.space_id) AND NOT held_account(x.org_id, x.account_id)
        LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE g.org_id = o.org_id AND g.emergency_id = o.emergency_id;
    WHEN 'delegation' THEN
      DELETE FROM delegation g USING (
        SELECT x.org_id, x.delegation_id FROM delegation x
        WHERE LEAST(x.ended_at, x.valid_to) < p_before
          AND NOT held_account(x.org_id, x.account_id) AND NOT held_account(x.org_id, x.given_by)
        LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE g.org_id = o.org_id AND g.delegation_id = o.delegation_id;
    WHEN 'export' THEN
      DELETE FROM export e USING (
        SELECT x.org_id, x.export_id FROM export x WHERE x.asked_at < p_before LIMIT p_limit FOR UPDATE SKIP LOCKED) o
      WHERE e.org_id = o.org_id AND e.export_id = o.export_id;
    ELSE
      RAISE EXCEPTION 'no such class of what is kept: %', p_class;
  END CASE;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;

CREATE OR REPLACE FUNCTION retention_oldest(p_class text, p_now timestamptz) RETURNS timestamptz
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
    WHEN 'emergency' THEN
      RETURN (SELECT min(x.at) FROM emergency x
              WHERE NOT held_space(x.org_id, x.space_id) AND NOT held_account(x.org_id, x.account_id));
    WHEN 'delegation' THEN
      RETURN (SELECT min(LEAST(x.ended_at, x.valid_to)) FROM delegation x
              WHERE LEAST(x.ended_at, x.valid_to) < p_now
                AND NOT held_account(x.org_id, x.account_id) AND NOT held_account(x.org_id, x.given_by));
    WHEN 'export' THEN
      RETURN (SELECT min(x.asked_at) FROM export x);
    ELSE
      RAISE EXCEPTION 'no such class of what is kept: %', p_class;
  END CASE;
END $$;
