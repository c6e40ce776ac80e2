-- Every marked packet with its flow in plain words, for people at the duckdb shell.
CREATE OR REPLACE VIEW marked_packets AS
SELECT
  capture.name AS capture,
  sighting.frame,
  sighting.time,
  host.address AS host,
  flow_seen.host_port,
  peer.address AS peer,
  flow_seen.peer_port,
  sighting.length,                                   -- octets of the frame on the wire
  sighting.detail & 1 = 1 AS in_ipv4_header,
  sighting.detail & 2 = 2 AS quoted,
  mark.kind,
  hex(mark.option) AS option
FROM sighting
JOIN capture USING (capture_id)
JOIN mark USING (mark_id)
JOIN host ON host.host_id = mark.host_id
LEFT JOIN flow_seen USING (flow_id)
LEFT JOIN host AS peer ON peer.host_id = flow_seen.peer_id;
