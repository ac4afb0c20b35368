-- What people asked for of themselves, the sealed pieces of it, and names for those who read it.

-- name: exports
-- What somebody has asked for, the latest first.
SELECT e.export_id AS id, e.account_id AS account, a.name, r.space_id AS space, e.asked_at, e.state,
       e.rows_read AS rows, e.json_size, e.pdf_size
FROM export e
JOIN account a ON a.org_id = e.org_id AND a.account_id = e.account_id
LEFT JOIN resident r ON r.org_id = e.org_id AND r.account_id = e.account_id
WHERE e.org_id = :org AND e.asked_by = :by AND e.asked_at > :after
  AND (:account::uuid IS NULL OR e.account_id = :account) AND (:id::uuid IS NULL OR e.export_id = :id)
ORDER BY e.asked_at DESC, e.export_id;

-- name: lock_asking
-- One who asks twice at once is answered once.
SELECT pg_advisory_xact_lock(hashtextextended('export/' || (:org::uuid)::text || (:account::uuid)::text || (:by::uuid)::text, 0)) IS NULL AS yes;

-- name: drop_asked
DELETE FROM export WHERE org_id = :org AND account_id = :account AND asked_by = :by;

-- name: add
INSERT INTO export (org_id, export_id, account_id, asked_by, asked_at, language)
VALUES (:org, :id, :account, :by, :now, :language);

-- name: drop_export
DELETE FROM export WHERE org_id = :org AND export_id = :id AND asked_by = :by;

-- name: claim
SELECT org_id AS org, export_id AS id, account_id AS account, language, tries FROM export_claim(:now, :silent);

-- name: beat
-- Say how far it is, where it is still this one's to make.
UPDATE export SET beat_at = :now, rows_read = :rows
WHERE org_id = :org AND export_id = :id AND tries = :tries AND state = 'waiting';

-- name: lock_export
-- Whether it is still this one's to make.
SELECT true AS yes FROM export
WHERE org_id = :org AND export_id = :id AND tries = :tries AND state = 'waiting' FOR UPDATE;

-- name: made
UPDATE export SET state = 'made', rows_read = :rows, json_size = :json_size, pdf_size = :pdf_size, beat_at = :now
WHERE org_id = :org AND export_id = :id AND tries = :tries AND state = 'waiting';

-- name: failed
UPDATE export SET state = 'failed', beat_at = :now
WHERE org_id = :org AND export_id = :id AND tries = :tries AND state = 'waiting';

-- name: add_part
INSERT INTO export_part (org_id, export_id, form, n, body) VALUES (:org, :id, :form, :n, :body);

-- name: part
SELECT body FROM export_part WHERE org_id = :org AND export_id = :id AND form = :form AND n = :n;

-- name: fetched
UPDATE export SET fetched_at = :now WHERE org_id = :org AND export_id = :id;

-- name: erase
-- What was made of somebody, and what they had made of others: nobody fetches that any more.
DELETE FROM export WHERE org_id = :org AND (account_id = :account OR asked_by = :account);

-- name: erase_of_space
DELETE FROM export e USING resident r
WHERE e.org_id = :org AND r.org_id = e.org_id AND r.account_id = e.account_id AND r.space_id = :space;

-- name: people
-- Names for ids, of those who are still named.
SELECT account_id AS id, name, role FROM account WHERE org_id = :org AND account_id = ANY (:ids::uuid[]);

-- name: units
SELECT unit_id AS id, name, zone FROM unit WHERE org_id = :org;

-- name: place
-- Where somebody's times are told: of a resident's unit, or of the organisation.
SELECT o.name, coalesce(u.zone, o.zone) AS zone
FROM organisation o
LEFT JOIN resident r ON r.org_id = o.org_id AND r.account_id = :account
LEFT JOIN unit u ON u.org_id = r.org_id AND u.unit_id = r.unit_id
WHERE o.org_id = :org;

-- name: residents
-- Who lives in which space, for what somebody has to do with them now.
SELECT r.space_id AS id, a.name FROM resident r
JOIN account a ON a.org_id = r.org_id AND a.account_id = r.account_id
WHERE r.org_id = :org AND r.space_id = ANY (:spaces::uuid[]);
