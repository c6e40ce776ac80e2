-- Detections at $as_of (microseconds since 1970), the strongest of each host first.
SELECT
  host_id, detection_id, category, activity, severity, attack, trust, packets, probability,
  coalesce(activity_code.title, category_code.title || ', activity ' || activity,
           'category ' || category || ', activity ' || activity) AS title,
  epoch_us(detected_at) / 1e6 AS detected_at,
  epoch_us(first_seen) / 1e6 AS first_seen,
  epoch_us(last_seen) / 1e6 AS last_seen
FROM ranked_detection(make_timestamp($as_of::BIGINT)) AS found
LEFT JOIN (SELECT category, activity, title, attack FROM activity_code) AS activity_code USING (category, activity)
LEFT JOIN category_code USING (category)
JOIN host USING (host_id)
WHERE $address IS NULL OR address = $address
ORDER BY host_id, probability DESC, detected_at DESC, category, activity;
