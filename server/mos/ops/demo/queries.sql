-- name: add_organisation
INSERT INTO organisation (org_id, name, policy, zone, language, created_at)
VALUES (:org, :name, 'care_record', :zone, 'sv', :now)

-- name: add_unit
INSERT INTO unit (org_id, unit_id, name, zone, language, created_at)
VALUES (:org, :unit, :name, :zone, 'sv', :now)

-- name: add_passwords
INSERT INTO credential (org_id, credential_id, account_id, kind, secret, created_at)
SELECT :org, c.id, c.account, 'password', :secret, :now
FROM unnest(:ids::uuid[], :accounts::uuid[]) AS c (id, account)

-- name: add_records
-- Records with the ops that made them, numbered as given: seq is the place in each space.
WITH given AS (
  SELECT * FROM unnest(:spaces::uuid[], :recs::uuid[], :colls::text[], :kinds::text[], :seqs::bigint[], :docs::jsonb[],
                       :hlcs::text[], :authors::uuid[], :ats::timestamptz[])
    AS g (space, rec, coll, kind, seq, doc, hlc, author, at)
), made AS (
  INSERT INTO rec (org_id, space_id, rec_id, coll, seq, doc, clk)
  SELECT :org, g.space, g.rec, g.coll, g.seq, g.doc,
         (SELECT jsonb_object_agg(k, g.hlc) FROM jsonb_object_keys(g.doc) AS k)
  FROM given g
)
INSERT INTO op (org_id, space_id, seq, op_id, account_id, kind, coll, rec_id, hlc, val, verdict, received_at)
-- An event's record has the op's id; a record that was set has an id of its own.
SELECT :org, g.space, g.seq, CASE WHEN g.kind = 'event' THEN g.rec ELSE gen_random_uuid() END, g.author, g.kind,
       g.coll, g.rec, g.hlc, g.doc, 'applied', g.at
FROM given g

-- name: count_records
-- Where each space stands after its records were added, and their fingerprint (docs/sync.md, "check").
UPDATE space s SET head_seq = r.head, live_n = r.n, live_sum = r.sum, live_sq = r.sq
FROM (
  SELECT space_id, max(seq) AS head, count(*) AS n, sum(seq) AS sum, mod(sum(seq::numeric ^ 2), 1::bigint << 53)::bigint AS sq
  FROM rec WHERE org_id = :org GROUP BY space_id
) AS r
WHERE s.org_id = :org AND s.space_id = r.space_id

-- name: add_occurrences
INSERT INTO occurrence (org_id, space_id, occ, reminder_id, at, ends_at, category, criticality, checkable, grace_s,
                        ring_start, ring_again, from_at, missed_at, state, outcome, told_at, closed_at)
SELECT :org, o.space, o.occ, o.reminder, o.at, o.ends, o.category, o.criticality, o.checkable,
       extract(epoch FROM o.missed - o.at)::integer, true, true, o.at, o.missed,
       CASE WHEN o.outcome IS NULL THEN 'missed' ELSE 'closed' END, o.outcome, o.at, o.closed
FROM unnest(:spaces::uuid[], :occs::text[], :reminders::uuid[], :ats::timestamptz[], :ends::timestamptz[],
            :categories::text[], :criticalities::text[], :checkables::boolean[], :misseds::timestamptz[],
            :outcomes::text[], :closeds::timestamptz[])
     AS o (space, occ, reminder, at, ends, category, criticality, checkable, missed, outcome, closed)

-- name: add_horizons
-- From here on the engine plans and watches.
INSERT INTO horizon (org_id, space_id, until)
SELECT :org, h.space, h.until FROM unnest(:spaces::uuid[], :untils::timestamptz[]) AS h (space, until)

-- name: mark_installation
-- Fails where the installation is already somebody's: then nothing of this is kept.
INSERT INTO installation (demo, demo_password, claimed_at, created_at) VALUES (true, :password, :now, :now)

-- name: add_accesses
-- What staff and relatives saw and did before the demo began.
INSERT INTO access_log (org_id, hour, entry_id, at, space_id, unit_id, account_id, role, kind, class, purpose)
SELECT :org, date_trunc('hour', e.at, 'UTC'), e.id, e.at, e.space, r.unit_id, e.account, a.role, e.kind, e.class,
       CASE a.role WHEN 'relative' THEN 'family' ELSE 'care' END
FROM unnest(:ids::uuid[], :spaces::uuid[], :accounts::uuid[], :kinds::text[], :classes::text[],
            :moments::timestamptz[]) AS e (id, space, account, kind, class, at)
JOIN resident r ON r.org_id = :org AND r.space_id = e.space
JOIN account a ON a.org_id = :org AND a.account_id = e.account;
