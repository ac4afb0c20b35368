-- Emergency access: staff open a resident who is not theirs, say why, for some hours, and somebody looks at it.

-- The relation that it made carries what may be done; this row carries why, and what came of the look.
CREATE TABLE emergency (
  org_id         uuid NOT NULL,
  emergency_id   uuid NOT NULL,
  relation_id    uuid NOT NULL,
  account_id     uuid NOT NULL,               -- who opened
  space_id       uuid NOT NULL,               -- whose day
  unit_id        uuid NOT NULL,               -- where they lived then: whose manager looks at it
  at             timestamptz NOT NULL,
  until          timestamptz NOT NULL,
  cause          text NOT NULL CHECK (cause IN ('urgent', 'cover', 'asked', 'other')),
  reason         text NOT NULL,               -- sealed under the resident's key
  outcome        text CHECK (outcome IN ('reasonable', 'follow_up', 'forbidden')),
  note           text NOT NULL DEFAULT '',    -- sealed under the resident's key
  reviewed_by    uuid,
  reviewed_at    timestamptz,
  PRIMARY KEY (org_id, emergency_id),
  FOREIGN KEY (org_id, space_id) REFERENCES resident (org_id, space_id),
  CONSTRAINT emergency_runs_forward CHECK (until >= at),
  CONSTRAINT emergency_reviewed_wholly CHECK (num_nulls(outcome, reviewed_by, reviewed_at) IN (0, 3)),
  CONSTRAINT emergency_reviewed_by_another CHECK (reviewed_by <> account_id)
);
CREATE INDEX emergency_account ON emergency (org_id, account_id, space_id, until);
CREATE INDEX emergency_unit ON emergency (org_id, unit_id, at);

ALTER TABLE emergency ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_org ON emergency TO mos_app USING (org_id = (SELECT mos_org())) WITH CHECK (org_id = (SELECT mos_org()));
-- What was said and decided is never rewritten: of who opened what and why nothing changes but the end.
GRANT SELECT, INSERT, DELETE, UPDATE (until, outcome, note, reviewed_by, reviewed_at) ON emergency TO mos_app;

-- What somebody reads or changes that way is an emergency's, whatever their role.
-- Made anew at once, a word wider.
-- squawk-ignore ban-drop-constraint
ALTER TABLE access_log DROP CONSTRAINT access_log_purpose_check;
ALTER TABLE access_log ADD CONSTRAINT access_log_purpose_check CHECK (
  purpose IN ('own', 'family', 'care', 'management', 'review', 'feed', 'emergency')) NOT VALID;

CREATE OR REPLACE FUNCTION access_log_add(p_org uuid, p_account uuid, p_session uuid, p_device uuid, p_kind text,
                                          p_purpose text, p_ids uuid[], p_spaces uuid[], p_classes text[],
                                          p_at timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY INVOKER SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  INSERT INTO access_log (org_id, hour, entry_id, at, space_id, unit_id, account_id, role, session_id, device_id,
                          kind, class, purpose)
  SELECT p_org, date_trunc('hour', p_at, 'UTC'), e.id, p_at, r.space_id, r.unit_id, a.account_id, a.role,
         p_session, p_device, p_kind, e.class,
         COALESCE(p_purpose,
           CASE WHEN EXISTS (SELECT FROM emergency g
                             WHERE g.org_id = p_org AND g.account_id = p_account AND g.space_id = r.space_id
                               AND g.at <= p_at AND p_at < g.until) THEN 'emergency' END,
           CASE a.role WHEN 'resident' THEN 'own' WHEN 'relative' THEN 'family'
                       WHEN 'manager' THEN 'management' WHEN 'admin' THEN 'management'
                       WHEN 'auditor' THEN 'review' ELSE 'care' END)
  FROM unnest(p_ids, p_spaces, p_classes) AS e (id, space, class)
  CROSS JOIN LATERAL (
    SELECT s.space_id, s.unit_id FROM resident s WHERE s.org_id = p_org AND s.space_id = e.space
    UNION ALL
    SELECT m.space_id, m.unit_id FROM resident m WHERE m.org_id = p_org AND m.medication_id = e.space
  ) AS r
  JOIN account a ON a.org_id = p_org AND a.account_id = p_account
  ON CONFLICT DO NOTHING;
END $$;

-- As in migration 20, with one class more.
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
    ELSE
      RAISE EXCEPTION 'no such class of what is kept: %', p_class;
  END CASE;
END $$;
