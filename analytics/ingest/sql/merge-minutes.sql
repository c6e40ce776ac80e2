-- When was each detection seen, and how active was each host?
INSERT INTO detection_minute
SELECT detection_id, getvariable('capture_id'), minute, trust, first_seen, last_seen, packets
FROM staged_detection_minute JOIN detection_of USING (local_detection);

INSERT INTO host_minute
SELECT host_id, getvariable('capture_id'), minute, marked_packets, marked_octets
FROM staged_host_minute JOIN host_of USING (local_host);

INSERT INTO detection_hour
SELECT
  detection_id, getvariable('capture_id'), date_trunc('hour', minute), trust, min(first_seen), max(last_seen), sum(packets)
FROM staged_detection_minute JOIN detection_of USING (local_detection)
GROUP BY ALL;

INSERT INTO host_hour
SELECT host_id, getvariable('capture_id'), date_trunc('hour', minute), sum(marked_packets), sum(marked_octets)
FROM staged_host_minute JOIN host_of USING (local_host)
GROUP BY ALL;

INSERT INTO detection_day
SELECT
  detection_id, getvariable('capture_id'), date_trunc('day', minute), trust, min(first_seen), max(last_seen), sum(packets)
FROM staged_detection_minute JOIN detection_of USING (local_detection)
GROUP BY ALL;

INSERT INTO host_day
SELECT host_id, getvariable('capture_id'), date_trunc('day', minute), sum(marked_packets), sum(marked_octets)
FROM staged_host_minute JOIN host_of USING (local_host)
GROUP BY ALL;
