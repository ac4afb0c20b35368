-- Many people at once, each statement for all of them.

-- name: add_accounts
INSERT INTO account (org_id, account_id, role, name, email, language, disabled_at, created_at)
SELECT :org, a.id, a.role, a.name, a.email, a.language, CASE WHEN a.disabled THEN :now::timestamptz END, :now
FROM unnest(:ids::uuid[], :roles::text[], :names::text[], :emails::text[], :languages::text[], :disabled::boolean[])
     AS a (id, role, name, email, language, disabled);

-- name: add_homes
WITH given AS (
  SELECT * FROM unnest(:spaces::uuid[], :medications::uuid[], :accounts::uuid[], :units::uuid[], :flats::text[],
                       :archived::timestamptz[])
    AS g (space, medication, account, unit, flat, archived)
), days AS (
  INSERT INTO space (org_id, space_id, kind, of_space) SELECT :org, g.space, 'resident', NULL FROM given g
), medication AS (
  INSERT INTO space (org_id, space_id, kind, of_space) SELECT :org, g.medication, 'medication', g.space FROM given g
)
INSERT INTO resident (org_id, space_id, medication_id, account_id, unit_id, flat, archived_at)
SELECT :org, g.space, g.medication, g.account, g.unit, g.flat, g.archived FROM given g;

-- name: add_relations
-- One row a relation; permissions come joined, because arrays of arrays must be square.
INSERT INTO relation (org_id, relation_id, account_id, space_id, unit_id, permissions, is_primary, consent, valid_from,
                      valid_to)
SELECT :org, r.id, r.account, r.space, r.unit, string_to_array(r.permissions, ' '), r.is_primary, r.consent,
       r.valid_from, r.valid_to
FROM unnest(:ids::uuid[], :accounts::uuid[], :spaces::uuid[], :units::uuid[], :permissions::text[],
            :primaries::boolean[], :consents::text[], :froms::timestamptz[], :tos::timestamptz[])
     AS r (id, account, space, unit, permissions, is_primary, consent, valid_from, valid_to);

-- name: add_phones
-- Unproved: nobody is told there until its owner has typed the code that it was sent.
INSERT INTO contact (org_id, contact_id, account_id, channel, address, address_digest, label, when_told, created_at)
SELECT :org, c.id, c.account, 'sms', c.address, c.digest, '', 'always', :now
FROM unnest(:ids::uuid[], :accounts::uuid[], :addresses::text[], :digests::text[]) AS c (id, account, address, digest);
