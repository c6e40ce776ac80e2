-- The paper's Figure 6 at $as_of (microseconds): when hosts were detected, packets to which peer were stopped, and which
-- peers acknowledged octets all the same. Time is seconds since the flagged host's oldest detection that counts ($elapsed)
-- or since 1970, from $from to $to, where given; what falls into one $bins-th of it is one mark. Of $host alone, if given;
-- else of the $most_hosts with the strongest detections. Exposures of fewer than $least_octets are left out.
WITH counted AS MATERIALIZED (
  SELECT host_id, address, detected_at, category, activity, severity, probability
  FROM ranked_detection(make_timestamp($as_of::BIGINT))
  JOIN host USING (host_id)
  WHERE quality > 0 AND ($host::VARCHAR IS NULL OR address = $host)
),
flagged AS (
  SELECT host_id, min(detected_at) AS zero, (SELECT count(DISTINCT host_id) FROM counted) AS flagged_count
  FROM counted
  GROUP BY host_id
  ORDER BY max(probability) DESC, host_id
  LIMIT $most_hosts
),
captured AS (
  SELECT
    host_id, peer_id, flow_key,
    any_value(tuple_key) AS tuple_key,
    min(passed_at) AS time,
    max(acknowledged_octets) AS octets
  FROM flow_seen
  JOIN flagged USING (host_id)
  WHERE passed_at <= make_timestamp($as_of::BIGINT)
  GROUP BY host_id, peer_id, flow_key
),
-- What agents let through on connections on which both sides had spoken, unless a capture tells more of the same flow.
let_through AS (
  SELECT host_id, peer_id, tuple_key, min(time) AS time, sum(length) AS octets
  FROM enforcement_event
  JOIN flagged USING (host_id)
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
  SEMI JOIN flagged USING (host_id)
  UNION ALL
  SELECT 'drop', host_id, peer_id, time, length, NULL, NULL, NULL
  FROM enforcement_event
  SEMI JOIN flagged USING (host_id)
  WHERE verdict IN ('drop', 'reject') AND time <= make_timestamp($as_of::BIGINT)
  UNION ALL
  SELECT 'exposure', host_id, peer_id, time, octets, NULL, NULL, NULL FROM captured WHERE octets >= $least_octets
  UNION ALL
  SELECT 'exposure', host_id, peer_id, time, octets, NULL, NULL, NULL FROM let_through WHERE octets >= $least_octets
),
placed AS (
  SELECT
    happened.* EXCLUDE (time),
    flagged_count,
    epoch_us(zero) / 1e6 AS zero,
    (epoch_us(time) - CASE WHEN $elapsed THEN epoch_us(zero) ELSE 0 END) / 1e6 AS place
  FROM happened
  JOIN flagged USING (host_id)
),
extent AS (
  SELECT
    min(place) AS least,
    max(place) AS most,
    min(place) FILTER (WHERE kind <> 'detection') AS first_effect,
    max(place) FILTER (WHERE kind <> 'detection') AS last_effect
  FROM placed
),
-- A detection of long ago does not squeeze what came of it into the last pixel: it stands at the edge instead.
stretch AS (
  SELECT
    coalesce($from::DOUBLE, greatest(least, first_effect - greatest(3 * (last_effect - first_effect), 600)), least) AS start,
    coalesce($to::DOUBLE, most) AS finish
  FROM extent
),
marks AS MATERIALIZED (
  SELECT
    kind, host_id, peer_id, category, activity, severity,
    min(place) AS place,
    count(*) AS count,
    sum(octets)::UBIGINT AS octets,
    any_value(zero) AS zero,
    any_value(start) AS start,
    any_value(finish) AS finish,
    any_value(flagged_count) AS flagged_count
  FROM placed
  CROSS JOIN stretch
  -- Half a microsecond: what the page names by its own time is within it.
  WHERE (place >= start - 5e-7 OR kind = 'detection') AND place <= finish + 5e-7
  GROUP BY kind, host_id, peer_id, category, activity, severity,
    CASE WHEN kind = 'detection' THEN place ELSE floor((place - start) / greatest((finish - start) / $bins, 1e-6)) END
)
SELECT
  kind, place, count, octets, severity, zero, start, finish, flagged_count,
  host.address AS host,
  peer.address AS peer,
  host_name.name AS host_name,
  peer_name.name AS peer_name,
  CASE WHEN kind = 'detection' THEN
    coalesce(activity_code.title, category_code.title || ', activity ' || activity,
             'category ' || category || ', activity ' || activity)
  END AS title,
  (SELECT count(*) FROM marks) AS mark_count
FROM marks
JOIN host ON host.host_id = marks.host_id
JOIN host AS peer ON peer.host_id = marks.peer_id
LEFT JOIN host_name ON host_name.address = host.address
LEFT JOIN host_name AS peer_name ON peer_name.address = peer.address
LEFT JOIN (SELECT category, activity, title FROM activity_code) AS activity_code USING (category, activity)
LEFT JOIN (SELECT category, title FROM category_code) AS category_code USING (category)
-- Where it is too much, what matters most is kept: detections, then what passed, then what was stopped.
ORDER BY CASE kind WHEN 'detection' THEN 0 WHEN 'exposure' THEN 1 ELSE 2 END, place, host, peer, title
LIMIT $most_marks;
