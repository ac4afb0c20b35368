-- A person is erased whole, unless the law has their data kept; and stays so after a restore.

CREATE TABLE legal_hold (
  org_id         uuid NOT NULL,
  account_id     uuid NOT NULL,
  why            text NOT NULL CHECK (length(why) BETWEEN 1 AND 400),
  set_by         uuid NOT NULL,
  set_at         timestamptz NOT NULL,
  PRIMARY KEY (org_id, account_id),
  FOREIGN KEY (org_id, account_id) REFERENCES account ON DELETE CASCADE
);

-- Ids and a moment: what a restored database erases again. No key to account: it may be gone.
CREATE TABLE erased_person (
  org_id         uuid NOT NULL,
  account_id     uuid NOT NULL,
  erased_at      timestamptz NOT NULL,
  despite        text CHECK (length(despite) BETWEEN 1 AND 400),  -- why, where the law would have kept them
  PRIMARY KEY (org_id, account_id)
);

ALTER TABLE legal_hold ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_org ON legal_hold TO mos_app USING (org_id = (SELECT mos_org()))
  WITH CHECK (org_id = (SELECT mos_org()));
GRANT SELECT, INSERT, UPDATE, DELETE ON legal_hold TO mos_app;
ALTER TABLE erased_person ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_org ON erased_person TO mos_app USING (org_id = (SELECT mos_org()))
  WITH CHECK (org_id = (SELECT mos_org()));
GRANT SELECT, INSERT ON erased_person TO mos_app;

-- The ledger of every organisation, for whoever restores.
CREATE FUNCTION care_erased() RETURNS TABLE (org_id uuid, account_id uuid, erased_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT e.org_id, e.account_id, e.erased_at FROM erased_person e ORDER BY e.erased_at, e.org_id, e.account_id
$$;
REVOKE ALL ON FUNCTION care_erased() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION care_erased() TO mos_app;
