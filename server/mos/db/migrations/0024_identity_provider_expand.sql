-- Sign-in by an organisation's own identity provider (OpenID Connect).

CREATE TABLE identity_provider (
  org_id         uuid PRIMARY KEY REFERENCES organisation,
  issuer         text NOT NULL CHECK (length(issuer) BETWEEN 8 AND 500),
  client_id      text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 300),
  secret         bytea,                       -- sealed for this organisation; NULL: a public client
  label          text NOT NULL CHECK (length(label) BETWEEN 1 AND 60),
  scopes         text[] NOT NULL,             -- beside openid
  by_email       boolean NOT NULL,            -- a verified address links its account the first time
  strong_acr     text[] NOT NULL,             -- with one of these it counts as two steps
  strong_amr     text[] NOT NULL,
  updated_at     timestamptz NOT NULL,
  updated_by     uuid NOT NULL
);

-- Whose account somebody at the provider opens: one each way, and none is made by it.
CREATE TABLE identity (
  org_id         uuid NOT NULL,
  account_id     uuid NOT NULL,
  issuer         text NOT NULL,
  subject_hash   bytea NOT NULL,              -- keyed, of the issuer and its word for the person
  way            text NOT NULL CHECK (way IN ('email', 'self', 'invitation')),
  linked_at      timestamptz NOT NULL,
  used_at        timestamptz,
  PRIMARY KEY (org_id, account_id),
  UNIQUE (org_id, subject_hash),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['identity_provider', 'identity'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_org ON %I TO mos_app USING (org_id = (SELECT mos_org())) '
                   'WITH CHECK (org_id = (SELECT mos_org()))', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO mos_app', t);
  END LOOP;
END $$;

-- The providers that the sign-in page offers, before it is known who asks: names that are there to be read.
CREATE FUNCTION identity_providers() RETURNS TABLE (org_id uuid, label text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT p.org_id, p.label FROM identity_provider p
$$;
REVOKE ALL ON FUNCTION identity_providers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity_providers() TO mos_app;
