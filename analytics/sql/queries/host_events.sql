-- What enforcement points did to packets of one host by $before (microseconds), newest first, but for the first $skip of
-- them. Several may have the same time: the order is whole, so that a next page begins where this one ends.
WITH decided AS MATERIALIZED (
  SELECT enforcement_event.*
  FROM enforcement_event
  JOIN host USING (host_id)
  WHERE address = $address AND time <= make_timestamp($before::BIGINT)
)
SELECT
  epoch_us(time) AS microseconds, verdict, rule, peer.address AS peer, host_port, peer_port,
  (SELECT count(*) FROM decided) AS event_count
FROM decided
JOIN host AS peer ON peer.host_id = decided.peer_id
ORDER BY time DESC, capture_id, frame, event_id, decided.peer_id, host_port, peer_port, verdict, rule
LIMIT 1000
OFFSET $skip;
