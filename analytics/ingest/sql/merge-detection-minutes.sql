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

-- Over all times: what the database knew of a detection is added to, and new ones are appended.
CREATE OR REPLACE TEMP TABLE detected_sum AS
SELECT detection_id, trust, min(first_seen) AS first_seen, max(last_seen) AS last_seen, sum(packets)::UBIGINT AS packets
FROM detected_minute
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE known_sum AS
SELECT detection_id, trust
FROM detection_sum
SEMI JOIN detected_sum USING (detection_id, trust)
WHERE detection_id <= getvariable('known_detections');

UPDATE detection_sum
SET
  first_seen = least(detection_sum.first_seen, added.first_seen),
  last_seen = greatest(detection_sum.last_seen, added.last_seen),
  packets = detection_sum.packets + added.packets
FROM (FROM detected_sum SEMI JOIN known_sum USING (detection_id, trust)) AS added
WHERE detection_sum.detection_id = added.detection_id AND detection_sum.trust = added.trust;

INSERT INTO detection_sum FROM detected_sum ANTI JOIN known_sum USING (detection_id, trust);
