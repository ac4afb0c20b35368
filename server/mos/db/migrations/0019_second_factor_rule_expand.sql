-- From when on everybody who works here needs a second step to sign in by password; NULL: whoever wants to.

ALTER TABLE organisation ADD COLUMN second_factor_from timestamptz;
