-- Which marks were seen, on which flows, and which flows passed?
INSERT INTO mark
SELECT getvariable('last_mark') + 1 + local_mark, getvariable('capture_id'), host_id, kind, option
FROM staged_mark JOIN host_of USING (local_host);

-- One join after the other: joined at once, the planner may begin with all hosts times all hosts.
CREATE TEMP TABLE flow_of_host AS
SELECT staged_flow.*, host_id FROM staged_flow JOIN host_of USING (local_host);

CREATE TEMP TABLE flow_of_pair AS
SELECT flow_of_host.*, other.host_id AS peer_id
FROM flow_of_host JOIN host_of AS other ON other.local_host = local_peer;

INSERT INTO flow_seen
SELECT
  getvariable('last_flow') + 1 + local_flow, getvariable('capture_id'), flow_key, tuple_key, host_id, peer_id,
  protocol, host_port, peer_port, first_seen, last_seen,
  marked_packets, marked_octets, reply_packets, reply_octets, acknowledged_octets,
  established,
  CASE WHEN established THEN established_at END,
  CASE WHEN passed THEN passed_at END
FROM flow_of_pair;

INSERT INTO flow_passed
SELECT DISTINCT getvariable('capture_id'), flow_key, tuple_key, host_id, minute
FROM staged_passed JOIN flow_of_pair USING (local_flow);
