-- A line of the access log costs its writing and no plan of its own: left to itself, PostgreSQL plans an INSERT into
-- a partitioned table anew each time, which took three times as long as the INSERT.

-- Log who did what in which spaces, by the rights of whoever calls. A space of either kind is its resident's; one
-- that is nobody's is not logged. No target of the conflict is named: that would need the right to read.
CREATE FUNCTION access_log_add(p_org uuid, p_account uuid, p_session uuid, p_device uuid, p_kind text, p_purpose text,
                               p_ids uuid[], p_spaces uuid[], p_classes text[], p_at timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY INVOKER SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  INSERT INTO access_log (org_id, hour, entry_id, at, space_id, unit_id, account_id, role, session_id, device_id,
                          kind, class, purpose)
  SELECT p_org, date_trunc('hour', p_at, 'UTC'), e.id, p_at, r.space_id, r.unit_id, a.account_id, a.role,
         p_session, p_device, p_kind, e.class,
         COALESCE(p_purpose, CASE a.role WHEN 'resident' THEN 'own' WHEN 'relative' THEN 'family'
                                         WHEN 'manager' THEN 'management' WHEN 'admin' THEN 'management'
                                         WHEN 'auditor' THEN 'review' ELSE 'care' END)
  FROM unnest(p_ids, p_spaces, p_classes) AS e (id, space, class)
  CROSS JOIN LATERAL (
    SELECT s.space_id, s.unit_id FROM resident s WHERE s.org_id = p_org AND s.space_id = e.space
    UNION ALL
    SELECT m.space_id, m.unit_id FROM resident m WHERE m.org_id = p_org AND m.medication_id = e.space
  ) AS r
  JOIN account a ON a.org_id = p_org AND a.account_id = p_account
  ON CONFLICT DO NOTHING;
END $$;
