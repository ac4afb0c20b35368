-- An organisation's webhooks rest, change their secret, and show what was answered.

ALTER TABLE contact ADD COLUMN paused_at timestamptz;           -- nothing is posted there meanwhile
ALTER TABLE contact ADD COLUMN old_secret bytea;                -- sealed: signs beside the new one,
ALTER TABLE contact ADD COLUMN old_secret_until timestamptz;    -- until then
GRANT SELECT (paused_at, old_secret, old_secret_until) ON contact TO mos_engine;

-- What was sent to a contact, the latest first. Few deliveries go to contacts; those to devices are not in it.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX delivery_of_contact ON delivery (org_id, contact_id, delivery_id) WHERE contact_id IS NOT NULL;
