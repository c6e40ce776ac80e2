-- Exposure: whom flagged hosts reached with evidence by $as_of (microseconds since 1970), of one $host or of all, and how
-- many octets the peer acknowledged; pairs below $least_octets are left out. First contacts are after the detection by
-- nature: only marked packets are counted.
WITH chosen AS (
  SELECT host_id, address FROM host WHERE ($host::VARCHAR IS NULL OR address = $host)
),
flow AS (
  SELECT
    host_id, peer_id, flow_key,
    max(acknowledged_octets) AS acknowledged_octets,
    max(marked_octets) AS marked_octets,
    max(marked_packets) AS marked_packets,
    min(passed_at) AS passed_at,
    max(last_seen) AS last_seen
  FROM flow_seen
  SEMI JOIN chosen USING (host_id)
  WHERE first_seen <= make_timestamp($as_of::BIGINT)
  GROUP BY host_id, peer_id, flow_key
),
sums AS (
  SELECT
    host_id, peer_id,
    count(*) AS flows,
    count(*) FILTER (WHERE passed_at <= make_timestamp($as_of::BIGINT)) AS flows_passed,
    sum(acknowledged_octets)::UBIGINT AS acknowledged_octets,
    sum(marked_octets)::UBIGINT AS marked_octets,
    sum(marked_packets)::UBIGINT AS marked_packets,
    max(last_seen) AS last_seen
  FROM flow
  GROUP BY host_id, peer_id
)
SELECT
  host.address AS host, host_name.name AS host_name, peer.address AS peer, peer_name.name AS peer_name,
  first_contact, least(last_seen, make_timestamp($as_of::BIGINT)) AS last_seen,
  coalesce(flows, 0) AS flows, coalesce(flows_passed, 0) AS flows_passed,
  coalesce(acknowledged_octets, 0) AS acknowledged_octets,
  coalesce(marked_octets, 0) AS marked_octets, coalesce(marked_packets, 0) AS marked_packets
FROM pair
JOIN chosen AS host ON host.host_id = pair.host_id
JOIN host AS peer ON peer.host_id = pair.peer_id
LEFT JOIN sums ON sums.host_id = pair.host_id AND sums.peer_id = pair.peer_id
LEFT JOIN host_name ON host_name.address = host.address
LEFT JOIN host_name AS peer_name ON peer_name.address = peer.address
WHERE first_contact <= make_timestamp($as_of::BIGINT) AND coalesce(acknowledged_octets, 0) >= $least_octets
ORDER BY first_contact, host.address, peer.address
