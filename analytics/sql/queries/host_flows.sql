-- Flows of one host that began by $as_of (microseconds), newest first; a flow that several captures saw is one.
WITH merged AS (
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
    bool_or(established) AS established
  FROM flow_seen
  JOIN host USING (host_id)
  WHERE address = $address AND first_seen <= make_timestamp($as_of::BIGINT)
  GROUP BY flow_key
),
stops AS (
  SELECT tuple_key, max(time) AS stopped_at
  FROM enforcement_event
  WHERE verdict IN ('drop', 'reject') AND time <= make_timestamp($as_of::BIGINT)
  GROUP BY tuple_key
)
SELECT
  peer.address AS peer, asset.name AS peer_name, protocol, host_port, peer_port,
  epoch_us(first_seen) / 1e6 AS first_seen,
  epoch_us(last_seen) / 1e6 AS last_seen,
  marked_packets, marked_octets, acknowledged_octets, established,
  CASE
    WHEN stopped_at IS NOT NULL AND stopped_at >= last_seen - INTERVAL 1 HOUR THEN 'stopped'
    WHEN established AND acknowledged_octets > 0 THEN 'passed'
    WHEN established THEN 'connected'
    ELSE 'unanswered'
  END AS outcome,
  count(*) OVER () AS flow_count
FROM merged
JOIN host AS peer ON peer.host_id = merged.peer_id
LEFT JOIN asset ON asset.address = peer.address
LEFT JOIN stops USING (tuple_key)
ORDER BY last_seen DESC, flow_key
LIMIT 1000;
