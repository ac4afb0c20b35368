-- name: erase
-- Whatever the engine knows of a space's days.
WITH a AS (DELETE FROM due WHERE org_id = :org AND space_id = :space),
     b AS (DELETE FROM horizon WHERE org_id = :org AND space_id = :space),
     c AS (DELETE FROM occurrence WHERE org_id = :org AND space_id = :space),
     d AS (DELETE FROM answer WHERE org_id = :org AND space_id = :space),
     e AS (DELETE FROM alert WHERE org_id = :org AND space_id = :space)
DELETE FROM delivery WHERE org_id = :org AND space_id = :space;
