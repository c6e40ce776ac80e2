-- How hosts stand that people decided about: the last decision, unless something that counts was detected since; then the
-- host is new again.
CREATE OR REPLACE VIEW triage AS
WITH decided AS (
  SELECT host_id, max_by(triage_entry, entry_id) AS entry
  FROM triage_entry
  GROUP BY host_id
),
detected AS (
  SELECT host_id, max(detection_id) AS detection_id
  FROM detection
  SEMI JOIN decided USING (host_id)
  SEMI JOIN (FROM detection_sum JOIN trust USING (trust) WHERE quality > 0) AS counting USING (detection_id)
  GROUP BY host_id
)
SELECT
  host_id,
  address,
  CASE WHEN detection_id > entry.known_detection THEN 'new' ELSE entry.state END AS state,
  entry.state AS decided_state,
  entry.decided_at,
  entry.who,
  entry.note,
  entry.change_id
FROM decided
JOIN host USING (host_id)
LEFT JOIN detected USING (host_id);
