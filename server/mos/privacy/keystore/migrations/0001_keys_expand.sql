-- The key store: a small database of its own, in a cluster of its own. It holds no content and no name: ids,
-- wrapped keys, and hashes that say nothing without a key. The main database never holds a key.
-- `mos_keys` is the role of `mos serve` and `mos work`; it exists before this runs (mos.db.migrate makes it).

-- To whom epoch keys are sealed for the day the host is lost. The identity itself is on paper, in shares.
CREATE TABLE recovery_root (
  one            boolean PRIMARY KEY DEFAULT true CHECK (one),
  recipient      text NOT NULL,               -- age1…, public
  made_at        timestamptz NOT NULL
);

-- One row for each epoch key there has been; the key itself is a file. The current one is not retired.
CREATE TABLE epoch (
  number         integer PRIMARY KEY CHECK (number BETWEEN 1 AND 999999),
  fingerprint    bytea NOT NULL CHECK (length(fingerprint) = 8),
  begun_at       timestamptz NOT NULL,
  retired_at     timestamptz,                 -- another one followed
  destroyed_at   timestamptz                  -- its file is gone: what only it opened is dead
);
CREATE UNIQUE INDEX epoch_current ON epoch ((true)) WHERE retired_at IS NULL;

-- The keys of persons, and one of each organisation (its subject is the organisation itself). Wrapped by what
-- is derived of the epoch key, never by a stored key: the wrap dies with the epoch.
CREATE TABLE subject_key (
  org_id         uuid NOT NULL,
  subject_id     uuid NOT NULL,
  version        integer NOT NULL CHECK (version BETWEEN 1 AND 65535),
  epoch          integer NOT NULL REFERENCES epoch,
  wrapped        bytea NOT NULL CHECK (length(wrapped) = 60),
  made_at        timestamptz NOT NULL,
  PRIMARY KEY (org_id, subject_id, version)
) WITH (fillfactor = 50);
CREATE INDEX subject_key_epoch ON subject_key (epoch, org_id, subject_id, version);

-- What is looked up by its value (an e-mail address): a keyed hash, 64 bits. Here and not in the main
-- database, for an old backup of that would let a value be tried against somebody who was erased.
CREATE TABLE blind_index (
  org_id         uuid NOT NULL,
  kind           text NOT NULL CHECK (kind ~ '^[a-z_]{1,32}$'),
  hash           bytea NOT NULL CHECK (length(hash) = 8),
  subject_id     uuid NOT NULL,
  PRIMARY KEY (org_id, kind, hash)
);
CREATE INDEX blind_index_subject ON blind_index (org_id, subject_id, kind);

-- The ledger of erased persons: a keyed hash of the id. A key is never made for one of these again.
CREATE TABLE tombstone (
  org_id         uuid NOT NULL,
  hash           bytea NOT NULL CHECK (length(hash) = 32),
  epoch          integer NOT NULL,            -- the key is dead in every copy once this one is destroyed
  erased_at      timestamptz NOT NULL,
  PRIMARY KEY (org_id, hash)
);

-- A wrap is of the current epoch. A rotation retires the old one in a transaction: whoever is about to add a key
-- under it is waited for, and whoever comes later is sent away to wrap anew.
CREATE FUNCTION keys_epoch_is_current(p_epoch integer) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM FROM epoch e WHERE e.number = p_epoch AND e.retired_at IS NULL FOR SHARE;
  RETURN FOUND;
END $$;

-- Nobody adds a key for somebody who is being erased.
CREATE FUNCTION keys_lock(p_org uuid, p_subjects uuid[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(p_org::text || s.id::text, 7))
  FROM (SELECT DISTINCT unnest(p_subjects) AS id ORDER BY 1) s;
END $$;

-- Add first versions of keys, where there are none and nobody was erased. False: wrap them anew.
CREATE FUNCTION keys_add(
  p_org uuid, p_epoch integer, p_now timestamptz, p_subjects uuid[], p_hashes bytea[], p_wrapped bytea[]
) RETURNS boolean LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  IF NOT keys_epoch_is_current(p_epoch) THEN
    RETURN false;
  END IF;
  PERFORM keys_lock(p_org, p_subjects);
  INSERT INTO subject_key (org_id, subject_id, version, epoch, wrapped, made_at)
  SELECT p_org, k.subject_id, 1, p_epoch, k.wrapped, p_now
  FROM unnest(p_subjects, p_hashes, p_wrapped) AS k (subject_id, hash, wrapped)
  WHERE NOT EXISTS (SELECT FROM tombstone t WHERE t.org_id = p_org AND t.hash = k.hash)
    AND NOT EXISTS (SELECT FROM subject_key x WHERE x.org_id = p_org AND x.subject_id = k.subject_id)
  ON CONFLICT DO NOTHING;
  RETURN true;
END $$;

-- Erase a person: the keys and what they are found by go, the ledger keeps that there was somebody.
CREATE FUNCTION keys_erase(p_org uuid, p_subject uuid, p_hash bytea, p_now timestamptz) RETURNS bigint
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  v_gone bigint;
BEGIN
  PERFORM keys_lock(p_org, ARRAY[p_subject]);
  INSERT INTO tombstone (org_id, hash, epoch, erased_at)
  SELECT p_org, p_hash, e.number, p_now FROM epoch e WHERE e.retired_at IS NULL
  ON CONFLICT DO NOTHING;
  DELETE FROM blind_index WHERE org_id = p_org AND subject_id = p_subject;
  DELETE FROM subject_key WHERE org_id = p_org AND subject_id = p_subject;
  GET DIAGNOSTICS v_gone = ROW_COUNT;
  PERFORM pg_notify('mos_keys', p_org || '/' || p_subject);
  RETURN v_gone;
END $$;

REVOKE ALL ON FUNCTION keys_epoch_is_current(integer), keys_lock(uuid, uuid[]),
  keys_add(uuid, integer, timestamptz, uuid[], bytea[], bytea[]), keys_erase(uuid, uuid, bytea, timestamptz)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keys_add(uuid, integer, timestamptz, uuid[], bytea[], bytea[]),
  keys_erase(uuid, uuid, bytea, timestamptz) TO mos_keys;
GRANT SELECT ON recovery_root, epoch, subject_key, tombstone TO mos_keys;
GRANT SELECT, INSERT, DELETE ON blind_index TO mos_keys;
