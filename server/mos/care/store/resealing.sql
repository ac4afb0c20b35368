-- Texts that were written before texts were sealed: read and replaced, some rows of every organisation at a time, as
-- the owner of the schema. Replaced is only what is still as it was read: whoever has changed it meanwhile has sealed it.

-- name: flats_after
SELECT org_id AS org, space_id AS id, ARRAY[account_id] AS of, flat AS text FROM resident
WHERE (org_id, space_id) > (:org::uuid, :id::uuid) ORDER BY org_id, space_id LIMIT :limit;

-- name: replace_flats
UPDATE resident r SET flat = g.text
FROM unnest(:orgs::uuid[], :ids::uuid[], :befores::text[], :texts::text[]) AS g (org, id, before, text)
WHERE r.org_id = g.org AND r.space_id = g.id AND r.flat = g.before;

-- name: consents_after
SELECT l.org_id AS org, l.relation_id AS id, array_remove(ARRAY[l.account_id, r.account_id], NULL) AS of,
       l.consent AS text
FROM relation l LEFT JOIN resident r ON r.org_id = l.org_id AND r.space_id = l.space_id
WHERE (l.org_id, l.relation_id) > (:org::uuid, :id::uuid) ORDER BY l.org_id, l.relation_id LIMIT :limit;

-- name: replace_consents
UPDATE relation l SET consent = g.text
FROM unnest(:orgs::uuid[], :ids::uuid[], :befores::text[], :texts::text[]) AS g (org, id, before, text)
WHERE l.org_id = g.org AND l.relation_id = g.id AND l.consent = g.before;

-- name: device_names_after
SELECT org_id AS org, device_id AS id, ARRAY[account_id] AS of, name AS text FROM device
WHERE (org_id, device_id) > (:org::uuid, :id::uuid) ORDER BY org_id, device_id LIMIT :limit;

-- name: replace_device_names
-- A device that rings for somebody else by now has been named anew.
UPDATE device d SET name = g.text
FROM unnest(:orgs::uuid[], :ids::uuid[], :befores::text[], :texts::text[], :owners::uuid[])
  AS g (org, id, before, text, owner)
WHERE d.org_id = g.org AND d.device_id = g.id AND d.name = g.before AND d.account_id = g.owner;

-- name: passkey_names_after
SELECT org_id AS org, passkey_id AS id, ARRAY[account_id] AS of, name AS text FROM passkey
WHERE (org_id, passkey_id) > (:org::uuid, :id::uuid) ORDER BY org_id, passkey_id LIMIT :limit;

-- name: replace_passkey_names
UPDATE passkey p SET name = g.text
FROM unnest(:orgs::uuid[], :ids::uuid[], :befores::text[], :texts::text[]) AS g (org, id, before, text)
WHERE p.org_id = g.org AND p.passkey_id = g.id AND p.name = g.before;

-- name: contact_labels_after
SELECT org_id AS org, contact_id AS id, ARRAY[COALESCE(account_id, org_id)] AS of, label AS text FROM contact
WHERE (org_id, contact_id) > (:org::uuid, :id::uuid) ORDER BY org_id, contact_id LIMIT :limit;

-- name: replace_contact_labels
UPDATE contact c SET label = g.text
FROM unnest(:orgs::uuid[], :ids::uuid[], :befores::text[], :texts::text[]) AS g (org, id, before, text)
WHERE c.org_id = g.org AND c.contact_id = g.id AND c.label = g.before;

-- name: contact_addresses_after
SELECT org_id AS org, contact_id AS id, ARRAY[COALESCE(account_id, org_id)] AS of, address AS text FROM contact
WHERE (org_id, contact_id) > (:org::uuid, :id::uuid) ORDER BY org_id, contact_id LIMIT :limit;

-- name: replace_contact_addresses
-- An address that its owner has twice, since a release before this one wrote it beside a sealed one, stays there twice.
UPDATE contact c SET address = g.text, address_digest = CASE WHEN NOT EXISTS (
  SELECT FROM contact o WHERE o.org_id = c.org_id AND o.account_id IS NOT DISTINCT FROM c.account_id
    AND o.channel = c.channel AND o.address_digest = g.digest) THEN g.digest END
FROM unnest(:orgs::uuid[], :ids::uuid[], :befores::text[], :texts::text[], :digests::text[])
  AS g (org, id, before, text, digest)
WHERE c.org_id = g.org AND c.contact_id = g.id AND c.address = g.before;
