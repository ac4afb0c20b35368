-- It rings: who is told when nobody answers, and where messages go.

-- ───────────────────────────────────────────────────────────── ladders: who is told, and when
-- What the records of ladders in a resident's day say. '*': every category, or every criticality.
CREATE TABLE ladder (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  category       text NOT NULL CHECK (category ~ '^([a-z_]{1,32}|\*)$'),
  criticality    text NOT NULL CHECK (criticality IN ('normal', 'important', 'critical', '*')),
  steps          jsonb NOT NULL,              -- [{"tell", "after", "by"}], checked when it was written
  PRIMARY KEY (org_id, space_id, category, criticality),
  CONSTRAINT ladder_has_steps CHECK (jsonb_typeof(steps) = 'array' AND steps <> '[]')
);

-- What holds for an organisation's residents who have no ladder of their own.
CREATE TABLE ladder_template (
  org_id         uuid NOT NULL REFERENCES organisation,
  category       text NOT NULL CHECK (category ~ '^([a-z_]{1,32}|\*)$'),
  criticality    text NOT NULL CHECK (criticality IN ('normal', 'important', 'critical', '*')),
  steps          jsonb NOT NULL,
  changed_by     uuid NOT NULL,
  changed_at     timestamptz NOT NULL,
  PRIMARY KEY (org_id, category, criticality),
  CONSTRAINT ladder_template_has_steps CHECK (jsonb_typeof(steps) = 'array' AND steps <> '[]')
);

-- Who is on call: a rule of a unit, whose accounts take turns. Wall times in the unit's zone.
CREATE TABLE rota (
  org_id         uuid NOT NULL,
  rota_id        uuid NOT NULL,
  unit_id        uuid NOT NULL,
  name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  weekdays       text[] NOT NULL,             -- on which a turn begins
  from_time      text NOT NULL CHECK (from_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  to_time        text NOT NULL CHECK (to_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),  -- not after from_time: the next day
  holidays       text NOT NULL CHECK (holidays IN ('usual', 'sunday', 'none')),
  turn           text NOT NULL CHECK (turn IN ('day', 'week')),
  accounts       uuid[] NOT NULL,
  valid_from     date NOT NULL,
  valid_to       date,                        -- included; NULL: until further notice
  duty_until     timestamptz,                 -- how far ahead its duty is materialised
  created_at     timestamptz NOT NULL,
  PRIMARY KEY (org_id, rota_id),
  FOREIGN KEY (org_id, unit_id) REFERENCES unit,
  CONSTRAINT rota_runs_forward CHECK (valid_to IS NULL OR valid_to >= valid_from)
);
CREATE INDEX rota_unit ON rota (org_id, unit_id);

-- Somebody else has the turn that begins on a day; NULL: nobody.
CREATE TABLE rota_change (
  org_id         uuid NOT NULL,
  rota_id        uuid NOT NULL,
  day            date NOT NULL,
  account_id     uuid,
  changed_by     uuid NOT NULL,
  changed_at     timestamptz NOT NULL,
  PRIMARY KEY (org_id, rota_id, day),
  FOREIGN KEY (org_id, rota_id) REFERENCES rota ON DELETE CASCADE
);

-- Who has duty when, materialised two weeks ahead: what a ladder's step "on call" reads.
CREATE TABLE duty (
  org_id         uuid NOT NULL,
  unit_id        uuid NOT NULL,
  account_id     uuid NOT NULL,
  from_at        timestamptz NOT NULL,
  to_at          timestamptz NOT NULL,
  rota_id        uuid NOT NULL,
  PRIMARY KEY (org_id, rota_id, from_at),
  FOREIGN KEY (org_id, rota_id) REFERENCES rota ON DELETE CASCADE,
  CONSTRAINT duty_runs_forward CHECK (to_at > from_at)
);
CREATE INDEX duty_now ON duty (org_id, unit_id, account_id, to_at);

DO $$
DECLARE t text;
BEGIN
  -- A ladder names people and minutes; the engine follows it for a resident's other space too.
  FOREACH t IN ARRAY ARRAY['ladder', 'ladder_template', 'rota', 'rota_change', 'duty'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_org ON %I TO mos_app USING (org_id = (SELECT mos_org())) '
                   'WITH CHECK (org_id = (SELECT mos_org()))', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO mos_app', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['ladder', 'ladder_template', 'duty', 'rota'] LOOP
    EXECUTE format('CREATE POLICY engine_reads ON %I FOR SELECT TO mos_engine USING (true)', t);
    EXECUTE format('GRANT SELECT ON %I TO mos_engine', t);
  END LOOP;
END $$;

-- ───────────────────────────────────────────────────────────── only legal moves
-- What may become of an occurrence's state: mos/dispatch/rules/transitions.py, which a test compares. No program,
-- however wrong, can store another move.
CREATE TABLE transition (
  before         text NOT NULL,
  event          text NOT NULL,
  after          text NOT NULL,
  PRIMARY KEY (before, after, event)
);
INSERT INTO transition (before, event, after) VALUES
  ('planned', 'ring', 'due'), ('planned', 'late', 'late'), ('planned', 'miss', 'missed'), ('planned', 'end', 'closed'),
  ('planned', 'answer', 'closed'), ('planned', 'cancel', 'cancelled'), ('planned', 'pause', 'paused'),
  ('due', 'tell', 'told'), ('due', 'snooze', 'told'), ('due', 'late', 'late'), ('due', 'miss', 'missed'),
  ('due', 'end', 'closed'), ('due', 'answer', 'closed'), ('due', 'cancel', 'cancelled'), ('due', 'pause', 'paused'),
  ('told', 'late', 'late'), ('told', 'miss', 'missed'), ('told', 'end', 'closed'), ('told', 'answer', 'closed'),
  ('told', 'cancel', 'cancelled'), ('told', 'pause', 'paused'),
  ('late', 'miss', 'missed'), ('late', 'end', 'closed'), ('late', 'answer', 'closed'), ('late', 'cancel', 'cancelled'),
  ('late', 'pause', 'paused'),
  ('missed', 'snooze', 'late'), ('missed', 'answer', 'closed'),
  ('closed', 'reopen', 'planned'), ('closed', 'reopen', 'due'), ('closed', 'reopen', 'told'), ('closed', 'reopen', 'missed'),
  ('paused', 'answer', 'closed'), ('paused', 'restore', 'planned'), ('paused', 'restore', 'due'), ('paused', 'restore', 'told'),
  ('cancelled', 'answer', 'closed'), ('cancelled', 'restore', 'planned'), ('cancelled', 'restore', 'due'),
  ('cancelled', 'restore', 'told');
GRANT SELECT ON transition TO mos_app, mos_engine;

CREATE FUNCTION occurrence_moves() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  IF TG_OP = 'INSERT'
     OR NOT EXISTS (SELECT FROM transition t WHERE t.before = OLD.state AND t.after = NEW.state) THEN
    RAISE EXCEPTION 'an occurrence cannot become % %', NEW.state,
      CASE WHEN TG_OP = 'INSERT' THEN 'from nothing' ELSE 'from ' || OLD.state END
      USING ERRCODE = 'check_violation', CONSTRAINT = 'occurrence_moves';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER occurrence_moves BEFORE UPDATE OF state ON occurrence
  FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION occurrence_moves();
-- What the engine takes is planned, or found by what has become of it meanwhile.
CREATE TRIGGER occurrence_begins BEFORE INSERT ON occurrence
  FOR EACH ROW WHEN (NEW.state IN ('told', 'paused', 'cancelled')) EXECUTE FUNCTION occurrence_moves();

-- ───────────────────────────────────────────────────────────── channels: where messages go
-- Where a person is told beside their devices. Nothing goes to an address before a code that was sent there came
-- back. `account_id` NULL: the organisation's webhook, which hears of every alert.
CREATE TABLE contact (
  org_id         uuid NOT NULL REFERENCES organisation,
  contact_id     uuid NOT NULL,
  account_id     uuid,
  channel        text NOT NULL CHECK (channel IN ('email', 'sms', 'webhook')),
  address        text NOT NULL CHECK (length(address) BETWEEN 3 AND 2048 AND address !~ '[[:cntrl:][:space:]]'),
  label          text NOT NULL DEFAULT '' CHECK (length(label) <= 100),
  when_told      text NOT NULL CHECK (when_told IN ('always', 'important', 'critical', 'last')),
  secret         bytea,                       -- sealed: what a webhook is signed with
  verified_at    timestamptz,
  code_hash      bytea,                       -- of the code that was sent last, keyed
  code_expires_at timestamptz,
  failures       integer NOT NULL DEFAULT 0,  -- wrong codes since then
  gone_at        timestamptz,                 -- its service said that there is no such address
  created_at     timestamptz NOT NULL,
  PRIMARY KEY (org_id, contact_id),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE,
  CONSTRAINT contact_of_nobody_is_a_webhook CHECK (account_id IS NOT NULL OR channel = 'webhook'),
  CONSTRAINT contact_webhook_is_signed CHECK (channel <> 'webhook' OR secret IS NOT NULL)
);
CREATE UNIQUE INDEX contact_once ON contact (org_id, account_id, channel, address) NULLS NOT DISTINCT;

-- Messages that somebody had sent to a contact themselves (codes, tests): so many a day, whatever is removed between.
CREATE TABLE contact_try (
  org_id         uuid NOT NULL,
  account_id     uuid NOT NULL,
  at             timestamptz NOT NULL,
  try_id         uuid NOT NULL,
  PRIMARY KEY (org_id, account_id, at, try_id),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE
);

-- How an organisation reaches the services behind a channel.
CREATE TABLE channel_settings (
  org_id         uuid NOT NULL REFERENCES organisation,
  channel        text NOT NULL CHECK (channel IN ('email', 'sms')),
  settings       jsonb NOT NULL,
  secret         bytea,                       -- sealed for this organisation and channel
  cap            integer CHECK (cap >= 0),    -- what a month may cost, in hundredths; NULL: whatever it costs
  updated_at     timestamptz NOT NULL,
  updated_by     uuid NOT NULL,
  PRIMARY KEY (org_id, channel)
);

-- What a channel's messages of a month have cost, in hundredths of the money of its settings.
CREATE TABLE spend (
  org_id         uuid NOT NULL REFERENCES organisation,
  channel        text NOT NULL,
  month          integer NOT NULL,            -- 202611
  parts          bigint NOT NULL DEFAULT 0,
  cost           bigint NOT NULL DEFAULT 0,
  capped_at      timestamptz,                 -- when the cap first held a message back
  PRIMARY KEY (org_id, channel, month)
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['contact', 'contact_try', 'channel_settings', 'spend'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_org ON %I TO mos_app USING (org_id = (SELECT mos_org())) '
                   'WITH CHECK (org_id = (SELECT mos_org()))', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO mos_app', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['contact', 'channel_settings', 'spend'] LOOP
    EXECUTE format('CREATE POLICY engine ON %I TO mos_engine USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
GRANT SELECT (org_id, contact_id, account_id, channel, address, when_told, secret, verified_at, gone_at, created_at),
      UPDATE (gone_at) ON contact TO mos_engine;
GRANT SELECT ON channel_settings TO mos_engine;
GRANT SELECT, INSERT, UPDATE ON spend TO mos_engine;

-- ───────────────────────────────────────────────────────────── calendars and voices
-- A secret address at which calendar programs read a resident's plan. Whoever made it must still be allowed to see
-- what it shows, each time that it is read.
CREATE TABLE calendar_feed (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  feed_id        uuid NOT NULL,
  token_hash     bytea NOT NULL UNIQUE,       -- SHA-256 of what stands in the address
  says           text NOT NULL CHECK (says IN ('titles', 'plain')),  -- what an event is called: as planned, or nothing
  medication     boolean NOT NULL,            -- orders, too
  created_by     uuid NOT NULL,
  created_at     timestamptz NOT NULL,
  revoked_at     timestamptz,
  last_read_at   timestamptz,                 -- by the minute
  PRIMARY KEY (org_id, space_id, feed_id),
  FOREIGN KEY (org_id, space_id) REFERENCES space,
  FOREIGN KEY (org_id, created_by) REFERENCES account ON DELETE CASCADE
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['calendar_feed'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_space ON %I TO mos_app '
                   'USING (org_id = (SELECT mos_org()) AND space_id = ANY ((SELECT mos_spaces())::uuid[])) '
                   'WITH CHECK (org_id = (SELECT mos_org()) AND space_id = ANY ((SELECT mos_spaces())::uuid[]))', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO mos_app', t);
  END LOOP;
END $$;

-- A door that opens before the organisation is known: whose feed an address is, while it holds.
CREATE FUNCTION calendar_feed_lookup(p_token_hash bytea)
  RETURNS TABLE (org_id uuid, space_id uuid, feed_id uuid, says text, medication boolean, account_id uuid, role text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT f.org_id, f.space_id, f.feed_id, f.says, f.medication, a.account_id, a.role
  FROM calendar_feed f
  JOIN account a ON a.org_id = f.org_id AND a.account_id = f.created_by AND a.disabled_at IS NULL
  WHERE f.token_hash = p_token_hash AND f.revoked_at IS NULL
$$;
REVOKE ALL ON FUNCTION calendar_feed_lookup(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calendar_feed_lookup(bytea) TO mos_app;

-- ───────────────────────────────────────────────────────────── by which ways people are told
-- Each device of each person whom a step tells (mos.dispatch.rules.audience), and their contacts: those of the
-- channels that the step names (p_bys, by commas), else those that asked for as much. Whoever would be reached by
-- none of it is told on their devices, or without any by their first contact. An open app needs none: the alert's
-- record reaches it. One row of the arrays is one person and step; the preview asks the same as the engine.
CREATE FUNCTION ways_to_tell(
  p_orgs uuid[], p_spaces uuid[], p_alerts text[], p_steps integer[], p_weights text[], p_lasts boolean[],
  p_accounts uuid[], p_bys text[])
  RETURNS TABLE (org_id uuid, space_id uuid, alert text, step integer, account_id uuid, device_id uuid,
                 contact_id uuid, channel text)
  LANGUAGE sql STABLE AS $$
  WITH g AS (
    SELECT g.org_id, g.space_id, g.alert, g.step, g.weight, g.is_last, g.account_id,
           string_to_array(NULLIF(g.by, ''), ',') AS by
    FROM unnest(p_orgs, p_spaces, p_alerts, p_steps, p_weights, p_lasts, p_accounts, p_bys)
      AS g (org_id, space_id, alert, step, weight, is_last, account_id, by)
  ), way AS (
    SELECT g.*, d.device_id, NULL::uuid AS contact_id, 'webpush' AS channel, NULL::timestamptz AS since,
           g.by IS NULL OR 'push' = ANY (g.by) AS is_wanted
    FROM g
    JOIN device d ON d.org_id = g.org_id AND d.account_id = g.account_id AND d.revoked_at IS NULL
      AND d.push_endpoint IS NOT NULL AND d.push_gone_at IS NULL
    UNION ALL
    SELECT g.*, NULL, k.contact_id, k.channel, k.created_at,
           CASE WHEN g.by IS NOT NULL THEN k.channel = ANY (g.by)
                ELSE CASE k.when_told WHEN 'always' THEN true
                       WHEN 'important' THEN g.weight <> 'normal'
                       WHEN 'critical' THEN g.weight = 'critical'
                       ELSE g.is_last END
           END
    FROM g
    JOIN contact k ON k.org_id = g.org_id AND k.account_id = g.account_id AND k.verified_at IS NOT NULL
      AND k.gone_at IS NULL
  ), ranked AS (
    SELECT w.*, bool_or(w.is_wanted) OVER one AS is_reached,
           row_number() OVER (one ORDER BY w.device_id IS NULL, w.since, w.contact_id) AS rank
    FROM way w
    WINDOW one AS (PARTITION BY w.org_id, w.space_id, w.alert, w.step, w.account_id)
  )
  SELECT r.org_id, r.space_id, r.alert, r.step, r.account_id, r.device_id, r.contact_id, r.channel
  FROM ranked r
  WHERE r.is_wanted OR (NOT r.is_reached AND (r.device_id IS NOT NULL OR r.rank = 1))
$$;

-- ───────────────────────────────────────────────────────────── watching itself
-- The reminder that goes through the whole chain each minute and is nobody's (mos.dispatch.watch): one row.
CREATE TABLE watch_round (
  id             boolean PRIMARY KEY DEFAULT true CHECK (id),
  occ            text,                        -- which is on its way; NULL: none
  asked_at       timestamptz,                 -- when the last one was planned
  through_at     timestamptz,                 -- when one last came through
  took_ms        integer,                     -- how long that one took
  missed         integer NOT NULL DEFAULT 0   -- how many since then did not
);
INSERT INTO watch_round DEFAULT VALUES;
GRANT SELECT, UPDATE ON watch_round TO mos_engine;
GRANT SELECT ON watch_round TO mos_app;
