-- Where the database stands, and the hosts of detections behind $detection, the newest first.
SELECT
  (SELECT coalesce(max(detection_id), 0) FROM detection) AS detection,
  (SELECT coalesce(max(capture_id), 0) FROM capture) AS capture,
  (SELECT coalesce(max(entry_id), 0) FROM triage_entry) AS decision,
  (SELECT count(*) FROM enforcement_event) AS events,
  (
    SELECT string_agg(address, ' ' ORDER BY newest DESC)
    FROM (
      SELECT address, max(detection_id) AS newest
      FROM detection JOIN host USING (host_id)
      WHERE detection_id > $detection::BIGINT
      GROUP BY address
      ORDER BY newest DESC
      LIMIT 20
    )
  ) AS hosts;
