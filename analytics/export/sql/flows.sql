-- Flows that marked hosts had, which began by $as_of and were seen between $from and $to (microseconds since 1970), of one
-- $host or of all, newest first; a flow that several captures saw is one. Outcome as on the host's page.
WITH chosen AS (
  SELECT host_id, address FROM host WHERE ($host::VARCHAR IS NULL OR address = $host)
),
merged AS (
  SELECT
    flow_key,
    any_value(tuple_key) AS tuple_key,
    any_value(host_id) AS host_id,
    any_value(peer_id) AS peer_id,
    any_value(protocol) AS protocol,
    any_value(host_port) AS host_port,
    any_value(peer_port) AS peer_port,
    min(first_seen) AS first_seen,
    max(flow_seen.last_seen) AS last_seen,
    max(marked_packets) AS marked_packets,
    max(marked_octets) AS marked_octets,
    max(reply_packets) AS reply_packets,
    max(reply_octets) AS reply_octets,
    max(acknowledged_octets) AS acknowledged_octets,
    min(established_at) AS established_at
  FROM flow_seen
  SEMI JOIN chosen USING (host_id)
  WHERE first_seen <= make_timestamp($as_of::BIGINT)
  GROUP BY flow_key
),
passed AS (
  SELECT flow_key, max(minute) AS passed_in
  FROM flow_passed
  SEMI JOIN chosen USING (host_id)
  WHERE minute <= date_trunc('minute', make_timestamp($as_of::BIGINT))
  GROUP BY flow_key
),
stopped AS (
  SELECT flow_key, max(time) AS stopped_at
  FROM enforcement_event
  SEMI JOIN chosen USING (host_id)
  JOIN merged USING (tuple_key)
  WHERE verdict IN ('drop', 'reject') AND time <= make_timestamp($as_of::BIGINT)
    -- Ports are used again: an event long before or after belongs to another flow.
    AND time >= date_trunc('minute', first_seen) AND time <= last_seen + INTERVAL 1 HOUR
  GROUP BY flow_key
)
SELECT
  host.address AS host, host_name.name AS host_name, host_port,
  peer.address AS peer, peer_name.name AS peer_name, peer_port, protocol,
  first_seen, least(last_seen, make_timestamp($as_of::BIGINT)) AS last_seen,
  marked_packets, marked_octets, reply_packets, reply_octets, acknowledged_octets,
  coalesce(established_at <= make_timestamp($as_of::BIGINT), false) AS established,
  CASE
    WHEN stopped_at >= coalesce(passed_in, stopped_at) THEN 'stopped'
    WHEN passed_in IS NOT NULL THEN 'passed'
    WHEN established_at <= make_timestamp($as_of::BIGINT) THEN 'connected'
    ELSE 'unanswered'
  END AS outcome
FROM merged
LEFT JOIN passed USING (flow_key)
LEFT JOIN stopped USING (flow_key)
JOIN chosen AS host ON host.host_id = merged.host_id
JOIN host AS peer ON peer.host_id = merged.peer_id
LEFT JOIN host_name ON host_name.address = host.address
LEFT JOIN host_name AS peer_name ON peer_name.address = peer.address
WHERE ($from::BIGINT IS NULL OR last_seen >= make_timestamp($from::BIGINT))
  AND ($to::BIGINT IS NULL OR first_seen <= make_timestamp($to::BIGINT))
ORDER BY last_seen DESC, first_seen DESC, flow_key
