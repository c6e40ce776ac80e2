-- What enforcement points did to marked packets up to $as_of, between $from and $to (microseconds since 1970), of one $host or
-- of all, oldest first.
SELECT
  time, verdict, rule, host.address AS host, host_name.name AS host_name, host_port,
  peer.address AS peer, peer_name.name AS peer_name, peer_port, protocol, length,
  event_id, agent, capture.name AS capture, frame
FROM enforcement_event
JOIN host ON host.host_id = enforcement_event.host_id
JOIN host AS peer ON peer.host_id = enforcement_event.peer_id
LEFT JOIN capture ON capture.capture_id = enforcement_event.capture_id
LEFT JOIN host_name ON host_name.address = host.address
LEFT JOIN host_name AS peer_name ON peer_name.address = peer.address
WHERE ($host::VARCHAR IS NULL OR host.address = $host)
  AND time <= make_timestamp($as_of::BIGINT)
  AND ($from::BIGINT IS NULL OR time >= make_timestamp($from::BIGINT))
  AND ($to::BIGINT IS NULL OR time <= make_timestamp($to::BIGINT))
ORDER BY time, event_id, frame
