-- Flows of one host that began by $as_of (microseconds), sorted by $sort, from $offset on; a flow that several captures saw is one.
-- gather_host_passed.sql comes first. Outcome as in the ranking: stopped by a drop or reject since it last passed, passed,
-- connected, or unanswered.
WITH chosen AS (
  SELECT host_id FROM host WHERE address = $address
),
merged AS (
  SELECT
    flow_key,
    any_value(tuple_key) AS tuple_key,
    any_value(peer_id) AS peer_id,
    any_value(protocol) AS protocol,
    any_value(host_port) AS host_port,
    any_value(peer_port) AS peer_port,
    min(first_seen) AS first_seen,
    max(flow_seen.last_seen) AS last_seen,
    max(marked_packets) AS marked_packets,
    max(marked_octets) AS marked_octets,
    max(acknowledged_octets) AS acknowledged_octets,
    min(established_at) AS established_at
  FROM flow_seen
  JOIN chosen USING (host_id)
  WHERE first_seen <= make_timestamp($as_of::BIGINT)
  GROUP BY flow_key
),
passed AS (
  SELECT flow_key, max(minute) AS passed_in
  FROM gathered_passed
  GROUP BY flow_key
),
stopped AS (
  SELECT flow_key, max(time) AS stopped_at
  FROM enforcement_event
  JOIN chosen USING (host_id)
  JOIN merged USING (tuple_key)
  WHERE verdict IN ('drop', 'reject') AND time <= make_timestamp($as_of::BIGINT)
    -- Ports are used again: an event long before or after belongs to another flow.
    AND time >= date_trunc('minute', first_seen) AND time <= last_seen + INTERVAL 1 HOUR
  GROUP BY flow_key
)
SELECT
  peer.address AS peer, host_name.name AS peer_name, protocol, host_port, peer_port,
  epoch_us(first_seen) / 1e6 AS first_seen,
  epoch_us(least(last_seen, make_timestamp($as_of::BIGINT))) / 1e6 AS last_seen,
  marked_packets, marked_octets, acknowledged_octets,
  coalesce(established_at <= make_timestamp($as_of::BIGINT), false) AS established,
  CASE
    WHEN stopped_at >= coalesce(passed_in, stopped_at) THEN 'stopped'
    WHEN passed_in IS NOT NULL THEN 'passed'
    WHEN established_at <= make_timestamp($as_of::BIGINT) THEN 'connected'
    ELSE 'unanswered'
  END AS outcome,
  (SELECT count(*) FROM merged) AS total
FROM merged
LEFT JOIN passed USING (flow_key)
LEFT JOIN stopped USING (flow_key)
JOIN host AS peer ON peer.host_id = merged.peer_id
LEFT JOIN host_name ON host_name.address = peer.address
ORDER BY
  CASE $sort
    WHEN 'first-seen' THEN epoch_us(merged.first_seen)
    WHEN 'sent' THEN marked_octets
    WHEN 'acknowledged' THEN acknowledged_octets
    WHEN 'packets' THEN marked_packets
    ELSE epoch_us(least(merged.last_seen, make_timestamp($as_of::BIGINT)))
  END::DOUBLE DESC,
  merged.last_seen DESC, merged.first_seen DESC, flow_key
LIMIT $limit OFFSET $offset;
