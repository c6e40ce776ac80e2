-- Which detections are new, and which id has each? Quoted marks bring detections without a minute: those do not count.
CREATE OR REPLACE TEMP TABLE seen_detection AS
SELECT local_detection, host_id, detected_at, category, activity, detection_id
FROM staged_detection JOIN host_of USING (local_host)
LEFT JOIN (FROM detection WHERE detection_id <= getvariable('known_detections')) AS known
  USING (host_id, detected_at, category, activity)
WHERE local_detection >= getvariable('slice_from') AND local_detection < getvariable('slice_to')
  AND local_detection IN (
    SELECT local_detection FROM staged_detection_minute
    WHERE local_detection >= getvariable('slice_from') AND local_detection < getvariable('slice_to')
  );

INSERT INTO detection_of SELECT local_detection, detection_id FROM seen_detection WHERE detection_id IS NOT NULL;

CREATE OR REPLACE TEMP TABLE new_detection AS
SELECT
  local_detection, getvariable('last_detection') + row_number() OVER () AS detection_id,
  host_id, detected_at, category, activity
FROM seen_detection WHERE detection_id IS NULL;

INSERT INTO detection_of SELECT local_detection, detection_id FROM new_detection;

INSERT INTO detection SELECT detection_id, host_id, detected_at, category, activity FROM new_detection;

SET VARIABLE last_detection = (SELECT coalesce(max(detection_id), 0) FROM detection);
