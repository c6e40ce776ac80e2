-- What did enforcement points do, by the prefixes of their NFLOG packets? And which names came along?
CREATE TEMP TABLE event_of_host AS
SELECT staged_event.*, host_id FROM staged_event JOIN host_of USING (local_host);

CREATE TEMP TABLE event_of_pair AS
SELECT event_of_host.*, other.host_id AS peer_id
FROM event_of_host JOIN host_of AS other ON other.local_host = local_peer;

INSERT INTO enforcement_event
SELECT
  NULL, getvariable('capture_id'), time, frame, verdict, rule, host_id, peer_id, tuple_key,
  protocol, host_port, peer_port, length, NULL
FROM event_of_pair JOIN staged_prefix USING (local_prefix);

INSERT INTO captured_name SELECT getvariable('capture_id'), address, name FROM staged_name;
