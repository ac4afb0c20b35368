-- The house: organisations and people, synchronised spaces, the reminder engine.
-- Every key begins with org_id; no statement crosses organisations (one organisation is one shard).
-- Row-level security stands on every table with personal data. `mos_app` sees the organisation and the
-- spaces that its transaction names (mos.org, mos.spaces); `mos_engine` sees the engine's tables whole,
-- and nothing else. Both roles exist before this runs (mos.db.migrate makes them).

CREATE FUNCTION mos_org() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NULLIF(current_setting('mos.org', true), '')::uuid $$;
CREATE FUNCTION mos_spaces() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT COALESCE(NULLIF(current_setting('mos.spaces', true), ''), '{}')::uuid[] $$;

-- ───────────────────────────────────────────────────────────── care: who is here
CREATE TABLE installation (
  one            boolean PRIMARY KEY DEFAULT true CHECK (one),
  demo           boolean NOT NULL,
  demo_password  text,                        -- of all people of a demo, for whoever tries it
  claim_hash     bytea,                       -- SHA-256 of the token that claims an empty installation
  claimed_at     timestamptz,
  created_at     timestamptz NOT NULL,
  CONSTRAINT installation_password_is_a_demos CHECK (demo OR demo_password IS NULL)
);

CREATE TABLE organisation (
  org_id         uuid PRIMARY KEY,
  name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  policy         text NOT NULL CHECK (policy IN ('family', 'care_record')),
  zone           text NOT NULL,
  language       text NOT NULL CHECK (language ~ '^[a-z]{2}$'),
  created_at     timestamptz NOT NULL
);

CREATE TABLE unit (
  org_id         uuid NOT NULL REFERENCES organisation,
  unit_id        uuid NOT NULL,
  name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  zone           text NOT NULL,
  language       text NOT NULL CHECK (language ~ '^[a-z]{2}$'),
  archived_at    timestamptz,
  created_at     timestamptz NOT NULL,
  PRIMARY KEY (org_id, unit_id)
);

CREATE TABLE account (
  org_id         uuid NOT NULL REFERENCES organisation,
  account_id     uuid NOT NULL,
  role           text NOT NULL CHECK (role IN
                   ('resident', 'relative', 'caregiver', 'nurse', 'manager', 'admin', 'auditor')),
  name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  email          text CHECK (email = lower(email) AND email LIKE '%_@_%'),
  language       text NOT NULL CHECK (language ~ '^[a-z]{2}$'),
  quiet_from     text CHECK (quiet_from ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),  -- wall time in quiet_zone
  quiet_to       text CHECK (quiet_to ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),    -- before quiet_from: the next morning
  quiet_zone     text,
  disabled_at    timestamptz,
  created_at     timestamptz NOT NULL,
  PRIMARY KEY (org_id, account_id),
  CONSTRAINT account_quiet_wholly CHECK (num_nulls(quiet_from, quiet_to, quiet_zone) IN (0, 3))
);
-- Within the organisation, like every key: that an address is in use elsewhere is nobody's business here.
CREATE UNIQUE INDEX account_email ON account (org_id, email) WHERE email IS NOT NULL;

-- A resident is an account whose day is planned; `space_id` holds that day, `medication_id` their medication.
CREATE TABLE resident (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  medication_id  uuid NOT NULL,
  account_id     uuid NOT NULL,
  unit_id        uuid NOT NULL,
  flat           text NOT NULL DEFAULT '',
  archived_at    timestamptz,
  PRIMARY KEY (org_id, space_id),
  UNIQUE (org_id, medication_id),
  UNIQUE (org_id, account_id),
  FOREIGN KEY (org_id, account_id) REFERENCES account,
  FOREIGN KEY (org_id, unit_id) REFERENCES unit
);

-- Who may do what: for one resident (space_id) or for all residents of a unit (unit_id).
CREATE TABLE relation (
  org_id         uuid NOT NULL,
  relation_id    uuid NOT NULL,
  account_id     uuid NOT NULL,
  space_id       uuid,
  unit_id        uuid,
  permissions    text[] NOT NULL,
  is_primary     boolean NOT NULL DEFAULT false,  -- the contact person, first to be told
  consent        text NOT NULL DEFAULT '',        -- what it rests on
  valid_from     timestamptz NOT NULL,
  valid_to       timestamptz,
  PRIMARY KEY (org_id, relation_id),
  FOREIGN KEY (org_id, account_id) REFERENCES account,
  FOREIGN KEY (org_id, space_id) REFERENCES resident,
  FOREIGN KEY (org_id, unit_id) REFERENCES unit,
  CONSTRAINT relation_of_one_kind CHECK (num_nonnulls(space_id, unit_id) = 1),
  CONSTRAINT relation_runs_forward CHECK (valid_to IS NULL OR valid_to > valid_from)
);
CREATE INDEX relation_account ON relation (org_id, account_id);
CREATE INDEX relation_space ON relation (org_id, space_id) WHERE space_id IS NOT NULL;
CREATE INDEX relation_unit ON relation (org_id, unit_id) WHERE unit_id IS NOT NULL;
-- One contact person per resident: the ladder must not have to choose.
CREATE UNIQUE INDEX relation_primary ON relation (org_id, space_id) WHERE is_primary;

-- What a relation gave before, and where a resident lived before: what happened then was right then
-- (docs/sync.md, "After a right has ended"). The present ones follow on the last of these.
CREATE TABLE relation_past (
  org_id         uuid NOT NULL,
  relation_id    uuid NOT NULL,
  permissions    text[] NOT NULL,
  since          timestamptz NOT NULL,
  until          timestamptz NOT NULL,
  PRIMARY KEY (org_id, relation_id, until),
  FOREIGN KEY (org_id, relation_id) REFERENCES relation ON DELETE CASCADE,
  CONSTRAINT relation_past_runs_forward CHECK (until > since)
);
CREATE TABLE resident_past (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  unit_id        uuid NOT NULL,
  since          timestamptz,                 -- NULL: from the beginning
  until          timestamptz NOT NULL,
  PRIMARY KEY (org_id, space_id, until),
  FOREIGN KEY (org_id, space_id) REFERENCES resident ON DELETE CASCADE,
  CONSTRAINT resident_past_runs_forward CHECK (until > since)
);

CREATE TABLE credential (
  org_id         uuid NOT NULL,
  credential_id  uuid NOT NULL,
  account_id     uuid NOT NULL,
  kind           text NOT NULL CHECK (kind IN ('password')),
  secret         text NOT NULL,               -- Argon2id, PHC string
  created_at     timestamptz NOT NULL,
  PRIMARY KEY (org_id, credential_id),
  UNIQUE (org_id, account_id, kind),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE
);

-- A one-time link: a person chooses a password, or a resident's tablet is signed in at once.
CREATE TABLE invitation (
  org_id         uuid NOT NULL,
  invitation_id  uuid NOT NULL,
  account_id     uuid NOT NULL,
  kind           text NOT NULL CHECK (kind IN ('password', 'device')),
  token_hash     bytea NOT NULL UNIQUE,       -- SHA-256; the token itself is shown once
  created_by     uuid NOT NULL,
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  used_at        timestamptz,
  PRIMARY KEY (org_id, invitation_id),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE
);

CREATE TABLE device (
  org_id         uuid NOT NULL,
  device_id      uuid NOT NULL,
  account_id     uuid NOT NULL,               -- who it rings for
  name           text NOT NULL DEFAULT '',
  push_endpoint  text,
  push_p256dh    bytea,
  push_auth      bytea,
  push_key       bytea,                       -- the public key of ours that the subscription is bound to
  push_since     timestamptz,
  push_gone_at   timestamptz,                 -- the push service said 404 or 410
  ring_test      jsonb,                       -- last answer to "can this tablet ring?"
  app            text NOT NULL DEFAULT '',
  zone_release   text NOT NULL DEFAULT '',    -- the device's time-zone release, as far as it tells
  created_at     timestamptz NOT NULL,
  seen_at        timestamptz NOT NULL,
  -- What its last heartbeat said; NULL: it could not tell.
  beat_at        timestamptz,                 -- when that was; NULL: it has never sent one
  kiosk          boolean NOT NULL DEFAULT false,  -- it shows the clock and nothing else, day and night
  permission     text CHECK (permission IN ('granted', 'denied', 'default')),
  sound          text CHECK (sound IN ('on', 'locked', 'none')),
  battery        smallint CHECK (battery BETWEEN 0 AND 100),
  charging       boolean,
  storage_mb     integer CHECK (storage_mb >= 0), -- what is left for MOS
  persisted      boolean,
  revoked_at     timestamptz,
  wipe_nonce     text,                        -- told to a revoked device, which says it when it is empty
  wiped_at       timestamptz,                 -- it has said so
  PRIMARY KEY (org_id, device_id),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE
);
CREATE INDEX device_account ON device (org_id, account_id) WHERE revoked_at IS NULL;

CREATE TABLE session (
  org_id         uuid NOT NULL,
  session_id     uuid NOT NULL,
  account_id     uuid NOT NULL,
  device_id      uuid,
  token_hash     bytea NOT NULL UNIQUE,       -- SHA-256 of the cookie
  created_at     timestamptz NOT NULL,
  seen_at        timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  revoked_at     timestamptz,
  PRIMARY KEY (org_id, session_id),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE
);
CREATE INDEX session_account ON session (org_id, account_id) WHERE revoked_at IS NULL;

-- Counts failures per account and per address; keys are keyed hashes, never the address itself.
CREATE TABLE sign_in_limit (
  key_hash       bytea PRIMARY KEY,
  failures       integer NOT NULL,
  window_start   timestamptz NOT NULL,
  locked_until   timestamptz
);
CREATE INDEX sign_in_limit_window ON sign_in_limit (window_start);

-- ───────────────────────────────────────────────────────────── sync: what a space holds
CREATE TABLE space (
  org_id         uuid NOT NULL REFERENCES organisation,
  space_id       uuid NOT NULL,
  kind           text NOT NULL CHECK (kind IN ('resident', 'medication', 'org', 'user')),
  of_space       uuid,                        -- the resident's space that a space of medication belongs to
  epoch          integer NOT NULL DEFAULT 1,
  head_seq       bigint NOT NULL DEFAULT 0,
  floor_seq      bigint NOT NULL DEFAULT 0,
  floor_hlc      text COLLATE "C" NOT NULL DEFAULT '',  -- records deleted up to here may be gone
  archive_hlc    text COLLATE "C" NOT NULL DEFAULT '',  -- ops up to here may be in the archive alone
  state          smallint NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),  -- open, frozen, erased
  -- The fingerprint over records that are not deleted: count, Σ seq, Σ seq² mod 2⁵³. Only sync_push moves it.
  live_n         bigint NOT NULL DEFAULT 0,
  live_sum       bigint NOT NULL DEFAULT 0,
  live_sq        bigint NOT NULL DEFAULT 0,
  tidied_at      timestamptz NOT NULL DEFAULT '-infinity',  -- when a worker last looked after its past
  CONSTRAINT space_of_a_resident CHECK ((kind = 'medication') = (of_space IS NOT NULL)),
  PRIMARY KEY (org_id, space_id)
) WITH (fillfactor = 50);
CREATE INDEX space_tidied ON space (tidied_at);

-- Which spaces were erased: ids only. Replayed after a backup is restored.
CREATE TABLE erasure (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  erased_at      timestamptz NOT NULL,
  PRIMARY KEY (org_id, space_id)
);

-- Records and ops have no foreign key to `space`: sync_push, the one writer, holds the space's row
-- locked, and checking each of a batch's rows again would cost as much as writing them.
-- Of their indexes only the one by place begins with the space. Others would look as good to the planner
-- for every question about a space (it multiplies what it knows of org and space, as if they were
-- independent), and one push would read a space's whole history.
CREATE TABLE rec (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  rec_id         uuid NOT NULL,
  coll           text NOT NULL CHECK (coll ~ '^[a-z_]{1,32}$'),
  seq            bigint NOT NULL,
  doc            jsonb NOT NULL,              -- group → value; opaque to the merge
  clk            jsonb NOT NULL,              -- group → hybrid logical clock
  PRIMARY KEY (org_id, rec_id, space_id),
  CONSTRAINT rec_seq UNIQUE (org_id, space_id, seq)
) WITH (fillfactor = 80);
CREATE INDEX rec_coll ON rec (org_id, coll, space_id);

CREATE TABLE op (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  seq            bigint NOT NULL,
  op_id          uuid NOT NULL,
  device_id      uuid,                        -- NULL: the server itself
  account_id     uuid,
  session_id     uuid,
  n              bigint,
  kind           text NOT NULL CHECK (kind IN ('set', 'event', 'safety', 'resolve', 'system')),
  coll           text NOT NULL,
  rec_id         uuid NOT NULL,
  hlc            text COLLATE "C" NOT NULL,
  hlc_claimed    text COLLATE "C",            -- what the device said, where the server clamped it
  val            jsonb NOT NULL,
  verdict        text NOT NULL,
  received_at    timestamptz NOT NULL,
  PRIMARY KEY (org_id, space_id, seq),
  CONSTRAINT op_once UNIQUE (org_id, op_id, space_id)
);

CREATE TABLE device_space (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  device_id      uuid NOT NULL,
  last_n         bigint NOT NULL DEFAULT 0,
  last_hlc       text COLLATE "C" NOT NULL DEFAULT '',  -- the latest clock kept from it here
  archive_claimed text COLLATE "C" NOT NULL DEFAULT '',  -- the latest it claimed, of its ops in the archive alone
  last_cursor    text NOT NULL DEFAULT '',
  missing        int8multirange NOT NULL DEFAULT '{}',  -- numbers below last_n that never came
  lost           int8multirange NOT NULL DEFAULT '{}',  -- of those, what the device no longer has
  skew_ms        bigint NOT NULL DEFAULT 0,
  lost_at        timestamptz,                 -- when it last noticed a loss
  purged_at      timestamptz,                 -- when it said that it has forgotten this space
  seen_at        timestamptz NOT NULL,
  PRIMARY KEY (org_id, space_id, device_id)
);

CREATE TABLE quarantine (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  op_id          uuid NOT NULL,
  device_id      uuid,
  account_id     uuid,
  reason         text NOT NULL,
  payload        jsonb NOT NULL,
  bytes          integer NOT NULL GENERATED ALWAYS AS (octet_length(payload::text)) STORED,
  received_at    timestamptz NOT NULL,
  handled_how    text CHECK (handled_how IN ('again', 'dropped')),
  handled_by     uuid,
  handled_at     timestamptz,
  PRIMARY KEY (org_id, space_id, op_id),
  CONSTRAINT quarantine_handled_wholly CHECK (num_nulls(handled_how, handled_by, handled_at) IN (0, 3))
);
-- What came for no space is forgotten by when it came.
CREATE INDEX quarantine_received ON quarantine (received_at);
-- What a device has put here lately is bounded (sync_quarantine); answered from the index alone.
CREATE INDEX quarantine_device ON quarantine (org_id, device_id, received_at) INCLUDE (bytes);

-- ───────────────────────────────────────────────────────────── dispatch: make it ring
-- What will come due. An occurrence is named by its scheduled wall time, so a zone change cannot double it.
CREATE TABLE due (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  occ            text NOT NULL,               -- reminder@2026-10-25T02:30
  reminder_id    uuid NOT NULL,
  at             timestamptz NOT NULL,
  first_at       timestamptz NOT NULL,        -- when the engine takes it: `at`, or the ring before it
  ends_at        timestamptz NOT NULL,
  category       text NOT NULL CHECK (category ~ '^[a-z_]{1,32}$'),
  criticality    text NOT NULL CHECK (criticality IN ('normal', 'important', 'critical')),
  checkable      boolean NOT NULL,
  grace_s        integer NOT NULL CHECK (grace_s >= 0),
  ring_start     boolean NOT NULL,
  ring_again     boolean NOT NULL,
  PRIMARY KEY (org_id, space_id, occ),
  CONSTRAINT due_first_comes_first CHECK (first_at <= at)
) WITH (fillfactor = 70);
CREATE INDEX due_first_at ON due (first_at);

-- How far ahead each space has been materialised. Its row is also the lock of a space's plan.
CREATE TABLE horizon (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  until          timestamptz NOT NULL,
  PRIMARY KEY (org_id, space_id)
);
CREATE INDEX horizon_until ON horizon (until);

CREATE TABLE occurrence (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  occ            text NOT NULL,
  reminder_id    uuid NOT NULL,
  at             timestamptz NOT NULL,
  ends_at        timestamptz NOT NULL,
  category       text NOT NULL,
  criticality    text NOT NULL,
  checkable      boolean NOT NULL,
  grace_s        integer NOT NULL,
  ring_start     boolean NOT NULL,
  ring_again     boolean NOT NULL,
  state          text NOT NULL CHECK (state IN
                   ('planned', 'due', 'told', 'late', 'missed', 'closed', 'paused', 'cancelled')),
  outcome        text CHECK (outcome IN ('done', 'partly', 'refused', 'asleep', 'away',
                   'not_available', 'held', 'other', 'shown')),
  from_at        timestamptz NOT NULL,        -- what rings and grace count from: `at`, later when snoozed
  missed_at      timestamptz NOT NULL,        -- when the grace ends
  told_at        timestamptz,                 -- when the first device was known to be told
  late_at        timestamptz,
  closed_at      timestamptz,
  closed_by      uuid,                        -- the op that closed it
  snoozed_until  timestamptz,
  snoozed_by     uuid,                        -- the op that snoozed it
  silent_at      timestamptz,                 -- when it is asked whether the resident's devices are silent
  rung           integer NOT NULL DEFAULT 0,  -- the next of its rings
  step           integer NOT NULL DEFAULT 0,  -- how often the resident's devices were told
  next_at        timestamptz,                 -- when the engine looks again; NULL: nothing more to do
  PRIMARY KEY (org_id, space_id, occ),
  CONSTRAINT occurrence_closed_has_outcome CHECK ((state = 'closed') = (outcome IS NOT NULL)),
  CONSTRAINT occurrence_open_is_watched CHECK
    (state NOT IN ('planned', 'due', 'told', 'late') OR next_at IS NOT NULL)
) WITH (fillfactor = 70);
CREATE INDEX occurrence_next ON occurrence (next_at) WHERE next_at IS NOT NULL;

-- What was said of an occurrence. It may come before the occurrence is due, or after it was missed.
-- A retracted op keeps its row, so that it counts for nothing in whatever order the two arrive.
CREATE TABLE answer (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  op_id          uuid NOT NULL,
  occ            text COLLATE "C",           -- by wall time, so that a stretch of them is a range
  outcome        text,
  at             timestamptz,                -- when it happened, as its author says: up to days before it came
  received_at    timestamptz,                -- when it came
  retracted      boolean NOT NULL DEFAULT false,
  PRIMARY KEY (org_id, space_id, op_id),
  CONSTRAINT answer_says_something CHECK (retracted OR num_nulls(occ, outcome, at) = 0)
);
CREATE INDEX answer_occ ON answer (org_id, space_id, occ) WHERE NOT retracted;

CREATE TABLE alert (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  alert_id       uuid NOT NULL,
  kind           text NOT NULL CHECK (kind IN ('late', 'missed', 'help', 'silent', 'conflict', 'double')),
  occ            text,
  about          jsonb NOT NULL DEFAULT '{}', -- which record it is about, where it is no occurrence alone
  ladder         text NOT NULL CHECK (ladder ~ '^[a-z_]{1,32}$'),
  category       text NOT NULL DEFAULT '',    -- with the ladder's name: which ladder somebody chose for it
  criticality    text NOT NULL DEFAULT 'important' CHECK (criticality IN ('normal', 'important', 'critical')),
  grace_s        integer NOT NULL,
  from_at        timestamptz NOT NULL,        -- what the ladder counts from
  opened_at      timestamptz NOT NULL,
  rung           integer NOT NULL DEFAULT 0,  -- the next of its steps
  step           integer NOT NULL DEFAULT 0,  -- how often supporters were told
  next_at        timestamptz,                 -- when the engine looks again; NULL: nothing more to do
  unreached      boolean NOT NULL DEFAULT false,  -- what its step sent reached nobody: it goes on at once
  steps          jsonb NOT NULL DEFAULT '[]', -- its ladder as it was last walked: a changed one holds at once
  taken_by       uuid,
  taken_at       timestamptz,
  handed_to      uuid,                        -- whom its taker asked to take it; NULL once somebody has
  resumes_at     timestamptz,                 -- "Jag tar det" holds the ladder until then
  closed_at      timestamptz,
  closed_why     text CHECK (closed_why IN ('outcome', 'by_hand', 'cancelled')),
  -- The space's synchronised record of this alert lags behind this row while `unrecorded`.
  unrecorded     boolean NOT NULL DEFAULT true,
  revision       integer NOT NULL DEFAULT 1,  -- grows with each change that the record must show
  recorded       jsonb NOT NULL DEFAULT '{}', -- the groups as last recorded: only what differs is written
  PRIMARY KEY (org_id, space_id, alert_id),
  CONSTRAINT alert_closed_has_reason CHECK ((closed_at IS NULL) = (closed_why IS NULL)),
  CONSTRAINT alert_taken_wholly CHECK (num_nulls(taken_by, taken_at, resumes_at) IN (0, 3)),
  CONSTRAINT alert_handed_by_its_taker CHECK (handed_to IS NULL OR taken_by IS NOT NULL),
  CONSTRAINT alert_closed_rests CHECK (closed_at IS NULL OR next_at IS NULL)
) WITH (fillfactor = 70);
CREATE INDEX alert_open ON alert (org_id, space_id) WHERE closed_at IS NULL;
CREATE INDEX alert_next ON alert (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alert_unrecorded ON alert (org_id, space_id) WHERE unrecorded;

-- One attempt to tell one device, or one contact (migration 3), of one thing by one channel, tried again
-- until it is settled.
CREATE TABLE delivery (
  org_id         uuid NOT NULL,
  delivery_id    bigint GENERATED BY DEFAULT AS IDENTITY,
  space_id       uuid NOT NULL,
  kind           text NOT NULL CHECK (kind IN ('ring', 'alert', 'taken', 'close', 'notice')),
  subject        text NOT NULL,               -- the occurrence or the alert; on screen the notification's tag
  step           integer NOT NULL,
  account_id     uuid,                        -- NULL: the organisation's own contact
  device_id      uuid,
  contact_id     uuid,
  channel        text NOT NULL CHECK (channel ~ '^[a-z_]{1,32}$'),
  state          text NOT NULL CHECK (state IN ('queued', 'attempted', 'sent', 'seen', 'failed', 'expired')),
  attempts       integer NOT NULL DEFAULT 0,
  next_at        timestamptz,                 -- NULL: settled
  expires_at     timestamptz NOT NULL,
  created_at     timestamptz NOT NULL,
  attempted_at   timestamptz,
  settled_at     timestamptz,
  error          text NOT NULL DEFAULT '',    -- a code, never content
  PRIMARY KEY (org_id, delivery_id),
  CONSTRAINT delivery_to_one CHECK (num_nonnulls(device_id, contact_id) = 1),
  CONSTRAINT delivery_once UNIQUE NULLS NOT DISTINCT
    (org_id, space_id, subject, kind, step, device_id, contact_id, channel)
) WITH (fillfactor = 70);
CREATE INDEX delivery_next ON delivery (channel, next_at) WHERE next_at IS NOT NULL;

-- Which workers are alive. `mos serve` answers its heartbeat from here.
CREATE TABLE worker_heartbeat (
  worker_id      uuid PRIMARY KEY,
  seen_at        timestamptz NOT NULL
);

-- ───────────────────────────────────────────────────────────── row-level security
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['organisation', 'unit', 'account', 'resident', 'resident_past', 'relation',
                           'relation_past', 'credential', 'invitation', 'device', 'session'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_org ON %I TO mos_app USING (org_id = (SELECT mos_org())) '
                   'WITH CHECK (org_id = (SELECT mos_org()))', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO mos_app', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['space', 'rec', 'op', 'device_space'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    -- Not `= ANY` as below: that could drive an index, and would. This can only filter.
    EXECUTE format('CREATE POLICY own_space ON %I TO mos_app '
                   'USING (org_id = (SELECT mos_org()) AND array_position((SELECT mos_spaces()), space_id) > 0) '
                   'WITH CHECK (org_id = (SELECT mos_org()) AND array_position((SELECT mos_spaces()), space_id) > 0)', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO mos_app', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['quarantine', 'erasure', 'due', 'horizon', 'occurrence', 'answer', 'delivery', 'alert'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    -- The array is read once per statement (InitPlan), not once per row: up to 177 times faster.
    EXECUTE format('CREATE POLICY own_space ON %I TO mos_app '
                   'USING (org_id = (SELECT mos_org()) AND space_id = ANY ((SELECT mos_spaces())::uuid[])) '
                   'WITH CHECK (org_id = (SELECT mos_org()) AND space_id = ANY ((SELECT mos_spaces())::uuid[]))', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO mos_app', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['due', 'horizon', 'occurrence', 'answer', 'delivery', 'alert'] LOOP
    EXECUTE format('CREATE POLICY engine ON %I TO mos_engine USING (true) WITH CHECK (true)', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO mos_engine', t);
  END LOOP;
  -- The engine looks up whom to tell and where, in the same set-based statement as the claim.
  FOREACH t IN ARRAY ARRAY['resident', 'relation', 'account', 'device', 'unit'] LOOP
    EXECUTE format('CREATE POLICY engine_reads ON %I FOR SELECT TO mos_engine USING (true)', t);
  END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON worker_heartbeat TO mos_engine;
GRANT SELECT ON worker_heartbeat TO mos_app;
GRANT SELECT (org_id, space_id, medication_id, account_id, unit_id, archived_at) ON resident TO mos_engine;
GRANT SELECT (org_id, account_id, space_id, unit_id, permissions, is_primary, valid_from, valid_to) ON relation TO mos_engine;
GRANT SELECT (org_id, account_id, role, disabled_at, language, quiet_from, quiet_to, quiet_zone) ON account TO mos_engine;
GRANT SELECT (org_id, unit_id, zone, archived_at) ON unit TO mos_engine;
GRANT SELECT (org_id, device_id, account_id, push_endpoint, push_p256dh, push_auth, push_key, push_gone_at,
              seen_at, beat_at, kiosk, revoked_at), UPDATE (push_gone_at) ON device TO mos_engine;
CREATE POLICY engine_prunes ON device FOR UPDATE TO mos_engine USING (true) WITH CHECK (true);

GRANT SELECT ON installation TO mos_app;
GRANT UPDATE (claimed_at, claim_hash) ON installation TO mos_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_limit TO mos_app;

-- ───────────────────────────────────────────────────────────── doors that open before the organisation is known
-- Each answers one exact question about one unguessable or claimed key, and no more.
-- Which organisation somebody signs in to: the only one, or of several the one that was named.
CREATE FUNCTION sign_in_organisation(p_named uuid) RETURNS TABLE (org_id uuid, several boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH first AS (SELECT o.org_id FROM organisation o LIMIT 2), counted AS (SELECT count(*) AS number FROM first)
  SELECT CASE c.number
           WHEN 1 THEN (SELECT f.org_id FROM first f)
           ELSE (SELECT o.org_id FROM organisation o WHERE o.org_id = p_named)
         END,
         c.number > 1
  FROM counted c
$$;
CREATE FUNCTION session_lookup(p_token_hash bytea)
  RETURNS TABLE (org_id uuid, session_id uuid, account_id uuid, device_id uuid, role text,
                 created_at timestamptz, seen_at timestamptz, expires_at timestamptz,
                 revoked_at timestamptz, disabled_at timestamptz, wipe_nonce text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT s.org_id, s.session_id, s.account_id, s.device_id, a.role, s.created_at, s.seen_at, s.expires_at,
         s.revoked_at, a.disabled_at, d.wipe_nonce
  FROM session s
  JOIN account a ON a.org_id = s.org_id AND a.account_id = s.account_id
  LEFT JOIN device d ON d.org_id = s.org_id AND d.device_id = s.device_id AND d.revoked_at IS NOT NULL
  WHERE s.token_hash = p_token_hash
$$;
CREATE FUNCTION invitation_lookup(p_token_hash bytea)
  RETURNS TABLE (org_id uuid, invitation_id uuid, account_id uuid, kind text, name text, role text,
                 email text, expires_at timestamptz, used boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT i.org_id, i.invitation_id, i.account_id, i.kind, a.name, a.role, a.email, i.expires_at,
         i.used_at IS NOT NULL
  FROM invitation i JOIN account a ON a.org_id = i.org_id AND a.account_id = i.account_id
  WHERE i.token_hash = p_token_hash
$$;
-- Who can be tried out, on the sign-in page of a demo; nobody anywhere else.
CREATE FUNCTION demo_accounts() RETURNS TABLE (email text, name text, role text, face text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT a.email, a.name, a.role, COALESCE(p.doc ->> 'face', '')
  FROM account a
  LEFT JOIN resident r ON r.org_id = a.org_id AND r.account_id = a.account_id
  LEFT JOIN rec p ON p.org_id = r.org_id AND p.space_id = r.space_id AND p.coll = 'profile'
  WHERE (SELECT i.demo FROM installation i) AND a.email IS NOT NULL AND a.disabled_at IS NULL
$$;
REVOKE ALL ON FUNCTION sign_in_organisation(uuid), session_lookup(bytea), invitation_lookup(bytea), demo_accounts() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sign_in_organisation(uuid), session_lookup(bytea), invitation_lookup(bytea), demo_accounts() TO mos_app;
