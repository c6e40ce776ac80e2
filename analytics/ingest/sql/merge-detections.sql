-- Which detections are new, and which id has each? Quoted marks bring detections without a minute: those do not count.
CREATE TEMP TABLE seen_detection AS
SELECT local_detection, host_id, detected_at, category, activity
FROM staged_detection JOIN host_of USING (local_host)
WHERE local_detection IN (SELECT local_detection FROM staged_detection_minute);

INSERT INTO detection
SELECT getvariable('last_detection') + row_number() OVER (ORDER BY local_detection), host_id, detected_at, category, activity
FROM seen_detection
WHERE NOT EXISTS (
  FROM detection AS known
  WHERE known.host_id = seen_detection.host_id AND known.detected_at = seen_detection.detected_at
    AND known.category = seen_detection.category AND known.activity = seen_detection.activity
);

CREATE TEMP TABLE detection_of AS
SELECT local_detection, detection_id
FROM seen_detection JOIN detection USING (host_id, detected_at, category, activity);
