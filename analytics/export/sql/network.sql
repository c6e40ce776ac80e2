-- The network over time, as the page shows it, but nothing put together: each detection that counts, each packet that was
-- stopped and each flow of which the peer acknowledged octets, up to $as_of, between $from and $to (microseconds since 1970),
-- of one flagged $host or of all. Exposures of fewer than $least_octets are left out.
WITH counted AS (
  SELECT host_id, detected_at, category, activity, severity
  FROM ranked_detection(make_timestamp($as_of::BIGINT))
  JOIN host USING (host_id)
  WHERE quality > 0 AND ($host::VARCHAR IS NULL OR address = $host)
),
flagged AS (
  SELECT host_id, min(detected_at) AS zero FROM counted GROUP BY host_id
),
captured AS (
  SELECT
    host_id, peer_id, flow_key,
    any_value(tuple_key) AS tuple_key,
    min(passed_at) AS time,
    max(acknowledged_octets) AS octets
  FROM flow_seen
  SEMI JOIN flagged USING (host_id)
  WHERE passed_at <= make_timestamp($as_of::BIGINT)
  GROUP BY host_id, peer_id, flow_key
),
-- What agents let through on connections on which both sides had spoken, unless a capture tells more of the same flow.
let_through AS (
  SELECT host_id, peer_id, tuple_key, min(time) AS time, sum(length) AS octets
  FROM enforcement_event
  SEMI JOIN flagged USING (host_id)
  JOIN (SELECT DISTINCT tuple_key, minute FROM flow_passed WHERE capture_id = 0) AS passed USING (tuple_key)
  WHERE verdict IN ('accept', 'strip')
    AND event_id IS NOT NULL
    AND time >= minute AND time < minute + INTERVAL 1 MINUTE
    AND time <= make_timestamp($as_of::BIGINT)
    AND tuple_key NOT IN (SELECT tuple_key FROM captured)
  GROUP BY host_id, peer_id, tuple_key
),
happened AS (
  SELECT 'detection' AS kind, host_id, host_id AS peer_id, detected_at AS time, 0 AS octets, category, activity, severity
  FROM counted
  UNION ALL
  SELECT 'drop', host_id, peer_id, time, length, NULL, NULL, NULL
  FROM enforcement_event
  SEMI JOIN flagged USING (host_id)
  WHERE verdict IN ('drop', 'reject') AND time <= make_timestamp($as_of::BIGINT)
  UNION ALL
  SELECT 'exposure', host_id, peer_id, time, octets, NULL, NULL, NULL FROM captured WHERE octets >= $least_octets
  UNION ALL
  SELECT 'exposure', host_id, peer_id, time, octets, NULL, NULL, NULL FROM let_through WHERE octets >= $least_octets
)
SELECT
  time, kind, host.address AS host, host_name.name AS host_name,
  CASE WHEN kind <> 'detection' THEN peer.address END AS peer,
  CASE WHEN kind <> 'detection' THEN peer_name.name END AS peer_name,
  round((epoch_us(time) - epoch_us(zero)) / 1e6, 6) AS seconds_since_detection,
  octets::UBIGINT AS octets, category, activity,
  CASE WHEN kind = 'detection' THEN
    coalesce(activity_code.title, category_code.title || ', activity ' || activity,
             'category ' || category || ', activity ' || activity)
  END AS title,
  severity
FROM happened
JOIN flagged USING (host_id)
JOIN host ON host.host_id = happened.host_id
JOIN host AS peer ON peer.host_id = happened.peer_id
LEFT JOIN host_name ON host_name.address = host.address
LEFT JOIN host_name AS peer_name ON peer_name.address = peer.address
LEFT JOIN (SELECT category, activity, title FROM activity_code) AS activity_code USING (category, activity)
LEFT JOIN (SELECT category, title FROM category_code) AS category_code USING (category)
WHERE ($from::BIGINT IS NULL OR time >= make_timestamp($from::BIGINT))
  AND ($to::BIGINT IS NULL OR time <= make_timestamp($to::BIGINT))
ORDER BY time, kind, host.address, peer.address
