-- Whatever the engine knows of a space's days: one statement for each table, along the way that an
-- occurrence takes. Each waits for the step that is under way, and the next sees what that has left behind.

-- name: erase_horizon
DELETE FROM horizon WHERE org_id = :org AND space_id = :space;

-- name: erase_due
DELETE FROM due WHERE org_id = :org AND space_id = :space;

-- name: erase_expected
DELETE FROM expected WHERE org_id = :org AND space_id = :space;

-- name: erase_occurrence
DELETE FROM occurrence WHERE org_id = :org AND space_id = :space;

-- name: erase_answer
DELETE FROM answer WHERE org_id = :org AND space_id = :space;

-- name: erase_ladder
DELETE FROM ladder WHERE org_id = :org AND space_id = :space;

-- name: erase_alert
DELETE FROM alert WHERE org_id = :org AND space_id = :space;

-- name: erase_delivery
DELETE FROM delivery WHERE org_id = :org AND space_id = :space;
