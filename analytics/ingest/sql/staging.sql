-- What one capture brings, with ids of its own (local, from 0), until it is joined to what the database knows.
-- The ids that this capture begins with are variables of the connection, so that no join has to guess how many rows
-- they are: the planner knows nothing of tables filled in the same transaction.
SET VARIABLE capture_id = (SELECT coalesce(max(capture_id), 0) + 1 FROM capture);
SET VARIABLE last_host = (SELECT coalesce(max(host_id), 0) FROM host);
SET VARIABLE last_detection = (SELECT coalesce(max(detection_id), 0) FROM detection);
SET VARIABLE known_hosts = getvariable('last_host');
SET VARIABLE known_detections = getvariable('last_detection');
SET VARIABLE last_mark = (SELECT coalesce(max(mark_id), 0) FROM mark);
SET VARIABLE last_flow = (SELECT coalesce(max(flow_id), 0) FROM flow_seen);

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

CREATE TEMP TABLE staged_passed (local_flow UINTEGER, minute TIMESTAMP);

CREATE TEMP TABLE staged_event (
  time TIMESTAMP, frame UINTEGER, local_prefix UINTEGER, local_host UINTEGER, local_peer UINTEGER, tuple_key UBIGINT,
  protocol UTINYINT, host_port USMALLINT, peer_port USMALLINT, length UINTEGER
);

CREATE TEMP TABLE staged_prefix (local_prefix UINTEGER, verdict VARCHAR, rule VARCHAR);

CREATE TEMP TABLE staged_name (address VARCHAR, name VARCHAR);

CREATE TEMP TABLE staged_unmarked (local_host UINTEGER, first_unmarked TIMESTAMP, last_unmarked TIMESTAMP, packets UINTEGER);

-- Local ids and the database's.
CREATE TEMP TABLE host_of (local_host UINTEGER, host_id UINTEGER);
CREATE TEMP TABLE detection_of (local_detection UINTEGER, detection_id UINTEGER);
