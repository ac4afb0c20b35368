-- Which device took a one-time link: whoever made it is told at once.

ALTER TABLE invitation ADD COLUMN used_on uuid;
