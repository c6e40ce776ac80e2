-- Detections at $as_of (microseconds since 1970), of one $host or of all, those that weigh most first.
SELECT
  host.address AS host, host_name.name AS host_name, detected_at,
  round((epoch_us(make_timestamp($as_of::BIGINT)) - epoch_us(detected_at)) / 1e6, 3) AS elapsed_seconds,
  category, activity,
  coalesce(activity_code.title, category_code.title || ', activity ' || activity,
           'category ' || category || ', activity ' || activity) AS title,
  category_code.title AS category_title,
  severity, activity_code.attack, trust, first_seen, last_seen, packets, round(probability, 6) AS probability
FROM ranked_detection(make_timestamp($as_of::BIGINT)) AS found
JOIN host USING (host_id)
LEFT JOIN host_name ON host_name.address = host.address
LEFT JOIN (SELECT category, activity, title, attack FROM activity_code) AS activity_code USING (category, activity)
LEFT JOIN (SELECT category, title FROM category_code) AS category_code USING (category)
WHERE ($host::VARCHAR IS NULL OR host.address = $host)
ORDER BY probability DESC, detected_at DESC, host.address, category, activity
