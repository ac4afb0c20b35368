-- Where people are told, and what they call their keys and devices, lies sealed (docs/keys.md): longer than it was
-- written, and with other characters. What is there stays as it is until `mos keys seal` has been over it.

-- What two equal addresses of one owner have in common, keyed by their own key: no address twice. NULL: it lies plain.
ALTER TABLE contact ADD COLUMN address_digest text;
-- A table of thousands of rows, made at once. An address by its MD5: sealed, a webhook's is longer than an index takes.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX contact_once_by_digest ON contact (org_id, account_id, channel, COALESCE(address_digest, md5(address)))
  NULLS NOT DISTINCT;
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX contact_once;

-- Made anew at once, wider: a sealed text begins with the character 1 and S, and has four for three bytes.
-- squawk-ignore ban-drop-constraint
ALTER TABLE contact DROP CONSTRAINT contact_address_check;
ALTER TABLE contact ADD CONSTRAINT contact_address_check CHECK (
  CASE WHEN starts_with(address, E'\x01S') THEN length(address) <= 12000
  ELSE length(address) BETWEEN 3 AND 2048 AND address !~ '[[:cntrl:][:space:]]' END) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE contact DROP CONSTRAINT contact_label_check;
ALTER TABLE contact ADD CONSTRAINT contact_label_check CHECK (
  length(label) <= CASE WHEN starts_with(label, E'\x01S') THEN 1000 ELSE 100 END) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE passkey DROP CONSTRAINT passkey_name_check;
ALTER TABLE passkey ADD CONSTRAINT passkey_name_check CHECK (
  length(name) BETWEEN 1 AND CASE WHEN starts_with(name, E'\x01S') THEN 2000 ELSE 200 END) NOT VALID;
