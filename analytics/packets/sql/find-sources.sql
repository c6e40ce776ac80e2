-- Captures that show a host with a mark or at an enforcement point, in a span of time (microseconds since 1970), oldest
-- first, and the files they were read from, the one noted last first.
WITH chosen AS (
  SELECT host_id FROM host WHERE address = $address
), showing AS (
  SELECT capture_id FROM host_day JOIN chosen USING (host_id)
  UNION
  SELECT capture_id FROM enforcement_event JOIN chosen USING (host_id)
  UNION
  SELECT sighting.capture_id FROM sighting JOIN mark USING (mark_id) JOIN chosen USING (host_id) WHERE flow_id = 0
)
SELECT
  capture.capture_id, capture.name, capture.content_id, path,
  capture_file.octets AS file_octets, modified_ns::VARCHAR AS modified_ns, sample
FROM capture
JOIN showing USING (capture_id)
LEFT JOIN capture_file USING (capture_id)
WHERE ($capture_id IS NULL OR capture.capture_id = $capture_id)
  AND ($from IS NULL OR last_packet >= make_timestamp($from::BIGINT))
  AND ($to IS NULL OR first_packet <= make_timestamp($to::BIGINT))
ORDER BY first_packet, capture.capture_id, noted_at DESC
