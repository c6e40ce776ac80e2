-- Which marks were seen, on which flows, and which flows passed?
INSERT INTO mark
SELECT last_mark + 1 + local_mark, capture_id, host_id, kind, option
FROM staged_mark JOIN host_of USING (local_host), ingesting;

INSERT INTO flow_seen
SELECT
  last_flow + 1 + local_flow, capture_id, flow_key, tuple_key, marking.host_id, other.host_id,
  protocol, host_port, peer_port, first_seen, last_seen,
  marked_packets, marked_octets, reply_packets, reply_octets, acknowledged_octets,
  established,
  CASE WHEN established THEN established_at END,
  CASE WHEN passed THEN passed_at END
FROM staged_flow
JOIN host_of AS marking ON marking.local_host = staged_flow.local_host
JOIN host_of AS other ON other.local_host = staged_flow.local_peer,
  ingesting;

INSERT INTO flow_passed
SELECT DISTINCT capture_id, flow_key, tuple_key, host_id, minute
FROM staged_passed JOIN staged_flow USING (local_flow) JOIN host_of USING (local_host), ingesting;
