-- What security rests on, in one chain for each organisation: each line's hash holds the line before. Ids and
-- words, never names, addresses or content. The installation's own chain is that of the organisation of zeros.

-- Named by the transaction of whoever reads an organisation's chain.
CREATE FUNCTION mos_log_chain() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT COALESCE(current_setting('mos.log_chain', true), '') = 'yes' $$;

CREATE TABLE audit (
  org_id         uuid NOT NULL,
  n              bigint NOT NULL,             -- 1, 2, 3 …: never a gap
  content        text NOT NULL,               -- canonical JSON (RFC 8785)
  hash           bytea NOT NULL,              -- SHA-256 of the hash before, the organisation, n and the content
  -- To look for; what was hashed is the content alone.
  at             text COLLATE "C" NOT NULL GENERATED ALWAYS AS (content::jsonb ->> 'at') STORED,
  event          text NOT NULL GENERATED ALWAYS AS (content::jsonb ->> 'event') STORED,
  by_id          uuid GENERATED ALWAYS AS ((content::jsonb ->> 'by')::uuid) STORED,
  of_id          uuid GENERATED ALWAYS AS ((content::jsonb ->> 'of')::uuid) STORED,
  PRIMARY KEY (org_id, n)
);

-- Where each chain ends. Whoever adds to it holds its row: two at once would make two chains.
CREATE TABLE audit_head (
  org_id         uuid PRIMARY KEY,
  n              bigint NOT NULL,
  hash           bytea NOT NULL,
  signed_n       bigint NOT NULL DEFAULT 0    -- up to here a root has signed it
);

-- Once a day, what all chains have come to, signed. Each holds the hash of the one before.
CREATE TABLE audit_root (
  no             bigint PRIMARY KEY,          -- 1, 2, 3 …
  day            date NOT NULL UNIQUE,        -- in UTC
  content        text NOT NULL,               -- canonical JSON: number, moment, the root before, heads
  hash           bytea NOT NULL,              -- SHA-256 of the content
  key            text NOT NULL,               -- whose key: the first 16 hex digits of its SHA-256
  signature      bytea NOT NULL               -- Ed25519 over the content
);

ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_head ENABLE ROW LEVEL SECURITY;
-- For those who read logs, their own organisation's. Only audit_append writes.
CREATE POLICY readers ON audit FOR SELECT TO mos_app
  USING (org_id = (SELECT mos_org()) AND (SELECT mos_log_chain()));
CREATE POLICY engine ON audit FOR SELECT TO mos_engine USING (true);
CREATE POLICY engine ON audit_head FOR SELECT TO mos_engine USING (true);
GRANT SELECT ON audit TO mos_app, mos_engine;
GRANT SELECT ON audit_head, audit_root TO mos_engine;

-- Add lines to the chain of the transaction's own organisation; answers the last one's number.
CREATE FUNCTION audit_append(p_org uuid, p_contents text[]) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  head audit_head;
  line text;
BEGIN
  IF p_org IS DISTINCT FROM mos_org() THEN
    RAISE insufficient_privilege USING MESSAGE = 'this chain is another organisation''s';
  END IF;
  INSERT INTO audit_head (org_id, n, hash) VALUES (p_org, 0, decode(repeat('00', 32), 'hex'))
    ON CONFLICT DO NOTHING;
  SELECT * INTO STRICT head FROM audit_head WHERE org_id = p_org FOR UPDATE;
  FOREACH line IN ARRAY p_contents LOOP
    head.n := head.n + 1;
    head.hash := sha256(head.hash || uuid_send(p_org) || int8send(head.n) || convert_to(line, 'UTF8'));
    INSERT INTO audit (org_id, n, content, hash) VALUES (p_org, head.n, line, head.hash);
  END LOOP;
  UPDATE audit_head SET n = head.n, hash = head.hash WHERE org_id = p_org;
  RETURN head.n;
END $$;
REVOKE ALL ON FUNCTION audit_append(uuid, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append(uuid, text[]) TO mos_app, mos_engine;

-- Keep a root unless its day has one; answers whether it was kept.
CREATE FUNCTION audit_sign(p_no bigint, p_day date, p_content text, p_key text, p_signature bytea,
                           p_orgs uuid[], p_numbers bigint[]) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO audit_root (no, day, content, hash, key, signature)
  VALUES (p_no, p_day, p_content, sha256(convert_to(p_content, 'UTF8')), p_key, p_signature)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE audit_head h SET signed_n = s.n
  FROM unnest(p_orgs, p_numbers) AS s (org_id, n) WHERE h.org_id = s.org_id AND h.signed_n < s.n;
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION audit_sign(bigint, date, text, text, bytea, uuid[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_sign(bigint, date, text, text, bytea, uuid[], bigint[]) TO mos_engine;
