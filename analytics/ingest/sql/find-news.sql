-- What does a capture show that a longer one does not? No row: it is the longer one's beginning, as far as evidence goes.
-- A capture is judged from its first frame on, so that what its beginning shows, it shows as well, at the same time.
WITH seen AS (
  SELECT sighting.capture_id, frame, time, mark.host_id, option, length, detail, flow_key
  FROM sighting JOIN mark USING (mark_id) LEFT JOIN flow_seen USING (flow_id)
  WHERE sighting.capture_id IN ($capture_id, $longer_id)
), counted AS (
  SELECT capture_id, detection_id, minute, trust, min(first_seen) AS first_seen, max(last_seen) AS last_seen, sum(packets) AS packets
  FROM detection_minute WHERE capture_id IN ($capture_id, $longer_id) GROUP BY ALL
)
(
  SELECT 'marked packet' FROM (
    SELECT * EXCLUDE (capture_id) FROM seen WHERE capture_id = $capture_id
    EXCEPT SELECT * EXCLUDE (capture_id) FROM seen WHERE capture_id = $longer_id
  )
  UNION ALL
  SELECT 'detection' FROM counted AS mine WHERE capture_id = $capture_id AND NOT EXISTS (
    FROM counted AS theirs
    WHERE theirs.capture_id = $longer_id AND theirs.detection_id = mine.detection_id AND theirs.minute = mine.minute
      AND theirs.trust = mine.trust AND theirs.first_seen <= mine.first_seen AND theirs.last_seen >= mine.last_seen
      AND theirs.packets >= mine.packets
  )
  UNION ALL
  SELECT 'contact' FROM (
    SELECT flow_key, host_id, peer_id, established_at FROM flow_seen WHERE capture_id = $capture_id AND established
    EXCEPT SELECT flow_key, host_id, peer_id, established_at FROM flow_seen WHERE capture_id = $longer_id
  )
  UNION ALL
  SELECT 'passed flow' FROM (
    SELECT flow_key, host_id, minute FROM flow_passed WHERE capture_id = $capture_id
    EXCEPT SELECT flow_key, host_id, minute FROM flow_passed WHERE capture_id = $longer_id
  )
  UNION ALL
  SELECT 'event' FROM (
    SELECT * EXCLUDE (capture_id, event_id) FROM enforcement_event WHERE capture_id = $capture_id
    EXCEPT SELECT * EXCLUDE (capture_id, event_id) FROM enforcement_event WHERE capture_id = $longer_id
  )
  UNION ALL
  SELECT 'unmarked packet' FROM unmarked_run AS mine WHERE capture_id = $capture_id AND NOT EXISTS (
    FROM unmarked_run AS theirs
    WHERE theirs.capture_id = $longer_id AND theirs.host_id = mine.host_id
      AND theirs.first_unmarked <= mine.first_unmarked AND theirs.last_unmarked >= mine.last_unmarked
  ) AND NOT EXISTS (
    -- Marked again where the longer one goes on.
    FROM counted JOIN detection USING (detection_id)
    WHERE counted.capture_id = $longer_id AND host_id = mine.host_id AND last_seen >= mine.first_unmarked
  )
  UNION ALL
  SELECT 'name' FROM (
    SELECT address, name FROM captured_name WHERE capture_id = $capture_id
    EXCEPT SELECT address, name FROM captured_name WHERE capture_id = $longer_id
  )
)
LIMIT 1
