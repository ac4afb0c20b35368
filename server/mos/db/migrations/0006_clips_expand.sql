-- What somebody has recorded to be heard in place of a voice.

CREATE TABLE clip (
  org_id         uuid NOT NULL,
  space_id       uuid NOT NULL,
  clip_id        bytea NOT NULL CHECK (length(clip_id) = 32),        -- SHA-256 of what was recorded
  kind           text NOT NULL CHECK (kind IN ('audio/webm', 'audio/mp4')),
  body           bytea NOT NULL,              -- sealed for the resident
  size           integer NOT NULL CHECK (size > 0),                  -- bytes, before it was sealed
  added_by       uuid NOT NULL,               -- in whose session
  added_at       timestamptz NOT NULL,
  unused_since   timestamptz,                 -- no reminder refers to it; NULL: one does
  PRIMARY KEY (org_id, space_id, clip_id),
  FOREIGN KEY (org_id, space_id) REFERENCES space,
  -- Whose voice it is, as far as anybody knows: it goes with them.
  FOREIGN KEY (org_id, added_by) REFERENCES account ON DELETE CASCADE
);
CREATE INDEX clip_added_by ON clip (org_id, added_by);
-- What is sealed does not become smaller.
ALTER TABLE clip ALTER COLUMN body SET STORAGE EXTERNAL;

ALTER TABLE clip ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_space ON clip TO mos_app
  USING (org_id = (SELECT mos_org()) AND space_id = ANY ((SELECT mos_spaces())::uuid[]))
  WITH CHECK (org_id = (SELECT mos_org()) AND space_id = ANY ((SELECT mos_spaces())::uuid[]));
GRANT SELECT, INSERT, UPDATE, DELETE ON clip TO mos_app;
