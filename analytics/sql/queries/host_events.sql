-- What enforcement points did to packets of one host by $as_of (microseconds), newest first.
SELECT
  epoch_us(time) / 1e6 AS time, verdict, rule, peer.address AS peer, host_port, peer_port,
  count(*) OVER () AS event_count
FROM enforcement_event
JOIN host ON host.host_id = enforcement_event.host_id
JOIN host AS peer ON peer.host_id = enforcement_event.peer_id
WHERE host.address = $address AND time <= make_timestamp($as_of::BIGINT)
ORDER BY time DESC
LIMIT 1000;
