-- Part of the ranking at $as_of (microseconds): hosts that fit every word of $filter, in the order of $sort, from $offset on, a row
-- for each detection, the strongest first. Hosts that are not ranked come along, the newest first, $most_unranked at most.
-- Of one address alone, if it is given; only_host is the id that belongs to it then, and nothing otherwise; all_before is whether
-- nothing was seen after $as_of: a variable is known before the plan is made, a parameter is not. Counts are of all hosts, but fitting of those that fit.
WITH judged AS MATERIALIZED (
  FROM ranked_detection(make_timestamp($as_of::BIGINT), one_host := getvariable('only_host'),
    all_before := getvariable('all_before'))
),
ranked AS MATERIALIZED (
  FROM ranked_host(make_timestamp($as_of::BIGINT), 'judged', one_host := getvariable('only_host'))
  WHERE $address::VARCHAR IS NULL OR address = $address
),
coded AS (
  SELECT category, activity, attack, title FROM activity_code
),
-- What is said of the detections of all hosts; nothing, and no work, where nobody asks.
said AS (
  SELECT
    host_id,
    string_agg(concat_ws(' ', coalesce(coded.title, category_code.title), severity, trust, attack), chr(10)) AS words
  FROM judged
  LEFT JOIN coded USING (category, activity)
  LEFT JOIN category_code USING (category)
  WHERE $filter <> ''
  GROUP BY host_id
),
-- Those that went on without a mark; which of them are to be believed, the caller knows.
now_unmarked AS (
  SELECT DISTINCT host_id
  FROM unmarked_run
  WHERE first_unmarked <= make_timestamp($as_of::BIGINT)
    AND last_unmarked >= make_timestamp($as_of::BIGINT) - INTERVAL 24 HOUR
),
described AS (
  SELECT
    host_id, address, score, contained, last_seen, severity_rank, first_detected, activity_order, peers,
    lower(concat_ws(chr(10), address, name, band,
      CASE WHEN contained THEN 'contained' WHEN stopped > 0 AND passed > 0 THEN 'active blocked' ELSE 'active' END,
      CASE WHEN now_unmarked.host_id IS NOT NULL THEN 'unmarked' END,
      'triage:' || coalesce(decided.state, 'new'),
      said.words)) AS description
  FROM ranked
  LEFT JOIN said USING (host_id)
  LEFT JOIN now_unmarked USING (host_id)
  LEFT JOIN (SELECT host_id, state FROM triage) AS decided USING (host_id)
),
fitting AS MATERIALIZED (
  SELECT * EXCLUDE (description)
  FROM described
  WHERE score IS NULL
    OR $filter = ''
    OR len(list_filter(string_split($filter, ' '), lambda word: NOT contains(description, word))) = 0
),
-- Numbered by the one window function that gathers no rows (test/analytics/sql-windows.test.ts): ranked hosts, then the others.
placed AS (
  SELECT host_id, row_number() OVER () AS place
  FROM (
    SELECT host_id
    FROM fitting
    ORDER BY
      score IS NULL,
      CASE WHEN score IS NULL THEN epoch_us(last_seen) ELSE
        CASE $sort
          WHEN 'activity' THEN activity_order
          WHEN 'elapsed' THEN -epoch_us(first_detected)
          WHEN 'elapsed-asc' THEN epoch_us(first_detected)
          WHEN 'last-seen' THEN epoch_us(last_seen)
          WHEN 'peers' THEN peers
          ELSE 0
        END
      END DESC,
      -- Scores that print alike are ties. Then: not contained, newest, most severe, longest detected, address.
      round(score * 10) DESC,
      contained,
      last_seen DESC,
      severity_rank DESC,
      first_detected,
      -- IPv4 before IPv6, and 10.0.0.9 before 10.0.0.10.
      contains(address, ':'),
      lpad(split_part(address, '.', 1), 3, '0') || lpad(split_part(address, '.', 2), 3, '0')
        || lpad(split_part(address, '.', 3), 3, '0') || lpad(split_part(address, '.', 4), 3, '0'),
      address
  )
),
counted AS MATERIALIZED (
  SELECT
    count(*) FILTER (WHERE score IS NOT NULL) AS ranked_count,
    count(*) FILTER (WHERE score IS NULL) AS unranked_count,
    count(*) FILTER (WHERE band = 'critical') AS critical_count,
    count(*) FILTER (WHERE band = 'high') AS high_count,
    count(*) FILTER (WHERE band = 'moderate') AS moderate_count,
    count(*) FILTER (WHERE band = 'low') AS low_count,
    count(*) FILTER (WHERE band = 'minimal') AS minimal_count,
    count(*) FILTER (WHERE score IS NOT NULL AND contained) AS contained_count,
    count(*) FILTER (WHERE score IS NOT NULL AND NOT contained AND passed > 0) AS passing_count,
    count(*) FILTER (WHERE score IS NOT NULL AND stopped > 0 AND passed > 0) AS leaking_count,
    (SELECT count(*) FROM fitting WHERE score IS NOT NULL) AS fitting_count
  FROM ranked
),
part AS (
  SELECT ranked.*, place
  FROM ranked
  JOIN placed USING (host_id)
  CROSS JOIN counted
  WHERE (score IS NOT NULL AND place > $offset AND place <= $offset + $limit)
    OR (score IS NULL AND place <= fitting_count + $most_unranked)
),
found AS (
  SELECT detection.*, attack,
    coalesce(coded.title, category_code.title || ', activity ' || activity,
             'category ' || category || ', activity ' || activity) AS title
  FROM (SELECT judged.* FROM judged JOIN part USING (host_id)) AS detection
  LEFT JOIN coded USING (category, activity)
  LEFT JOIN category_code USING (category)
)
SELECT
  counted.*,
  part.* EXCLUDE (first_seen, last_seen, first_detected, last_detected, probability, quality, log_odds, band, activity_order),
  part.probability AS host_probability,
  epoch_us(part.first_seen) / 1e6 AS host_first_seen,
  epoch_us(part.last_seen) / 1e6 AS host_last_seen,
  epoch_us(first_detected) / 1e6 AS first_detected,
  epoch_us(last_detected) / 1e6 AS last_detected,
  found.detection_id, category, activity, found.severity, attack, trust, packets, title,
  found.probability,
  epoch_us(detected_at) / 1e6 AS detected_at,
  epoch_us(found.first_seen) / 1e6 AS first_seen,
  epoch_us(found.last_seen) / 1e6 AS last_seen
-- The counts are told where no host is.
FROM counted
LEFT JOIN part ON true
LEFT JOIN found ON found.host_id = part.host_id
ORDER BY part.score IS NULL, place, found.probability DESC, detected_at DESC, category, activity;
