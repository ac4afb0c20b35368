-- How the bearer of a session proved themselves, and passkeys.

ALTER TABLE session
  ADD COLUMN methods text[] NOT NULL DEFAULT '{}',
  -- When they last did so as well as their account can; NULL: never in this session.
  ADD COLUMN strong_at timestamptz;

-- A step-up gives the session another cookie. What was on its way with the one before is answered for
-- some seconds more, and steps up to nothing.
CREATE TABLE session_former (
  token_hash     bytea PRIMARY KEY,           -- SHA-256 of the cookie
  org_id         uuid NOT NULL,
  session_id     uuid NOT NULL,
  until          timestamptz NOT NULL,
  FOREIGN KEY (org_id, session_id) REFERENCES session ON DELETE CASCADE
);
CREATE INDEX session_former_session ON session_former (org_id, session_id);

CREATE TABLE passkey (
  org_id         uuid NOT NULL,
  passkey_id     uuid NOT NULL,
  account_id     uuid NOT NULL,
  credential     bytea NOT NULL,              -- the authenticator's own name for it
  public_key     bytea NOT NULL,              -- COSE
  sign_count     bigint NOT NULL,             -- 0 where the authenticator does not count
  transports     text[] NOT NULL,
  synced         boolean NOT NULL,            -- its maker keeps a copy: it outlives the device
  name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  created_at     timestamptz NOT NULL,
  used_at        timestamptz,
  PRIMARY KEY (org_id, passkey_id),
  UNIQUE (org_id, credential),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE
);
CREATE INDEX passkey_account ON passkey (org_id, account_id);

-- Challenges that were answered: each is good for one answer. Only right answers come here, so that a
-- stranger who asks for challenges fills nothing.
CREATE TABLE challenge_spent (
  challenge_hash bytea PRIMARY KEY,           -- SHA-256
  expires_at     timestamptz NOT NULL         -- until then it would be believed
);
CREATE INDEX challenge_spent_expires ON challenge_spent (expires_at);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['session_former', 'passkey'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_org ON %I TO mos_app USING (org_id = (SELECT mos_org())) '
                   'WITH CHECK (org_id = (SELECT mos_org()))', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO mos_app', t);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON challenge_spent TO mos_app;

-- The session behind a cookie's hash, its former one too until :now is past its end. Replaces session_lookup,
-- which servers of the release before still ask.
CREATE FUNCTION session_bearer(p_token_hash bytea, p_now timestamptz)
  RETURNS TABLE (org_id uuid, session_id uuid, account_id uuid, device_id uuid, role text,
                 created_at timestamptz, seen_at timestamptz, expires_at timestamptz,
                 revoked_at timestamptz, disabled_at timestamptz, wipe_nonce text,
                 methods text[], strong_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH found AS (
    SELECT s.org_id, s.session_id, s.strong_at FROM session s WHERE s.token_hash = p_token_hash
    UNION ALL
    -- Whoever holds an old cookie has not stepped up.
    SELECT f.org_id, f.session_id, NULL::timestamptz FROM session_former f
    WHERE f.token_hash = p_token_hash AND f.until > p_now
  )
  SELECT s.org_id, s.session_id, s.account_id, s.device_id, a.role, s.created_at, s.seen_at, s.expires_at,
         s.revoked_at, a.disabled_at, d.wipe_nonce, s.methods, f.strong_at
  FROM found f
  JOIN session s ON s.org_id = f.org_id AND s.session_id = f.session_id
  JOIN account a ON a.org_id = s.org_id AND a.account_id = s.account_id
  LEFT JOIN device d ON d.org_id = s.org_id AND d.device_id = s.device_id AND d.revoked_at IS NOT NULL
$$;
REVOKE ALL ON FUNCTION session_bearer(bytea, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION session_bearer(bytea, timestamptz) TO mos_app;
