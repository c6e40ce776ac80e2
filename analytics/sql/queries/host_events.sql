-- What enforcement points did to packets of one host by $before (microseconds), newest first, but for the first $skip of
-- them. Several may have the same time: the order is whole, so that a next page begins where this one ends.
SELECT
  epoch_us(time) AS microseconds, verdict, rule, peer.address AS peer, host_port, peer_port,
  count(*) OVER () AS event_count
FROM enforcement_event
JOIN host ON host.host_id = enforcement_event.host_id
JOIN host AS peer ON peer.host_id = enforcement_event.peer_id
WHERE host.address = $address AND time <= make_timestamp($before::BIGINT)
ORDER BY time DESC, capture_id, frame, event_id, enforcement_event.peer_id, host_port, peer_port, verdict, rule
LIMIT 1000
OFFSET $skip;
