-- When was each detection seen?
CREATE OR REPLACE TEMP TABLE detected_minute AS
SELECT detection_id, minute, trust, first_seen, last_seen, packets
FROM staged_detection_minute JOIN detection_of USING (local_detection)
WHERE local_detection >= getvariable('slice_from') AND local_detection < getvariable('slice_to');

INSERT INTO detection_minute
SELECT detection_id, getvariable('capture_id'), minute, trust, first_seen, last_seen, packets FROM detected_minute;

INSERT INTO detection_hour
SELECT
  detection_id, getvariable('capture_id'), date_trunc('hour', minute), trust, min(first_seen), max(last_seen), sum(packets)
FROM detected_minute
GROUP BY ALL;

INSERT INTO detection_day
SELECT
  detection_id, getvariable('capture_id'), date_trunc('day', minute), trust, min(first_seen), max(last_seen), sum(packets)
FROM detected_minute
GROUP BY ALL;

-- Over all times.
CREATE OR REPLACE TEMP TABLE detected_sum AS
SELECT detection_id, trust, min(first_seen) AS first_seen, max(last_seen) AS last_seen, sum(packets)::UBIGINT AS packets
FROM detected_minute
GROUP BY ALL;
