-- What did enforcement points do, by the prefixes of their NFLOG packets? And which names came along?
INSERT INTO enforcement_event
SELECT
  NULL, capture_id, time, frame, verdict, rule, marking.host_id, other.host_id, tuple_key,
  protocol, host_port, peer_port, length
FROM staged_event
JOIN staged_prefix USING (local_prefix)
JOIN host_of AS marking ON marking.local_host = staged_event.local_host
JOIN host_of AS other ON other.local_host = staged_event.local_peer,
  ingesting;

INSERT INTO captured_name SELECT capture_id, address, name FROM staged_name, ingesting;
