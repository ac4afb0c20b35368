-- PINs and picture PINs, each of one person on one device that is known again by a cookie of its own.

ALTER TABLE device ADD COLUMN bound_hash bytea;   -- SHA-256 of that cookie
-- A table of thousands of rows, none of which has it yet: made at once.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX device_bound ON device (org_id, bound_hash) WHERE bound_hash IS NOT NULL;

CREATE TABLE pin (
  org_id         uuid NOT NULL,
  device_id      uuid NOT NULL,
  account_id     uuid NOT NULL,
  kind           text NOT NULL CHECK (kind IN ('pin', 'picture')),
  secret         text NOT NULL,                -- Argon2id of a keyed hash: the database alone tries nothing out
  wrong          integer NOT NULL DEFAULT 0,   -- tries since the last right one
  set_by         uuid NOT NULL,
  set_at         timestamptz NOT NULL,
  used_at        timestamptz,
  PRIMARY KEY (org_id, device_id, account_id),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE,
  FOREIGN KEY (org_id, device_id) REFERENCES device ON DELETE CASCADE
);
CREATE INDEX pin_account ON pin (org_id, account_id);

ALTER TABLE pin ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_org ON pin TO mos_app USING (org_id = (SELECT mos_org())) WITH CHECK (org_id = (SELECT mos_org()));
GRANT SELECT, INSERT, UPDATE, DELETE ON pin TO mos_app;
