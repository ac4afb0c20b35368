-- On a tablet that staff share, an act is signed by whoever does it: a PIN makes a session that signs, and does nothing else.

ALTER TABLE session ADD COLUMN signs_only boolean NOT NULL DEFAULT false;   -- no cookie opens it, and it holds no device
ALTER TABLE device ADD COLUMN asks_signer boolean NOT NULL DEFAULT false;   -- who signs is asked before each dose

-- As in 0005, but that a session which only signs is found by nobody, whatever cookie they show.
CREATE OR REPLACE FUNCTION session_bearer(p_token_hash bytea, p_now timestamptz)
  RETURNS TABLE (org_id uuid, session_id uuid, account_id uuid, device_id uuid, role text,
                 created_at timestamptz, seen_at timestamptz, expires_at timestamptz,
                 revoked_at timestamptz, disabled_at timestamptz, wipe_nonce text,
                 methods text[], strong_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH found AS (
    SELECT s.org_id, s.session_id, s.strong_at FROM session s WHERE s.token_hash = p_token_hash
    UNION ALL
    -- Whoever holds an old cookie has not stepped up.
    SELECT f.org_id, f.session_id, NULL::timestamptz FROM session_former f
    WHERE f.token_hash = p_token_hash AND f.until > p_now
  )
  SELECT s.org_id, s.session_id, s.account_id, s.device_id, a.role, s.created_at, s.seen_at, s.expires_at,
         s.revoked_at, a.disabled_at, d.wipe_nonce, s.methods, f.strong_at
  FROM found f
  JOIN session s ON s.org_id = f.org_id AND s.session_id = f.session_id AND NOT s.signs_only
  JOIN account a ON a.org_id = s.org_id AND a.account_id = s.account_id
  LEFT JOIN device d ON d.org_id = s.org_id AND d.device_id = s.device_id AND d.revoked_at IS NOT NULL
$$;
