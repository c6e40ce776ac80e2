-- Which of these detections, a JSON list, are known? Times are seconds.
WITH asked AS (
  SELECT unnest(from_json($detections::JSON, '[{
    "host": "UINTEGER", "detectedAt": "BIGINT", "category": "UTINYINT", "activity": "UTINYINT"
  }]'), recursive := true)
)
SELECT detection_id, host_id, epoch_us(detected_at) // 1000000, detection.category, detection.activity
FROM asked JOIN detection
  ON host_id = host AND detected_at = make_timestamp(detectedAt * 1000000)
  AND detection.category = asked.category AND detection.activity = asked.activity
