-- What staff prove beside their password: codes from a phone (TOTP, RFC 6238), and codes on paper for the day it is gone.

CREATE TABLE totp (
  org_id         uuid NOT NULL,
  account_id     uuid NOT NULL,
  secret         bytea,                       -- 20 bytes, sealed for the account; NULL: none was confirmed yet
  since          timestamptz,
  last_step      bigint NOT NULL DEFAULT 0,   -- of 30 seconds each: no code counts twice, and none before it
  pending        bytea,                       -- shown and not yet confirmed, sealed likewise
  pending_at     timestamptz,
  PRIMARY KEY (org_id, account_id),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE,
  CHECK ((secret IS NULL) = (since IS NULL)),
  CHECK ((pending IS NULL) = (pending_at IS NULL))
);

CREATE TABLE recovery_code (
  org_id         uuid NOT NULL,
  account_id     uuid NOT NULL,
  code_hash      bytea NOT NULL,              -- keyed: the database alone tries nothing out
  made_at        timestamptz NOT NULL,
  PRIMARY KEY (org_id, account_id, code_hash),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['totp', 'recovery_code'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_org ON %I TO mos_app USING (org_id = (SELECT mos_org())) '
                   'WITH CHECK (org_id = (SELECT mos_org()))', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO mos_app', t);
  END LOOP;
END $$;
