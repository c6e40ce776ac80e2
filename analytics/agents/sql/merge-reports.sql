-- Joins a batch of events to what the database knows: hosts, what happened, what was seen of detections, how active hosts
-- were, whom they reached. Sums are rows that add up, as those of captures are.
INSERT INTO host
SELECT (SELECT coalesce(max(host_id), 0) FROM host) + row_number() OVER (ORDER BY address), address
FROM (SELECT host AS address FROM reported UNION SELECT peer FROM reported)
WHERE address NOT IN (SELECT address FROM host);

INSERT INTO enforcement_event
SELECT
  id, NULL, time, NULL, verdict, rule, host.host_id, peer.host_id, tuple_key, protocol, host_port, peer_port, length, agent
FROM reported
JOIN host ON host.address = reported.host
JOIN host AS peer ON peer.address = reported.peer;

INSERT INTO detection
SELECT
  (SELECT coalesce(max(detection_id), 0) FROM detection) + row_number() OVER (ORDER BY host_id, detected_at, category, activity),
  host_id, detected_at, category, activity
FROM (
  SELECT DISTINCT host_id, detected_at, category, activity
  FROM reported_detection JOIN host ON host.address = reported_detection.host
  EXCEPT
  SELECT host_id, detected_at, category, activity FROM detection
);

CREATE TEMP TABLE reported_minute AS
SELECT detection_id, date_trunc('minute', time) AS minute, trust, min(time) AS first_seen, max(time) AS last_seen, count(*) AS packets
FROM reported_detection
JOIN host ON host.address = reported_detection.host
JOIN detection USING (host_id, detected_at, category, activity)
GROUP BY ALL;

INSERT INTO detection_minute SELECT detection_id, 0, minute, trust, first_seen, last_seen, packets FROM reported_minute;

INSERT INTO detection_hour
SELECT detection_id, 0, date_trunc('hour', minute), trust, min(first_seen), max(last_seen), sum(packets)
FROM reported_minute GROUP BY ALL;

INSERT INTO detection_day
SELECT detection_id, 0, date_trunc('day', minute), trust, min(first_seen), max(last_seen), sum(packets)
FROM reported_minute GROUP BY ALL;

CREATE TEMP TABLE reported_activity AS
SELECT host_id, date_trunc('minute', time) AS minute, count(*) AS packets, sum(length) AS octets
FROM reported JOIN host ON host.address = reported.host
GROUP BY ALL;

INSERT INTO host_minute SELECT host_id, 0, minute, packets, octets FROM reported_activity;

INSERT INTO host_hour
SELECT host_id, 0, date_trunc('hour', minute), sum(packets), sum(octets) FROM reported_activity GROUP BY ALL;

INSERT INTO host_day
SELECT host_id, 0, date_trunc('day', minute), sum(packets), sum(octets) FROM reported_activity GROUP BY ALL;

-- A packet that was let through on a connection on which both sides had spoken: whatever was in it arrived.
CREATE TEMP TABLE let_through AS
SELECT host.host_id, peer.host_id AS peer_id, tuple_key, time
FROM reported
JOIN host ON host.address = reported.host
JOIN host AS peer ON peer.address = reported.peer
WHERE verdict IN ('accept', 'strip') AND trust = 1;

INSERT INTO flow_passed
SELECT DISTINCT 0, tuple_key, tuple_key, host_id, date_trunc('minute', time) FROM let_through;

CREATE TEMP TABLE contact AS
SELECT host_id, peer_id, min(time) AS first_contact FROM let_through GROUP BY ALL;
