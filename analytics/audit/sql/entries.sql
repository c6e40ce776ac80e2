-- What was noted, and a line for each decision about hosts.
WITH decision AS (
  SELECT
    change_id,
    min(decided_at) AS decided_at,
    any_value(who) AS who,
    any_value(undoes) AS undoes,
    any_value(state) AS state,
    count(*) AS hosts,
    min(address) AS address
  FROM triage_entry JOIN host USING (host_id)
  GROUP BY change_id
)
SELECT epoch_us(noted_at) / 1e6 AS noted_at, who, role, action, subject
FROM (
  SELECT noted_at, who, role, action, subject, entry_id AS place FROM audit_entry
  UNION ALL
  SELECT
    decided_at, who, NULL,
    CASE WHEN undoes IS NULL THEN 'triage' ELSE 'triage undone' END,
    CASE
      WHEN undoes IS NOT NULL THEN 'change ' || undoes
      WHEN hosts = 1 THEN address || ': ' || state
      ELSE hosts || ' hosts: ' || state
    END || ' (change ' || change_id || ')',
    change_id
  FROM decision
)
ORDER BY noted_at DESC, place DESC
LIMIT $limit;
