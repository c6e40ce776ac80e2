-- The ranking at $as_of (microseconds since 1970), in the order $sort, of the hosts whose row has all of $words.
WITH flags AS (
  SELECT
    found.host_id,
    max(found.severity_rank) FILTER (WHERE quality > 0) AS severity_rank,
    string_agg(DISTINCT title, '; ' ORDER BY title) AS activities,
    string_agg(DISTINCT attack, '; ' ORDER BY attack) AS attack,
    string_agg(lower(concat_ws(chr(10), title, severity, trust, attack)), chr(10)) AS search_text
  FROM (
    SELECT
      named.*,
      coalesce(activity_code.title, category_code.title || ', activity ' || activity,
               'category ' || category || ', activity ' || activity) AS title,
      activity_code.attack
    FROM ranked_detection(make_timestamp($as_of::BIGINT)) AS named
    LEFT JOIN (SELECT category, activity, title, attack FROM activity_code) AS activity_code USING (category, activity)
    LEFT JOIN (SELECT category, title FROM category_code) AS category_code USING (category)
  ) AS found
  GROUP BY found.host_id
),
-- Those that went on without a mark.
now_unmarked AS (
  SELECT DISTINCT host_id
  FROM unmarked_run
  WHERE first_unmarked <= make_timestamp($as_of::BIGINT)
    AND last_unmarked >= make_timestamp($as_of::BIGINT) - INTERVAL 24 HOUR
),
rows AS (
  SELECT
    ranking.*, activities, attack, severity.severity,
    concat_ws(chr(10), lower(address), lower(name), band,
      CASE WHEN contained THEN 'contained' WHEN passed > 0 AND stopped > 0 THEN 'active blocked' ELSE 'active' END,
      CASE WHEN now_unmarked.host_id IS NOT NULL THEN 'unmarked' END,
      'triage:' || coalesce(decided.state, 'new'), search_text) AS search_text
  FROM ranking(make_timestamp($as_of::BIGINT)) AS ranking
  JOIN flags USING (host_id)
  LEFT JOIN now_unmarked USING (host_id)
  LEFT JOIN (SELECT host_id, state FROM triage) AS decided USING (host_id)
  LEFT JOIN severity ON severity.rank = flags.severity_rank
)
SELECT
  make_timestamp($as_of::BIGINT) AS as_of,
  address AS host, name AS host_name,
  round(score, 3) AS score, band, contained, severity, activities, attack,
  first_detected, last_detected, first_seen, last_seen,
  round((epoch_us(make_timestamp($as_of::BIGINT)) - epoch_us(first_detected)) / 1e6, 3) AS elapsed_seconds,
  passed AS flows_passed, stopped AS flows_stopped, peers, marked_packets, weight,
  round(probability, 6) AS probability, round(dwell_hours, 4) AS dwell_hours,
  round(detections_term, 6) AS detections_log_odds, round(passed_term, 6) AS passed_log_odds,
  round(peers_term, 6) AS peers_log_odds, round(dwell_term, 6) AS dwell_log_odds,
  contained_term AS contained_log_odds, round(asset_term, 6) AS asset_log_odds
FROM rows
WHERE len(list_filter(str_split_regex(lower($words), '\s+'), lambda word: NOT contains(search_text, word))) = 0
ORDER BY
  -- Hosts none of whose detections counts come last, whatever the order.
  score IS NULL,
  CASE WHEN $sort = 'activity' THEN activity_order END DESC NULLS LAST,
  CASE WHEN $sort = 'elapsed' THEN first_detected END,
  CASE WHEN $sort = 'elapsed-asc' THEN first_detected END DESC NULLS LAST,
  CASE WHEN $sort = 'last-seen' THEN last_seen END DESC NULLS LAST,
  CASE WHEN $sort = 'peers' THEN peers END DESC NULLS LAST,
  round(score, 1) DESC NULLS LAST, contained, last_seen DESC, severity_rank DESC NULLS LAST, first_detected,
  -- IPv4 before IPv6, and 10.0.0.9 before 10.0.0.10.
  contains(address, ':'),
  lpad(split_part(address, '.', 1), 3, '0') || lpad(split_part(address, '.', 2), 3, '0')
    || lpad(split_part(address, '.', 3), 3, '0') || lpad(split_part(address, '.', 4), 3, '0'),
  address
