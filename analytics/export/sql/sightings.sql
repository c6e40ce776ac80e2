-- Marked packets up to $as_of, between $from and $to (microseconds since 1970), of one $host or of all, as the captures have
-- them: one row a packet and capture.
SELECT
  time, host.address AS host,
  CASE WHEN flow_id = 0 THEN NULL ELSE host_port END AS host_port,
  peer.address AS peer,
  CASE WHEN flow_id = 0 THEN NULL ELSE peer_port END AS peer_port,
  protocol, length,
  CASE WHEN detail & 1 = 1 THEN 'ipv4' ELSE 'tcp' END AS carrier,
  detail & 2 = 2 AS quoted,
  mark.kind, lower(hex(mark.option)) AS option,
  capture.name AS capture, sighting.capture_id, frame
FROM sighting
JOIN mark USING (mark_id)
JOIN host ON host.host_id = mark.host_id
JOIN capture ON capture.capture_id = sighting.capture_id
LEFT JOIN flow_seen USING (flow_id)
LEFT JOIN host AS peer ON peer.host_id = flow_seen.peer_id
WHERE ($host::VARCHAR IS NULL OR host.address = $host)
  AND time <= make_timestamp($as_of::BIGINT)
  AND ($from::BIGINT IS NULL OR time >= make_timestamp($from::BIGINT))
  AND ($to::BIGINT IS NULL OR time <= make_timestamp($to::BIGINT))
ORDER BY time, sighting.capture_id, frame
