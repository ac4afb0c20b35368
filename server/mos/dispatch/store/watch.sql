-- name: watch_round
-- One worker looks at a time; the others have nothing to wait for.
SELECT occ, asked_at, through_at, took_ms, missed, push_at, push_ms, push_missed
FROM watch_round FOR UPDATE SKIP LOCKED

-- name: save_watch
UPDATE watch_round SET occ = :occ::text, asked_at = :asked_at::timestamptz, through_at = :through_at::timestamptz,
  took_ms = COALESCE(:took_ms::integer, took_ms), missed = :missed, push_at = :push_at::timestamptz, push_ms = :push_ms::integer, push_missed = :push_missed

-- name: watch_answered
SELECT state = 'closed' AS answered FROM occurrence WHERE org_id = :org AND space_id = :space AND occ = :occ

-- name: watch_pushed
SELECT state, created_at, settled_at FROM delivery
WHERE org_id = :org AND space_id = :space AND subject = :occ AND kind = 'ring' AND channel = 'webpush'

-- name: ring_watch
-- To the device that every web process answers for. A resident's devices are found by `ring`; this is nobody's.
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, channel, state, next_at, expires_at,
                      created_at)
SELECT o.org_id, o.space_id, 'ring', o.occ, o.step, :device::uuid, :device::uuid, :channel, 'queued',
       :now::timestamptz, o.missed_at, :now::timestamptz
FROM occurrence o WHERE o.org_id = :org AND o.space_id = :space AND o.occ = :occ AND o.state IN ('due', 'told')
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING

-- name: forget_watch
-- Nothing of it is kept, so that it is in nobody's numbers and calls nobody.
WITH d AS (DELETE FROM due WHERE org_id = :org), e AS (DELETE FROM expected WHERE org_id = :org), a AS (DELETE FROM answer WHERE org_id = :org),
     m AS (DELETE FROM delivery WHERE org_id = :org), l AS (DELETE FROM alert WHERE org_id = :org)
DELETE FROM occurrence WHERE org_id = :org
