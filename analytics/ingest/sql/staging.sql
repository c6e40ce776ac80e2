-- What one capture brings, with ids of its own (local, from 0), until it is joined to what the database knows.
CREATE TEMP TABLE ingesting AS
SELECT
  (SELECT coalesce(max(capture_id), 0) + 1 FROM capture)::UINTEGER AS capture_id,
  (SELECT coalesce(max(host_id), 0) FROM host)::UINTEGER AS last_host,
  (SELECT coalesce(max(detection_id), 0) FROM detection)::UINTEGER AS last_detection,
  (SELECT coalesce(max(mark_id), 0) FROM mark)::UINTEGER AS last_mark,
  (SELECT coalesce(max(flow_id), 0) FROM flow_seen)::UINTEGER AS last_flow;

CREATE TEMP TABLE staged_host (local_host UINTEGER, address VARCHAR);

CREATE TEMP TABLE staged_detection (
  local_detection UINTEGER, local_host UINTEGER, detected_at TIMESTAMP, category UTINYINT, activity UTINYINT
);

CREATE TEMP TABLE staged_detection_minute (
  local_detection UINTEGER, minute TIMESTAMP, trust UTINYINT, first_seen TIMESTAMP, last_seen TIMESTAMP, packets UINTEGER
);

CREATE TEMP TABLE staged_host_minute (
  local_host UINTEGER, minute TIMESTAMP, marked_packets UINTEGER, marked_octets UBIGINT
);

CREATE TEMP TABLE staged_mark (local_mark UINTEGER, local_host UINTEGER, kind UTINYINT, option BLOB);

CREATE TEMP TABLE staged_flow (
  local_flow UINTEGER, flow_key UBIGINT, tuple_key UBIGINT, local_host UINTEGER, local_peer UINTEGER,
  protocol UTINYINT, host_port USMALLINT, peer_port USMALLINT, first_seen TIMESTAMP, last_seen TIMESTAMP,
  marked_packets UINTEGER, marked_octets UBIGINT, reply_packets UINTEGER, reply_octets UBIGINT,
  acknowledged_octets UBIGINT, established BOOLEAN, established_at TIMESTAMP, passed BOOLEAN, passed_at TIMESTAMP
);

CREATE TEMP TABLE staged_passed (local_flow UINTEGER, minute TIMESTAMP);

CREATE TEMP TABLE staged_event (
  time TIMESTAMP, frame UINTEGER, local_prefix UINTEGER, local_host UINTEGER, local_peer UINTEGER, tuple_key UBIGINT,
  protocol UTINYINT, host_port USMALLINT, peer_port USMALLINT, length UINTEGER
);

CREATE TEMP TABLE staged_prefix (local_prefix UINTEGER, verdict VARCHAR, rule VARCHAR);

CREATE TEMP TABLE staged_name (address VARCHAR, name VARCHAR);
