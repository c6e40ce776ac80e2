-- What the events of a batch say was detected, a row a record and event.
INSERT INTO reported_detection
SELECT seen.* REPLACE (make_timestamp(seen.time) AS time, make_timestamp(seen.detected_at * 1000000) AS detected_at)
FROM (
  SELECT unnest(from_json($detections::JSON, '[{
    "host": "VARCHAR", "time": "BIGINT", "trust": "UTINYINT", "detected_at": "BIGINT", "category": "UTINYINT",
    "activity": "UTINYINT"
  }]')) AS seen
)
